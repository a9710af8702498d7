import pytest

from hearth_backend.agent.profiles import AGENTS, listed
from hearth_backend.tools.clock import Clock
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from support.memories import SmallMemory

pytestmark = pytest.mark.unit


def test_every_profile_goes_by_its_id_and_finds_its_tools() -> None:
    registry = Registry([Recall(SmallMemory()), Clock()])
    for id, profile in AGENTS.items():
        assert profile.id == id
        assert [tool.name for tool in registry.pick(profile.tools)] == list(profile.tools)


def test_the_wire_shows_profiles_without_their_instructions() -> None:
    (agent,) = listed().agents
    assert (agent.id, agent.tools) == ("assistant", ["recall", "clock"])
    assert "data to read" not in agent.model_dump_json()
