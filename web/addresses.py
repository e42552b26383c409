"""Addresses of the network, as text."""

from __future__ import annotations

import ipaddress


def ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, the IPv4 one that is written in IPv6's way too; None for what is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_loopback(address: str) -> bool:
    """Tell whether an address is one of this machine for itself."""
    found = ip(address)
    return found is not None and found.is_loopback


def near(address: str) -> str:
    """Return what is counted by address: an IPv6 customer has a network of 64 bits."""
    found = ip(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or address)
