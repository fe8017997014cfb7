import dataclasses
from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_EMBEDDINGS
from gateway.dialects.openai_embeddings import hides_input
from gateway.errors import BadRequest, RequestBlocked, UpstreamGarbled
from policies.content import Request, Text


def body(given: Any, **more: Any) -> bytes:
    return orjson.dumps({"model": "m", "input": given, "later": {"x": 1}, **more})


def read(given: Any) -> Request:
    return OPENAI_EMBEDDINGS.read_request(body(given))


def written(given: Any, change: Any, model: str = "m") -> Any:
    original = read(given)
    final = change(original)
    return orjson.loads(OPENAI_EMBEDDINGS.write_request(body(given), original, final, model))["input"]


@pytest.mark.parametrize(
    ("given", "texts", "hidden"),
    [
        ("one", ["one"], False),
        (["one", "two"], ["one", "two"], False),
        ([1, 2], [], True),
        ([[1, 2], [3]], [], True),
        (["one", [1, 2]], ["one"], True),
    ],
)
def test_inputs_are_texts_of_one_message(given: Any, texts: list[str], hidden: bool) -> None:
    request = read(given)
    assert (list(request.texts()), hides_input(request)) == (texts, hidden)
    assert [message.role for message in request.messages] == ["user"]
    assert not request.stream


@pytest.mark.parametrize("given", [None, "", [], [""], [[]], [["a"]], {}, 3, [1.5], [True], [None]])
def test_inputs_that_are_none_are_refused_by_name(given: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        read(given)
    assert refused.value.param == "input"


def test_a_request_that_nothing_changed_keeps_its_bytes() -> None:
    original = read(["one", [1]])
    assert OPENAI_EMBEDDINGS.write_request(body(["one", [1]]), original, original, "m") == body(["one", [1]])
    assert OPENAI_EMBEDDINGS.write_request(body("one"), read("one"), read("one"), "other") == body("one").replace(
        b'"m"', b'"other"'
    )


@pytest.mark.parametrize(
    ("given", "result"),
    [("one", "ONE"), (["one"], ["ONE"]), (["one", "two"], ["ONE", "TWO"]), (["a", [1]], ["A", [1]])],
)
def test_changed_texts_stand_in_the_form_that_the_client_chose(given: Any, result: Any) -> None:
    assert written(given, lambda request: request.map_text(str.upper)) == result


def test_system_text_that_a_policy_adds_has_nobody_to_read_it() -> None:
    assert written("one", lambda request: dataclasses.replace(request, system=(Text("be kind"),))) == "one"


@pytest.mark.parametrize("blocks", [(), (Text("one"),), (Text("one"), Text(""))])
def test_a_policy_may_not_leave_an_input_out(blocks: tuple[Text, ...]) -> None:
    def without(request: Request) -> Request:
        return dataclasses.replace(request, messages=(dataclasses.replace(request.messages[0], blocks=blocks),))

    with pytest.raises(RequestBlocked):
        written(["one", "two"], without)


def test_of_an_answer_the_usage_is_told() -> None:
    answer = {"object": "list", "data": [], "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    (response,) = OPENAI_EMBEDDINGS.read_recorded(orjson.dumps(answer), streamed=False)
    assert (response.model, response.usage.input_tokens, response.blocks) == ("m", 3, ())


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"object":"list"}', b"no"])
def test_what_is_no_list_of_embeddings_tells_nothing(answer: bytes) -> None:
    assert OPENAI_EMBEDDINGS.read_recorded(answer, streamed=False) == []
    with pytest.raises(UpstreamGarbled):
        OPENAI_EMBEDDINGS.read_answer(answer)
