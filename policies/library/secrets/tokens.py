"""Keys and tokens that are known by their form. Pure.

What is recognised is the beginning that makes it one; the rest of the word follows, so that a longer one is no way out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from policies.matching.finders import Finder
from policies.matching.shapes import (
    EDGE,
    Shape,
    any_case,
    captured,
    chars,
    literal,
    one_of,
    repeated,
    sequence,
)

from .kinds import Kind
from .placeholders import is_placeholder

ALNUM = "A-Za-z0-9"
WORD = "A-Za-z0-9_-"
HEX = "0-9a-fA-F"
CREDENTIAL = r"A-Za-z0-9_\-.~+/="


def _token(kind: Kind, prefixes: Shape, *rest: Shape, follow: str = WORD) -> Finder:
    return Finder(kind, sequence(prefixes, *rest), follow=follow)


def _worded(*prefixes: str) -> Shape:
    """Prefixes that also end longer words, and count only where a word begins."""
    return sequence(EDGE, one_of(*prefixes))


_KEY_LINES = chars(r"\s\\nrt\"'+,", 0, 40)
_KEY_HEADERS = repeated(sequence(chars("A-Za-z-", 4, 20), literal(": "), chars(r"^\n\\", 0, 80), _KEY_LINES), 0, 3)
_PRIVATE_KEY = sequence(
    literal("-----BEGIN "),
    chars("A-Z0-9 ", 0, 20),
    one_of("PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"),
    _KEY_LINES,
    _KEY_HEADERS,
    chars("A-Za-z0-9+/=", 24, 24),
)
_URL_PASSWORD = sequence(
    literal("://"), chars(r"^\s:/@\"'<>", 0, 100), literal(":"), captured(chars(r"^\s/@\"'<>", 1, 200)), literal("@")
)
_WORDS = frozenset({b"password", b"passwd", b"pass", b"pwd", b"secret", b"token"})
_AUTHORIZATION = any_case(
    sequence(EDGE, one_of("bearer", "basic"), chars(r" \t", 1, 4), captured(chars(CREDENTIAL, 20, 20)))
)
_JWT = sequence(EDGE, literal("eyJ"), chars(WORD, 8, 800), literal(".eyJ"), chars(WORD, 8, 8))

_FORMS = (
    _token("aws", one_of("AKIA", "ASIA", "ABIA", "ACCA"), chars("A-Z2-7", 16, 16), follow="A-Z0-9"),
    _token("azure", any_case(one_of("AccountKey=", "AccessKey=")), chars("A-Za-z0-9+/", 40, 40), follow=CREDENTIAL),
    _token("azure", one_of("?sig=", "&sig="), chars("A-Za-z0-9%+/", 40, 40), follow=r"A-Za-z0-9%+/="),
    _token("gcp", literal("AIza"), chars(WORD, 35, 35)),
    _token("gcp", literal("GOCSPX-"), chars(WORD, 28, 28)),
    _token("gcp", _worded("ya29."), chars(WORD, 20, 20), follow=CREDENTIAL),
    _token("github", one_of("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), chars(ALNUM, 36, 36)),
    _token("github", literal("github_pat_"), chars("A-Za-z0-9_", 22, 22)),
    _token("gitlab", one_of("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-"), chars(WORD, 20, 20)),
    _token("slack", one_of("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"), chars(WORD, 10, 10)),
    _token("slack", literal("xapp-"), chars("0-9", 1, 1), literal("-"), chars(WORD, 10, 10)),
    _token("slack", literal("hooks.slack.com/services/T"), chars("A-Z0-9/", 16, 16), follow="A-Za-z0-9/"),
    _token("stripe", one_of("sk_live_", "sk_test_", "rk_live_", "rk_test_"), chars(ALNUM, 16, 16)),
    _token("stripe", literal("whsec_"), chars("A-Za-z0-9+/", 24, 24), follow=CREDENTIAL),
    _token("openai", _worded("sk-proj-", "sk-svcacct-", "sk-admin-"), chars(WORD, 20, 20)),
    _token("openai", _worded("sk-"), chars(ALNUM, 32, 32)),
    _token("anthropic", _worded("sk-ant-"), chars(WORD, 20, 20)),
    _token("luthien", _worded("lth_"), chars(WORD, 20, 20)),
    _token("npm", literal("npm_"), chars(ALNUM, 36, 36)),
    _token("pypi", literal("pypi-AgE"), chars(WORD, 20, 20)),
    _token("other_token", _worded("hf_"), chars(ALNUM, 30, 30)),
    _token("other_token", literal("SG."), chars(WORD, 16, 32), literal("."), chars(WORD, 16, 16)),
    _token("other_token", _worded("SK"), chars("0-9a-f", 32, 32), EDGE),
    _token("other_token", EDGE, chars("0-9", 8, 10), literal(":AA"), chars(WORD, 32, 32)),
    _token("other_token", one_of("dop_v1_", "doo_v1_", "dor_v1_"), chars("a-f0-9", 64, 64)),
    _token("other_token", _worded("dapi"), chars("a-f0-9", 32, 32)),
    _token("other_token", one_of("shpat_", "shpca_", "shppa_", "shpss_"), chars(HEX, 32, 32)),
    _token("other_token", one_of("hvs.", "hvb."), chars(WORD, 24, 24)),
    _token("other_token", literal("dckr_pat_"), chars(WORD, 20, 20)),
    _token("other_token", literal("AGE-SECRET-KEY-1"), chars("A-Z0-9", 50, 50)),
    _token("other_token", literal("lin_api_"), chars(ALNUM, 32, 32)),
    Finder("jwt", _JWT, follow=CREDENTIAL),
    Finder("private_key", _PRIVATE_KEY, follow=r"A-Za-z0-9+/=\s\\\"',"),
    Finder("authorization", _AUTHORIZATION, follow=CREDENTIAL),
)


def _no_placeholder(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    return None if is_placeholder(data[start:end].decode()) else (start, end)


def _no_variable(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """What documents write in the place of a password in a URL is none."""
    if data[start:end].lower() in _WORDS or data[start : start + 1] in (b"$", b"{", b"%", b"*"):
        return None
    return _no_placeholder(data, start, end)


def unless_allowed(finder: Finder, allows: Callable[[str], bool]) -> Finder:
    """The finder, for all but what `allows` lets pass."""
    check = finder.check

    def checked(data: bytes, start: int, end: int) -> tuple[int, int] | None:
        span = check(data, start, end) if check else (start, end)
        return None if span is None or allows(data[span[0] : span[1]].decode()) else span

    return dataclasses.replace(finder, check=checked)


TOKENS = (
    *(dataclasses.replace(finder, check=_no_placeholder) for finder in _FORMS),
    Finder("url_password", _URL_PASSWORD, _no_variable),
)
