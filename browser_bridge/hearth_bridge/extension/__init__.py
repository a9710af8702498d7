"""The browser extension's files. They are not Python: hearth_bridge.package puts them together for a browser."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
