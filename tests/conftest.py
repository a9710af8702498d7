"""Guards every test runs under: quiet logs, no network but loopback, a home and an environment of its own."""

import errno
import itertools
import logging
import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings

from support import tools
from support.loopback import is_local

TIERS = frozenset(
    {"unit", "integration", "engine", "clients", "desktop", "editors", "browsers"}
    | {"security", "fuzz", "crash", "setup", "gpu"}
)
_PROVIDERS = ("ANTHROPIC_", "AZURE_", "GEMINI_", "GOOGLE_", "GROQ_", "HF_", "MISTRAL_", "OLLAMA_", "OPENAI_", "OTEL_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_numbers = itertools.count()

# How long an example takes says what else the machine does, nothing about what is tested.
settings.register_profile("hearth", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hearth")


@pytest.fixture(autouse=True)
def unexpected_warnings_fail(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A WARNING nobody announced is a failure: `@pytest.mark.logs("hearth_backend.gateway")` announces that logger
    and those below it."""
    yield
    announced = tuple(name for mark in request.node.iter_markers("logs") for name in mark.args)
    found = [
        f"{record.name}: {record.getMessage()}"
        for phase in ("setup", "call", "teardown")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.WARNING and not _below(record.name, announced)
    ]
    assert not found, found


def _below(logger: str, announced: tuple[str, ...]) -> bool:
    return any(logger == name or logger.startswith(f"{name}.") for name in announced)


@pytest.fixture(autouse=True)
def no_network_but_loopback(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A look-up or connection beyond this machine is refused, and fails the test even when the code swallows it."""
    if request.node.get_closest_marker("setup"):  # installs from a package index
        yield
        return
    tried: list[str] = []

    def refuse(where: object) -> OSError:
        tried.append(str(where))
        return OSError(errno.ENETUNREACH, "tests reach this machine only")

    _guard_connections(monkeypatch, refuse)
    yield
    assert not tried, f"reached beyond this machine: {tried}"


def _guard_connections(monkeypatch: pytest.MonkeyPatch, refuse: Any) -> None:
    real_connect, real_connect_ex, real_look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        if not is_local(self.family, address):
            raise refuse(address)
        return real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        if not is_local(self.family, address):
            return refuse(address).errno
        return real_connect_ex(self, address)

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        if not is_local(socket.AF_INET, (host, 0)):
            raise refuse(host)
        return real_look_up(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(autouse=True)
def home_of_its_own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HEARTH_HOME points to a folder of this test (made by whoever needs it); no key, no proxy, no keyring of the
    person who runs the tests is seen, here or in children."""
    installs = request.node.get_closest_marker("setup") is not None
    for name in list(os.environ):
        if _belongs_to_the_person(name) and not (installs and name.lower() in _PROXIES):
            monkeypatch.delenv(name)
    base = tmp_path_factory.getbasetemp() / f"home{next(_numbers)}"
    monkeypatch.setenv("HEARTH_HOME", str(base))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(base / name.lower()))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={base}/no-bus")


def _belongs_to_the_person(name: str) -> bool:
    if name.startswith("HEARTH_"):
        return not name.startswith(("HEARTH_CRASH_", "HEARTH_TEST_"))  # those steer the tests: how many kills, how long
    return name.startswith(_PROVIDERS) or name.endswith("_API_KEY") or name.lower() in _PROXIES


@pytest.fixture
def hearth_home() -> Path:
    """The folder that HEARTH_HOME names, made."""
    folder = Path(os.environ["HEARTH_HOME"])
    folder.mkdir(mode=0o700)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test belongs to one tier; one without would never be run, and nobody would know."""
    astray = [item.nodeid for item in items if len(TIERS & {mark.name for mark in item.iter_markers()}) != 1]
    if astray:
        raise pytest.UsageError(f"these tests do not carry exactly one mark of {sorted(TIERS)}: {astray[:10]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a test that is skipped for want of a tool that CI installs has failed."""
    report = yield
    if report.skipped and tools.must_not_skip(_reason(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, but CI has to have it: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that is skipped as a whole."""
    report = yield
    if report.skipped and tools.must_not_skip(_reason(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, but CI has to have it: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    """pytest gives a skip as (path, line, reason)."""
    return str(cast("tuple[object, ...]", longrepr)[-1]) if isinstance(longrepr, tuple) else str(longrepr)
