"""Which addresses are on this machine."""

import ipaddress
import socket
from typing import Any


def is_local(family: int, address: Any) -> bool:
    """Whether connecting there stays on this machine; a name that would have to be looked up does not."""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host: object = address[0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback or str(host) in ("0.0.0.0", "::")
    except ValueError:
        return False
