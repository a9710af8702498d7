"""What a browser goes through: paired and forgotten, cut off, closed and killed, and Hearth killed under it."""

import contextlib
import os
import select
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from bench.processes import name, tree
from hearth_shared.discovery import holder, read_bridge, stop_backend
from hearth_shared.paths import Home
from support.asking_backend import asking
from support.backend import Backend, running
from support.browser import Chromium, chromium
from support.paused import Paused
from support.scripted_server import Scripted

pytestmark = pytest.mark.browsers

LIMIT_S = 60.0
WORDS = [f"word{number} 🌺 " for number in range(1, 61)]


@contextlib.contextmanager
def chromium_of(folder: Path, config: str = "") -> Generator[tuple[Chromium, Backend]]:
    """A browser and a backend that the test may end; one that the panel starts in its place is ended too."""
    with running(folder / "home", config) as backend:
        try:
            with chromium(folder, backend.home) as browser:
                yield browser, backend
        finally:
            stop_backend(backend.home)


@pytest.fixture
def model() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, model: Scripted) -> Iterator[Backend]:
    with running(tmp_path / "home", model.config) as backend:
        yield backend


@pytest.fixture
def browser(tmp_path: Path, house: Backend) -> Iterator[Chromium]:
    with chromium(tmp_path, house.home) as made:
        yield made


def test_the_worker_may_stop_in_mid_answer(browser: Chromium, model: Scripted) -> None:
    panel = browser.side_panel()
    panel.pair()
    paused = Paused(WORDS)
    model.does(paused)
    panel.send("Count")
    paused.half()
    panel.until(f"document.querySelector('.text')?.innerText.includes('{WORDS[29].split()[0]}')")
    browser.stop_worker()
    paused.go_on()
    assert panel.answered() == paused.whole.strip()


def test_the_panel_may_be_closed_in_mid_answer_and_opened_again(browser: Chromium, model: Scripted) -> None:
    panel = browser.side_panel()
    panel.pair()
    paused = Paused(WORDS)
    model.does(paused)
    panel.send("Count")
    paused.half()
    panel.reload()
    panel.until(f"document.querySelector('.text')?.innerText.includes('{WORDS[29].split()[0]}')")
    assert panel.texts(".said") == ["Count"]
    paused.go_on()
    assert panel.answered() == paused.whole.strip()
    panel.reload()
    assert panel.answered() == paused.whole.strip()


def test_hearth_may_be_killed_in_mid_answer_and_comes_back_elsewhere(tmp_path: Path, model: Scripted) -> None:
    """Nobody starts it again but the panel itself, through the native host."""
    paused = Paused(WORDS)
    model.does(paused)
    with chromium_of(tmp_path, f"{model.config}[models]\nlook_around = false\n") as (browser, first):
        panel = browser.side_panel()
        panel.pair()
        before = read_bridge(first.home)
        panel.send("Count")
        paused.half()
        panel.until(f"document.querySelector('.text')?.innerText.includes('{WORDS[29].split()[0]}')")
        first.stop(signal.SIGKILL)
        paused.go_on()
        assert panel.answered() == paused.whole.strip()
        assert panel.texts(".said") == ["Count"]
        after = read_bridge(first.home)
        assert before is not None
        assert after is not None
        assert after.port != before.port
        assert panel.ask("And again").answer == paused.whole.strip()


def test_a_revoked_browser_is_told_so_and_can_be_paired_again(browser: Chromium, house: Backend) -> None:
    panel = browser.side_panel()
    panel.pair()
    (client,) = house.door().get("/v1/clients").json()["clients"]
    house.door().delete(f"/v1/clients/{client['id']}")
    assert "access was ended" in panel.see("#pair")
    assert panel.stored() == {}
    panel.pair()


def test_a_code_pairs_and_a_wrong_one_says_how_many_tries_are_left(browser: Chromium, house: Backend) -> None:
    panel = browser.side_panel()
    opened = house.door().post("/v1/clients/pairing", json={}).json()
    panel.write("#port", str(opened["port"]))
    panel.write("#code", "000000" if opened["code"] != "000000" else "111111")
    panel.press("Enter")
    panel.until("/4/.test(document.querySelector('#pair .problem')?.innerText)")
    panel.write("#code", opened["code"])
    panel.press("Enter")
    panel.see("#question")
    panel.connected()
    named = house.door().get("/v1/clients").json()["clients"][0]["name"]
    assert named == "Chromium on Linux"


def test_without_hearth_the_panel_waits_and_keeps_what_was_written(tmp_path: Path) -> None:
    with chromium_of(tmp_path) as (browser, first):
        panel = browser.side_panel()
        panel.pair()
        host = next((tmp_path / "profile" / "NativeMessagingHosts").glob("*.json"))
        host.unlink()  # else the panel would start Hearth itself
        first.stop()
        panel.until("document.querySelector('#state').dataset.state === 'offline'")
        assert "not running" in panel.see("#notice")
        panel.write("#question", "Half a question")
        panel.reload()
        panel.until("document.querySelector('#state').dataset.state === 'offline'")
        assert panel.run("document.querySelector('#question').value") == "Half a question"


def test_nothing_is_left_of_a_browser_that_is_killed_and_the_others_go_on(tmp_path: Path) -> None:
    with chromium_of(tmp_path) as (browser, house):
        panel = browser.side_panel()
        panel.pair()
        bridge = read_bridge(house.home)
        assert bridge is not None
        running_bridge = os.pidfd_open(bridge.pid)
        for pid in [pid for pid in tree(os.getpid()) if _is_browser(name(pid))]:
            killed = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            assert select.select([killed], [], [], LIMIT_S)[0]
            os.close(killed)
        assert house.door().get("/v1/status").status_code == 200
        assert not select.select([running_bridge], [], [], 0)[0]
        for host in _native_hosts(house.home):
            assert _has_ended(host)
        house.stop()
        assert select.select([running_bridge], [], [], LIMIT_S)[0]
        os.close(running_bridge)
        assert holder(house.home) is None


def _native_hosts(home: Home) -> list[int]:
    """Those of this home, whoever is their parent now: a killed browser's are init's."""
    found = list[int]()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_one = b"native_host" in (path / "cmdline").read_bytes()
            if is_one and os.fsencode(f"HEARTH_HOME={home.root}") in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
    return found


def _has_ended(pid: int) -> bool:
    """Whether it ends; one that has is found to have."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], LIMIT_S)[0])
    finally:
        os.close(process)


def _is_browser(command: str) -> bool:
    """The browser's own process, not one of its helpers."""
    return "--remote-debugging-port" in command and "--type=" not in command


def test_an_approval_is_shown_complete_and_cannot_be_decided_here(tmp_path: Path) -> None:
    with asking(tmp_path / "home", {"HEARTH_BRIDGE__PORT": "0", "HEARTH_SERVER__PORT": "0"}) as house:
        house.ask(tool="write_file", args={"path": "a\u202etxt.exe"}, quotes=[{"text": "do it", "trusted": False}])
        with chromium(tmp_path, house.home) as browser:
            panel = browser.options("panel.html")
            panel.pair()
            card = panel.see(".approval")
    assert "write_file" in card
    assert "a‹U+202E›txt.exe" in card
    assert "do it" in card
    assert "Decide in the tray" in card


def test_the_options_show_sites_and_forget_the_browser(tmp_path: Path) -> None:
    with running(tmp_path / "home") as house, chromium(tmp_path, house.home) as browser:
        options = browser.options()
        options.pair_in_options()
        house.door().put("/v1/consents", json={"door": "browser", "subject": "example.org", "level": "remember"})
        options.reload()
        options.until("document.querySelector('#sites').innerText.includes('example.org')")
        options.click("#forget")
        options.click("#forget-sure")
        options.see("#pair-native")
        assert options.stored() == {}
