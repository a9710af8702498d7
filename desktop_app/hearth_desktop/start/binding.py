"""Whether this PySide6 can be trusted on this Python: known before any of Qt is used."""

from typing import Final

_BROKEN: Final = "6.12.0"
_IMMORTAL: Final = (3, 12)  # from here on None is never counted, so losing a reference to it does no harm (PEP 683)
INSTALL: Final = "Install it again: `make run` in Hearth's checkout, or `pip install 'hearth-agent[desktop]'`."


def fault(pyside: str, python: tuple[int, int]) -> str:
    """What is wrong with this pair, with what to do; empty for a good one."""
    if pyside == _BROKEN and python < _IMMORTAL:
        return (
            f"PySide6 {pyside} crashes on Python {python[0]}.{python[1]} (it loses references to None), so the tray "
            f"does not start with it. The terminal and the other doors work. {INSTALL}"
        )
    return ""


def missing(reason: str) -> str:
    """What to say when PySide6 cannot be imported."""
    return f"The tray needs PySide6, which cannot be loaded here ({reason}). Everything else of Hearth works. {INSTALL}"
