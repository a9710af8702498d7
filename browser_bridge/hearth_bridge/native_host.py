"""`hearth-native-host`: what a browser starts so that its extension finds Hearth, and is paired in one click.

It runs as the person, so it may open the key in Hearth's private folder and ask for a token without a code. It answers
to Hearth's extension alone, and gives a token for the address of that extension alone.

    {"type": "pair", "origin": "…", "name": "Chromium"} → {"port": 4748, "token": "hth_…", "client": {…}}
    {"type": "port"} → {"port": 4748}, or {"port": null}: Hearth runs, and no browser is paired with it
    what cannot be done → {"problem": {…}}
"""

import os
import select
import sys
import time
from collections.abc import Sequence
from typing import Any, BinaryIO, Final, Literal

from hearth_bridge import native_frames
from hearth_shared.client import BackendClient
from hearth_shared.discovery import START, ensure_backend, read_bridge
from hearth_shared.errors import BadRequest, Forbidden, HearthError
from hearth_shared.extension import CHROMIUM_ORIGIN, GECKO_ID, is_extension
from hearth_shared.paths import Home, find_home

Browser = Literal["chromium", "firefox"]
_BRIDGE_S: Final = 8.0
_PAUSE_S: Final = 0.05


def main() -> int:
    """Answer until the browser closes the stream; the exit status."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints would break the frames
    try:
        return _serve(sys.argv[1:], sys.stdin.buffer, answers)
    except BrokenPipeError:
        return 0  # the browser has gone


def _serve(arguments: Sequence[str], asked: BinaryIO, answers: BinaryIO) -> int:
    browser = caller(arguments)
    try:
        while (message := native_frames.read(asked)) is not None:
            if _nobody_reads(answers):
                return 0  # the browser was killed after it asked: Hearth is not started for nobody
            answers.write(native_frames.framed(_answer(browser, message)))
            answers.flush()
    except native_frames.BrokenFrame as error:
        sys.stderr.write(f"hearth-native-host: {error}\n")
        return 1
    return 0


def _nobody_reads(answers: BinaryIO) -> bool:
    """Whether the other end of the answers' pipe is closed."""
    poll = select.poll()
    poll.register(answers, 0)
    return bool(poll.poll(0))


def caller(arguments: Sequence[str]) -> Browser | None:
    """Which browser's extension started this program. Chromium names its address, Firefox the extension's id."""
    if arguments and arguments[0] == f"{CHROMIUM_ORIGIN}/":
        return "chromium"
    return "firefox" if len(arguments) > 1 and arguments[1] == GECKO_ID else None


def origin_of(browser: Browser | None, said: object) -> str:
    """The address to pair: the one that Chromium vouches for, or the one that Firefox's extension has in its profile.

    Raises Forbidden for any other.
    """
    if isinstance(said, str) and is_extension(said) and (said == CHROMIUM_ORIGIN) is (browser == "chromium"):
        return said
    raise Forbidden("This is not the address of Hearth's extension.", "Install the extension again.")


def _answer(browser: Browser | None, message: dict[str, Any]) -> dict[str, Any]:
    try:
        if browser is None:
            raise Forbidden("This program answers Hearth's extension only.", "Install the extension that is Hearth's.")
        match message.get("type"):
            case "pair":
                return _paired(find_home(), origin_of(browser, message.get("origin")), str(message.get("name", "")))
            case "port":
                return {"port": _port(find_home())}
            case _:
                raise BadRequest("This program knows `pair` and `port`.", "Update Hearth, or its extension.")
    except HearthError as error:
        return {"problem": error.problem()}


def _paired(home: Home, origin: str, name: str) -> dict[str, Any]:
    asked = {"native": True, "origin": origin, "name": name[:80] or "A browser"}
    made = BackendClient(home, "browser", command=START).request("POST", "/v1/pair", asked)
    return {"port": made.get("port") or _port(home), "token": made["token"], "client": made["client"]}


def _port(home: Home) -> int | None:
    """Where the bridge is; starts the backend when there is none. None when no bridge comes: none is needed."""
    ensure_backend(home)
    deadline = time.monotonic() + _BRIDGE_S
    while (bridge := read_bridge(home)) is None:
        if time.monotonic() > deadline:
            return None
        time.sleep(_PAUSE_S)
    return bridge.port


if __name__ == "__main__":
    sys.exit(main())
