"""Which addresses of the network a notice may be posted to. Pure.

Where a notice goes is said from outside; without this rule anybody who may register an address
could make the house knock at doors inside its own walls.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_PRIVATE: Final = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1",
        "fc00::/7",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def may_post_to(address: str, *, allow_private: bool) -> bool:
    """Whether a connection to this numeric address is allowed.

    Public unicast addresses are; with `allow_private` also loopback and private networks. Never
    link-local (there clouds keep the secrets of their machines), multicast, reserved or tunnels.
    """
    ip = _behind(ip_address(address.partition("%")[0]))
    if _is_public(ip):
        return True
    return allow_private and any(ip in network for network in _PRIVATE)


def _behind(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address) and (ip.sixtofour or ip.teredo or ip.is_site_local):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
