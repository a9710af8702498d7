import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hearth_backend.bridge import Bridge, environment
from hearth_backend.observe.health import Health
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.errors import BackendUnavailable
from hearth_shared.extension import CHROMIUM_ORIGIN
from hearth_shared.paths import Home
from hearth_shared.protocol.status import Component
from support import bridges

pytestmark = pytest.mark.integration

LIMIT_S = 60


@dataclass
class Stage:
    """A supervisor and all that it stands on."""

    home: Home
    folder: Path
    clients: Clients
    health: Health
    heard: list[Component] = field(default_factory=list[Component])
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def bridge(self, how: str = "serve", *, port: int = 0, patience_s: float = LIMIT_S) -> AsyncGenerator[Bridge]:
        argv = bridges.argv(how, self.folder)
        made = Bridge(self.home, port, self.clients, self.health, argv=argv, patience_s=patience_s, grace_s=0.0)
        async with made:
            yield made

    def hear(self, component: Component) -> None:
        self.heard.append(component)
        self.changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Looks again with each change of health."""
        async with asyncio.timeout(LIMIT_S):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()

    def states(self) -> list[str]:
        return [component.state for component in self.heard]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    home = Home(tmp_path / "home")
    home.make()
    folder = tmp_path / "starts"
    folder.mkdir()
    database = Database(home.database, hearth.MIGRATIONS)
    health = Health()
    made = Stage(home, folder, Clients(database), health)
    health.on_change(made.hear)
    yield made
    await database.close()


async def test_it_is_not_there_while_nobody_needs_it(stage: Stage) -> None:
    async with stage.bridge() as bridge:
        assert bridge.port is None
    assert not bridges.starts(stage.folder)
    assert stage.heard == [Component(name="bridge", state="ok", detail="No browser is paired.")]


async def test_it_is_there_while_it_is_held_and_says_where(stage: Stage) -> None:
    async with stage.bridge() as bridge:
        bridge.hold()
        port = await bridge.ready(LIMIT_S)
        (start,) = bridges.starts(stage.folder)
        assert stage.home.bridge.read_text() == f'{{"pid": {start["pid"]}, "port": {port}}}'
        assert stat.S_IMODE(stage.home.bridge.stat().st_mode) == 0o600
        assert stage.heard[-1].detail == f"Browsers reach Hearth on port {port}."
        bridge.release()
        await stage.until(lambda: stage.heard[-1].detail == "No browser is paired.")
    assert not bridges.is_alive(start["pid"])
    assert not stage.home.bridge.exists()


async def test_it_is_there_from_the_start_when_a_browser_is_paired(stage: Stage) -> None:
    await stage.clients.pair(CHROMIUM_ORIGIN, "Chromium")
    async with stage.bridge() as bridge:
        await bridge.ready(LIMIT_S)
    (start,) = bridges.starts(stage.folder)
    assert not bridges.is_alive(start["pid"])


async def test_it_goes_with_the_last_browser(stage: Stage) -> None:
    first = await stage.clients.pair(CHROMIUM_ORIGIN, "Chromium")
    other = await stage.clients.pair(CHROMIUM_ORIGIN, "Chrome")
    async with stage.bridge() as bridge:
        await bridge.ready(LIMIT_S)
        await stage.clients.revoke(first.client.id)
        await bridge.look()
        assert bridge.is_needed
        await stage.clients.revoke(other.client.id)
        await stage.until(lambda: stage.heard[-1].detail == "No browser is paired.")
        assert not bridge.is_needed


async def test_one_that_died_is_started_again(stage: Stage) -> None:
    async with stage.bridge() as bridge:
        bridge.hold()
        await bridge.ready(LIMIT_S)
        os.kill(bridges.starts(stage.folder)[0]["pid"], signal.SIGKILL)
        await stage.until(lambda: stage.states()[-2:] == ["warn", "ok"])
        assert await bridge.ready(LIMIT_S)
        assert "ended (status -9) and is started again" in stage.heard[-2].detail
        assert len(bridges.starts(stage.folder)) == 2


@pytest.mark.logs("hearth_backend.observe.health")
async def test_one_that_keeps_dying_is_left_alone_and_health_says_so(stage: Stage) -> None:
    async with stage.bridge("die") as bridge:
        bridge.hold()
        with pytest.raises(BackendUnavailable, match="did not start"):
            await bridge.ready(LIMIT_S)
        assert stage.heard[-1].state == "fault"
        assert "keeps ending (status 3)" in stage.heard[-1].detail
        assert "bridge.log" in stage.heard[-1].fix
        assert len(bridges.starts(stage.folder)) == 5


@pytest.mark.logs("hearth_backend.observe.health")
async def test_a_person_who_asks_again_does_not_wait_for_the_pause(stage: Stage) -> None:
    async with stage.bridge("drop") as bridge:
        bridge.hold()
        await stage.until(lambda: stage.heard[-1].state == "fault")
        tried = len(bridges.starts(stage.folder))
        bridge.hold()
        await stage.until(lambda: len(bridges.starts(stage.folder)) > tried)


@pytest.mark.logs("hearth_backend.observe.health")
async def test_what_it_says_must_be_a_port(stage: Stage) -> None:
    async with stage.bridge("babble") as bridge:
        bridge.hold()
        await stage.until(lambda: stage.states()[-1] == "warn")
        assert "did not say where it listens" in stage.heard[-1].detail


@pytest.mark.logs("hearth_backend.bridge")
async def test_one_that_does_not_end_is_killed(stage: Stage) -> None:
    async with stage.bridge("deaf", patience_s=0.1) as bridge:
        bridge.hold()
        await bridge.ready(LIMIT_S)
    (start,) = bridges.starts(stage.folder)
    assert not bridges.is_alive(start["pid"])


async def test_one_that_has_not_spoken_yet_is_let_go(stage: Stage) -> None:
    os.mkfifo(stage.folder / "here")
    async with stage.bridge("mute") as bridge:
        bridge.hold()
        await asyncio.to_thread((stage.folder / "here").read_text)  # until it has started
    (start,) = bridges.starts(stage.folder)
    assert not bridges.is_alive(start["pid"])


async def test_it_is_told_the_port_and_nothing_of_the_environment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HEARTH_KEY_OPENAI", "sk-secret")
    async with stage.bridge() as bridge:
        bridge.hold()
        await bridge.ready(LIMIT_S)
    (start,) = bridges.starts(stage.folder)
    assert start["first"] == {"port": 0}
    assert start["environ"]["HEARTH_HOME"] == str(stage.home.root)
    assert set(start["environ"]) <= {"HEARTH_HOME", "PATH", "LANG", "XDG_RUNTIME_DIR", "LC_CTYPE"}


async def test_a_port_that_is_taken_is_said(stage: Stage) -> None:
    async with stage.bridge("elsewhere", port=4748) as bridge:
        bridge.hold()
        port = await bridge.ready(LIMIT_S)
        assert stage.heard[-1].state == "warn"
        assert f"Port 4748 is taken by another program; browsers reach Hearth on port {port}." == stage.heard[-1].detail


def test_the_environment_holds_only_what_it_needs(tmp_path: Path) -> None:
    around = {"PATH": "/bin", "HOME": "/home/x", "OPENAI_API_KEY": "sk", "HEARTH_HOME": "elsewhere"}
    assert environment(Home(tmp_path), around) == {"PATH": "/bin", "HEARTH_HOME": str(tmp_path)}
