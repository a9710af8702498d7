import os
from pathlib import Path

import pytest

from hearth_backend.tools.policy import Policy
from hearth_backend.tools.policy_file import PolicyFile

pytestmark = pytest.mark.unit


def test_it_is_read_again_when_it_was_changed(tmp_path: Path) -> None:
    path, told = tmp_path / "policy.toml", list[Policy]()
    file = PolicyFile(path, told.append)
    assert file.current() == Policy()
    path.write_text('[[rule]]\ntool = "a"\ndecision = "deny"\n')
    assert [rule.tool for rule in file.current().rules] == ["a"]
    path.write_text("[[rule")
    assert "cannot be read" in file.current().problem
    path.unlink()
    assert file.current() == Policy()
    assert len(told) == 4
    assert file.current() is told[-1]


def test_what_cannot_be_read_allows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in PolicyFile(path).current().problem
    path.unlink()
    path.mkdir()
    assert "cannot be read" in PolicyFile(path).current().problem
    path.rmdir()
    path.write_text("#" * 1_100_000)
    os.utime(path, (1, 1))
    assert "larger than" in PolicyFile(path).current().problem
