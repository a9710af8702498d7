"""Requests to the backend over its Unix socket: JSON there, JSON or a HearthError back; the GUI thread never waits.

Qt keeps connections open. One to a backend that has died would time out for ever, so the cache of connections is
cleared at every failure, and every request looks for the backend anew: a new one has another key.
"""

import json
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QUrl, Signal, Slot
from PySide6.QtNetwork import QNetworkAccessManager, QNetworkProxy, QNetworkReply, QNetworkRequest

from hearth_desktop.net.locator import Locator
from hearth_shared.discovery import Address
from hearth_shared.errors import BackendUnavailable, Cancelled, DeadlineExceeded, HearthError, from_body

PLAIN_S = 60.0
_TRIES = 3
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_NETWORK = QNetworkReply.NetworkError


class Reply(QObject):
    """One request under way; exactly one of its signals is emitted, unless it is cancelled: then none."""

    done = Signal(object)
    """The parsed JSON, of the type that `wire` names for it."""
    failed = Signal(object)
    """A HearthError."""

    def __init__(
        self, api: "Api", method: str, path: str, body: object, headers: Mapping[str, str], limit_s: float
    ) -> None:
        super().__init__(api)
        self._api = api
        self._method = method
        self._path = path
        self._body = body
        self._headers = dict(headers)
        self._limit_s = limit_s
        self._repeatable = method in _REPEATABLE or "Idempotency-Key" in headers
        self._tries = 0
        self._reply: QNetworkReply | None = None
        self._over = False

    def cancel(self) -> None:
        """Forget it: neither signal will come."""
        self._close()
        if self._reply is not None:
            self._reply.abort()

    def send(self, address: Address) -> None:
        """On its way; called by the Api once there is a backend."""
        if self._over or self._reply is not None:
            return
        self._tries += 1
        self._reply = self._api.transmit(address, self._method, self._path, self._body, self._headers, self._limit_s)
        self._reply.finished.connect(self._on_finished)

    def fail(self, error: HearthError) -> None:
        """It cannot be sent."""
        if not self._over:
            self._close()
            self.failed.emit(error)

    def _close(self) -> None:
        self._over = True
        self._api.forget(self)
        self.deleteLater()

    @Slot()
    def _on_finished(self) -> None:
        reply, self._reply = self._reply, None
        if reply is None:
            return
        reply.deleteLater()
        if self._over:
            return
        status, body = status_of(reply), body_of(reply)
        if status is None:
            self._broke(reply)
        elif status == 401 and self._tries < _TRIES:  # its key was of the backend before
            self._api.submit(self)
        elif status >= 400:
            self.fail(from_body(status, body))
        else:
            self._answer(body)

    def _broke(self, reply: QNetworkReply) -> None:
        self._api.clear()
        if reply.error() in (_NETWORK.OperationCanceledError, _NETWORK.TimeoutError):
            self.fail(DeadlineExceeded("Hearth did not answer in time.", "See how it is: `hearth doctor`."))
        elif self._tries < _TRIES and (self._repeatable or reply.error() == _NETWORK.ConnectionRefusedError):
            self._api.submit(self)
        else:
            self.fail(broken(reply))

    def _answer(self, body: bytes) -> None:
        try:
            answer: Any = json.loads(body) if body else {}
        except ValueError:
            self.fail(BackendUnavailable("What answered is not Hearth.", "Restart it: `hearth down`, `hearth up`."))
            return
        self._close()
        self.done.emit(answer)


class Api(QObject):
    """The backend as the tray sees it. A request that finds no backend has one started, and waits for it."""

    def __init__(self, locator: Locator, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.locator = locator
        if locator.parent() is None:  # pyright: ignore[reportUnnecessaryComparison]
            locator.setParent(self)
        self._waiting: list[Reply] = []
        self._network = _network(self)
        locator.found.connect(self._on_found)
        locator.failed.connect(self._on_failed)

    def request(self, method: str, path: str, body: object = None, *, key: str = "", limit_s: float = PLAIN_S) -> Reply:
        """`key` is the Idempotency-Key of a request that must not be done twice: with it, it is sent again when the
        connection breaks."""
        reply = Reply(self, method, path, body, {"Idempotency-Key": key} if key else {}, limit_s)
        self.submit(reply)
        return reply

    def submit(self, reply: Reply) -> None:
        """Send it, or keep it until there is a backend."""
        if (address := self.locator.look()) is not None:
            reply.send(address)
        else:
            self._waiting.append(reply)
            self.locator.start()

    def forget(self, reply: Reply) -> None:
        """It waits no more."""
        if reply in self._waiting:
            self._waiting.remove(reply)

    def clear(self) -> None:
        """Let go of kept connections: the backend behind them may be dead."""
        self._network.clearConnectionCache()

    def transmit(
        self, address: Address, method: str, path: str, body: object, headers: Mapping[str, str], limit_s: float
    ) -> QNetworkReply:
        """One HTTP request."""
        request = http_request(address, path, body, headers)
        request.setTransferTimeout(int(limit_s * 1000))
        return self._network.sendCustomRequest(request, QByteArray(method.encode()), encoded(body))

    @Slot()
    def _on_found(self) -> None:
        waiting, self._waiting = self._waiting, []
        for reply in waiting:
            self.submit(reply)

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        for reply in tuple(self._waiting):
            reply.fail(error)


def _network(parent: QObject) -> QNetworkAccessManager:
    """One that reaches the socket itself: no proxy, no redirect."""
    network = QNetworkAccessManager(parent)
    network.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
    network.setRedirectPolicy(QNetworkRequest.RedirectPolicy.ManualRedirectPolicy)
    network.setAutoDeleteReplies(False)
    return network


def http_request(address: Address, path: str, body: object, headers: Mapping[str, str]) -> QNetworkRequest:
    """The request without its body."""
    if address.socket is None:
        request = QNetworkRequest(QUrl(f"http://{address.host}:{address.port}{path}"))
    else:
        request = QNetworkRequest(QUrl(f"unix+http://localhost{path}"))
        request.setAttribute(QNetworkRequest.Attribute.FullLocalServerNameAttribute, address.socket)
    for name, value in {**address.headers(body), **headers}.items():
        if name != "Host":  # Qt makes it of the address
            request.setRawHeader(QByteArray(name.encode()), QByteArray(value.encode()))
    return request


def encoded(body: object) -> QByteArray:
    """A body as it is sent."""
    return QByteArray(b"" if body is None else json.dumps(body, ensure_ascii=False).encode())


def status_of(reply: QNetworkReply) -> int | None:
    """The HTTP status; None when no answer came, or not the whole of it."""
    status = reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute)
    if not isinstance(status, int) or (status < 400 and reply.error() != _NETWORK.NoError):
        return None
    return status


def body_of(reply: QNetworkReply) -> bytes:
    """What has come and was not read yet; an aborted reply is closed, and must not be read."""
    return bytes(reply.readAll().data()) if reply.isOpen() else b""


def broken(reply: QNetworkReply) -> HearthError:
    """Why nothing came."""
    if reply.error() == _NETWORK.OperationCanceledError:
        return Cancelled("It was stopped.")
    return BackendUnavailable(
        f"The connection to Hearth broke ({reply.errorString()}).", "See how it is: `hearth doctor`."
    )
