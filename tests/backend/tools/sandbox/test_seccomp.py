import struct

import pytest

from hearth_backend.tools.sandbox.seccomp import program

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_lands_inside_and_every_way_ends(machine: str) -> None:
    code = program(machine)
    assert code is not None
    lines = list(struct.iter_unpack("<HBBI", code))
    for at, (kind, yes, no, _) in enumerate(lines):
        if kind in (0x15, 0x35):
            assert at + 1 + max(yes, no) < len(lines)
    assert lines[-1] == (0x06, 0, 0, 0x7FFF0000)


def verdict(code: bytes, audit: int, number: int, first: int = 0, second: int = 0) -> int:
    """What the filter says to a call: the machine that runs it in the kernel, in a few lines."""
    lines = list(struct.iter_unpack("<HBBI", code))
    loads, at, held = {0: number, 4: audit, 16: first, 24: second}, 0, 0
    while True:
        kind, yes, no, value = lines[at]
        at += 1
        if kind == 0x20:
            held = loads[value]
        elif kind == 0x15:
            at += yes if held == value else no
        elif kind == 0x35:
            at += yes if held >= value else no
        else:
            return value


def test_what_is_refused_and_what_is_not() -> None:
    code = program("x86_64")
    assert code is not None
    here, allowed, refused = 0xC000003E, 0x7FFF0000, 0x00050001
    assert verdict(code, here, 0) == allowed  # read
    assert verdict(code, here, 272) == refused  # unshare
    assert verdict(code, here, 250) == refused  # keyctl
    assert verdict(code, here, 0x40000000) == refused  # x32
    assert verdict(code, 0x40000003, 0) == 0x80000000  # another architecture's calls
    assert verdict(code, here, 41, first=2) == allowed  # an ordinary socket
    assert verdict(code, here, 41, first=16) == 0x00050061  # netlink
    assert verdict(code, here, 16, second=0x5412) == refused  # TIOCSTI
    assert verdict(code, here, 16, second=0x5401) == allowed


def test_where_there_is_no_filter_there_is_none() -> None:
    assert program("riscv64") is None
