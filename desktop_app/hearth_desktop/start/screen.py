"""Whether there is a display to show anything on, asked before Qt is loaded, because Qt would abort without one."""

import sys
from collections.abc import Mapping
from typing import Final

NO_DISPLAY: Final = (
    "There is no display here, so the tray has nowhere to show itself. Hearth works without it: `hearth chat` and "
    "`hearth approvals` do in a terminal what the tray does."
)


def fault(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Why nothing can be shown; empty when something can, or only Qt can tell."""
    if not platform.startswith("linux") or environ.get("QT_QPA_PLATFORM"):
        return ""
    return "" if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY") else NO_DISPLAY


def refused(said: str) -> str:
    """What to say when Qt found no way to the display; `said` is Qt's own account."""
    reason = " ".join(said.split())
    if "no Qt platform plugin could be initialized" in reason or "could not connect to display" in reason:
        return NO_DISPLAY
    return f"{NO_DISPLAY} Qt says: {reason[:300]}"
