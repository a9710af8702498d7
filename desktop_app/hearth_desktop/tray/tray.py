"""The icon in the system's tray."""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QSystemTrayIcon

from hearth_desktop.tray import entries, icon
from hearth_desktop.tray.menu import TrayMenu
from hearth_desktop.tray.situation import Situation
from hearth_shared.theme import Scheme, State


class Tray(QObject):
    """Shows the state by colour, shape and words; its menu is the TrayMenu."""

    pressed = Signal()
    """The icon itself was chosen, not its menu."""

    def __init__(self, menu: TrayMenu, scheme: Scheme, parent: QObject) -> None:
        super().__init__(parent)
        self._menu = menu
        self._scheme = scheme
        self._situation = Situation()
        self._drawn: tuple[State, Scheme] | None = None
        self._icon = self._made()

    @property
    def is_available(self) -> bool:
        """Whether this desktop has a place for it now."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    @property
    def tooltip(self) -> str:
        """What it says in words."""
        return self._icon.toolTip()

    def show(self) -> None:
        """Put it there."""
        self._draw()
        self._icon.show()

    def renew(self) -> None:
        """The desktop got its tray after the icon was made: Qt lets only a new icon into it."""
        self._icon.hide()
        self._icon.deleteLater()
        self._icon = self._made()
        self._drawn = None
        self.show()

    def hide(self) -> None:
        """Take it away."""
        self._icon.hide()

    @Slot(object)
    def tell(self, text: str) -> None:
        """A line from an agent, shown as the desktop shows such things."""
        self._icon.showMessage("Hearth", text, self._icon.icon())

    def show_situation(self, situation: Situation) -> None:
        """How Hearth is now."""
        self._situation = situation
        self._draw()

    def show_scheme(self, scheme: Scheme) -> None:
        """In the colours of another scheme."""
        self._scheme = scheme
        self._draw()

    def _made(self) -> QSystemTrayIcon:
        made = QSystemTrayIcon(self)
        made.setContextMenu(self._menu)
        made.activated.connect(self._on_activated)
        return made

    def _draw(self) -> None:
        wanted = (self._situation.state, self._scheme)
        if wanted != self._drawn:
            self._drawn = wanted
            self._icon.setIcon(icon.icon(*wanted))
        self._icon.setToolTip(entries.tooltip(self._situation))

    @Slot(QSystemTrayIcon.ActivationReason)
    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.pressed.emit()
