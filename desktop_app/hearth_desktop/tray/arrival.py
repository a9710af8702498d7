"""Tells when a desktop that had no tray gets one; loaded only where there is none."""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher

WATCHER = "org.kde.StatusNotifierWatcher"


class TrayArrival(QObject):
    """Says `came` when somebody takes the name that icons register with; without D-Bus it never comes."""

    came = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        bus = QDBusConnection.sessionBus()
        if bus.isConnected():
            registered = QDBusServiceWatcher.WatchModeFlag.WatchForRegistration
            self._watcher = QDBusServiceWatcher(WATCHER, bus, registered, self)
            self._watcher.serviceRegistered.connect(self._on_registered)

    @Slot(str)
    def _on_registered(self, _name: str) -> None:
        self.came.emit()
