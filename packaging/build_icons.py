"""Draws Hearth's icon, an arch with an ember, in the colours of hearth_shared.theme.

python packaging/build_icons.py            packaging/icons/*.svg, and the extension's PNGs
python packaging/build_icons.py --check    exit 1 when a drawing is not fresh (the PNGs are not compared: how edges
                                           are smoothed is Qt's business)
"""

import os
import sys
from pathlib import Path
from typing import Final

from hearth_shared.theme import PALETTES, Scheme

ROOT: Final = Path(__file__).parents[1]
DRAWINGS: Final = ROOT / "packaging" / "icons"
EXTENSION: Final = ROOT / "browser_bridge" / "hearth_bridge" / "extension" / "icons"
SIZES: Final = (16, 32, 48, 128)
_ARCH: Final = "M30 106V62a34 34 0 0 1 68 0v44"
_SILL: Final = "M18 106h92"
_EMBER: Final = "M64 52c3 13 18 20 18 35a18 18 0 0 1-36 0c0-8 5-12 9-18 2 3 4 4 6 5 1-8 1-14 3-22z"


def drawings() -> dict[str, str]:
    """The drawings by their file's name."""
    dark = PALETTES[Scheme.DARK]
    tile = f'  <rect width="128" height="128" rx="28" fill="{dark.background}"/>\n'
    return {
        "hearth.svg": _svg(tile + _arch(dark.text, dark.accent)),
        "hearth-symbolic.svg": _svg(_arch("currentColor", "currentColor")),
    }


def _arch(line: str, ember: str) -> str:
    stroke = f'fill="none" stroke="{line}" stroke-width="12" stroke-linecap="round" stroke-linejoin="round"'
    return f'  <path d="{_ARCH}{_SILL}" {stroke}/>\n  <path id="ember" d="{_EMBER}" fill="{ember}"/>\n'


def _svg(inside: str) -> str:
    made = "<!-- Made by packaging/build_icons.py; not edited by hand. -->"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">\n  {made}\n{inside}</svg>\n'


def main(arguments: list[str]) -> int:
    """The exit status."""
    if arguments == ["--check"]:
        stale = [name for name, text in drawings().items() if _read(DRAWINGS / name) != text]
        for name in stale:
            print(f"{name} is not fresh: run `python packaging/build_icons.py`.", file=sys.stderr)
        return 1 if stale else 0
    DRAWINGS.mkdir(exist_ok=True)
    EXTENSION.mkdir(exist_ok=True)
    for name, text in drawings().items():
        (DRAWINGS / name).write_text(text, "utf-8")
    _paint(drawings()["hearth.svg"])
    return 0


def _paint(drawing: str) -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import QByteArray
    from PySide6.QtGui import QColorConstants, QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication([])
    renderer = QSvgRenderer(QByteArray(drawing.encode()))
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(QColorConstants.Transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        image.save(str(EXTENSION / f"{size}.png"))
    del application


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
