"""Provider keys, kept in the system's keyring or nowhere.

`keyring` on headless Linux falls back to plain text without a word, and its chainer may read from there; so a backend
is taken by name from a list, never through `keyring.get_keyring()`.
"""

import os
import re
import threading
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar, cast

import keyring.backend
import keyring.errors
from pydantic import SecretStr

from hearth_shared.errors import KeyringUnavailable
from hearth_shared.protocol.models import KeyState

_ALLOWED = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)
_SERVICE = "hearth"
_ENVIRONMENT = "HEARTH_KEY_"
_LIMIT_S = 5.0
_FIX = "Unlock or install a keyring (on Linux gnome-keyring or kwallet), or set {variable} in the environment."

T = TypeVar("T")


class Keyring(Protocol):
    """What we use of a keyring's backend."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> object: ...

    def delete_password(self, service: str, username: str) -> object: ...


class Secrets:
    """Keys by name. HEARTH_KEY_<NAME> in the environment goes before the keyring; without a keyring it is all there is.

    Every call may wait for the keyring, at most five seconds: on an asyncio loop call it through `asyncio.to_thread`.
    """

    def __init__(self, backend: Keyring | None, *, limit: float = _LIMIT_S) -> None:
        self._backend = backend
        self._limit = limit

    def get(self, name: str) -> SecretStr | None:
        """The key, or None. Raises KeyringUnavailable when a keyring that was there does not answer."""
        if text := os.environ.get(variable(name)):
            return SecretStr(text)
        if self._backend is None:
            return None
        text = self._ask(name, self._backend.get_password, _SERVICE, name)
        return None if text is None else SecretStr(text)

    def set(self, name: str, value: SecretStr) -> None:
        """Keep the key in the keyring."""
        self._ask(name, self._needed(name).set_password, _SERVICE, name, value.get_secret_value())

    def delete(self, name: str) -> bool:
        """Remove the key from the keyring; False when it was not there."""
        backend = self._needed(name)
        if self._ask(name, backend.get_password, _SERVICE, name) is None:
            return False
        self._ask(name, backend.delete_password, _SERVICE, name)
        return True

    def state(self, name: str) -> KeyState:
        """Whether there is a key and where it is kept; never the key."""
        if os.environ.get(variable(name)):
            return KeyState(provider=name, present=True, kept_in="environment")
        present = self.get(name) is not None
        return KeyState(provider=name, present=present, kept_in="keyring" if present else "nowhere")

    def _needed(self, name: str) -> Keyring:
        if self._backend is None:
            raise KeyringUnavailable(
                "There is no keyring that Hearth trusts, so keys cannot be kept.", _FIX.format(variable=variable(name))
            )
        return self._backend

    def _ask(self, name: str, call: Callable[..., T], *arguments: str) -> T:
        try:
            return within(self._limit, lambda: call(*arguments))
        except TimeoutError as error:
            problem = f"The keyring did not answer within {self._limit:.0f} s; it may be waiting for its password."
            raise KeyringUnavailable(problem, _FIX.format(variable=variable(name))) from error
        except keyring.errors.KeyringError as error:
            raise KeyringUnavailable(
                f"The keyring refused ({type(error).__name__}).", _FIX.format(variable=variable(name))
            ) from error


class OnDemand:
    """The machine's keyring, looked for when it is first needed: importing and asking it costs a start too much."""

    def __init__(self, opener: "Callable[[], Keyring] | None" = None) -> None:
        self._open = opener or open_keyring
        self._opened: Keyring | None = None

    def get_password(self, service: str, username: str) -> str | None:
        """None as well when this machine has no keyring: then the environment is all there is."""
        try:
            return self._keyring().get_password(service, username)
        except KeyringUnavailable:
            return None

    def set_password(self, service: str, username: str, password: str) -> object:
        """Raises KeyringUnavailable."""
        return self._keyring().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> object:
        """Raises KeyringUnavailable."""
        return self._keyring().delete_password(service, username)

    def _keyring(self) -> Keyring:
        if self._opened is None:
            self._opened = self._open()
        return self._opened


def variable(name: str) -> str:
    """The environment variable that overrides a key."""
    return _ENVIRONMENT + re.sub(r"[^A-Z0-9]", "_", name.upper())


def open_keyring(candidates: Callable[[], Iterable[Keyring]] | None = None, *, limit: float = _LIMIT_S) -> Keyring:
    """The best backend of the allow-list that works here. Raises KeyringUnavailable when there is none."""
    try:
        return within(limit, lambda: _best((candidates or _installed)()))
    except (LookupError, TimeoutError) as error:
        raise KeyringUnavailable(
            "There is no keyring that Hearth trusts on this machine.", _FIX.format(variable=f"{_ENVIRONMENT}<PROVIDER>")
        ) from error


def within(limit: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises, in a thread of its own. Raises TimeoutError when it takes longer.

    The thread is left behind then: a keyring that waits for a person cannot be interrupted.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        raise TimeoutError
    if failures:
        raise failures[0]
    return results[0]


def _installed() -> list[Keyring]:
    return cast("list[Keyring]", keyring.backend.get_all_keyring())  # keyring's own types hide their arguments


def _best(candidates: Iterable[Keyring]) -> Keyring:
    trusted = [backend for backend in candidates if type(backend).__module__ in _ALLOWED]
    if not trusted:
        raise LookupError("no backend of the allow-list")
    return max(trusted, key=lambda backend: getattr(backend, "priority", 0))
