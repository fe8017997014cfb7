# ruff: noqa: RUF001
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policies.base import Call
from policies.content import Message, Request, Text, Thinking, Tool, ToolCall, ToolResult, UnparsableArguments
from policies.library.secrets import Secrets
from policies.library.secrets.assigned import entropy
from policies.testing import judge, new_blocks, new_request, stream_text

AB = "aB3" * 40
KEYS = {
    "aws": ["AKIAQ3EGRMXW7TL2ZBND", "ASIAQ3EGRMXW7TL2ZBND"],
    "azure": [f"AccountKey={AB[:86]}==", f"https://x.blob/y?sv=1&sig={AB[:43]}%3D"],
    "gcp": ["AIza" + AB[:35], "GOCSPX-" + AB[:28], "ya29." + AB[:60]],
    "github": [*(f"gh{kind}_{AB[:36]}" for kind in "pousr"), "github_pat_" + AB[:82]],
    "gitlab": ["glpat-" + AB[:20]],
    "slack": [
        "xoxb-123-456-" + AB[:24],
        "xapp-1-A0-" + AB[:24],
        "https://hooks.slack.com/services/T0AAAAAA/B0BBBBBB/" + AB[:24],
    ],
    "stripe": ["sk_live_" + AB[:24], "rk_test_" + AB[:99], "whsec_" + AB[:32]],
    "openai": ["sk-proj-" + AB[:60], "sk-" + AB[:48]],
    "anthropic": ["sk-ant-api03-" + AB[:90]],
    "luthien": ["lth_" + AB[:40]],
    "npm": ["npm_" + AB[:36]],
    "pypi": ["pypi-AgEIcHlwaS5vcmc" + AB[:60]],
    "other_token": ["hf_" + AB[:34], f"SG.{AB[:22]}.{AB[:43]}", "987001234:AA" + AB[:33], "hvs." + AB[:40]],
    "jwt": [f"eyJ{AB[:20]}.eyJ{AB[:90]}.{AB[:43]}"],
    "private_key": [
        f"-----BEGIN RSA PRIVATE KEY-----\n{AB[:64]}\n{AB[:64]}\n{AB[:10]}==\n",
        f"-----BEGIN PRIVATE KEY-----\\n{AB[:64]}\\n{AB[:64]}\\n",
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F\n\n{AB[:64]}\n",
    ],
    "url_password": ["x8Kq-29f", "zq"],
    "authorization": [AB[:40] + "=="],
    "assigned": ["x8Kq-29fLmP0"],
}
AROUND = {
    "url_password": "postgres://ann:{}@db.internal/x",
    "authorization": "authorization: Bearer {} ",
    "assigned": "DB_PASSWORD = '{}'",
    "private_key": "key:\n{}-----END",
    "azure": "x;{};EndpointSuffix",
}
SAMPLES = [
    pytest.param(kind, key, AROUND.get(kind, "use {} now"), id=f"{kind} {key[:12]!r}")
    for kind, keys in KEYS.items()
    for key in keys
]
PASSING = [
    "AKIAIOSFODNN7EXAMPLE",
    "task-" + "a" * 40,
    "sk-learn is a library",
    "password=<your-password>",
    "password: ${PASSWORD} token={{ token }}",
    "api_key = os.environ['API_KEY_1']",
    "token = get_token_v2(request)",
    "password: correcthorsebattery",
    "postgres://user:password@localhost",
    "postgres://user:$PASSWORD@localhost",
    "https://example.com:8080/@x",
    "-----BEGIN PRIVATE KEY----- goes at the top of the file, and then comes more",
    "-----BEGIN PUBLIC KEY-----\n" + AB[:64],
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "tokens: 12345678",
    "",
]


def scanning(**config: object) -> Secrets:
    return Secrets(Secrets.Config.model_validate(config))


@pytest.mark.parametrize(("kind", "key", "around"), SAMPLES)
def test_a_secret_is_cut_out_whole_and_as_it_streams(kind: str, key: str, around: str) -> None:
    text = around.format(key)
    released = stream_text(Secrets(), [text])
    assert f"[SECRET:{kind.upper()}]" in released
    assert key[-8:] not in released
    assert stream_text(Secrets(), list(text)) == released


@pytest.mark.parametrize(("kind", "key", "around"), SAMPLES)
def test_what_is_redacted_stays_as_it_is(kind: str, key: str, around: str) -> None:
    once = stream_text(Secrets(), [around.format(key)])
    assert stream_text(Secrets(), [once]) == once


@pytest.mark.parametrize("text", PASSING)
def test_what_is_no_secret_passes(text: str) -> None:
    assert stream_text(Secrets(), [text]) == text
    assert stream_text(Secrets(), list(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "AKIA\u200bQ3EGRMXW\u00ad7TL2ZBND",
        "АKІАQ3EGRMXW7TL2ZBND",
        "ＡＫＩＡＱ３ＥＧＲＭＸＷ７ＴＬ２ＺＢＮＤ",
        "𝐀𝐊𝐈𝐀Q3EGRMXW7TL2ZBND",
        "\u202eAKIAQ3EGRMXW7TL2ZBND",
    ],
)
def test_a_disguised_key_is_found(text: str) -> None:
    assert stream_text(Secrets(), [f"x {text}"]).replace("\u202e", "") == "x [SECRET:AWS]"


PIECES = [text for kind, keys in KEYS.items() for text in (AROUND.get(kind, "{}").format(keys[0]), keys[0])]
PIECES += [*PASSING, " ", "\n", "=", "a", "-----BEGIN ", "漢", "\u200b"]


@given(st.lists(st.sampled_from(PIECES), max_size=4), st.data())
def test_any_mixture_is_the_same_however_it_is_cut(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts)
    at = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[begin:end] for begin, end in zip([0, *at], [*at, len(whole)], strict=True)]
    assert stream_text(Secrets(), chunks) == stream_text(Secrets(), [whole])


async def test_a_block_quotes_nothing() -> None:
    verdict = await judge(scanning(action="block"), Text(f"AKIAQ3EGRMXW7TL2ZBND ghp_{AB[:36]}"))
    assert (verdict.action, verdict.reason) == ("block", "secrets: 1 aws, 1 github")
    assert verdict.evidence == {"kinds": {"aws": 1, "github": 1}}


async def test_arguments_are_looked_through_text_by_text_and_stay_json() -> None:
    written = '{"n": 1.0, "password":"x8Kq-29fLmP0", "a": ["AKIAQ3EGRMXW7TL2ZBND", {"token": ["tok-91x8Kq29"]}]}'
    verdict = await judge(Secrets(), ToolCall("call_1", "post", written))
    (made,) = new_blocks(verdict)
    assert isinstance(made, ToolCall)
    assert made.arguments_text == (
        '{"n": 1.0, "password":"[SECRET:ASSIGNED]", "a": ["[SECRET:AWS]", {"token": ["[SECRET:ASSIGNED]"]}]}'
    )
    assert verdict.evidence == {"kinds": {"assigned": 2, "aws": 1}}


async def test_free_text_arguments_are_one_text() -> None:
    call = ToolCall("call_1", "apply_patch", "+ AKIAQ3EGRMXW7TL2ZBND", custom=True)
    (made,) = new_blocks(await judge(Secrets(), call))
    assert isinstance(made, ToolCall) and made.arguments_text == "+ [SECRET:AWS]"


async def test_keys_that_would_become_the_same_block() -> None:
    arguments = '{"AKIAQ3EGRMXW7TL2ZBND": 1, "AKIAQ3EGRMXW7TL2ZBNA": 2}'
    assert (await judge(Secrets(), ToolCall("call_1", "post", arguments))).action == "block"


async def test_arguments_that_cannot_be_parsed_are_not_judged() -> None:
    with pytest.raises(UnparsableArguments):
        await judge(Secrets(), ToolCall("call_1", "post", '{"a": '))


async def test_a_call_that_has_run_is_blocked_since_it_cannot_be_rewritten() -> None:
    call = ToolCall("call_1", "search", '{"q": "AKIAQ3EGRMXW7TL2ZBND"}', executed=True)
    assert (await judge(Secrets(), call)).action == "block"


async def test_thinking_with_a_secret_is_blocked_and_never_rewritten() -> None:
    policy = scanning(places=["thinking"])
    assert (await judge(policy, Thinking("AKIAQ3EGRMXW7TL2ZBND", "sig"))).action == "block"
    assert (await judge(policy, Thinking("nothing", "sig"))).action == "allow"


KEY = "AKIAQ3EGRMXW7TL2ZBND"
ASKED = Request(
    "any",
    (
        Message("system", (Text(KEY),)),
        Message("user", (Text(KEY), ToolResult("call_1", (Text(KEY),)))),
        Message("assistant", (Text(KEY), ToolCall("call_2", "x", f'{{"k":"{KEY}"}}'))),
        Message("tool", (ToolResult("call_2", (Text(KEY),)),)),
    ),
    system=(Text(KEY),),
    tools=(Tool("x", KEY, {"properties": {"k": {"type": "string", "description": KEY, "enum": [KEY]}}}),),
)


@pytest.mark.parametrize(("place", "count"), [("user", 1), ("system", 2), ("tool_results", 2), ("tool_definitions", 2)])
async def test_each_place_of_a_request_is_looked_at_only_if_chosen(place: str, count: int) -> None:
    verdict = await judge(scanning(places=[place]), ASKED)
    assert verdict.evidence == {"kinds": {"aws": count}}
    rewritten = new_request(verdict)
    assert rewritten.messages[2] is ASKED.messages[2]
    assert repr(rewritten).count("[SECRET:AWS]") == count
    assert (await judge(scanning(places=[place]), rewritten)).action == "allow"


async def test_a_clean_request_passes_as_it_is_however_long() -> None:
    long = Request("any", (Message("user", (Text("lorem ipsum " * 20_000),)),))
    assert (await judge(Secrets(), long)).action == "allow"


def test_hooks_are_had_only_where_they_are_needed() -> None:
    assert scanning(places=["text"]).hooks == {"on_text_delta"}
    assert scanning(places=["text"], action="block").hooks == {"on_text"}
    assert scanning(places=["user", "tool_arguments"]).hooks == {"on_request", "on_tool_call"}
    assert scanning(places=[]).hooks == frozenset()


def test_an_allowed_text_passes_and_others_do_not() -> None:
    policy = scanning(allowed=["AKIAQ3EGRMXW7TL2ZBND", "sk-ant-api03-" + AB[:90]])
    text = f"AKIAQ3EGRMXW7TL2ZBND sk-ant-api03-{AB[:90]} AKIAQ3EGRMXW7TL2ZBNA"
    assert stream_text(policy, [text]) == text.replace("AKIAQ3EGRMXW7TL2ZBNA", "[SECRET:AWS]")


def test_an_allowed_text_that_would_allow_too_much_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 8 characters"):
        scanning(allowed=["sk-"])


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
    assert stream_text(scanning(min_entropy=8), ["password=x8Kq-29fLmP0"]) == "password=x8Kq-29fLmP0"


def test_a_find_is_noted_once_its_block_is_over() -> None:
    notes: list[tuple[str, str, float | None]] = []
    call = Call(on_note=lambda kind, text, value: notes.append((kind, text, value)))
    stream_text(Secrets(), ["AKIAQ3EGRMXW7TL2ZBND", " AKIAQ3EGRMXW7TL2ZBND"], call)
    stream_text(Secrets(), ["nothing"], call)
    assert notes == [("redacted", "2 aws", 2)]
