"""The whole tray on a desktop of its own: window manager, tray host, D-Bus, keyboard and mouse."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hearth_shared import discovery
from hearth_shared.client import BackendClient
from support import sni_host
from support.asking_backend import AskingBackend, asking
from support.tray_process import QUIET, TRAY
from support.xsession import Desktop, desktop, wait_until

pytestmark = pytest.mark.desktop
_CHAT = "New thread"
_PANEL_Y = 700


class Host:
    """A panel that icons register with, played by a process."""

    def __init__(self, session: Desktop) -> None:
        self._process = session.start([sys.executable, sni_host.__file__])
        assert self._read() == {"ready": True}

    def ask(self, **wanted: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def labels(self) -> list[str]:
        return [_plain(entry["label"]) for entry in self.ask(do="menu")["entries"]]

    def choose(self, label: str) -> None:
        wait_until(lambda: any(one.startswith(label) for one in self.labels()))
        found = (entry for entry in self.ask(do="menu")["entries"] if _plain(entry["label"]).startswith(label))
        self.ask(do="choose", id=next(found)["id"])

    def tooltip(self) -> str:
        return " ".join(self.ask(do="properties")["tooltip"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def _plain(label: str) -> str:
    return label.replace("_", "")


def start(session: Desktop, backend: AskingBackend, *words: str) -> "subprocess.Popen[bytes]":
    return session.start([*TRAY, *words], {**QUIET, "HEARTH_HOME": str(backend.home.root)})


def bring(session: Desktop, title: str) -> None:
    """To the front, with the keyboard: a window is said to be active before keys reach it."""
    found = ("xdotool", "search", "--onlyvisible", "--name", title)
    session.run(*found, "windowactivate", "--sync", "windowfocus", "--sync")


def shown(session: Desktop, title: str) -> Callable[[], bool]:
    return lambda: bool(session.windows(title))


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[AskingBackend]:
    with asking(tmp_path / "home") as one:
        yield one


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "desk"
    made.mkdir()
    return made


def test_the_icon_stands_in_the_tray_and_takes_mouse_and_keys(tmp_path: Path, backend: AskingBackend) -> None:
    with desktop(folder(tmp_path)) as session:
        tray = start(session, backend, "--background")
        x, y = docked(session)
        assert not session.windows(_CHAT)
        session.run("xdotool", "mousemove", str(x), str(y), "click", "1")
        wait_until(shown(session, _CHAT))
        session.run("xdotool", "mousemove", str(x), str(y), "click", "3")
        wait_until(lambda: menu_is_open(session))
        session.key("t")  # Settings…
        wait_until(shown(session, "Settings"))
        assert start(session, backend, "quit").wait(60) == 0
        assert tray.wait(60) == 0
        assert discovery.read_endpoint(backend.home) is not None


def docked(session: Desktop) -> tuple[int, int]:
    """Where the icon is, once the panel has taken it in and has stopped to move it."""
    places: list[tuple[int, int] | None] = [None]

    def settled() -> bool:
        tree = session.run("xwininfo", "-root", "-tree")
        found = re.findall(r"\n.*\"hearth\".*?(\d+)x(\d+)\+-?\d+\+-?\d+ +\+(\d+)\+(\d+)", tree)
        icons = [(int(x) + int(w) // 2, int(y) + int(h) // 2) for w, h, x, y in found if 16 <= int(w) <= 48]
        places.append(next((place for place in icons if place[1] > _PANEL_Y), None))
        return places[-1] is not None and places[-1] == places[-2]

    wait_until(settled)
    assert places[-1] is not None
    return places[-1]


def menu_is_open(session: Desktop) -> bool:
    """Whether a window without decoration, larger than an icon, is on the screen."""
    ids = session.run("xdotool", "search", "--onlyvisible", "--class", "hearth").split()
    types = (session.run("xprop", "-id", one, "_NET_WM_WINDOW_TYPE") for one in ids)
    return any("POPUP_MENU" in kind or "TYPE_MENU" in kind for kind in types)


def test_over_dbus_it_says_how_hearth_is_and_what_it_can_do(tmp_path: Path, backend: AskingBackend) -> None:
    with desktop(folder(tmp_path), tray=False) as session:
        host = Host(session)
        start(session, backend, "--background")
        assert host.ask(do="item")["item"]
        wait_until(lambda: "without a language model" in host.tooltip())
        assert set(host.ask(do="properties")["sizes"]) >= {16, 22, 32}
        for label in ("Ask…", "Inbox", "Local only", "Settings…", "Pair a browser…", "Finish setting up…", "Quit"):
            assert label in host.labels()
        host.ask(do="press")
        wait_until(shown(session, _CHAT))
        host.ask(do="press")
        wait_until(lambda: not session.windows(_CHAT))
        host.choose("Settings")
        wait_until(shown(session, "Settings"))


def test_a_thread_of_another_door_is_in_the_menu_and_opens(tmp_path: Path, backend: AskingBackend) -> None:
    with desktop(folder(tmp_path), tray=False) as session:
        host = Host(session)
        start(session, backend, "--background")
        wait_until(lambda: "Inbox" in host.labels())
        client = BackendClient(backend.home, "cli", start=False)
        thread = client.request("POST", "/v1/threads", {"title": "The lighthouse"})
        client.request("POST", f"/v1/threads/{thread['id']}/messages", {"text": "Where does it stand?"})
        wait_until(lambda: "The lighthouse" in host.labels())
        host.choose("The lighthouse")
        wait_until(shown(session, "lighthouse"))


def test_an_approval_needs_the_person_who_decides_it_with_one_key(tmp_path: Path, backend: AskingBackend) -> None:
    with desktop(folder(tmp_path), tray=False) as session:
        host = Host(session)
        start(session, backend, "--background")
        wait_until(lambda: "without a language model" in host.tooltip())
        asked = backend.ask(args={"path": "a.txt"})
        wait_until(lambda: "needs you" in host.tooltip())
        assert "Inbox (1)" in host.labels()
        host.ask(do="press")
        wait_until(shown(session, "Inbox"))
        client = BackendClient(backend.home, "cli", start=False)

        def decided() -> bool:
            session.run("xdotool", "search", "--name", "Inbox", "windowactivate")
            session.key("a")
            return client.request("GET", f"/v1/approvals/{asked['id']}")["status"] == "decided"

        wait_until(decided)
        assert client.request("GET", f"/v1/approvals/{asked['id']}")["decision"] == "accept"
        wait_until(lambda: "needs you" not in host.tooltip())
        assert "Inbox" in host.labels()


def test_without_a_tray_a_window_stands_for_it_until_there_is_one(tmp_path: Path, backend: AskingBackend) -> None:
    with desktop(folder(tmp_path), tray=False) as session:
        tray = start(session, backend)
        wait_until(shown(session, "Hearth"))
        host = Host(session)
        assert host.ask(do="item")["item"]
        wait_until(lambda: not session.windows("^Hearth$"))
        assert tray.poll() is None
        host.choose("Quit")
        assert tray.wait(60) == 0


def test_without_dbus_and_tray_it_works_in_its_window(tmp_path: Path, backend: AskingBackend) -> None:
    with desktop(folder(tmp_path), tray=False, bus=False) as session:
        tray = start(session, backend)
        wait_until(shown(session, "Hearth"))
        bring(session, "^Hearth$")
        session.key("alt+t")
        wait_until(shown(session, "Settings"))
        session.key("Escape")
        wait_until(lambda: not session.windows("Settings"))
        tray.terminate()
        assert tray.wait(60) == 0


def test_the_first_start_shows_the_guide_and_escape_leaves_a_working_hearth(
    tmp_path: Path, backend: AskingBackend
) -> None:
    with desktop(folder(tmp_path), tray=False) as session:
        host = Host(session)
        tray = start(session, backend)
        wait_until(shown(session, "Welcome"))
        bring(session, "Welcome")
        session.key("Escape")
        wait_until(lambda: not session.windows("Welcome"))
        assert tray.poll() is None
        host.choose("Finish setting up")
        wait_until(shown(session, "Welcome"))
        tray.send_signal(signal.SIGTERM)
        assert tray.wait(60) == 0


def test_a_backend_that_ends_is_shown_and_comes_back_by_itself(tmp_path: Path) -> None:
    with desktop(folder(tmp_path), tray=False) as session:
        host = Host(session)
        with asking(tmp_path / "home") as backend:
            start(session, backend, "--background")
            wait_until(lambda: "without a language model" in host.tooltip())
            backend.stop()
            wait_until(lambda: "is stopped" in host.tooltip())
            assert "Start Hearth" in host.labels()
        with asking(tmp_path / "home"):
            wait_until(lambda: "without a language model" in host.tooltip())
            assert "Start Hearth" not in host.labels()
