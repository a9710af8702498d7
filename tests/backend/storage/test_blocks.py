import os
from pathlib import Path

import pytest

from hearth_backend.storage.blocks import Blocks
from hearth_shared.errors import StorageFault

pytestmark = pytest.mark.unit


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    blocks = Blocks(tmp_path)
    names = [blocks.put(data) for data in (b"one", b"two", b"one")]
    blocks.flush()
    assert names[0] == names[2]
    assert [blocks.get(name) for name in names] == [b"one", b"two", b"one"]
    assert len(list(tmp_path.glob("??/*"))) == 2
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("??")} == {0}


def test_what_is_not_kept_goes(tmp_path: Path) -> None:
    blocks = Blocks(tmp_path)
    stays, goes = blocks.put(b"stays"), blocks.put(b"goes")
    assert blocks.sweep({stays}) == 1
    assert blocks.get(stays) == b"stays"
    with pytest.raises(StorageFault, match="damaged or missing"):
        blocks.get(goes)


@pytest.mark.parametrize("damage", ["truncated", "changed", "other", "gone"])
def test_a_damaged_block_is_never_taken_for_whole(damage: str, tmp_path: Path) -> None:
    blocks = Blocks(tmp_path)
    name, other = blocks.put(os.urandom(5000)), blocks.put(b"other")
    path = tmp_path / name[:2] / name
    data = path.read_bytes()
    match damage:
        case "truncated":
            path.write_bytes(data[:-3])
        case "changed":
            path.write_bytes(data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])
        case "other":
            path.write_bytes((tmp_path / other[:2] / other).read_bytes())
        case _:
            path.unlink()
    with pytest.raises(StorageFault, match="damaged or missing"):
        blocks.get(name)
