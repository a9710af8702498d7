"""A backend with a paired browser, and a bridge's door of our own before it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from hearth_bridge.backend import Backend as Upstream
from hearth_bridge.server import Door, bind
from support.backend import Backend, running
from support.bridge import Browser, Paired, opened, pair


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend on a home of its own, for all tests of a module."""
    with running(tmp_path_factory.mktemp("house")) as backend:
        yield backend


@pytest.fixture
async def door(house: Backend) -> AsyncIterator[Door]:
    """A bridge's door of our own, in this process."""
    made = Door(Upstream.of(house.home), bind(0))
    async with made.open():
        yield made


@pytest.fixture(scope="module")
def paired(house: Backend) -> Paired:
    """A browser that is paired, once for all tests: only few pairings a minute are allowed."""
    return pair(house)


@pytest.fixture
async def browser(door: Door, paired: Paired) -> AsyncIterator[Browser]:
    """A connection of a paired browser to that door."""
    async with opened(door.port, paired) as made:
        yield made
