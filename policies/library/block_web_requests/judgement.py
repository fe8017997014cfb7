"""Judges scripts: the first host that may not be reached. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.shell import UNKNOWN, Assignment, Code, Effect, Oddity, Program, Redirect, read
from policies.shell.code import literals

from .hosts import hosts
from .programs import reached
from .rules import Rules

_DEVICE = re.compile(r"/+dev/+(?:tcp|udp)/+([^/]*)")
_PROXY = re.compile(r"(?:(?:https?|all|ftp)_proxy|\w*_index_url|npm_config_registry|goproxy)\Z", re.IGNORECASE)
_URL = re.compile(r"\b(?:https?|wss?|s?ftp|ssh|tcp)://[^\s'\"`<>()]+", re.IGNORECASE)
_NETWORK = re.compile(
    r"\bsocket\b|urllib|urlopen|\brequests\b|httpx|aiohttp|http\.client|https?\.(?:get|request)|\bfetch\s*\(|axios"
    r"|XMLHttpRequest|net\.(?:connect|Socket)|LWP|Net::|IO::Socket|open-uri|TCPSocket|curl_|fsockopen|ftplib|smtplib"
    r"|paramiko|dns\.|/inet/",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:[\w-]+\.)+[a-zA-Z]{2,}|\d+(?:\.\d+){3}|localhost|\[?[0-9a-f]*:[0-9a-f:]+\]?")


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is wrong, and `by` which program."""

    what: str
    by: str

    @property
    def reason(self) -> str:
        return f"{self.what} ({self.by})"

    @property
    def evidence(self) -> Mapping[str, str]:
        return {"what": self.what, "by": self.by}


def judge(script: str, rules: Rules) -> Finding | None:
    """What is wrong with `script`; a host that may not be reached before an unparsable command."""
    odd = None
    for effect in read(script):
        if isinstance(effect, Oddity):
            odd = Finding("unparsable command", effect.program) if effect.kind == "unparsable" and not odd else odd
        for by, address in _addresses(effect):
            found = next(filter(None, map(rules.forbids, sorted(hosts(address)))), None)
            if found:
                return Finding(found, by)
    return odd


def _addresses(effect: Effect) -> Iterator[tuple[str, str]]:
    match effect:
        case Program():
            by = "an unknown program" if UNKNOWN in effect.name else effect.name
            yield from ((by, address) for address in reached(effect))
        case Redirect():
            device = _DEVICE.match(effect.path)
            if device:
                yield "a redirection", device[1]
        case Assignment() if _PROXY.match(effect.name):
            yield from (("a variable", value) for value in effect.values if value)
        case Code():
            yield from ((effect.interpreter, address) for address in _in_code(effect.text))


def _in_code(text: str) -> list[str]:
    found = _URL.findall(text)
    if found or not _NETWORK.search(text):
        return found
    return [literal for literal in literals(text) if _NAME.fullmatch(literal)] or [UNKNOWN]
