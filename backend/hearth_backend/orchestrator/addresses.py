"""Which addresses a webhook may go to. Stricter than `ipaddress.is_global`, which is wrong for several classes on
Python 3.11. Pure."""

import ipaddress
from typing import Final

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_V6: Final = ipaddress.ip_network("2000::/3")
_NEVER: Final = [
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "3fff::/20", "100.64.0.0/10")
]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(text: str) -> bool:
    """Whether an address belongs to somebody out there: neither this machine, nor its network, nor a reserved range."""
    if "%" in text:  # a zone: link-local by definition
        return False
    ip = inner(ipaddress.ip_address(text))
    if ip.version == 6 and ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _NEVER if net.version == ip.version)


def is_loopback(text: str) -> bool:
    """Whether an address is this machine itself."""
    if "%" in text:
        return False
    ip = inner(ipaddress.ip_address(text))
    return ip.is_loopback or ip.is_unspecified


def inner(ip: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip in _NAT64:  # networks with DNS64 reach public IPv4 through it: judge the address inside
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
