"""How a door finds the backend, starts it when there is none, and replaces one that is older. Standard library only.

A few files in `run/` tell what there is. The lock is held by the living backend and names its pid; a file alone proves
nothing, because a killed backend leaves its files behind. `backend.json` says where it listens, once it is ready.
`startup-error.json` says why the last start failed. `bridge.json` says where browsers find the bridge.
"""

import fcntl
import json
import os
import select
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from hearth_shared import __version__
from hearth_shared.errors import AlreadyRunning, BackendUnavailable, DeadlineExceeded, HearthError, from_problem
from hearth_shared.paths import Home

if TYPE_CHECKING:
    from subprocess import Popen

START = (sys.executable, "-I", "-m", "hearth_backend", "up", "--headless")
READY_FD = "HEARTH_READY_FD"
_PAUSE_S = 0.02
_SIGTERM = 15


class Endpoint(NamedTuple):
    """Where the running backend listens; `port` is None when the HTTP door is closed."""

    pid: int
    version: str
    socket: str
    port: int | None
    started_at: float


class Claim:
    """The right to be this home's backend, held until closed; the system takes it back when the process dies."""

    def __init__(self, lock: int) -> None:
        self._lock = lock

    def close(self) -> None:
        """Give it back."""
        os.close(self._lock)

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def claim(home: Home) -> Claim:
    """Become this home's backend. Raises AlreadyRunning with the pid of the one there is."""
    home.make()
    lock = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while not _locked(lock, fcntl.LOCK_EX):
        if not _locked(lock, fcntl.LOCK_SH):
            pid = os.pread(lock, 32, 0).decode() or "unknown"
            os.close(lock)
            raise AlreadyRunning(
                f"Hearth is already running (process {pid}).", "Stop it first: `hearth down`.", pid=pid
            )
        fcntl.flock(lock, fcntl.LOCK_UN)  # only somebody looking, for microseconds
        time.sleep(_PAUSE_S)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return Claim(lock)


def read_endpoint(home: Home) -> Endpoint | None:
    """The backend that is ready now, or None; what a killed one left behind counts for nothing."""
    pid = holder(home)
    if pid is None:
        return None
    try:
        said = json.loads(home.endpoint.read_bytes())
        found = Endpoint(*(said[name] for name in Endpoint._fields))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.pid == pid else None


def holder(home: Home) -> int | None:
    """The pid of this home's living backend, ready or not."""
    try:
        lock = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _locked(lock, fcntl.LOCK_SH):
            return None
        return int(os.pread(lock, 32, 0) or 0)
    finally:
        os.close(lock)


def write_endpoint(home: Home, endpoint: Endpoint) -> None:
    """Called by the backend once it is ready: doors find it from now on, and the one that started it goes on."""
    home.startup_error.unlink(missing_ok=True)
    _write(home.endpoint, endpoint._asdict())
    _tell_starter({"ready": True})


def remove_endpoint(home: Home) -> None:
    """Called by the backend as it closes: doors stop finding it."""
    home.endpoint.unlink(missing_ok=True)


class BridgeAt(NamedTuple):
    """Where browsers find the bridge."""

    pid: int
    port: int


def read_bridge(home: Home) -> BridgeAt | None:
    """The bridge of the running backend, or None; what a killed one left behind counts for nothing."""
    if read_endpoint(home) is None:
        return None
    try:
        said = json.loads(home.bridge.read_bytes())
        return BridgeAt(*(said[name] for name in BridgeAt._fields))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_bridge(home: Home, at: BridgeAt | None) -> None:
    """Called by the backend when the bridge listens, and with None when it does no more."""
    if at is None:
        home.bridge.unlink(missing_ok=True)
    else:
        _write(home.bridge, at._asdict())


def report_failure(home: Home, error: HearthError) -> None:
    """Called by a backend that cannot start, so that the door which started it can say why."""
    if not isinstance(error, AlreadyRunning):
        with suppress(OSError):  # a home that cannot be written may be the failure itself
            _write(home.startup_error, error.problem())
    _tell_starter(error.problem())


def ensure_backend(home: Home, *, command: Sequence[str] = START, limit: float = 60) -> Endpoint:
    """The ready backend; one is started when there is none, and an older one is replaced.

    Raises HearthError with the reason why the backend could not start.
    """
    found = read_endpoint(home)
    if found is not None and not is_older(found.version):
        return found
    home.make()
    deadline = time.monotonic() + limit
    with _alone(home, deadline):  # several doors may come at once; one of them starts it
        found = read_endpoint(home)
        if found is not None and is_older(found.version):
            stop_backend(home, limit)
        while True:
            try:
                return _wait_for_other(home, deadline) or _start(home, command, deadline)
            except AlreadyRunning:
                _check(deadline, home)  # a `hearth up` in a terminal was faster: wait for that one


def stop_backend(home: Home, limit: float = 30) -> bool:
    """Ask the running backend to end and wait until it has; False when none ran.

    Only a process that holds this home's lock and is named in it is ever signalled.
    """
    pid = _settled_holder(home)
    if pid is None:
        return False
    try:
        os.kill(pid, _SIGTERM)
    except ProcessLookupError:
        return False
    deadline = time.monotonic() + limit
    while holder(home) == pid:
        if time.monotonic() > deadline:
            raise DeadlineExceeded(
                f"The backend (process {pid}) did not end within {limit:.0f} s.", f"End it by force: `kill -9 {pid}`."
            )
        time.sleep(_PAUSE_S)
    return True


def _settled_holder(home: Home) -> int | None:
    """The holder, read twice alike: one that has just taken the lock may not have written over a dead one's pid yet."""
    pid = holder(home)
    while pid is not None:
        time.sleep(_PAUSE_S)
        before, pid = pid, holder(home)
        if before == pid and pid:
            break
    return pid


def is_older(version: str, than: str = __version__) -> bool:
    """Whether a backend of this version must make room for ours; a version we cannot read must."""
    return _numbers(version) < _numbers(than)


class Address(NamedTuple):
    """How to reach the backend now: a Unix socket or a port, and the headers that open it."""

    socket: str | None
    host: str
    port: int
    key: str

    def __repr__(self) -> str:
        return f"Address({self.socket or f'{self.host}:{self.port}'})"

    def headers(self, body: object = None) -> dict[str, str]:
        """Host and Authorization, and what kind of body comes."""
        name = "localhost" if self.socket else f"{self.host}:{self.port}"
        kind = {} if body is None else {"Content-Type": "application/json"}
        return {"Host": name, "Authorization": f"Bearer {self.key}", **kind}


class SocketDoor:
    """A first-party door: the Unix socket, and the key that each start of the backend writes anew.

    With `start`, a backend is started whenever none runs.
    """

    def __init__(self, home: Home, door: str, *, start: bool = True, command: Sequence[str] = START) -> None:
        self._home = home
        self._door = door
        self._start = start
        self._command = command

    def address(self) -> Address:
        """Where to connect. Raises BackendUnavailable when none runs and none is to be started."""
        home = self._home
        endpoint = ensure_backend(home, command=self._command) if self._start else read_endpoint(home)
        if endpoint is None:
            raise BackendUnavailable("Hearth is not running.", "Start it: `hearth up`, or ask something.")
        try:
            key = home.key(self._door).read_text("ascii").strip()
        except OSError as error:
            raise BackendUnavailable(
                f"The key of this door cannot be read: {error.strerror}.", "Restart Hearth: `hearth down`, `hearth up`."
            ) from error
        return Address(endpoint.socket, "localhost", 0, key)


class PortDoor:
    """A third party's door: the port on this machine, and a token made by `hearth token create`."""

    def __init__(self, port: int, token: str, *, host: str = "127.0.0.1") -> None:
        self._address = Address(None, host, port, token)

    def address(self) -> Address:
        """Where to connect."""
        return self._address


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file)
    draft.replace(path)


def _tell_starter(message: dict[str, Any]) -> None:
    number = os.environ.pop(READY_FD, "")
    if not number.isdigit():
        return
    try:
        with open(int(number), "w", encoding="utf-8") as pipe:
            json.dump(message, pipe)
    except OSError:
        pass  # the door that started us has gone; we serve the others


@contextmanager
def _alone(home: Home, deadline: float) -> Generator[None]:
    lock = os.open(home.run / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(lock, fcntl.LOCK_EX):
            _check(deadline, home)
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(lock)


def _wait_for_other(home: Home, deadline: float) -> Endpoint | None:
    """The backend that somebody else is starting, or None once nobody is."""
    while holder(home) is not None:
        if (found := read_endpoint(home)) is not None:
            return found
        _check(deadline, home)
        time.sleep(_PAUSE_S)
    return None


def _check(deadline: float, home: Home) -> None:
    if time.monotonic() > deadline:
        raise BackendUnavailable(
            "The backend did not get ready in time.", f"See {home.logs}, then try `hearth down` and `hearth up`."
        )


def _start(home: Home, command: Sequence[str], deadline: float) -> Endpoint:
    home.startup_error.unlink(missing_ok=True)
    ready, child_end = os.pipe()
    try:
        process = _spawn(home, command, child_end)
        os.close(child_end)
        message = _read_until_end(ready, deadline, home)
    finally:
        os.close(ready)
    if message.get("ready") and (found := read_endpoint(home)) is not None:
        return found
    if "code" in message:
        raise from_problem(message)
    _explain_death(home, process)


def _spawn(home: Home, command: Sequence[str], child_end: int) -> "Popen[bytes]":
    import subprocess  # 10 ms that only a start pays
    import threading

    output = os.open(home.logs / "backend.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home.root,
            env={**os.environ, "HEARTH_HOME": str(home.root), READY_FD: str(child_end)},
            pass_fds=(child_end,),
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        os.close(child_end)
        raise BackendUnavailable(
            f"The backend cannot be started: {error.strerror}.", "Install Hearth again: `make run`."
        ) from error
    finally:
        os.close(output)
    # A door that outlives the backend must not keep a dead process in the table.
    threading.Thread(target=process.wait, name="backend-reaper", daemon=True).start()
    return process


def _read_until_end(ready: int, deadline: float, home: Home) -> dict[str, Any]:
    """What the starting backend says: it closes the pipe after its one message, and by dying."""
    said = b""
    while True:
        left = deadline - time.monotonic()
        if not select.select([ready], [], [], max(left, 0))[0]:
            _check(deadline, home)
            continue
        piece = os.read(ready, 65536)
        if not piece:
            return json.loads(said or b"{}")
        said += piece


def _explain_death(home: Home, process: "Popen[bytes]") -> NoReturn:
    try:
        raise from_problem(json.loads(home.startup_error.read_bytes()))
    except (OSError, ValueError):
        pass
    lines = (home.logs / "backend.out").read_text("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    raise BackendUnavailable(
        f"The backend ended while it started (status {process.wait()}): {last}",
        f"The whole output is in {home.logs / 'backend.out'}.",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".") if part.isdigit())
