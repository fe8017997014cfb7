import subprocess
import sys

import pytest

from gateway.upstreams.litellm.names import name_problem, option_problems, provider_names


def test_the_names_are_those_of_litellm_and_it_is_not_imported_for_them() -> None:
    assert {"gemini", "groq", "mistral", "bedrock", "azure", "hosted_vllm", "ollama_chat", "openai"} <= provider_names()
    asked = (
        "import sys; from gateway.upstreams.litellm.names import provider_names; provider_names();"
        "print('litellm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "wanted", "problem"),
    [
        ("gemini", True, ""),
        ("", False, ""),
        ("", True, "Say what litellm calls this provider."),
        ("gemini", False, "Only a provider of the dialect litellm has this name."),
        ("gemni", True, "litellm knows no provider gemni; did you mean gemini?"),
        ("?", True, "litellm knows no provider ?."),
        (
            "sagemaker",
            True,
            "litellm would look for the credential of sagemaker on this machine, which Luthien does not allow.",
        ),
    ],
)
def test_a_name_is_one_that_litellm_knows(name: str, wanted: bool, problem: str) -> None:
    assert name_problem(name, wanted=wanted) == problem


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ({"aws_region_name": "eu-central-1", "api_version": "2026-01-01"}, 0),
        ({"api_base": "https://elsewhere.test"}, 1),
        ({"aws_secret_access_key": "x"}, 1),
        ({"api_version": "os.environ/ OTHER", "organization": 3}, 2),
        (["api_version"], 1),
    ],
)
def test_options_hold_no_secrets_and_no_switches(options: object, problems: int) -> None:
    assert len(list(option_problems(options))) == problems
