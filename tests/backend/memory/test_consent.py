from collections.abc import Mapping

import pytest

from hearth_backend.memory.consent import Permits
from hearth_shared.protocol.context import Level
from hearth_shared.protocol.tasks import Source
from support.memories import memory

pytestmark = pytest.mark.unit
SAID: dict[str, Mapping[str, Level]] = {"browser": {"example.org": "off", "docs.example.org": "ask"}}
PERMITS = Permits(lambda door: SAID.get(door, {}))


@pytest.mark.parametrize(
    ("door", "address", "sensitivity", "may"),
    [
        ("browser", "https://example.org/a", "normal", False),
        ("browser", "https://www.example.org/a", "normal", False),
        ("browser", "https://docs.example.org/a", "normal", True),
        ("browser", "https://example.com/a", "normal", True),
        ("browser", "person", "normal", True),
        ("tray", "https://example.org/a", "normal", True),
        ("browser", "person", "local only", True),
        ("http", "person", "local only", False),
        ("http", "person", "normal", True),
    ],
)
def test_a_door_is_given_what_its_decisions_and_its_kind_allow(
    door: str, address: str, sensitivity: str, may: bool
) -> None:
    assert PERMITS.may(door, address, sensitivity) is may


def test_only_memories_are_weighed() -> None:
    page = Source(n=1, kind="page", id="p", title="", quote="", url="https://example.org/a")
    assert PERMITS.source("browser", page)
    assert not PERMITS.source("browser", memory("x", url="https://example.org/a"))
    assert not PERMITS.source("http", memory("x", local_only=True))
