import json
import stat
import subprocess
from pathlib import Path

import pytest

from hearth_backend.cli.native_hosts import Browser, browsers, here, install, manifest, program
from hearth_shared.errors import HomeError
from hearth_shared.extension import CHROMIUM_ID, GECKO_ID
from hearth_shared.paths import Home

pytestmark = pytest.mark.unit


def named(name: str, user: Path, environ: dict[str, str] | None = None, platform: str = "linux") -> Browser:
    return next(one for one in browsers(user, environ or {}, platform) if one.name == name)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Chromium", ".config/chromium/NativeMessagingHosts"),
        ("Chrome", ".config/google-chrome/NativeMessagingHosts"),
        ("Brave", ".config/BraveSoftware/Brave-Browser/NativeMessagingHosts"),
        ("Firefox", ".mozilla/native-messaging-hosts"),
    ],
)
def test_each_browser_looks_in_its_own_folder(name: str, place: str, tmp_path: Path) -> None:
    assert named(name, tmp_path).manifest == tmp_path / place / "dev.hearth.host.json"


def test_the_persons_own_place_for_settings_counts(tmp_path: Path) -> None:
    there = {"XDG_CONFIG_HOME": str(tmp_path / "conf")}
    assert named("Chromium", tmp_path, there).profile == tmp_path / "conf" / "chromium"
    assert named("Chromium", tmp_path, {"XDG_CONFIG_HOME": "relative"}).profile == tmp_path / ".config" / "chromium"


def test_macos_keeps_them_elsewhere(tmp_path: Path) -> None:
    support = tmp_path / "Library" / "Application Support"
    assert named("Chrome", tmp_path, platform="darwin").hosts == support / "Google/Chrome/NativeMessagingHosts"
    assert named("Firefox", tmp_path, platform="darwin").hosts == support / "Mozilla/NativeMessagingHosts"


def test_a_browser_is_here_by_its_profile_or_its_program(tmp_path: Path) -> None:
    (tmp_path / ".config" / "google-chrome").mkdir(parents=True)
    found = here(browsers(tmp_path, {}, "linux"), which=lambda name: "/bin/x" if name == "firefox-esr" else None)
    assert [one.name for one in found] == ["Chrome", "Firefox"]


def test_only_hearths_extension_may_start_the_host() -> None:
    chromium, firefox = manifest("chromium", Path("/a/host")), manifest("firefox", Path("/a/host"))
    assert chromium["allowed_origins"] == [f"chrome-extension://{CHROMIUM_ID}/"]
    assert firefox["allowed_extensions"] == [GECKO_ID]
    assert "allowed_origins" not in firefox
    for made in (chromium, firefox):
        assert (made["name"], made["path"], made["type"]) == ("dev.hearth.host", "/a/host", "stdio")


def test_the_manifests_are_written_and_written_again(tmp_path: Path) -> None:
    chosen = [named("Chromium", tmp_path), named("Firefox", tmp_path)]
    install(chosen, Path("/old"))
    install(chosen, Path("/new"))
    assert [json.loads(one.manifest.read_text())["path"] for one in chosen] == ["/new", "/new"]
    assert [path.name for path in chosen[0].hosts.iterdir()] == ["dev.hearth.host.json"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("a file in the way")
    with pytest.raises(HomeError, match="cannot be written"):
        install([named("Chromium", tmp_path)], Path("/x"))


def test_a_host_that_is_not_installed_is_said(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="is missing"):
        program(Home(tmp_path), {}, tmp_path)


def test_the_usual_home_needs_no_script(tmp_path: Path) -> None:
    host = installed(tmp_path)
    assert program(Home(tmp_path / "home"), {}, tmp_path) == host


def test_a_home_of_ones_own_is_told_to_the_host_whatever_it_is_called(tmp_path: Path) -> None:
    installed(tmp_path)
    home = Home(tmp_path / 'a home\'s $(name) "of" its own')
    script = program(home, {"HEARTH_HOME": str(home.root)}, tmp_path)
    assert stat.S_IMODE(script.stat().st_mode) == 0o700
    said = subprocess.run([script, "chrome-extension://x/"], env={"PATH": "/usr/bin:/bin"}, capture_output=True)
    assert said.stdout.decode() == f"{home.root}|chrome-extension://x/\n"


def installed(folder: Path) -> Path:
    """A native host that tells its home and its arguments."""
    host = folder / "hearth-native-host"
    host.write_text('#!/bin/sh\necho "$HEARTH_HOME|$*"\n')
    host.chmod(0o755)
    return host
