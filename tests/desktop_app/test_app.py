"""The tray app as a person's system starts it, ends it, and kills it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hearth_shared import discovery
from hearth_shared.paths import Home
from support.tray_process import LIMIT_S, environ, running_tray, tray
from support.xsession import wait_until

pytestmark = pytest.mark.desktop
_WITH_FAKE = "import sys; sys.path.insert(0, {folder!r}); from hearth_desktop.__main__ import main; main()"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def endpoint(home: Home) -> int | None:
    """The pid of the backend that is ready."""
    found = discovery.read_endpoint(home)
    return None if found is None else found.pid


def test_it_has_the_backend_started_and_leaves_it_when_it_is_quit(home: Home) -> None:
    with running_tray(home, "--background") as first:
        wait_until(lambda: endpoint(home) is not None)
        pid = endpoint(home)
        assert tray(home, "quit").returncode == 0
        assert first.process.wait(LIMIT_S) == 0
        assert not home.tray.exists()
        assert endpoint(home) == pid


def test_a_second_start_hands_its_wish_over_and_exits_with_0(home: Home) -> None:
    with running_tray(home, "--background") as first:
        wait_until(first.listens)
        for words in (["show"], ["inbox"], ["ask", "why"], ["settings"], ["toggle"], [], ["--background"]):
            second = tray(home, *words)
            assert (second.returncode, second.stderr) == (0, ""), words
        assert first.is_alive


def test_a_second_start_needs_no_display(home: Home) -> None:
    with running_tray(home, "--background") as first:
        wait_until(first.listens)
        assert tray(home, "toggle", more={"QT_QPA_PLATFORM": "", "DISPLAY": ""}).returncode == 0


def test_ten_starts_at_once_make_one_tray(home: Home) -> None:
    with running_tray(home, "--background") as first:
        others = [
            subprocess.Popen(
                [sys.executable, "-I", "-m", "hearth_desktop", "--background"],
                env=environ(home),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(9)
        ]
        everybody = [first.process, *others]
        wait_until(lambda: sum(one.poll() is None for one in everybody) == 1)
        (left,) = (one for one in everybody if one.poll() is None)
        assert [one.returncode for one in everybody if one is not left] == [0] * 9
        assert tray(home, "quit").returncode == 0
        assert left.wait(LIMIT_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(home: Home, number: int) -> None:
    with running_tray(home, "--background") as one:
        wait_until(lambda: endpoint(home) is not None)
        assert one.stop(number) == 0
        assert not home.tray.exists()


def test_killed_it_takes_nobody_with_it_and_can_be_started_again(home: Home) -> None:
    with running_tray(home, "--background") as first:
        wait_until(lambda: endpoint(home) is not None)
        pid = endpoint(home)
        children = first.children()
        first.stop(signal.SIGKILL)
        wait_until(lambda: not any(psutil.pid_exists(child) for child in children if child != pid))
        assert endpoint(home) == pid
    with running_tray(home, "--background") as second:
        wait_until(second.listens)
        assert tray(home, "quit").returncode == 0
        assert second.process.wait(LIMIT_S) == 0


def test_killed_while_it_starts_the_backend_it_leaves_no_orphan(home: Home) -> None:
    with running_tray(home, "--background") as first:
        wait_until(lambda: discovery.holder(home) is not None or not first.is_alive)
        children = first.children()
        first.stop(signal.SIGKILL)
        wait_until(lambda: endpoint(home) is not None)
        wait_until(lambda: not any(_is_ours(child) for child in children if child != endpoint(home)))


def _is_ours(pid: int) -> bool:
    try:
        return "hearth_desktop" in " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False


def test_a_backend_that_is_killed_is_started_again(home: Home) -> None:
    with running_tray(home, "--background") as one:
        for _ in range(2):
            wait_until(lambda: endpoint(home) is not None)
            before = endpoint(home)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            wait_until(lambda before=before: endpoint(home) not in (None, before))
        assert one.is_alive


def test_a_home_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = tray(Home(tmp_path / "file" / "home"), "--background")
    assert ended.returncode == 1
    assert ended.stderr.startswith("hearth-tray: Hearth cannot use its folder")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "display",
    [
        {"QT_QPA_PLATFORM": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""},
        {"QT_QPA_PLATFORM": "wayland", "DISPLAY": "", "WAYLAND_DISPLAY": "nowhere"},
        {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":4711"},
        {"QT_QPA_PLATFORM": "", "DISPLAY": ":4711", "WAYLAND_DISPLAY": ""},
        {"QT_QPA_PLATFORM": "no-such-platform"},
    ],
)
def test_without_a_display_it_says_one_sentence_and_exits_with_1(home: Home, display: dict[str, str]) -> None:
    ended = tray(home, "--background", more=display)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("hearth-tray: There is no display here")
    assert "hearth chat" in line
    assert tray(home, "--help").returncode == 0  # the seat is free again


def test_the_broken_binding_is_refused_before_any_of_qt_is_used(home: Home, tmp_path: Path) -> None:
    package = tmp_path / "fake" / "PySide6"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__version__ = '6.12.0'\n", "utf-8")
    ended = with_packages(home, package.parent)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "PySide6 6.12.0 crashes on Python 3.11" in line or sys.version_info >= (3, 12)


def test_a_missing_binding_is_said(home: Home, tmp_path: Path) -> None:
    package = tmp_path / "fake" / "PySide6"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('libEGL.so.1 is missing')\n", "utf-8")
    ended = with_packages(home, package.parent)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "libEGL.so.1 is missing" in line


def with_packages(home: Home, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", _WITH_FAKE.format(folder=str(folder))],
        env=environ(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.parametrize("words", [["dance"], ["--loud"], ["inbox", "now"]])
def test_wrong_usage_exits_with_2(home: Home, words: list[str]) -> None:
    ended = tray(home, *words)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_the_icon_needs_no_network_nor_parsers(home: Home) -> None:
    """What is loaded before the icon shows costs every start."""
    code = (
        "import json, sys, hearth_desktop.app\n"
        "print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)), [n for n in sys.modules "
        "if n.startswith('PySide6.')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(said[: said.index("]") + 1]))
    assert not {"markdown_it", "pygments", "asyncio", "dataclasses", "subprocess", "http"} & loaded
    assert "QtNetwork" not in said
    assert "QtDBus" not in said
