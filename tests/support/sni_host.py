"""A desktop's tray over D-Bus, played by a process of its own: watcher and host of StatusNotifierItem in one.

As a script it answers one JSON line for each on its standard input: {"do": "item"} waits until an icon registered
itself, "properties" gives its title and tooltip, "menu" its entries, "press" presses the icon, "choose" (with "id") an
entry of the menu. It is on the bus when it says {"ready": true}.
"""

# jeepney has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

import json
import sys
import threading
from typing import Any, cast

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_call, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

WATCHER = "org.kde.StatusNotifierWatcher"
LIMIT_S = 60.0
_PROPERTIES: dict[str, tuple[str, Any]] = {
    "ProtocolVersion": ("i", 0),
    "IsStatusNotifierHostRegistered": ("b", True),
    "RegisteredStatusNotifierItems": ("as", []),
}


class Watcher:
    """Icons register here; served by a thread with a connection of its own."""

    def __init__(self) -> None:
        self._bus = open_dbus_connection("SESSION")
        self._bus.send_and_get_reply(message_bus.RequestName(WATCHER, 4))
        self.item = ""
        self.came = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            message = self._bus.receive()
            if message.header.message_type is MessageType.method_call:
                self._bus.send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        fields = message.header.fields
        match fields.get(HeaderFields.member):
            case "RegisterStatusNotifierItem":
                self.item = str(fields[HeaderFields.sender])
                self.came.set()
                return new_method_return(message)
            case "RegisterStatusNotifierHost":
                return new_method_return(message)
            case "Get":
                return new_method_return(message, "v", (_PROPERTIES[message.body[1]],))
            case "GetAll":
                return new_method_return(message, "a{sv}", (_PROPERTIES,))
            case _:
                return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")


class Host:
    """Asks the icon what a panel asks it."""

    def __init__(self, item: str) -> None:
        self._item = item
        self._bus: DBusConnection = open_dbus_connection("SESSION")

    def properties(self) -> dict[str, Any]:
        """What a panel shows of it."""
        wanted = {name: self._property(name) for name in ("Title", "Status", "ToolTip", "IconPixmap")}
        sizes = [icon[0] for icon in wanted["IconPixmap"]]
        return {"title": wanted["Title"], "tooltip": wanted["ToolTip"][2:], "sizes": sizes}

    def menu(self) -> list[dict[str, Any]]:
        """Its visible entries, top to bottom."""
        layout = self._call("/MenuBar", "com.canonical.dbusmenu", "GetLayout", "iias", (0, -1, []))
        entries: list[dict[str, Any]] = []
        for _, (number, properties, _children) in layout[1][2]:
            said = {name: value[1] for name, value in properties.items()}
            if said.get("visible", True) and said.get("type") != "separator":
                entries.append({"id": number, "label": said.get("label", ""), "enabled": said.get("enabled", True)})
        return entries

    def press(self) -> None:
        """With the first button."""
        self._call("/StatusNotifierItem", "org.kde.StatusNotifierItem", "Activate", "ii", (10, 10))

    def choose(self, number: int) -> None:
        """A menu entry."""
        self._call("/MenuBar", "com.canonical.dbusmenu", "Event", "isvu", (number, "clicked", ("i", 0), 0))

    def _property(self, name: str) -> Any:
        about = ("org.kde.StatusNotifierItem", name)
        return self._call("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get", "ss", about)[0][1]

    def _call(self, path: str, interface: str, member: str, signature: str, body: tuple[Any, ...]) -> Any:
        address = DBusAddress(path, self._item, interface)
        reply = self._bus.send_and_get_reply(new_method_call(address, member, signature, body), timeout=LIMIT_S)
        if reply.header.message_type is MessageType.error:
            raise RuntimeError(f"{member}: {reply.body}")
        return reply.body


def main() -> None:
    """Serve until the end of the standard input."""
    watcher = Watcher()
    _say({"ready": True})
    for line in sys.stdin:
        _say(_answered(watcher, cast("dict[str, Any]", json.loads(line))))


def _answered(watcher: Watcher, asked: dict[str, Any]) -> dict[str, Any]:
    if asked["do"] == "forget":
        watcher.came.clear()
        return {"ok": True}
    if not watcher.came.wait(asked.get("limit", LIMIT_S)):
        return {"item": None}
    host = Host(watcher.item)
    match asked["do"]:
        case "item":
            return {"item": watcher.item}
        case "properties":
            return host.properties()
        case "menu":
            return {"entries": host.menu()}
        case "press":
            host.press()
        case _:
            host.choose(int(asked["id"]))
    return {"ok": True}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
