"""Offers a machine with a GPU the build of llama.cpp for it: one key to have it made, one to go without."""

import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

from hearth_shared.hardware import Backend, Hardware, suits
from hearth_shared.paths import Home

YES, NO = "y", "n"
_NO_KEYS = ("\x03", "\x04", "\x1b", "")


@dataclass(frozen=True, slots=True)
class Offer:
    """The build that suits this machine and is not here."""

    backend: Backend
    why: str

    @property
    def line(self) -> str:
        """For whoever cannot be asked, or was asked before."""
        return f"GPU:    {self.why} `hearth engine install {self.backend}` makes llama.cpp's build for it."

    @property
    def question(self) -> str:
        """Asked of a person at a terminal."""
        return f"GPU:    {self.why} Shall llama.cpp's build for it ({self.backend}) be made, in the background? [y/n] "


def offer_for(found: Hardware, home: Home, *, prebuilt: bool) -> Offer | None:
    """None when there is no GPU, the build is here, or macOS has it in every build."""
    backend, why = suits(found, prebuilt=prebuilt)
    here = [path.name for path in home.engines.glob(f"{backend}-*")] if home.engines.is_dir() else []
    return None if backend in ("cpu", "metal") or here else Offer(backend, why)


def fetches_builds(home: Home, environ: Mapping[str, str]) -> bool:
    """Whether `engine.wheels_url` names an index of prebuilt ones."""
    if named := environ.get("HEARTH_ENGINE__WHEELS_URL"):
        return bool(named)
    try:
        return bool(tomllib.loads(home.config.read_text("utf-8")).get("engine", {}).get("wheels_url"))
    except (OSError, ValueError, AttributeError):
        return False


def accepted(offer: Offer, home: Home, key: Callable[[], str], out: TextIO) -> bool:
    """Asks once for each kind of build: who said no is told how to have it, and asked no more."""
    declined = home.engines / f".no-{offer.backend}"
    if declined.exists():
        out.write(f"{offer.line}\n")
        return False
    out.write(offer.question)
    out.flush()
    answer = ""
    while answer not in (YES, NO):
        pressed = key()
        answer = NO if pressed in _NO_KEYS else pressed.lower()
    out.write(f"{'yes' if answer == YES else 'no'}\n")
    if answer == NO:
        home.engines.mkdir(mode=0o700, parents=True, exist_ok=True)
        declined.touch()
        out.write(f"        `hearth engine install {offer.backend}` makes it later.\n")
    return answer == YES


def terminal_key() -> str:
    """One key of the terminal, without Enter; empty at its end."""
    import termios  # not on Windows, where nobody is asked
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        return os.read(descriptor, 1).decode("ascii", "replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
