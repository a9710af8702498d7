"""What the tests of the verbs have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared.paths import Home
from support.small_backend import SmallBackend


@pytest.fixture
def backend(hearth_home: Path) -> Iterator[SmallBackend]:
    """A running backend that knows the routes a test gives it."""
    with SmallBackend(Home(hearth_home)) as backend:
        yield backend
