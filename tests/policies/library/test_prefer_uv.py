import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.base import Call
from policies.content import ToolCall
from policies.library.prefer_uv import PreferUv
from policies.library.prefer_uv.rewriting import MAX_SCRIPT
from policies.library.prefer_uv.text import MAX_LINE
from policies.testing import judge, new_blocks, stream_text, tool_call

CHANGED = [
    ("pip install x", "uv pip install x"),
    ("pip3 install -U 'x>=1' y", "uv pip install -U 'x>=1' y"),
    ("pip3.11 install x", "uv pip install --python 3.11 x"),
    ("python -m pip install -r requirements.txt", "uv pip install -r requirements.txt"),
    ("python3.12 -m pip install x", "uv pip install --python 3.12 x"),
    ("pip uninstall -y x", "uv pip uninstall -y x"),
    ("pip list", "uv pip list"),
    ("pip freeze > requirements.txt", "uv pip freeze > requirements.txt"),
    ("pip show -f x", "uv pip show -f x"),
    ("pip check", "uv pip check"),
    ("pip install --index-url=https://x.example y", "uv pip install --index-url=https://x.example y"),
    ("pip   install\t x  # why", "uv pip install\t x  # why"),
    ("pip install \\\n  x \\\n  y\n", "uv pip install \\\n  x \\\n  y\n"),
    ("cd app && pip install x; ls", "cd app && uv pip install x; ls"),
    ("X=1 pip install x", "X=1 uv pip install x"),
    ("sudo -H pip install x", "sudo -H uv pip install x"),
    ("env A=b pip install x", "env A=b uv pip install x"),
    ("time pip list | grep x", "time uv pip list | grep x"),
    ("pip install $(cat list)", "uv pip install $(cat list)"),
    ('echo "$(pip list)"', 'echo "$(uv pip list)"'),
    ("if ! pip show x; then pip install x; fi", "if ! uv pip show x; then uv pip install x; fi"),
    ("(pip install x) &", "(uv pip install x) &"),
    ("bash -lc 'pip install x'", "bash -lc 'uv pip install x'"),
    ('bash -c "pip install x"', 'bash -c "uv pip install x"'),
    ("sudo bash -c 'pip install x && pip list'", "sudo bash -c 'uv pip install x && uv pip list'"),
    ("bash -c 'bash -c \"pip list\"'", "bash -c 'bash -c \"uv pip list\"'"),
    ("echo 漢字 é; pip install x", "echo 漢字 é; uv pip install x"),
    ("virtualenv .venv", "uv venv .venv"),
    ("virtualenv -p python3.11 .venv", "uv venv -p python3.11 .venv"),
    ("python -m venv .venv", "uv venv .venv"),
    ("python3.11 -m venv --clear .venv", "uv venv --python 3.11 --clear .venv"),
    ("python -m virtualenv x && . x/bin/activate", "uv venv x && . x/bin/activate"),
]
UNCHANGED = [
    "uv pip install x",
    "pip",
    "pip --version",
    "pip download x",
    "pip config set a b",
    "pip install --user x",
    "pip install --no-such-option x",
    "pip freeze --all",
    ".venv/bin/pip install x",
    "./pip install x",
    "echo pip install x",
    "echo 'pip install x'",
    "# pip install x",
    "git commit -m 'pip install x'",
    "grep 'pip install' README.md",
    "python -m pip",
    "python -m venv",
    "python -m venv --without-pip x",
    "virtualenv --help",
    "python -m pytest tests/test_pip.py",
    "pip$X install x",
    "p\\ip install x",
    "pipx install x",
    "pip2 install x",
    "ssh host 'pip install x'",
    "bash pip install x",
    "bash -c 'echo $1' pip",
    'bash -c "pip install \\"x\\""',
    "bash -c pip",
    "pip install (",
    "sudo",
    "sudo -u me pip install x",
    "cat <<E\npip install x\nE",
    "$(echo pip) install x",
    "> pip",
    "pip install \ud800",
    "ls",
    "",
    "pip install x\n" * (MAX_SCRIPT // 10),
    "bash -c '" + "x" * 10 + "'",
]
TEXTS = [
    ("Run `pip install x`.", "Run `uv pip install x`."),
    ("`pip install x`", "`uv pip install x`"),
    ("``pip install x``, or ` pip list `", "``uv pip install x``, or ` uv pip list `"),
    ("pip install x", "pip install x"),
    ("`pip` and `pip install", "`pip` and `pip install"),
    ("`a\npip install x`", "`a\npip install x`"),
    ("`` pip install x `", "`` pip install x `"),
    ("```bash\npip install x\n```\npip list\n", "```bash\nuv pip install x\n```\npip list\n"),
    ("```\n$ pip install x\nok\n```", "```\n$ uv pip install x\nok\n```"),
    ("~~~sh title=x\n  pip install x", "~~~sh title=x\n  uv pip install x"),
    ("````bash\n```\npip list\n````\n`pip list`", "````bash\n```\nuv pip list\n````\n`uv pip list`"),
    ("```python\nrun('`pip install x`')\n```\n`pip list`", "```python\nrun('`pip install x`')\n```\n`uv pip list`"),
    ("```dockerfile\npip install x\n```\n", "```dockerfile\npip install x\n```\n"),
    ("- a\n   ```sh\n   pip list\n   ```\n", "- a\n   ```sh\n   uv pip list\n   ```\n"),
    ("```pip list``` is\n`pip list`", "```pip list``` is\n`uv pip list`"),
    ("`" + "x" * MAX_LINE + "`\n`pip list`", "`" + "x" * MAX_LINE + "`\n`uv pip list`"),
    ("```sh\npip list " + "x" * MAX_LINE + "\npip list", "```sh\npip list " + "x" * MAX_LINE + "\nuv pip list"),
]
DENSE = st.lists(
    st.sampled_from(
        ["`", "``", "```", "~~~", "\n", " ", "pip", "pip install x", "sh", "py", "$ ", "x", "pi", "p list"]
    ),
    max_size=14,
)


def policy(**config: Any) -> PreferUv:
    return PreferUv(PreferUv.Config(**config))


async def rewritten(command: Any, key: str = "command", **config: Any) -> Any:
    """What becomes of the command, itself if the call is allowed as it is."""
    verdict = await judge(policy(**config), tool_call("bash", **{key: command}))
    if verdict.action == "allow":
        return command
    (call,) = new_blocks(verdict)
    assert isinstance(call, ToolCall)
    return json.loads(call.arguments_text)[key]


@pytest.mark.parametrize(("command", "becomes"), CHANGED, ids=lambda text: text[:40])
async def test_a_command_becomes_uvs_and_nothing_else_of_it_changes(command: str, becomes: str) -> None:
    assert await rewritten(command) == becomes
    assert await rewritten(becomes) == becomes


@pytest.mark.parametrize("command", UNCHANGED, ids=lambda text: text[:40].encode("unicode_escape").decode())
async def test_any_other_command_stays_as_it_is(command: str) -> None:
    assert await rewritten(command) == command


async def test_shells_in_shells_are_followed_only_so_far() -> None:
    command = "pip list"
    for depth in range(8):
        command = f"eval '{command}'" if depth % 2 else f'bash -c "{command}"'
    assert await rewritten(command) == command


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("pip install x", "uv pip install --system x"),
        ("pip install --target=t x", "uv pip install --target=t x"),
        ("pip install -t t x", "uv pip install -t t x"),
        ("pip3.11 install x", "uv pip install --python 3.11 x"),
        ("virtualenv x", "uv venv x"),
    ],
)
async def test_system_is_added_if_asked_for(command: str, becomes: str) -> None:
    assert await rewritten(command, system=True) == becomes


async def test_commands_are_found_wherever_a_shell_tool_carries_them() -> None:
    assert await rewritten(["pip", "install", "a b"]) == ["uv", "pip", "install", "a b"]
    assert await rewritten(["bash", "-lc", "pip install x"]) == ["bash", "-lc", "uv pip install x"]
    assert await rewritten(["pip list", "ls"], "commands") == ["uv pip list", "ls"]
    assert await rewritten({"command": "pip list", "note": "pip list"}, "action") == {
        "command": "uv pip list",
        "note": "pip list",
    }
    assert await rewritten(["pip list", 7], "script") == ["uv pip list", 7]
    assert await rewritten("pip list", "description") == "pip list"
    custom = await judge(policy(), ToolCall("1", "bash", "pip list", custom=True))
    assert [block.arguments_text for block in new_blocks(custom) if isinstance(block, ToolCall)] == ["uv pip list"]
    assert (await judge(policy(), tool_call("write_file", command="pip list"))).action == "allow"


@pytest.mark.parametrize(("text", "becomes"), TEXTS, ids=lambda text: text[:30])
def test_code_in_answers_becomes_uvs_however_it_is_cut(text: str, becomes: str) -> None:
    assert stream_text(policy(), [text]) == becomes
    assert stream_text(policy(), list(text)) == becomes


@given(st.lists(DENSE.map("".join), max_size=8))
def test_any_cut_of_a_text_gives_the_same(chunks: list[str]) -> None:
    whole = stream_text(policy(), ["".join(chunks)])
    assert stream_text(policy(), chunks) == whole
    assert stream_text(policy(), list("".join(chunks))) == whole


@given(st.lists(st.text(max_size=20), max_size=8))
def test_a_text_that_says_nothing_of_pip_stays_as_it_is(chunks: list[str]) -> None:
    assert stream_text(policy(), chunks) == "".join(chunks)


def test_only_code_waits_for_its_end() -> None:
    ours, call = policy(), Call()
    released = [ours.on_text_delta(chunk, call, False)[0] for chunk in ("Run pip", " as `pip", " list", "` now")]
    assert released == ["Run pip", " as ", "", "`uv pip list` now"]


def test_what_is_switched_off_is_not_paid_for() -> None:
    assert not policy(text=False).overrides("on_text_delta")
    assert not policy(commands=False).overrides("on_tool_call")
    assert policy().overrides("on_text_delta") and not policy().overrides("on_text")
