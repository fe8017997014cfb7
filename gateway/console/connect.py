"""How a client is pointed at this gateway: the commands and programs that the home page offers to copy."""

from dataclasses import dataclass

KEY = "YOUR_KEY"
MODEL = "demo/echo"


@dataclass(frozen=True, slots=True)
class Guide:
    """One client: `code` is what to run, `then` what to know about it."""

    id: str
    title: str
    code: str
    then: str


def guides(origin: str) -> list[Guide]:
    """Every client's guide, for a gateway at `origin` (scheme, host and port, no slash at the end)."""
    return [
        Guide(
            "claude-code",
            "Claude Code",
            f"export ANTHROPIC_BASE_URL={origin}\nexport ANTHROPIC_AUTH_TOKEN={KEY}\nclaude",
            "Set these in the shell that starts it. Every turn and every tool call then passes the policies.",
        ),
        Guide(
            "codex",
            "Codex",
            _CODEX.format(origin=origin),
            f"This goes into ~/.codex/config.toml; then export LUTHIEN_API_KEY={KEY} and start codex. Where Luthien is "
            "installed, manage.py codex does it without touching a file.",
        ),
        Guide("anthropic-sdk", "Anthropic SDK", _ANTHROPIC.format(origin=origin, key=KEY, model=MODEL), _ANY_MODEL),
        Guide("openai-sdk", "OpenAI SDK", _OPENAI.format(origin=origin, key=KEY, model=MODEL), _ANY_MODEL),
        Guide("curl", "curl", _CURL.format(origin=origin, key=KEY, model=MODEL), _ANY_MODEL),
    ]


_ANY_MODEL = "demo/echo needs no provider. Name any model that a route knows once a provider has its credential."

_CODEX = """\
model_provider = "luthien"

[model_providers.luthien]
name = "Luthien"
base_url = "{origin}/v1"
env_key = "LUTHIEN_API_KEY"
wire_api = "responses"\
"""

_ANTHROPIC = """\
from anthropic import Anthropic

client = Anthropic(base_url="{origin}", api_key="{key}")
message = client.messages.create(
    model="{model}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(message.content[0].text)"""

_OPENAI = """\
from openai import OpenAI

client = OpenAI(base_url="{origin}/v1", api_key="{key}")
completion = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(completion.choices[0].message.content)"""

_CURL = """\
curl {origin}/v1/messages \\
  --header "x-api-key: {key}" \\
  --header "anthropic-version: 2023-06-01" \\
  --header "content-type: application/json" \\
  --data '{{"model": "{model}", "max_tokens": 256, "messages": [{{"role": "user", "content": "Hello"}}]}}'"""
