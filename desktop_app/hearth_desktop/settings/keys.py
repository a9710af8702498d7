"""Keys of cloud models: typed here, kept by the backend in the keyring, never shown again."""

from typing import Final

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from hearth_desktop.net.api import Api
from hearth_desktop.widgets import S1, S2, S3, button, column, label, row, say
from hearth_shared.errors import HearthError
from hearth_shared.wire import KeyList, KeyState, KeyTest

_LIMIT_S: Final = 90.0
_ABOUT: Final = (
    "A key is kept in your system's keyring and is never shown again. It is used only for calls to the service that "
    "it belongs to, and Hearth calls none that you did not connect."
)


class KeysPage(QWidget):
    """One row for each service that needs nothing but a key, or that the person named."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self._api = api
        self._rows: dict[str, KeyRow] = {}
        self._list = column(spacing=S3)
        self._trouble = label(kind="danger")
        self.setLayout(column(label(_ABOUT, "muted"), self._trouble, self._list, -1, spacing=S3))
        say(self._trouble, "")

    @property
    def rows(self) -> list["KeyRow"]:
        """Those that are shown."""
        return list(self._rows.values())

    def load(self) -> None:
        """Ask which there are."""
        reply = self._api.request("GET", "/v1/keys")
        reply.done.connect(self._on_list)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_list(self, found: KeyList) -> None:
        say(self._trouble, "")
        for state in found["keys"]:
            name = state["provider"]
            if name not in self._rows:
                self._rows[name] = KeyRow(self._api, state)
                self._list.addWidget(self._rows[name])
            else:
                self._rows[name].show_state(state)

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        say(self._trouble, str(error), "danger")


class KeyRow(QWidget):
    """One service: whether it has a key, a box to give it one, and a test of it."""

    def __init__(self, api: Api, state: KeyState) -> None:
        super().__init__()
        self._api = api
        self.name = state["provider"]
        self._state = label(kind="muted")
        self._key = QLineEdit()
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        self._key.setPlaceholderText("Paste a key")
        self._key.setAccessibleName(f"Key of {self.name}")
        self._keep = button("Keep", name=f"Keep the key of {self.name}")
        self._test = button("Test", name=f"Test the key of {self.name}")
        self._remove = button("Remove", "quiet", name=f"Remove the key of {self.name}")
        self._said = label()
        title = label(self.name, "title")
        entry = row(self._key, self._keep, self._test, self._remove, spacing=S2)
        self.setLayout(column(row(title, self._state, -1), entry, self._said, spacing=S1))
        self._key.textChanged.connect(self._on_typed)
        self._key.returnPressed.connect(self._on_keep)
        self._keep.clicked.connect(self._on_keep)
        self._test.clicked.connect(self._on_test)
        self._remove.clicked.connect(self._on_remove)
        say(self._said, "")
        self.show_state(state)

    @property
    def standing(self) -> str:
        """Whether there is a key, in words."""
        return self._state.text()

    @property
    def said(self) -> str:
        """What came of the last thing that was asked for."""
        return self._said.text()

    def show_state(self, state: KeyState) -> None:
        """Whether there is a key, and where."""
        places = {"keyring": "Key kept in the keyring", "environment": "Key set by the environment"}
        say(self._state, places.get(state["kept_in"], "No key"), "ok" if state["present"] else "muted")
        self._test.setEnabled(state["present"])
        self._remove.setVisible(state["kept_in"] == "keyring")
        self._on_typed()

    @Slot()
    def _on_typed(self) -> None:
        self._keep.setEnabled(bool(self._key.text().strip()))

    @Slot()
    def _on_keep(self) -> None:
        key = self._key.text().strip()
        if key:
            self._key.clear()  # it leaves this process as soon as it is sent
            reply = self._api.request("PUT", f"/v1/keys/{self.name}", {"key": key})
            reply.done.connect(self._on_kept)
            reply.failed.connect(self._on_failed)

    @Slot()
    def _on_test(self) -> None:
        say(self._said, "Asking…")
        reply = self._api.request("POST", f"/v1/keys/{self.name}/test", {}, limit_s=_LIMIT_S)
        reply.done.connect(self._on_tested)
        reply.failed.connect(self._on_failed)

    @Slot()
    def _on_remove(self) -> None:
        reply = self._api.request("DELETE", f"/v1/keys/{self.name}")
        reply.done.connect(self._on_removed)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_kept(self, state: KeyState) -> None:
        self.show_state(state)
        say(self._said, "The key is kept.", "ok")

    @Slot(object)
    def _on_removed(self, state: KeyState) -> None:
        self.show_state(state)
        say(self._said, "The key is removed.")

    @Slot(object)
    def _on_tested(self, found: KeyTest) -> None:
        say(self._said, f"{found['detail']} {found['fix']}".strip(), "ok" if found["ok"] else "danger")

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        say(self._said, str(error), "danger")
