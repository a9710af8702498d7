"""The bridge as the backend keeps it: there when a browser may come, gone with whoever needed it."""

import json
import os
import re
import select
import signal
from pathlib import Path

import pytest

from support.backend import Backend, running
from support.bridges import is_alive
from support.command import hearth, start

pytestmark = pytest.mark.integration


def bridge(house: Backend) -> dict[str, int]:
    """What the backend says of its bridge."""
    return json.loads(house.home.bridge.read_bytes())


def test_a_pairing_that_is_shown_has_its_bridge(house: Backend) -> None:
    shown = house.door("tray").post("/v1/clients/pairing", json={}).json()
    assert (shown["state"], shown["port"]) == ("open", bridge(house)["port"])
    status = house.door("tray").get("/v1/status").json()
    assert status["doors"]["browser"] == f"ws://127.0.0.1:{shown['port']}"
    assert "bridge" in [part["name"] for part in status["components"] if part["state"] == "ok"]
    checks = {check["name"]: check for check in house.door("tray").get("/v1/doctor").json()["checks"]}
    assert checks["bridge"]["state"] == "ok", checks["bridge"]


def test_a_code_that_is_typed_tells_the_one_who_shows_it(house: Backend) -> None:
    tray = house.door("tray")
    shown = tray.post("/v1/clients/pairing", json={}).json()
    body = {"code": shown["code"], "origin": house.pair().origin, "name": "Chromium elsewhere"}
    assert (
        house.door("browser").post("/v1/pair", json=body).json()["code"] == "no_pairing"
    )  # the native host was faster
    shown = tray.post("/v1/clients/pairing", json={}).json()
    paired = house.door("browser").post("/v1/pair", json={**body, "code": shown["code"]}).json()
    heard = tray.get("/v1/clients/pairing?wait=true").json()
    assert (heard["state"], heard["client"]["id"]) == ("paired", paired["client"]["id"])
    assert "Chromium elsewhere" in hearth(house, "clients", "list").out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_bridge_outlives_the_backend(house: Backend, number: int) -> None:
    house.pair()
    pid = bridge(house)["pid"]
    assert is_alive(pid)
    watched = os.pidfd_open(pid)
    house.stop(number)
    assert _ends(watched)


def test_a_paired_browser_finds_its_bridge_after_a_kill_of_it(house: Backend) -> None:
    browser = house.pair()
    before = bridge(house)["pid"]
    watched = os.pidfd_open(before)
    os.kill(before, signal.SIGKILL)
    assert _ends(watched)
    with house.browser(browser).stream("GET", "/v1/events?after_seq=0") as events:
        for line in events.iter_lines():
            if line.startswith("data:") and "Browsers reach Hearth" in line and bridge_pid(house) not in (0, before):
                break
    assert house.browser(browser).get("/v1/status").json()["doors"]["browser"]


def bridge_pid(house: Backend) -> int:
    """0 while there is none."""
    try:
        return bridge(house)["pid"]
    except (OSError, ValueError):
        return 0


def _ends(watched: int) -> bool:
    """Whether the process ends within the hang limit."""
    try:
        return bool(select.select([watched], [], [], 60)[0])
    finally:
        os.close(watched)


def test_the_command_shows_a_code_and_says_who_typed_it(
    house: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "user" / ".mozilla" / "firefox").mkdir(parents=True)
    command = start(house, "pair", "browser")
    assert command.stdout is not None
    code = ""
    while not code:
        line = command.stdout.readline()
        assert line, "the command ended without a code"
        code = "".join(line.split()) if re.fullmatch(r"\s*\d{3} \d{3}\s*", line) else ""
    firefox = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"
    body = {"origin": firefox, "name": "Firefox on Linux"}
    wrong = house.door("browser").post("/v1/pair", json={**body, "code": "not it"})
    assert (wrong.json()["code"], wrong.json()["tries_left"]) == ("wrong_code", 4)
    assert house.door("browser").post("/v1/pair", json={**body, "code": code}).status_code == 201
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    assert "Firefox on Linux is paired." in out
    assert (tmp_path / "user" / ".mozilla" / "native-messaging-hosts" / "dev.hearth.host.json").is_file()


def test_a_paired_browser_outlives_the_backend_that_was_killed(tmp_path: Path) -> None:
    with running(tmp_path / "home") as first:
        browser = first.pair()
        old_key, old_bridge = first.key("browser"), bridge_pid(first)
        first.stop(signal.SIGKILL)
    with running(tmp_path / "home") as second:
        assert second.browser(browser).get("/v1/threads").status_code == 200
        assert second.over_socket(old_key).get("/v1/threads").status_code == 401
        with second.door("tray").stream("GET", "/v1/events?after_seq=0") as events:
            next(line for line in events.iter_lines() if line and bridge_pid(second) not in (0, old_bridge))
