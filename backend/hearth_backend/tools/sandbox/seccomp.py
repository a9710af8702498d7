"""The filter of system calls that bubblewrap loads: written here, instruction by instruction, so that nothing has to be
built or shipped for each processor. Pure."""

import errno
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data, little-endian
_X32: Final = 0x40000000
TERMINAL: Final = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: type into the controlling terminal
FAMILIES: Final = (16, 17, 38, 40)  # netlink, packet, alg, vsock

_SAME: Final = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "quotactl_fd": 443,
}  # fmt: skip
_X86_64: Final = _SAME | {
    "ptrace": 101, "personality": 135, "vhangup": 153, "pivot_root": 155, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "iopl": 172, "ioperm": 173,
    "init_module": 175, "delete_module": 176, "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212,
    "clock_settime": 227, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
    "perf_event_open": 298, "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313, "kexec_file_load": 320, "bpf": 321,
    "userfaultfd": 323,
}  # fmt: skip
_AARCH64: Final = _SAME | {
    "lookup_dcookie": 18, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42, "vhangup": 58,
    "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105,
    "delete_module": 106, "clock_settime": 112, "ptrace": 117, "reboot": 142, "settimeofday": 170, "add_key": 217,
    "request_key": 218, "keyctl": 219, "swapon": 224, "swapoff": 225, "perf_event_open": 241,
    "name_to_handle_at": 264, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
    "process_vm_writev": 271, "finit_module": 273, "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip


class _Machine(NamedTuple):
    audit: int
    denied: dict[str, int]
    socket: int
    ioctl: int


_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, _X86_64, 41, 16),
    "aarch64": _Machine(0xC00000B7, _AARCH64, 198, 29),
}


def program(machine: str) -> bytes | None:
    """The filter for a processor, as `uname -m` calls it; None for one it is not written for."""
    known = _MACHINES.get(machine)
    if known is None:
        return None
    families = [(_LOAD, 0, 0, _FIRST), *_each(FAMILIES, errno.EAFNOSUPPORT), (_RETURN, 0, 0, _ALLOW)]
    requests = [(_LOAD, 0, 0, _SECOND), *_each(TERMINAL, errno.EPERM), (_RETURN, 0, 0, _ALLOW)]
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, known.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *([(_JUMP_ABOVE, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | errno.EPERM)] if machine == "x86_64" else []),
        *_each(sorted(known.denied.values()), errno.EPERM),
        (_JUMP_EQUAL, 0, len(families), known.socket),
        *families,
        (_JUMP_EQUAL, 0, len(requests), known.ioctl),
        *requests,
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _each(values: Sequence[int], number: int) -> list[tuple[int, int, int, int]]:
    """Refuse what was loaded when it is one of these."""
    return [line for value in values for line in ((_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ERRNO | number))]
