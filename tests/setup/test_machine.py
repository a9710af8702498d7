"""What is missing on a machine, and the one line that mends it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hearth_setup.machine import Apt, AptProgress, Need, apt_here, has_display, has_package, install, plan, read_needs

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
VENV = Need("run", "python3-venv", "makes the Python environment")
COMPILER = Need("engine", "g++", "builds llama.cpp")


def having(*packages: str) -> Callable[[str], bool]:
    return lambda name: name in packages


def test_the_list_names_a_section_a_package_and_a_reason() -> None:
    text = "# section package why\nrun  python3-venv  makes the Python environment\n\nengine g++ builds llama.cpp\n"
    assert read_needs(text) == (VENV, COMPILER)


def test_the_shipped_list_is_readable() -> None:
    needs = read_needs((ROOT / "packaging" / "apt-packages.txt").read_text("utf-8"))
    assert {need.section for need in needs} == {"run", "engine", "tools", "vulkan", "gpu", "desktop", "check"}
    assert {"python3-venv", "g++", "make"} <= {need.package for need in needs}


def test_nothing_is_done_when_nothing_is_missing() -> None:
    found = plan([VENV, COMPILER], having("python3-venv", "g++"), Apt.ROOT)
    assert not found.missing
    assert not found.commands
    assert not found.blocks


def test_root_installs_what_is_missing_and_only_that() -> None:
    found = plan([VENV, COMPILER], having("g++"), Apt.ROOT)
    update, fetch = found.commands
    assert update == ("apt-get", "update")
    assert fetch[:3] == ("apt-get", "install", "-y")
    assert "python3-venv" in fetch
    assert "g++" not in fetch
    assert not found.blocks


def test_sudo_is_used_where_it_asks_for_no_password() -> None:
    found = plan([VENV], having(), Apt.SUDO)
    assert all(command[:2] == ("sudo", "-n") for command in found.commands)


@pytest.mark.parametrize(
    ("apt", "begins"), [(Apt.ASK, "sudo apt-get update && sudo apt-get install"), (Apt.TELL, "su -c 'apt-get update")]
)
def test_who_may_not_install_gets_one_line(apt: Apt, begins: str) -> None:
    found = plan([VENV, COMPILER], having(), apt)
    assert not found.commands
    assert found.line.startswith(begins)
    assert "python3-venv g++" in found.line
    assert "\n" not in found.line
    assert found.blocks


def test_a_system_without_apt_is_told_the_names() -> None:
    found = plan([VENV], having(), Apt.NONE)
    assert found.line == "Install what your system calls: python3-venv"


def test_a_missing_compiler_alone_stops_nothing() -> None:
    found = plan([VENV, COMPILER], having("python3-venv"), Apt.ASK)
    assert found.missing == (COMPILER,)
    assert found.line
    assert not found.blocks


def test_what_a_window_needs_stops_nothing_either() -> None:
    found = plan([VENV, Need("desktop", "libegl1", "windows")], having("python3-venv"), Apt.TELL)
    assert found.missing
    assert not found.blocks


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
    ],
)
def test_a_display_is_found_where_there_is_one(environ: dict[str, str], platform: str, expected: bool) -> None:
    assert has_display(environ, platform) is expected


def test_a_program_counts_as_there_whoever_put_it_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_package("g++")
    (tmp_path / "clang++").write_text("#!/bin/sh\n")
    (tmp_path / "clang++").chmod(0o755)
    assert has_package("g++")


def test_without_apt_nothing_is_asked_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt_here() is Apt.NONE


def test_apt_tells_size_share_and_time_left() -> None:
    progress = AptProgress()
    assert progress.read("Reading package lists...\n") == ""
    assert progress.read("Need to get 61.5 MB of archives.\n") == ""
    line = "dlstatus:7:41.9:Retrieving file 7 of 30 (5s remaining)\n"
    assert progress.read(line) == "downloading 42 % of 61.5 MB, 5 s left"
    assert progress.read("pmstatus:gcc-12:60.2:Unpacking gcc-12 (amd64)\n") == "installing 60 %"


def test_only_the_last_command_decides_and_its_words_are_kept(tmp_path: Path) -> None:
    log, told = tmp_path / "deep" / "apt.log", list[str]()
    failing, speaking = ("sh", "-c", "exit 100"), ("sh", "-c", "echo pmstatus:x:50:x; echo hello")
    assert install((failing, speaking), log, told.append)
    assert told == ["installing 50 %"]
    assert log.read_text() == "hello\n"
    assert not install((speaking, failing), log, told.append)
