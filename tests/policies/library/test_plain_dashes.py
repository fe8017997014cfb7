"""Each case is checked whole and a character at a time."""

import pytest

from policies.base import Call
from policies.content import Request
from policies.library.plain_dashes import PlainDashes
from policies.testing import stream_text


def typed(text: str, **settings: bool) -> str:
    policy = PlainDashes(PlainDashes.Config(**settings))
    whole = stream_text(policy, [text])
    assert stream_text(policy, list(text)) == whole
    return whole


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\u2014b", "a - b"),
        ("a \u2014 b", "a - b"),
        ("a \u2014\u2014  b", "a - b"),
        ("a\u2014", "a -"),
        ("a\u2014 \nb", "a -\nb"),
        ("\u2014 said she", "- said she"),
        ("a\n\u2014b", "a\n- b"),
        ("\u201cno\u2014\u201d he said", '"no -" he said'),
        ("a\u00a0\u2014\u00a0b", "a - b"),
        ("1990\u20131995, \u22122", "1990-1995, -2"),
        ("\u2018it\u2019s\u2019 \u201equoted\u201c", "'it's' \"quoted\""),
        ("wait\u2026", "wait..."),
        ("no\u00a0break\u202fhere", "no break here"),
        ('plain - text\'s "own"', 'plain - text\'s "own"'),
        ("\u00ab fran\u00e7ais \u00bb \u6f22", "\u00ab fran\u00e7ais \u00bb \u6f22"),
    ],
)
def test_what_stands_on_no_keyboard_is_typed_plainly(text: str, plain: str) -> None:
    assert typed(text) == plain


@pytest.mark.parametrize(
    "code",
    [
        "```py\n\u2014\n```\n",
        "~~~\n\u201c```\n\u201d\n~~~",
        "  > ````\n\u2026\n```\n\u2026\n````",
        "```\nnever closed \u2014",
        "``` \u2014 `",
    ],
)
def test_code_in_fences_is_left_alone_unless_wished_otherwise(code: str) -> None:
    assert typed(code) == code
    assert typed(code, code=True).isascii()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("```\n\u2026\n```\n\u2026", "```\n\u2026\n```\n..."),
        ("```a```\n\u2026", "```a```\n..."),
        ("a ```\n\u2026", "a ```\n..."),
        ("`\u2026`\n``\n\u2026", "`...`\n``\n..."),
        ("```\n``` no end\n\u2026\n```\n\u2026", "```\n``` no end\n\u2026\n```\n..."),
        (f"{' ' * 40}```\n\u2026", f"{' ' * 40}```\n..."),
    ],
)
def test_text_beside_fences_is_typed_plainly(text: str, plain: str) -> None:
    assert typed(text) == plain


@pytest.mark.parametrize("setting", ["em_dashes", "en_dashes", "quotes", "ellipses", "spaces"])
def test_each_kind_can_be_kept(setting: str) -> None:
    sample = {
        "em_dashes": "\u2014",
        "en_dashes": "\u2013",
        "quotes": "\u201d",
        "ellipses": "\u2026",
        "spaces": "\u00a0",
    }
    text = "a".join(sample.values())
    kept = typed(text, **{setting: False})
    assert {character for character in kept if not character.isascii()} == {sample[setting]}


def test_an_answer_of_a_given_shape_is_left_alone() -> None:
    call = Call(request=Request("m", structured=True))
    assert stream_text(PlainDashes(), ['{"a": "\u201cb\u201d"}'], call) == '{"a": "\u201cb\u201d"}'


def test_one_block_knows_nothing_of_the_one_before() -> None:
    policy, call = PlainDashes(), Call()
    assert stream_text(policy, ["```\n\u2026"], call) == "```\n\u2026"
    assert stream_text(policy, ["\u2026"], call) == "..."
