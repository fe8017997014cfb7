"""Which hosts an address means, to any of those who read it. Pure."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

from policies.shell import FETCHED, UNKNOWN

_SCHEME = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?[/\\]{2,}|(?:https?|wss?|ftp):[/\\]*", re.IGNORECASE)
_ENDS = ("/?#", "/?#\\", "/")
"""Where the host ends: by the standard, for browsers, and for parsers that are older than both."""
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_EMBEDDED = re.compile(r"(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})(?=$|[.-])")
_LOCAL = (".localhost", ".local", ".internal", ".lan", ".home", ".corp", ".intranet", ".home.arpa")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def hosts(address: str) -> set[str]:
    """The hosts of an address with or without a scheme: names in ASCII, addresses as numbers; or UNKNOWN."""
    text = re.sub(r"[\t\r\n]", "", address).strip()
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    found: set[str] = set()
    for ends in _ENDS:
        authority = re.split(f"[{re.escape(ends)}]", rest, maxsplit=1)[0]
        if UNKNOWN in authority or FETCHED in authority:
            return {UNKNOWN}
        pieces = [authority.rpartition("@")[2], authority.split("@")[1] if authority.count("@") > 1 else ""]
        found |= {_host(piece) for piece in pieces if piece}
    return found or {UNKNOWN}


def is_private(host: str) -> bool:
    """This machine, a private network, or what is only known inside of one."""
    address = _address(host)
    if address is not None:
        return _is_private(address)
    embedded = _EMBEDDED.search(host)
    if embedded and _is_private(_address(".".join(str(int(part)) for part in embedded.groups()))):
        return True  # names of the kind 10.0.0.1.example.com, which resolve to the number in them
    return "." not in host or host.endswith(_LOCAL)


def _host(text: str) -> str:
    text = unquote(text)
    bracketed = re.match(r"\[([^\]]*)\]", text)
    name = bracketed[1].partition("%")[0] if bracketed else text
    if not bracketed and name.count(":") <= 1:
        name = name.partition(":")[0]
    name = "".join(char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf")
    name = re.sub("[\u3002\uff61]", ".", name).lower().rstrip(".")
    address = _address(name)
    if address is not None:
        return str(address)
    if not re.fullmatch(r"[\w.-]+", name):
        return UNKNOWN
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return UNKNOWN


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if ":" in name:
        try:
            return ipaddress.IPv6Address(name)
        except ValueError:
            return None
    parts = name.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.match, parts)):
        return None
    try:
        *bytes_, last = map(_number, parts)
        return ipaddress.IPv4Address(sum(byte << 8 * (3 - at) for at, byte in enumerate(bytes_)) + last)
    except ValueError:
        return None


def _number(part: str) -> int:
    """As the C library reads it: hexadecimal, octal or decimal. Raises ValueError."""
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if part.startswith("0") and part != "0" else int(part[:20])


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_private(inner)
    return address is None or not address.is_global or address.is_multicast
