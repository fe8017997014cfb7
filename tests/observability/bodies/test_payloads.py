from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.bodies import payloads, recipes
from observability.bodies.blobs import Shelf
from observability.bodies.recipes import Part, PayloadDamaged, Slice, name

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Store:
    """A database of blobs in memory, fed as the writer feeds the real one."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.rows: dict[bytes, tuple[bool, bytes]] = {}

    def put(self, raw: bytes, session: str = "session") -> bytes:
        digest, fresh = self.shelf.put(raw, NOW, session)
        for blob in fresh:
            self.rows.setdefault(blob.digest, (blob.recipe, blob.data))
        return digest

    def get(self, digest: bytes) -> bytes:
        return recipes.assemble(digest, self.load)

    def load(self, digest: bytes) -> tuple[bool, bytes]:
        if digest not in self.rows:
            raise PayloadDamaged("a blob is missing")
        recipe, data = self.rows[digest]
        return recipe, zstandard.ZstdDecompressor().decompress(data)

    @property
    def size(self) -> int:
        return sum(len(data) for _, data in self.rows.values())


def noise(seed: int, size: int) -> str:
    """Text that does not compress to nothing, and differs by `seed`."""
    return random.Random(seed).randbytes(size // 2).hex()


def request(messages: list[Any], **fields: Any) -> dict[str, Any]:
    tools = [{"name": f"tool-{n}", "description": noise(1000 + n, 1500)} for n in range(12)]
    system = [{"type": "text", "text": noise(999, 6000)}]
    return {"model": "m", "messages": messages, "system": system, "tools": tools, "max_tokens": 100, **fields}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def turn(number: int) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": noise(number, 2000)},
        {"role": "assistant", "content": [{"type": "text", "text": noise(number + 5000, 1000)}]},
    ]


def conversation(turns: int) -> list[dict[str, Any]]:
    return [message for number in range(turns) for message in turn(number)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
big_text = st.text(max_size=20).flatmap(lambda text: st.integers(0, 3000).map(lambda times: text * times))
messages = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": json_values | big_text}), max_size=6)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")])
bodies = st.builds(
    lambda messages, separators, ascii, rest: json.dumps(
        {"model": "m", "messages": messages, "tools": messages[:2], "rest": rest},
        separators=separators,
        ensure_ascii=ascii,
    ).encode("utf-8", "surrogatepass"),
    messages,
    separators,
    st.booleans(),
    json_values,
)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200) | bodies, max_size=6))
def test_any_bytes_come_back_exactly(raws: list[bytes]) -> None:
    store = Store()
    digests = [store.put(raw) for raw in raws]
    assert [store.get(digest) for digest in digests] == raws


@settings(deadline=None)
@given(bodies, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 40), st.binary(max_size=40)), max_size=8))
def test_a_body_edited_anywhere_comes_back_exactly(raw: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    store = Store()
    versions = [raw]
    for place, length, new in edits:
        old = versions[-1]
        place = min(place, len(old))
        versions.append(old[:place] + new + old[place + length :])
    digests = [store.put(version) for version in versions]
    assert [store.get(digest) for digest in digests] == versions


def test_a_session_of_n_turns_stores_each_message_once() -> None:
    store = Store()
    sizes = []
    bodies = [compact(request(conversation(turns))) for turns in range(1, 101)]
    for body in bodies:
        store.put(body)
        sizes.append(store.size)
    assert sizes[99] < 1.3 * len(zstandard.compress(bodies[99])), "about one body, not a hundred"
    assert sizes[99] - sizes[49] < 1.3 * (sizes[49] - sizes[0]), "the second half costs what the first did"
    assert store.get(store.put(bodies[70])) == bodies[70]


def test_a_body_of_an_unknown_session_shares_messages_and_tools() -> None:
    store = Store()
    body = compact(request(conversation(10)))
    store.put(body)
    before = store.size
    other = compact(request(conversation(11), max_tokens=7))
    assert store.get(store.put(other, session="another")) == other
    assert store.size - before < 0.15 * len(zstandard.compress(body))


def test_original_and_final_share_what_did_not_change() -> None:
    store = Store()
    body = compact(request(conversation(20)))
    store.put(body)
    before = store.size
    final = body.replace(b'"model":"m"', b'"model":"provider-name"').replace(noise(3, 2000).encode(), b"changed")
    assert store.get(store.put(final)) == final
    assert store.size - before < 2000


def test_a_mark_that_moves_with_the_last_message_does_not_store_the_conversation_again() -> None:
    store = Store()

    def marked(turns: int) -> bytes:
        messages = conversation(turns)
        messages[-1] = {**messages[-1], "cache_control": {"type": "ephemeral"}}
        return compact(request(messages))

    for turns in range(1, 41):
        store.put(marked(turns))
    assert store.size < 1.5 * len(zstandard.compress(marked(40)))


def test_a_chain_of_parents_ends() -> None:
    store = Store()
    for turns in range(1, 3 * recipes.MAX_DEPTH):
        digest = store.put(compact(request(conversation(turns))))

    @cache
    def depth(digest: bytes) -> int:
        recipe, data = store.load(digest)
        slices = [piece for piece in recipes.decode(data) if isinstance(piece, Slice)] if recipe else []
        return 1 + max((depth(piece.digest) for piece in slices), default=0)

    assert depth(digest) <= recipes.MAX_DEPTH + 1


def test_the_same_body_is_stored_once() -> None:
    store = Store()
    body = compact(request(conversation(3)))
    first, size = store.put(body), store.size
    assert store.put(body, session="another") == first
    assert store.size == size


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"messages":[',
        b'{"messages":[{}{}{}]}',
        b'{"messages":[{"a":1},{"a":1}],"messages":[{"b":2}]}',
        b'{"messages":' + b"[" * 5000 + b'{"a":' * 5000,
        b'{"messages":[{"a":"\xff\xfe"}]}',
        '{"messages":[{"a":"\u0085\u00e9"}]}'.encode(),
    ],
)
def test_odd_bodies_come_back_exactly(body: bytes) -> None:
    store = Store()
    padding = b" " * payloads.MIN_SPLIT
    assert store.get(store.put(body)) == body
    assert store.get(store.put(body + padding)) == body + padding


def test_a_stored_body_that_was_edited_is_refused() -> None:
    store = Store()
    digest = store.put(compact(request(conversation(3))))
    recipe, data = store.load(digest)
    assert recipe
    store.rows[digest] = (True, zstandard.compress(data[:-1] + bytes([data[-1] ^ 1])))
    with pytest.raises(PayloadDamaged):
        store.get(digest)


def test_a_missing_part_is_said_and_not_skipped() -> None:
    store = Store()
    digest = store.put(compact(request(conversation(3))))
    part = next(piece.digest for piece in recipes.decode(store.load(digest)[1]) if isinstance(piece, Slice))
    del store.rows[part]
    with pytest.raises(PayloadDamaged, match="missing"):
        store.get(digest)


@pytest.mark.parametrize("recipe", [b"\x07", b"\x00", b"\x00" + b"\xff" * 12, b"\x02" + bytes(32)])
def test_a_broken_recipe_is_damage(recipe: bytes) -> None:
    with pytest.raises(PayloadDamaged):
        list(recipes.decode(recipe))


def test_a_recipe_that_refers_to_itself_is_damage() -> None:
    digest = bytes(32)
    recipe = recipes.encode([Slice(digest, 0, 1)])
    with pytest.raises(PayloadDamaged, match="itself"):
        recipes.assemble(digest, lambda _: (True, recipe))


def test_a_slice_may_give_way_to_what_it_is_made_of() -> None:
    part, inner, gone = name(b"a whole part"), name(b"the body within"), name(b"gone")
    made_of: list[tuple[bytes | Slice, int]] = [(b"literal", 7), (Slice(part, 0, -1), 12), (Slice(inner, 4, 8), 8)]
    whole = b"literal" + b"a whole part" + b"the body within"[4:12]
    stored = {part: b"a whole part", inner: b"the body within"}
    for start in range(len(whole)):
        for end in range(start + 1, len(whole) + 1):
            recipe = recipes.encode([b"before", Part(part, 0, 0), Slice(gone, start, end - start), Slice(inner, 1, 2)])
            made = recipes.inlined(recipe, gone, made_of)
            wanted = b"beforea whole part" + whole[start:end] + b"he"
            rows = {name(wanted): (True, made), **{digest: (False, data) for digest, data in stored.items()}}
            assert recipes.assemble(name(wanted), rows.__getitem__) == wanted
            assert gone not in recipes.targets(made)
    every = recipes.inlined(recipes.encode([Part(gone, 0, 0)]), gone, made_of)
    assert every == recipes.encode([b"literal", Part(part, 0, 0), Slice(inner, 4, 8)])
