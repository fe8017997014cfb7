# ruff: noqa: RUF001
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.content import Message, Request, Text
from policies.library.pii import Pii, numbers
from policies.library.pii.kinds import KINDS
from policies.testing import judge, new_request, request, stream_text

FOUND = [
    ("write to ann.b+x@mail.acme.dev.", "write to [EMAIL]."),
    ("<ann@acme.dev>, bob@acme.dev", "<[EMAIL]>, [EMAIL]"),
    ("ann＠acme．dev", "[EMAIL]"),
    ("аnn@аcme.dev", "[EMAIL]"),
    ("+49 170 1234567 x", "[PHONE] x"),
    ("(0049 170 1234567)", "([PHONE])"),
    ("+1 (415) 555-2671", "[PHONE]"),
    ("tel:+33123456789", "tel:[PHONE]"),
    ("(555) 234-5678, 555-234-5678", "[PHONE], [PHONE]"),
    ("＋４９ １７０ １２３４５６７", "[PHONE]"),
    ("4111 1111 1111 1111 12/26", "[CARD] 12/26"),
    ("4111-1111-1111-1111", "[CARD]"),
    ("378282246310005 3782 822463 10005", "[CARD] [CARD]"),
    ("4111\u200b1111\u200b11111111", "[CARD]"),
    ("DE89 3704 0044 0532 0130 00 AND MORE", "[IBAN] AND MORE"),
    ("de89370400440532013000", "[IBAN]"),
    ("GB29 NWBK 6016 1331 9268 19", "[IBAN]"),
    ("NO93 8601 1117 947", "[IBAN]"),
    ("078-05-1120", "[US_SSN]"),
    ("AB 12 34 56 C, ab123456c", "[UK_NINO], [UK_NINO]"),
    ("86095742719 and 65 929 970 489", "[DE_TAX_ID] and [DE_TAX_ID]"),
    ("1 85 05 78 006 084 91", "[FR_NIR]"),
    ("255032A00100107", "[FR_NIR]"),
    ("BSN: 111222333", "BSN: [NL_BSN]"),
    ("burgerservicenummer 1112.22.333", "burgerservicenummer [NL_BSN]"),
    ("10.1.2.3, ::1 2001:db8::ff00:42:8329", "[IP], [IP] [IP]"),
]
NOT_FOUND = [
    "git@github.com:acme/x.git",
    "noreply@acme.dev",
    "Ann@Example.com",
    "a @ b, @decorator, x@y, x@.dev, x@1.2",
    "4111 1111 1111 1112",
    "1234567890123456",
    "9111111111111111",
    "DE89370400440532013001",
    "XX89370400440532013000",
    "000-12-1234 666-12-1234 900-12-1234 123-00-1234 123-12-0000",
    "BG123456A QQ123456C",
    "12345678901 86095742718 11111111111",
    "1 85 05 78 006 084 92",
    "111222333",
    "BSN: 111222334 bsn 000000000",
    "12:34:56 1.2.3.400 a::b::c",
    "+00 12 34 56 78 +999 1 2",
    "0012345678901234",
    "555-034-5678 1-555-234-56789 x555-234-5678",
    "v1.2.3 2024-01-01T00:00:00 +0200",
    "",
]
EVERYTHING = Pii(Pii.Config(kinds=KINDS))


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_personal_data_is_cut_out_whole_and_as_it_streams(text: str, expected: str) -> None:
    assert stream_text(EVERYTHING, [text]) == expected
    assert stream_text(EVERYTHING, list(text)) == expected


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_it_passes(text: str) -> None:
    assert stream_text(EVERYTHING, [text]) == text
    assert stream_text(EVERYTHING, list(text)) == text


@given(
    st.lists(st.sampled_from([*(text for text, _ in FOUND), *NOT_FOUND, " ", "4", "+", "a", "漢"]), max_size=5),
    st.data(),
)
def test_any_mixture_is_the_same_however_it_is_cut(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts)
    at = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[begin:end] for begin, end in zip([0, *at], [*at, len(whole)], strict=True)]
    once = stream_text(EVERYTHING, [whole])
    assert stream_text(EVERYTHING, chunks) == once


def test_ip_addresses_are_left_alone_unless_asked_for() -> None:
    assert stream_text(Pii(), ["10.1.2.3"]) == "10.1.2.3"


def test_only_the_chosen_kinds_are_looked_for() -> None:
    policy = Pii(Pii.Config(kinds=("email",)))
    assert stream_text(policy, ["ann@acme.dev +49 170 1234567"]) == "[EMAIL] +49 170 1234567"


async def test_a_block_says_kinds_and_counts_and_quotes_nothing() -> None:
    policy = Pii(Pii.Config(action="block"))
    verdict = await judge(policy, Text("ann@acme.dev, bob@acme.dev, 078-05-1120"))
    assert (verdict.action, verdict.reason) == ("block", "personal data: 2 email, 1 us_ssn")
    assert verdict.evidence == {"kinds": {"email": 2, "us_ssn": 1}}
    assert (await judge(policy, request("mail ann@acme.dev"))).action == "block"
    assert (await judge(policy, Text("nothing"))).action == "allow"


async def test_a_request_is_rewritten_where_it_says_so() -> None:
    asked = Request("any", (Message("user", (Text("ann@acme.dev"),)), Message("assistant", (Text("bob@acme.dev"),))))
    (user, assistant) = new_request(await judge(Pii(), asked)).messages
    assert user.text == "[EMAIL]"
    assert assistant is asked.messages[1]


@pytest.mark.parametrize("digits", ["4111111111111111", "378282246310005", "5555555555554444", "6011111111111117"])
def test_a_wrong_digit_is_no_card(digits: str) -> None:
    assert numbers.is_card(digits)
    changed = digits[:5] + str((int(digits[5]) + 1) % 10) + digits[6:]
    assert not numbers.is_card(changed)


@given(st.text("0123456789", min_size=13, max_size=19))
def test_luhn_is_that_of_the_book(digits: str) -> None:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    assert numbers.luhn(digits) == (sum(number // 10 + number % 10 for number in doubled) % 10 == 0)
