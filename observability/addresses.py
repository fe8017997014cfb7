"""Which hosts the gateway may be sent to by somebody who only edits settings in the console. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_EMBEDDING = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
"""IPv6 addresses that stand for an IPv4 address, which may be a private one."""


def guard(host: str, listed: Iterable[str]) -> Callable[[str], bool]:
    """Tells of an address that `host` resolved to whether it may be connected to.

    Public addresses may; others (private, loopback, link-local, ...) only where `listed` names the host, or a network
    or an address that it is in.
    """
    networks = [network for each in listed if (network := _network(each)) is not None]
    is_listed = host.lower() in {each.lower() for each in listed}

    def allows(text: str) -> bool:
        address = ip_address(text)
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or IPv6Address(address.packed)
        if is_listed or any(address in network for network in networks):
            return True
        return address.is_global and not address.is_multicast and not any(address in each for each in _EMBEDDING)

    return allows


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
