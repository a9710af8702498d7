"""The engine's build in the background: one at a time, and word of it for `hearth status`."""

import fcntl
import json
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from hearth_setup.engine import EngineBuild, Progress, percent
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration


@pytest.fixture
def build(tmp_path: Path) -> EngineBuild:
    """A checkout whose Python is a shell script that plays the builder."""
    home = Home(tmp_path / "home")
    home.make()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return EngineBuild(tmp_path, home)


def plays(build: EngineBuild, script: str) -> None:
    python = build.root / ".venv" / "bin" / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)


def progress(build: EngineBuild) -> Progress:
    return Progress(**json.loads((build.home.run / "engine-build.json").read_text()))


@pytest.mark.parametrize(("line", "share"), [("[1/4] Building C object", 25), ("[4/4] Linking", 100), ("hello", None)])
def test_ninja_says_how_far_it_is(line: str, share: int | None) -> None:
    assert percent(line) == share


def test_a_build_that_ends_well_is_ready(build: EngineBuild, capfd: pytest.CaptureFixture[str]) -> None:
    plays(build, "echo '[1/2] compiling'; echo '[2/2] linking'")
    assert build.watch() == 0
    assert progress(build).state == "ready"
    assert "compiling" in capfd.readouterr().out


def test_a_build_that_fails_says_where_to_look(build: EngineBuild) -> None:
    plays(build, "exit 3")
    assert build.watch() == 3
    assert progress(build).state == "failed"
    assert str(build.log) in progress(build).detail


def test_a_second_build_leaves_the_first_alone(build: EngineBuild) -> None:
    plays(build, "exit 3")
    with (build.home.run / "engine-build.lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        assert build.watch() == 0
    assert not (build.home.run / "engine-build.json").exists()


def test_an_installed_engine_is_found(build: EngineBuild) -> None:
    assert not build.is_installed
    package = build.root / ".venv" / "lib" / "python3.11" / "site-packages" / "llama_cpp"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert build.is_installed


def test_what_is_written_is_read_back_whole(build: EngineBuild) -> None:
    said = Progress("no compiler", "There is none.", "apt-get install g++")
    build.write(said)
    assert asdict(progress(build)) == asdict(said)
    assert [path.name for path in build.home.run.iterdir()] == ["engine-build.json"]
