from policies.base import Call, Policy
from policies.content import Text
from policies.testing import judge, request, stream_text, text, thinking, tool_call
from policies.verdicts import Verdict, allow


class Keeping(Policy):
    """Releases everything but the last character."""

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        return (text, 0) if final else (text[:-1], min(1, len(text)))

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return allow(call.id)


def test_things_are_made_as_models_and_clients_make_them() -> None:
    assert tool_call("bash", command="ls").arguments == {"command": "ls"}
    assert (text("a").text, thinking("b").text) == ("a", "b")
    made = request("hello", model="m", tools=["t"])
    assert (made.model, made.last_user_text, made.tools[0].name) == ("m", "hello", "t")


async def test_the_hook_is_the_one_for_the_thing() -> None:
    assert await judge(Keeping(), text("a"), Call("id")) == allow("id")
    assert await judge(Keeping(), thinking("a")) == allow()


def test_what_is_kept_is_seen_again() -> None:
    assert stream_text(Keeping(), ["a", "", "bc", "d"]) == "abcd"
