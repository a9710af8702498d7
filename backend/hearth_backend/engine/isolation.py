"""An engine child needs no network: where the system lets it, it gives the possibility up for good.

On Linux a seccomp filter refuses every new socket that leaves the machine, and io_uring, which could make one past the
filter. Local sockets stay: graphics drivers use them. Elsewhere nothing is done, and the doctor says so.
"""

import ctypes
import os
import socket
import struct
import sys

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # the latter with EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_UNIX, _NETLINK = 1, 16
_IO_URING_SETUP = 425
_FOREIGN_NUMBERS = 0x40000000  # x32's system calls, which would pass as others
_SYSTEMS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # audit architecture, number of socket()


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def close_network() -> bool:
    """Give up the network, for this thread and all it starts; False where that cannot be done."""
    known = _SYSTEMS.get(os.uname().machine) if sys.platform == "linux" else None
    if known is None:
        return False
    instructions = _filter(*known)
    code = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.addressof(code))
    control = ctypes.CDLL(None, use_errno=True).prctl
    return (
        control(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        and control(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0
    )


def network_is_closed() -> bool:
    """Whether this process cannot make a socket that leaves the machine."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except PermissionError:
        return True
    return False


def _filter(architecture: int, make_socket: int) -> bytes:
    """Classic BPF; a jump counts instructions from the next one, the last two are refuse and allow."""
    lines = (
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, 7, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 5, 0, _IO_URING_SETUP),
        (_AT_LEAST, 4, 0, _FOREIGN_NUMBERS),
        (_EQUAL, 0, 4, make_socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 2, 0, _UNIX),
        (_EQUAL, 1, 0, _NETLINK),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


PROBE = (
    "from hearth_backend.engine.isolation import close_network, network_is_closed;"
    "print(close_network() and network_is_closed())"
)
