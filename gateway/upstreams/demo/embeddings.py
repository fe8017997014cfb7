"""The demo provider's embeddings: vectors of length one that are a function of the text. Pure."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import Any

import orjson

from gateway.upstreams.demo.wire import Malformed, required

DIMENSIONS = 16
"""Unless the request asks for another number."""
_MOST_DIMENSIONS = 3072


def answer(body: dict[str, Any]) -> bytes:
    """Raises Malformed."""
    model, inputs = required(body, "model", str), _inputs(body.get("input"))
    dimensions = body.get("dimensions", DIMENSIONS)
    if not (isinstance(dimensions, int) and 1 <= dimensions <= _MOST_DIMENSIONS):
        raise Malformed(f"dimensions: a whole number from 1 to {_MOST_DIMENSIONS}")
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": place, "embedding": _written(vector(text, dimensions), packed)}
        for place, text in enumerate(inputs)
    ]
    words = sum(len(text.split()) for text in inputs)
    usage = {"prompt_tokens": words, "total_tokens": words}
    return orjson.dumps({"object": "list", "data": data, "model": model, "usage": usage})


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    raw = hashlib.shake_128(text.encode(errors="replace")).digest(dimensions * 2)
    numbers = [number + 0.5 for number in struct.unpack(f"<{dimensions}h", raw)]
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _inputs(given: Any) -> list[str]:
    """Tokens count as words."""
    many = given if isinstance(given, list) and not all(isinstance(each, int) for each in given) else [given]
    if not many or not given or not all(isinstance(each, str | list) and each for each in many):
        raise Malformed("input: field required")
    return [each if isinstance(each, str) else " ".join(map(str, each)) for each in many]


def _written(numbers: list[float], packed: bool) -> Any:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode() if packed else numbers
