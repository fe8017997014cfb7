from policies import estimates
from policies.content import Image, Message, Opaque, Request, Text, Thinking, Tool, ToolCall, ToolResult


def test_all_that_a_request_says_is_counted() -> None:
    blocks = (
        Text("a" * 35),
        Thinking("b" * 35),
        ToolCall("id", "cccc", "d" * 31),
        Image(),
        Opaque("x", {"e": "f" * 27}),
    )
    request = Request(
        "m",
        (Message("user", blocks), Message("tool", (ToolResult("id", (Text("g" * 35),)),))),
        system=(Text("h" * 35),),
        tools=(Tool("i" * 20, "j" * 15, {"k": "l" * 27}),),
    )
    assert estimates.tokens(request) == 10 * 8 + 1600 + 2 * 4


def test_letters_of_several_bytes_are_several_times_as_long() -> None:
    short, long = (estimates.tokens(Request("m", system=(Text(text * 70),))) for text in ("a", "\u4e2d"))
    assert (short, long) == (20, 60)


def test_half_of_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert estimates.tokens(Request("m", system=(Text("\ud800" * 7),))) == 6
