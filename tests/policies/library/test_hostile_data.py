"""Texts that were made to hurt whoever looks through them."""

import asyncio

import pytest

from policies.base import Call, Policy
from policies.content import Message, Request, Text, ToolCall
from policies.library.content_filter import ContentFilter
from policies.library.content_filter.categories import CATEGORIES
from policies.library.pii import Pii
from policies.library.pii.kinds import KINDS
from policies.library.secrets import Secrets
from policies.matching.data_policy import LONG, DataPolicy
from policies.testing import judge, stream_text

POLICIES = [
    Secrets(),
    Pii(Pii.Config(kinds=KINDS)),
    ContentFilter(ContentFilter.Config(places=("text", "user"), categories=CATEGORIES, patterns=(r"(?:x+x+)+y",))),
]
SIZE = 256 * 1024
HARMLESS = {
    "one line": "a" * SIZE,
    "one line of digits": "1" * SIZE,
    "local parts": "a.b-" * (SIZE // 4),
    "half assignments": "password=" * (SIZE // 9),
    "half comments": "<!-- " * (SIZE // 5),
    "half images": "![a](//x " * (SIZE // 9),
    "half keys": "-----BEGIN RSA PRIVATE KEY----- " * (SIZE // 32),
    "wrong cards": "4111111111111112 " * (SIZE // 17),
    "for backtracking": "x" * SIZE,
    "lone surrogates": "\ud800\udfff" * (SIZE // 2),
    "NULs": "\x00" * SIZE,
    "every plane": "".join(map(chr, range(0x10000, 0x20000))),
}
named = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: type(policy).__name__)


@named
@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_a_long_harmless_text_passes_as_it_is(policy: Policy, text: str) -> None:
    assert stream_text(policy, [text]) == text


@pytest.mark.parametrize("policy", [Secrets(), Pii(), ContentFilter()], ids=lambda policy: type(policy).__name__)
def test_of_a_long_word_only_the_end_is_held(policy: DataPolicy) -> None:
    call = Call()
    released = sum(len(policy.on_text_delta("aaaa", call, False)[0]) for _ in range(2000))
    assert released > 4 * 2000 - 1200


@named
async def test_others_go_on_while_a_long_request_is_looked_through(policy: Policy) -> None:
    asked = Request("any", (Message("user", (Text("lorem ipsum " * 200_000),)),))
    judging = asyncio.ensure_future(judge(policy, asked))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not judging.done()
    assert (await judging).action == "allow"


async def test_short_and_long_arguments_are_judged_alike() -> None:
    for filler in ("", "x" * LONG):
        call = ToolCall("call_1", "post", f'{{"a": "{filler} AKIAQ3EGRMXW7TL2ZBND"}}')
        assert (await judge(Secrets(), call)).action == "replace"
