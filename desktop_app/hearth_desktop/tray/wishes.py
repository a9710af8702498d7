"""What a person can ask for from the icon, in the menu and in the window that stands for it: one list of signals."""

from PySide6.QtCore import QObject, Signal


class Wishes(QObject):
    """Emitted by whatever shows them; heard by the app."""

    asked = Signal()
    thread_chosen = Signal(str)
    inbox_wanted = Signal()
    local_only_chosen = Signal(bool)
    settings_wanted = Signal()
    pairing_wanted = Signal()
    guide_wanted = Signal()
    start_wanted = Signal()
    quit_wanted = Signal()
