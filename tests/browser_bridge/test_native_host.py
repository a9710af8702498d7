import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hearth_bridge import native_frames
from hearth_bridge.native_host import caller, origin_of
from hearth_shared.discovery import read_endpoint, stop_backend
from hearth_shared.errors import Forbidden
from hearth_shared.extension import CHROMIUM_ORIGIN, GECKO_ID
from hearth_shared.paths import Home
from support.backend import Backend
from support.bridge import LIMIT_S, Paired

pytestmark = pytest.mark.integration

CHROMIUM = (f"{CHROMIUM_ORIGIN}/",)
FIREFOX = ("/somewhere/manifest.json", GECKO_ID)
FIREFOX_ORIGIN = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"


HOST = (sys.executable, "-I", "-m", "hearth_bridge.native_host")


def environment(home: Path) -> dict[str, str]:
    """Of a program that finds this home."""
    ports = {"HEARTH_BRIDGE__PORT": "0", "HEARTH_SERVER__PORT": "0"}
    return {"HEARTH_HOME": str(home), "PATH": os.environ["PATH"], **ports}


def asked(home: Path, arguments: tuple[str, ...], *messages: object, raw: bytes = b"") -> list[dict[str, Any]]:
    """What the program answers, as a browser starts it."""
    sent = raw or b"".join(map(native_frames.framed, messages))
    done = subprocess.run(
        [*HOST, *arguments],
        input=sent, capture_output=True, env=environment(home), timeout=2 * LIMIT_S, check=False,
    )  # fmt: skip
    stream, answers = io.BytesIO(done.stdout), list[dict[str, Any]]()
    while (answer := native_frames.read(stream)) is not None:
        answers.append(answer)
    return answers


def test_one_message_pairs_the_browser_that_started_it(house: Backend) -> None:
    home = house.home.root
    pair = {"type": "pair", "origin": CHROMIUM_ORIGIN, "name": "Chromium on Linux"}
    (said,) = asked(home, CHROMIUM, pair)
    assert said["client"]["name"] == "Chromium on Linux"
    assert said["token"].startswith("hth_")
    (where,) = asked(home, CHROMIUM, {"type": "port"})
    assert where["port"] == said["port"] > 0


def test_firefox_is_paired_for_the_address_that_it_has_in_its_profile(house: Backend) -> None:
    (said,) = asked(house.home.root, FIREFOX, {"type": "pair", "origin": FIREFOX_ORIGIN, "name": ""})
    assert said["client"]["origin"] == FIREFOX_ORIGIN


def test_a_browser_that_was_killed_after_it_asked_starts_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*HOST, *CHROMIUM], env=environment(tmp_path / "home"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(native_frames.framed({"type": "port"}))
        process.stdin.close()
        assert process.wait(LIMIT_S) == 0
    assert not (tmp_path / "home").exists()


def test_it_starts_hearth_when_it_does_not_run_and_tells_when_no_browser_is_paired(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    try:
        (said,) = asked(home.root, CHROMIUM, {"type": "pair", "origin": CHROMIUM_ORIGIN, "name": "C"})
        endpoint = read_endpoint(home)
        assert endpoint is not None
        assert said["port"] > 0
        os.kill(endpoint.pid, signal.SIGKILL)
        (where,) = asked(home.root, CHROMIUM, {"type": "port"})  # the pairing outlives a crash
        assert where["port"] > 0
    finally:
        stop_backend(home)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), {"type": "port"}),
        (("chrome-extension://" + "a" * 32 + "/",), {"type": "pair", "origin": CHROMIUM_ORIGIN}),
        (("/m.json", "evil@example.org"), {"type": "pair", "origin": FIREFOX_ORIGIN}),
        (CHROMIUM, {"type": "pair", "origin": FIREFOX_ORIGIN, "name": "x"}),
        (CHROMIUM, {"type": "pair", "origin": "https://evil.example", "name": "x"}),
        (FIREFOX, {"type": "pair", "origin": CHROMIUM_ORIGIN, "name": "x"}),
        (FIREFOX, {"type": "pair", "name": "x"}),
    ],
)
def test_nobody_else_is_given_anything(arguments: tuple[str, ...], message: object, house: Backend) -> None:
    (said,) = asked(house.home.root, arguments, message)
    assert said["problem"]["code"] == "forbidden"
    assert "token" not in str(said["problem"].keys() | said.keys())


def test_what_it_does_not_know_is_a_problem_and_it_goes_on(house: Backend, paired: Paired) -> None:
    first, second = asked(house.home.root, CHROMIUM, {"type": "run", "what": "ls"}, {"type": "port"})
    assert first["problem"]["code"] == "bad_request"
    assert second["port"] > 0


@pytest.mark.parametrize("raw", [b"\xff", b"\xff\xff\xff\xff{}", b"\x02\0\0\0[]"])
def test_what_is_no_message_ends_it_without_a_word(raw: bytes, house: Backend) -> None:
    assert asked(house.home.root, CHROMIUM, raw=raw) == []


def test_the_browser_is_known_by_what_it_says_first() -> None:
    assert (caller(CHROMIUM), caller([*CHROMIUM, "--parent-window=0"]), caller(FIREFOX)) == (
        "chromium",
        "chromium",
        "firefox",
    )
    assert caller(["x"]) is caller([]) is None


def test_an_origin_is_taken_only_from_the_browser_it_belongs_to() -> None:
    assert origin_of("chromium", CHROMIUM_ORIGIN) == CHROMIUM_ORIGIN
    for browser, origin in (("chromium", FIREFOX_ORIGIN), ("firefox", CHROMIUM_ORIGIN), (None, CHROMIUM_ORIGIN)):
        with pytest.raises(Forbidden):
            origin_of(browser, origin)  # type: ignore[arg-type]
