from observability.diffs.blocks import images_of, request_blocks, response_blocks
from policies.content import Image, Message, Opaque, Request, Response, Text, Thinking, Tool, ToolCall, ToolResult


def test_a_request_is_its_system_its_messages_and_its_tools() -> None:
    result = ToolResult("toolu_1", (Text("one"), Opaque("document"), Text("two")), is_error=True)
    request = Request(
        "m",
        (
            Message("user", (Text("hi"), Image("image/png", "AAAA", ""), result)),
            Message("assistant", (Thinking("hm"),)),
        ),
        (Text("be kind"),),
        (Tool("Bash", "runs a command"),),
    )
    assert request_blocks(request) == [
        {"role": "system", "kind": "text", "text": "be kind"},
        {"role": "user", "kind": "text", "text": "hi"},
        {"role": "user", "kind": "image", "media_type": "image/png", "url": "", "size": 4},
        {"role": "user", "kind": "tool_result", "text": "one\ntwo", "tool_call_id": "toolu_1", "is_error": True},
        {"role": "assistant", "kind": "thinking", "text": "hm"},
        {"kind": "tool", "name": "Bash", "text": "runs a command"},
    ]
    assert request_blocks(None) == []


def test_a_result_of_a_tool_names_its_images_where_it_has_any() -> None:
    result = ToolResult("toolu_1", (Image("image/png", "AAAA"), Text("one"), Image(url="https://x.invalid/a.png")))
    (block,) = request_blocks(Request("m", (Message("user", (result,)),)))
    assert block["text"] == "one"
    assert block["images"] == [
        {"media_type": "image/png", "url": "", "size": 4},
        {"media_type": "", "url": "https://x.invalid/a.png", "size": 0},
    ]
    assert images_of(result) == [result.blocks[0], result.blocks[2]]
    assert images_of(Image("image/png", "AAAA")) == [Image("image/png", "AAAA")]
    assert images_of(Text("one")) == []


def test_arguments_that_are_no_object_stand_as_the_model_wrote_them() -> None:
    answer = Response(blocks=(ToolCall("a", "Bash", '{"command":'), ToolCall("b", "Read", "")))
    assert [block["arguments"] for block in response_blocks([answer])] == ['{"command":', {}]


def test_each_choice_is_told_apart() -> None:
    answers = [Response(blocks=(Text("a"),)), Response(blocks=(Opaque("audio"),))]
    assert response_blocks(answers) == [
        {"choice": 0, "kind": "text", "text": "a"},
        {"choice": 1, "kind": "opaque", "type": "audio"},
    ]
    assert response_blocks([]) == []
