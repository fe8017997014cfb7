import base64
import math
import struct
from typing import Any

import orjson
import pytest

from gateway.upstreams.demo.embeddings import vector
from gateway.upstreams.demo.provider import reply


def asked(**body: Any) -> Any:
    made = reply("POST", "/embeddings?x=1", [], orjson.dumps({"model": "demo/embed", **body}))
    (part,) = made.parts
    assert isinstance(part, bytes)
    return orjson.loads(part) | {"status": made.status}


def test_equal_texts_have_equal_vectors_of_length_one() -> None:
    data = asked(input=["one", "two", "one"])["data"]
    first, second, third = (entry["embedding"] for entry in data)
    assert first == third != second
    assert math.isclose(sum(number * number for number in first), 1)
    assert [entry["index"] for entry in data] == [0, 1, 2]


def test_words_are_its_tokens() -> None:
    assert asked(input="one two")["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert asked(input=[[1, 2], [3]])["usage"]["prompt_tokens"] == 3
    assert asked(input=[1, 2])["data"] == asked(input=["1 2"])["data"]


def test_the_client_chooses_length_and_form() -> None:
    packed = asked(input="x", dimensions=3, encoding_format="base64")["data"][0]["embedding"]
    assert list(struct.unpack("<3f", base64.b64decode(packed))) == pytest.approx(vector("x", 3))


@pytest.mark.parametrize(
    "body",
    [{}, {"input": []}, {"input": [""]}, {"input": 3}, {"input": "x", "dimensions": 0}, {"input": "", "model": 1}],
)
def test_what_it_cannot_use_is_refused(body: dict[str, Any]) -> None:
    refused = asked(**body)
    assert refused["status"] == 400
    assert refused["error"]["type"] == "invalid_request_error"
