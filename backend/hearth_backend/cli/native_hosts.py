"""Which browsers this person has, and the files that tell them where Hearth's native host is."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from hearth_shared.errors import HomeError
from hearth_shared.extension import CHROMIUM_ORIGIN, GECKO_ID, NATIVE_HOST
from hearth_shared.paths import Home

Kind = Literal["chromium", "firefox"]
KINDS: Final[tuple[Kind, ...]] = ("chromium", "firefox")


class Browser(NamedTuple):
    """A browser: how it is called, its programs, where it keeps this person's profile, and where it looks for hosts."""

    name: str
    kind: Kind
    programs: tuple[str, ...]
    profile: Path
    hosts: Path

    @property
    def manifest(self) -> Path:
        """The file that names Hearth's native host."""
        return self.hosts / f"{NATIVE_HOST}.json"


_CHROMIUM: Final[tuple[tuple[str, tuple[str, ...], str, str], ...]] = (
    ("Chromium", ("chromium", "chromium-browser"), "chromium", "Chromium"),
    ("Chrome", ("google-chrome", "google-chrome-stable"), "google-chrome", "Google/Chrome"),
    ("Brave", ("brave-browser", "brave"), "BraveSoftware/Brave-Browser", "BraveSoftware/Brave-Browser"),
    ("Edge", ("microsoft-edge", "microsoft-edge-stable"), "microsoft-edge", "Microsoft Edge"),
    ("Vivaldi", ("vivaldi", "vivaldi-stable"), "vivaldi", "Vivaldi"),
)
_FIREFOX: Final = ("firefox", "firefox-esr")


def browsers(user: Path, environ: Mapping[str, str], platform: str = sys.platform) -> Iterator[Browser]:
    """The browsers that Hearth's extension is for, whether or not they are here."""
    mac = platform == "darwin"
    support = user / "Library" / "Application Support"
    base = environ.get("XDG_CONFIG_HOME", "")
    config = Path(base) if base.startswith("/") else user / ".config"
    for name, programs, linux_folder, mac_folder in _CHROMIUM:
        profile = support / mac_folder if mac else config / linux_folder
        yield Browser(name, "chromium", programs, profile, profile / "NativeMessagingHosts")
    if mac:
        yield Browser("Firefox", "firefox", _FIREFOX, support / "Firefox", support / "Mozilla" / "NativeMessagingHosts")
    else:
        mozilla = user / ".mozilla"
        yield Browser("Firefox", "firefox", _FIREFOX, mozilla / "firefox", mozilla / "native-messaging-hosts")


def here(found: Iterator[Browser], which: Callable[[str], str | None] = shutil.which) -> list[Browser]:
    """Those that this person has: a profile, or the program."""
    return [browser for browser in found if browser.profile.is_dir() or any(map(which, browser.programs))]


def manifest(kind: Kind, program: Path) -> dict[str, Any]:
    """What the browser reads: the program, and that Hearth's extension alone may start it."""
    allowed = {"allowed_origins": [f"{CHROMIUM_ORIGIN}/"]} if kind == "chromium" else {"allowed_extensions": [GECKO_ID]}
    about = "Lets Hearth's extension find Hearth on this machine."
    return {"name": NATIVE_HOST, "description": about, "path": str(program), "type": "stdio", **allowed}


def install(chosen: Sequence[Browser], program: Path) -> None:
    """Write the manifest of each. Raises HomeError."""
    for browser in chosen:
        text = json.dumps(manifest(browser.kind, program), indent=2) + "\n"
        try:
            browser.hosts.mkdir(parents=True, exist_ok=True)
            draft = browser.manifest.with_name(f".{browser.manifest.name}.{os.getpid()}")
            draft.write_text(text, "utf-8")
            draft.replace(browser.manifest)
        except OSError as error:
            raise HomeError(
                f"{browser.manifest} cannot be written: {error.strerror}.", "Type the code instead."
            ) from error


def program(home: Home, environ: Mapping[str, str], beside: Path | None = None) -> Path:
    """The native host as a browser can start it. Raises HomeError when it is not installed.

    A browser does not know of HEARTH_HOME: for a home that it names, the host is a script that says so.
    """
    installed = (beside or Path(sys.executable).parent) / "hearth-native-host"
    if not os.access(installed, os.X_OK):
        raise HomeError(f"{installed} is missing.", "Install Hearth again: `make run` in its checkout.")
    if not environ.get("HEARTH_HOME"):
        return installed
    script = home.root / "hearth-native-host"
    text = f'#!/bin/sh\nHEARTH_HOME={shlex.quote(str(home.root))} exec {shlex.quote(str(installed))} "$@"\n'
    try:
        home.make()
        script.write_text(text, "utf-8")
        script.chmod(0o700)
    except OSError as error:
        raise HomeError(f"{script} cannot be written: {error.strerror}.", "Type the code instead.") from error
    return script
