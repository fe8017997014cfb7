import pytest

from observability.calls.readable import EXCERPT, SHORT, Field, brief, fields


def test_arguments_that_are_text_are_read_as_text_and_others_as_json() -> None:
    command = 'printf "a\\n"\nls'
    given = {"command": command, "timeout": 5, "env": {"A": "1"}}
    assert fields(given) == [Field("command", command), Field("timeout", "5"), Field("env", '{\n  "A": "1"\n}')]
    assert fields({}) == []
    assert fields('{"command":') is None


@pytest.mark.parametrize(
    ("text", "short"), [("ls", True), ("a\nb", False), ("x" * SHORT, True), ("x" * (SHORT + 1), False)]
)
def test_an_argument_stands_beside_its_name_if_it_is_one_short_line(text: str, short: bool) -> None:
    assert Field("a", text).is_short is short


def test_a_long_block_is_cut_and_says_by_how_much() -> None:
    long = "x" * (EXCERPT + 7)
    assert brief({"kind": "text", "text": long}) == {"kind": "text", "text": "x" * EXCERPT, "more": 7}
    call = brief({"kind": "tool_call", "name": "Write", "arguments": {"content": long, "rows": [long], "path": "a"}})
    assert call["more"] == 7 + len('[\n  ""\n]') + 7
    assert {name: len(value) for name, value in call["arguments"].items()} == {
        "content": EXCERPT, "rows": EXCERPT, "path": 1
    }  # fmt: skip
    assert brief({"kind": "tool_call", "arguments": long})["more"] == 7


def test_a_short_block_is_left_alone() -> None:
    block = {"kind": "tool_call", "name": "Bash", "arguments": {"command": "ls", "timeout": 5}}
    assert brief(block) is block
