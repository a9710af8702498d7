"""The engine's build in the background: one at a time, and word of it for `hearth status`."""

import fcntl
from pathlib import Path

import pytest

from hearth_setup.engine import Engine, percent
from hearth_shared.engine_build import EngineBuild, read_engine_build
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration


@pytest.fixture
def build(tmp_path: Path) -> Engine:
    """A checkout whose Python is a shell script that plays the builder."""
    home = Home(tmp_path / "home")
    home.make()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".cache" / "uv" / "bin").mkdir(parents=True)
    write_program(tmp_path / ".cache" / "uv" / "bin" / "uv", "exit 0")
    (tmp_path / "requirements-local.lock").write_text("diskcache==5\nllama-cpp-python==1.0 \\\n    --hash=sha256:00\n")
    return Engine(tmp_path, home)


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def plays(build: Engine, script: str) -> None:
    write_program(build.root / ".venv" / "bin" / "python", script)


def state(build: Engine) -> EngineBuild:
    found = read_engine_build(build.home)
    assert found is not None
    return found


@pytest.mark.parametrize(("line", "share"), [("[1/4] Building C object", 25), ("[4/4] Linking", 100), ("hello", None)])
def test_ninja_says_how_far_it_is(line: str, share: int | None) -> None:
    assert percent(line) == share


def test_a_build_that_ends_well_is_ready(build: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    plays(build, "echo '[1/2] compiling'; echo '[2/2] linking'")
    assert build.watch() == 0
    assert state(build).state == "ready"
    assert "compiling" in capfd.readouterr().out


def test_a_build_that_fails_says_where_to_look(build: Engine) -> None:
    plays(build, "exit 3")
    assert build.watch() == 3
    assert state(build).state == "failed"
    assert str(build.log) in state(build).detail


def test_what_the_engine_imports_is_installed_before_it_is_built(build: Engine) -> None:
    plays(build, "exit 0")
    write_program(build.root / ".cache" / "uv" / "bin" / "uv", "echo 'error: no network' >&2; exit 2")
    assert build.watch() == 1
    assert state(build).state == "failed"
    assert "no network" in state(build).detail


def test_a_second_build_leaves_the_first_alone(build: Engine) -> None:
    plays(build, "exit 3")
    with (build.home.run / "engine-build.lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        assert build.watch() == 0
    assert read_engine_build(build.home) is None


def test_an_installed_engine_is_found_at_the_version_of_the_lock(build: Engine) -> None:
    assert not build.is_installed
    packages = build.root / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "llama_cpp_python-1.0.dist-info").mkdir(parents=True)
    assert build.is_installed
    (build.root / "requirements-local.lock").write_text("llama-cpp-python==1.1 \\\n")
    assert not build.is_installed


def test_the_build_for_a_gpu_is_asked_for_once_llama_cpp_is_here(build: Engine) -> None:
    hearth = build.root / ".venv" / "bin" / "hearth"
    write_program(hearth, f'echo "$@" >> {build.root}/asked')
    plays(build, "exit 3")
    assert build.watch("vulkan") == 3
    assert not (build.root / "asked").exists()
    plays(build, "exit 0")
    assert build.watch("vulkan") == 0
    assert (build.root / "asked").read_text() == "engine install vulkan\n"


def test_what_is_installed_is_not_built_again_for_a_gpu(build: Engine) -> None:
    packages = build.root / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "llama_cpp_python-1.0.dist-info").mkdir(parents=True)
    write_program(build.root / ".venv" / "bin" / "hearth", "exit 0")
    plays(build, "exit 3")
    assert build.watch("cuda") == 0
    assert read_engine_build(build.home) is None
