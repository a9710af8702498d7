"""Word of the engine's build, from set-up to whoever asks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hearth_shared.engine_build import EngineBuild, read_engine_build, write_engine_build
from hearth_shared.paths import Home

pytestmark = pytest.mark.unit


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A made home."""
    home = Home(tmp_path / "home")
    home.make()
    return home


def test_what_is_written_is_read_back_whole(home: Home) -> None:
    build = EngineBuild("no compiler", "There is none.", "apt-get install g++")
    write_engine_build(home, build)
    assert read_engine_build(home) == build
    assert [path.name for path in home.run.iterdir()] == ["engine-build.json"]


def test_nothing_written_is_nothing_known(home: Home) -> None:
    assert read_engine_build(home) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "building"}'])
def test_a_broken_file_is_nothing_known(home: Home, text: str) -> None:
    (home.run / "engine-build.json").write_text(text)
    assert read_engine_build(home) is None


def test_a_build_under_way_says_how_far_it_is(home: Home) -> None:
    write_engine_build(home, EngineBuild("building", percent=77, pid=os.getpid(), log="the log"))
    build = read_engine_build(home)
    assert build is not None
    assert "77 %" in build.words()


def test_a_builder_that_died_has_failed(home: Home) -> None:
    with subprocess.Popen((sys.executable, "-c", "")) as gone:
        gone.wait()
    write_engine_build(home, EngineBuild("building", pid=gone.pid))
    build = read_engine_build(home)
    assert build is not None
    assert build.state == "failed"
    assert "interrupted" in build.words()
