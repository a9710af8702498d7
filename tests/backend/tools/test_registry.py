import pytest

from hearth_backend.tools.clock import Clock
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from hearth_shared.errors import NotFound
from support.memories import SmallMemory

pytestmark = pytest.mark.unit


def test_tools_are_picked_by_name() -> None:
    clock, recall = Clock(), Recall(SmallMemory())
    registry = Registry([recall, clock])
    assert registry.names == ("recall", "clock")
    assert registry.pick(["clock"]) == [clock]


def test_a_tool_that_is_not_there_is_said() -> None:
    with pytest.raises(NotFound, match="no tool 'hammer'"):
        Registry([Clock()]).pick(["hammer"])


def test_two_tools_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two tools"):
        Registry([Clock(), Clock()])
