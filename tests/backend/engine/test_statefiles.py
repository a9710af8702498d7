"""Kept beginnings: whole or absent, and only for what they were made with."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.statefiles import StateFiles, forget

pytestmark = pytest.mark.integration
TOKENS = [1, 2, 3]


def kept(folder: Path, identity: bytes = b"model", most: int = 10_000) -> StateFiles:
    return StateFiles(folder / "kv", identity, most)


def test_a_state_is_read_as_it_was_written_and_by_nobody_else(tmp_path: Path) -> None:
    files = kept(tmp_path)
    assert files.read(TOKENS) is None
    files.write(TOKENS, b"state")
    files.settled()
    assert files.read(TOKENS) == kept(tmp_path).read(TOKENS) == b"state"
    assert files.has(TOKENS)
    assert kept(tmp_path, b"another").read(TOKENS) is None
    assert files.read([1, 23]) is None
    (path,) = (tmp_path / "kv").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.data())
@pytest.mark.logs("hearth_backend.engine.statefiles")
def test_a_damaged_file_is_removed_unread(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    files = kept(folder)
    files.write(TOKENS, b"a state of some bytes")
    files.settled()
    (path,) = (folder / "kv").iterdir()
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    damaged = raw[:at] if data.draw(st.booleans()) else raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    path.write_bytes(damaged)
    assert kept(folder).read(TOKENS) is None
    assert not path.exists()


def test_the_oldest_give_way(tmp_path: Path) -> None:
    files = kept(tmp_path, most=250)
    for number in range(4):
        files.write([number], bytes(90))
        files.settled()
    assert [files.has([number]) and files.read([number]) is not None for number in range(4)][-1]
    assert sum(path.stat().st_size for path in (tmp_path / "kv").iterdir()) <= 260


@pytest.mark.logs("hearth_backend.engine.statefiles")
def test_what_is_larger_than_all_that_may_be_kept_is_not_kept(tmp_path: Path) -> None:
    files = kept(tmp_path, most=10)
    files.write(TOKENS, bytes(90))
    files.settled()
    assert not files.has(TOKENS)


def test_all_of_it_can_be_forgotten(tmp_path: Path) -> None:
    files = kept(tmp_path)
    files.write(TOKENS, b"state")
    files.settled()
    assert forget(tmp_path / "kv") == 1
    assert files.read(TOKENS) is None
    assert forget(tmp_path / "nowhere") == 0
