from __future__ import annotations

from observability.search.texts import MOST_BYTES, called_tools, new_text
from policies.content import Image, Message, Opaque, Request, Response, Text, Thinking, ToolCall, ToolResult

CALL = ToolCall("1", "bash", '{"command":"rm -rf \\"a\\"\\nls","list":[1,true]}')
FIRST = Request("m", (Message("user", (Text("first"), Image(url="x"))),), system=(Text("rules"),))
LATER = Request(
    "m",
    (
        *FIRST.messages,
        Message("assistant", (Text("answer"), CALL)),
        Message("tool", (ToolResult("1", (Text("result"),)),)),
        Message("user", (Text("second"),)),
    ),
    system=FIRST.system,
)


def test_a_conversation_is_found_where_each_piece_was_new() -> None:
    assert new_text([FIRST, None], [Response(blocks=(Text("answer"), CALL))], from_the_start=False) == (
        'rules\nfirst\nanswer\nbash command\nrm -rf "a"\nls\nlist\n1\nTrue'
    )
    assert new_text([LATER], [], from_the_start=False) == "result\nsecond"
    assert new_text([LATER], [], from_the_start=True).startswith("rules\nfirst\nanswer\nbash")


def test_what_is_the_same_before_and_after_policies_is_there_once() -> None:
    changed = Request("m", (Message("user", (Text("FIRST"),)),), system=FIRST.system)
    answers = [Response(blocks=(Thinking("hm"), Opaque("x"), Text("said"))), Response(blocks=(Text("said"), Text("")))]
    assert new_text([FIRST, changed], answers, from_the_start=True) == "rules\nfirst\nFIRST\nhm\nsaid"


def test_arguments_that_are_no_json_are_text() -> None:
    answer = Response(blocks=(ToolCall("1", "a", "{x"), ToolCall("2", "b", "[" * 100_000), ToolCall("3", "a", "")))
    text = new_text([], [answer], from_the_start=False)
    assert text.startswith("a {x\nb [[[")
    assert called_tools([answer, answer]) == ["a", "b"]


def test_of_a_long_text_the_beginning_and_the_end_are_there() -> None:
    text = new_text([], [Response(blocks=(Text("begin " + "é" * MOST_BYTES + "\0 end"),))], from_the_start=False)
    assert text.startswith("begin é") and text.endswith("é\ufffd end")
    assert MOST_BYTES - 8 < len(text.encode()) <= MOST_BYTES + 1
