import pytest

from observability.diffs.pairs import Pair, pair, pretty, text_of


def text(words: str) -> dict[str, str]:
    return {"kind": "text", "text": words}


def test_equal_blocks_stand_opposite_each_other() -> None:
    a, b, c = text("a"), text("b"), text("c")
    assert pair([a, b], [a, c, b]) == [Pair("same", a, a), Pair("added", None, c), Pair("same", b, b)]


def test_a_changed_block_stands_opposite_what_it_became() -> None:
    a, b = text("a"), text("b")
    assert pair([a], [b]) == [Pair("changed", a, b)]


def test_a_block_that_was_taken_out_has_nothing_opposite() -> None:
    assert pair([text("a")], []) == [Pair("removed", text("a"), None)]


def test_a_block_stands_opposite_the_one_of_its_kind_that_shares_its_words() -> None:
    thinking = {"kind": "thinking", "text": "The ledger is old"}
    said, notice = text("I remove the ledger of May now"), text("A policy changed this")
    became = text("I remove the [name] of May now")
    assert pair([thinking, said], [notice, became]) == [
        Pair("changed", thinking, notice),
        Pair("changed", said, became),
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (None, ""),
        (text("words"), "words"),
        ({"kind": "tool_call", "name": "bash", "arguments": {"a": 1}}, 'bash {\n  "a": 1\n}'),
        (
            text("seen") | {"images": [{"media_type": "image/png", "url": "", "size": 3}]},
            "seen\n[image image/png, 3 bytes]",
        ),
        (
            text("") | {"images": [{"media_type": "", "url": "https://x.example/", "size": 0}]},
            "\n[image https://x.example/]",
        ),
        ({"kind": "opaque"}, '{\n  "kind": "opaque"\n}'),
    ],
)
def test_every_kind_of_block_has_a_text(block: dict[str, object] | None, expected: str) -> None:
    assert text_of(block) == expected


def test_arguments_that_are_not_json_are_shown_as_the_model_wrote_them() -> None:
    assert pretty('{"a":') == '{"a":'
    assert pretty('{"a":1}') == '{\n  "a": 1\n}'
    assert pretty("[" * 100_000) == "[" * 100_000
