"""Builds the extension into build/: a folder to load and a zip to give away, for Chromium and for Firefox.

python packaging/build_extension.py [FOLDER]
"""

import sys
from pathlib import Path

from hearth_bridge.package import BROWSERS, packed, unpack
from hearth_shared import __version__

BUILD = Path(__file__).parents[1] / "build"
MOST_BYTES = 1_000_000


def main(arguments: list[str]) -> int:
    """The exit status."""
    target = Path(arguments[0]) if arguments else BUILD
    target.mkdir(parents=True, exist_ok=True)
    too_large = False
    for browser in BROWSERS:
        folder = unpack(browser, target / f"extension-{browser}")
        archive = target / f"hearth-{browser}-{__version__}.zip"
        archive.write_bytes(packed(browser))
        size = archive.stat().st_size
        too_large = too_large or size > MOST_BYTES
        print(f"{folder}\n{archive}  {size / 1000:.0f} kB")
    if too_large:
        print(f"A package is larger than {MOST_BYTES / 1000:.0f} kB.", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
