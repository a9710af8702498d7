"""Puts the extension together for a browser: one source, two manifests.

python -m hearth_bridge.package chromium FOLDER      the unpacked extension, to be loaded from there
"""

import argparse
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from hearth_bridge.extension import FOLDER
from hearth_shared import __version__
from hearth_shared.extension import GECKO_ID, MANIFEST_KEY

Browser = Literal["chromium", "firefox"]
BROWSERS: Final[tuple[Browser, ...]] = ("chromium", "firefox")
_KINDS: Final = frozenset({".css", ".html", ".js", ".png"})
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name: the same files give the same bytes
_ICONS: Final = {str(size): f"icons/{size}.png" for size in (16, 32, 48, 128)}
# Firefox's own policy would turn ws:// to wss:// and the bridge would never be reached: this one does not say so.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src ws://127.0.0.1:*; "
    "object-src 'none'; base-uri 'none'; form-action 'none'"
)


def manifest(browser: Browser) -> dict[str, Any]:
    """The manifest for a browser. It asks for as little as it can: a page is read once the person clicks."""
    shared: dict[str, Any] = {
        "manifest_version": 3,
        "name": "Hearth",
        "version": __version__,
        "description": "Ask the Hearth on your own machine about the page you are reading, and let it remember.",
        "icons": _ICONS,
        "action": {"default_title": "Hearth", "default_icon": _ICONS},
        "options_ui": {"page": "options.html", "open_in_tab": True},
        "optional_host_permissions": ["*://*/*"],
        "content_security_policy": {"extension_pages": _POLICY},
    }
    own = _chromium() if browser == "chromium" else _firefox()
    permissions = ["activeTab", "contextMenus", "nativeMessaging", "scripting", "storage"]
    return shared | own | {"permissions": sorted([*permissions, *own.get("permissions", [])])}


def _chromium() -> dict[str, Any]:
    return {
        "key": MANIFEST_KEY,
        "minimum_chrome_version": "123",
        "background": {"service_worker": "background.js", "type": "module"},
        "side_panel": {"default_path": "panel.html"},
        "permissions": ["sidePanel"],
        "commands": {"_execute_action": {"suggested_key": {"default": "Alt+Shift+H"}}},
    }


def _firefox() -> dict[str, Any]:
    return {
        "browser_specific_settings": {
            "gecko": {
                "id": GECKO_ID,
                "strict_min_version": "140.0",
                "data_collection_permissions": {"required": ["none"]},
            }
        },
        "background": {"scripts": ["background.js"], "type": "module"},
        "sidebar_action": {
            "default_panel": "panel.html",
            "default_title": "Hearth",
            "default_icon": _ICONS,
            "open_at_install": False,
        },
        "commands": {"_execute_sidebar_action": {"suggested_key": {"default": "Alt+Shift+H"}}},
    }


def files(browser: Browser) -> Iterator[tuple[str, bytes]]:
    """Every file of the extension by its name, in order."""
    yield "manifest.json", (json.dumps(manifest(browser), indent=2) + "\n").encode()
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in _KINDS:
            yield path.relative_to(FOLDER).as_posix(), path.read_bytes()


def unpack(browser: Browser, folder: Path) -> Path:
    """The extension as a folder that the browser can load; what was in the folder before is gone."""
    if folder.exists() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds something else; name an empty folder.")
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files(browser):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def packed(browser: Browser) -> bytes:
    """The extension as a zip; the same source gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files(browser):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m hearth_bridge.package", description="The extension, unpacked.")
    parser.add_argument("browser", choices=BROWSERS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        folder = unpack(options.browser, options.folder)
    except OSError as error:
        sys.stderr.write(f"The extension was not written: {error}\n")
        return 1
    sys.stdout.write(f"{folder.absolute()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
