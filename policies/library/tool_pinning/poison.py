"""What has no business in the definition of a tool: texts that people do not see, and orders to the model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import re2

from policies.content import Tool

Check = Literal["invisible", "comments", "orders", "secrecy", "secrets", "shadowing", "length"]

# Zero-width and bidirectional marks, fillers, variation selectors beyond those of emoji, and tag characters, which
# spell ASCII without being seen. Joiners and the first selectors stand in emoji and in several scripts.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff\ue000-\uf8ff\U000f0000-\U0010ffff]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_JOINERS = re.compile("[\u200c\u200d][\x00-\x7f]|[\x00-\x7f][\u200c\u200d]")
_GAPS = re.compile(r"[\W_]+")

_PRIVATE = (
    r"(?:\.ssh\b|\bid_(?:rsa|ed25519|ecdsa|dsa)\b|\.aws\b|\.netrc\b|\.pgpass\b|\.npmrc\b|\.kube\b|\.gnupg\b|\.cursor/"
    r"|/etc/(?:passwd|shadow)\b|\bmcp\.json\b|\bsystem prompt\b)"
)
_TAKE = r"\b(?:read|open|cat|load|send|pass|include|upload|attach|copy|fetch|forward|provide|paste|put|append)\b"
_OPTIONS = re2.Options()
_OPTIONS.case_sensitive = False
_OPTIONS.log_errors = False
_OPTIONS.dot_nl = True
_PATTERNS: dict[Check, tuple[str, ...]] = {
    "orders": (
        r"\b(?:ignore|disregard|forget|override|bypass)\W+(?:\w+\W+){0,3}(?:previous|prior|earlier|above|preceding|other"
        r"|existing|system)\W+(?:\w+\W+){0,2}(?:instruction|prompt|message|rule|direction|guideline)s?\b",
        r"<\W{0,3}(?:important|system|hidden|secret|critical)\W{0,3}>",
        r"\bnew (?:system )?instructions?\s*:",
    ),
    "secrecy": (
        r"\b(?:do not|don'?t|never|without|must not|should not)\W+(?:tell|inform|mention|reveal|notif|alert)\w*\W+"
        r"(?:\w+\W+){0,6}?(?:user|human|person|anyone|anybody)\b",
        r"\b(?:hide|conceal|secret)\b.{0,40}\bfrom (?:the )?(?:user|human)\b",
    ),
    "secrets": (
        rf"{_TAKE}.{{0,80}}{_PRIVATE}",
        rf"{_TAKE}[^(]{{0,25}}\.env\b",
        rf"{_PRIVATE}.{{0,40}} (?:as|into) ",
    ),
    "comments": (r"<!--", r"\[//\]: ?#", r"display\s*:\s*none", r"font-size\s*:\s*0"),
}
_SAYS: dict[Check, Any] = {
    check: re2.compile("|".join(f"(?:{pattern})" for pattern in patterns), _OPTIONS)
    for check, patterns in _PATTERNS.items()
}


def findings(tool: Tool, max_length: int, checks: frozenset[Check]) -> list[Check]:
    """Which of `checks` object to the texts of `tool`, among others those of its schema; shadowing is not seen here."""
    text = "".join(f"{text}\n" for text in texts(tool, max_length))
    found: list[Check] = ["length"] if len(text) > max_length else []
    text = text[:max_length]
    if _INVISIBLE.search(text) or _JOINERS.search(text):
        found.append("invisible")
    plain = readable(text)
    found += [check for check, pattern in _SAYS.items() if pattern.search(plain)]
    return [check for check in found if check in checks]


def texts(tool: Tool, most: int) -> Iterator[str]:
    """Every text of a definition, keys of its schema too, and an empty one for each object and list of it.

    It ends soon behind `most` of their characters.
    """
    waiting: list[Any] = [tool.schema, tool.description, tool.name]
    seen = 0
    while waiting and seen <= most:
        value = waiting.pop()
        if isinstance(value, str):
            seen += len(value) + 1
            yield value
        elif isinstance(value, Mapping):
            seen += 1
            yield ""
            for key, inner in value.items():
                waiting += inner, key
        elif isinstance(value, list | tuple):
            seen += 1
            yield ""
            waiting += value


def readable(text: str) -> str:
    """`text` as a model would read it: compatibility letters are plain ones, what is invisible is not there."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("\u200c", "").replace("\u200d", "")


def alike(name: str) -> str:
    """The same for names that people or models would take for one another."""
    letters = readable(name).casefold().translate(_LOOKALIKES)
    return _GAPS.sub("", letters)


_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u03bf\u03b1\u03b5\u03c1\u03c5\u03bd\u03b9\u0131",
    "aeopcyxijsdhoaepuvii",
)
