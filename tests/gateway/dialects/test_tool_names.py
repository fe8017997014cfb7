"""Ids and names of tools, there and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.dialects.tool_names import own_id, safe_id, safe_name


@given(st.text(max_size=60))
@example("_")
def test_every_id_comes_back(call_id: str) -> None:
    safe = safe_id(call_id)
    assert own_id(safe) == call_id
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", safe)


@given(st.text("abc_-0", min_size=1, max_size=60))
def test_a_plain_id_is_itself(call_id: str) -> None:
    assert safe_id(call_id) == own_id(call_id) == call_id


@pytest.mark.parametrize(
    "call_id", ["luthien_id_YQ==", "luthien_id_*", "luthien_id_YQ", "luthien_id_Y", "luthien_id_ä"]
)
def test_an_id_that_only_looks_like_one_of_ours_is_itself(call_id: str) -> None:
    assert own_id(call_id) == call_id


@given(st.text(min_size=1, max_size=200))
def test_a_name_is_one_that_every_dialect_takes_and_always_the_same(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 64 and safe_name(safe) == safe
    assert (safe.isascii() and safe.replace("_", "").replace("-", "").isalnum()) or set(safe) <= {"_", "-"}


def test_names_that_begin_alike_stay_apart() -> None:
    assert safe_name("a" * 70) != safe_name("a" * 71)
    assert safe_name("a.b") != safe_name("a_b") == "a_b"
