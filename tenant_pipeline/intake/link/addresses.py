"""Which network addresses a link may lead to: public ones only."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA special-purpose address registries (RFC 6890 and updates), and the addresses at which clouds serve credentials.
DENIED_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7",
        "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

_ALLOCATED = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is handed out for the public internet."""

_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Interface identifiers that begin so carry an IPv4 address to tunnel to (RFC 5214)."""


def is_loopback(text: str) -> bool:
    """Whether an IP address is this machine's own."""
    address = _address(text)
    return address is not None and address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def is_public(text: str, *, allow_loopback: bool = False) -> bool:
    """Whether an IP address may be connected to. Text that is no IP address, or has a zone, may not."""
    address = _address(text)
    if address is None:
        return False
    if allow_loopback and is_loopback(text):
        return True
    if any(address in network for network in DENIED_NETWORKS if network.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in _ALLOCATED and int(address) >> 32 & 0xFFFF_FFFF not in _ISATAP
    return True


def _address(text: str) -> Address | None:
    if "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
