import os
from pathlib import Path

import pytest

from hearth_shared.errors import HomeError
from hearth_shared.paths import Home, find_home

pytestmark = pytest.mark.unit


def test_the_environment_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEARTH_HOME", str(tmp_path))
    home = find_home()
    assert {path.is_relative_to(tmp_path) for path in (home.config, home.database, home.models, home.lock)} == {True}


def test_a_long_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    home = Home(tmp_path / ("x" * 100))
    home.make()
    assert len(os.fsencode(home.socket)) <= 100
    assert home.socket.parent.stat().st_mode & 0o077 == 0
    assert home.socket != Home(tmp_path / ("y" * 100)).socket


def test_folders_are_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    home.make()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home.root, home.run, home.data, home.logs))


def test_a_home_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="HEARTH_HOME"):
        Home(tmp_path / "file" / "home").make()


def test_the_trays_socket_lies_beside_the_backends(tmp_path: Path) -> None:
    for home in (Home(tmp_path / "h"), Home(tmp_path / ("x" * 100))):
        assert home.tray.parent == home.socket.parent
        assert home.tray.name == "tray.sock"
