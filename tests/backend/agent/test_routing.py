from collections.abc import Sequence

import pytest

from hearth_backend.agent.profiles import shipped
from hearth_backend.agent.routing import Likeness, Router, by_likeness, by_rule, named
from hearth_backend.gateway.messages import Caller, ChatEvent, Embeddings
from hearth_shared.errors import NoModel
from support.scripted_models import ScriptedModels, says

pytestmark = pytest.mark.unit
ME = Caller("request", "cli")


class Vectors(ScriptedModels):
    """Finds the goal as like each profile's examples as it is told."""

    def __init__(self, likeness: dict[str, float] | None, *scripts: Sequence[ChatEvent | Exception]) -> None:
        super().__init__(*scripts)
        self._likeness = likeness

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        if self._likeness is None:
            raise NoModel("No embedder.")
        whose = {example: id for id, profile in shipped().items() for example in profile.routes.examples}
        return Embeddings("m", [[1.0], *([self._likeness[whose[text]]] for text in texts[1:])], 0)


async def route(goal: str, models: ScriptedModels) -> tuple[str, str]:
    routed = await Router(models).route(goal, shipped(), ME)
    return routed.agent_id, routed.how


def test_words_decide_and_are_told() -> None:
    routed = by_rule("Please refactor this, there is a bug", shipped())
    assert routed is not None
    assert (routed.agent_id, routed.how, routed.why) == ("coder", "rule", "it says refactor, bug")


@pytest.mark.parametrize("goal", ["hello", "debugging decodes", "summarise the code", ""])
def test_no_word_half_a_word_or_words_of_two_decide_nothing(goal: str) -> None:
    assert by_rule(goal, shipped()) is None


def test_likeness_decides_when_it_is_clear() -> None:
    assert by_likeness([]) is None
    assert by_likeness([Likeness("coder", 0.4, "x")]) is None
    assert by_likeness([Likeness("coder", 0.6, "x"), Likeness("librarian", 0.58, "y")]) is None
    routed = by_likeness([Likeness("coder", 0.5, "x"), Likeness("coder", 0.8, "y"), Likeness("librarian", 0.6, "z")])
    assert routed is not None
    assert (routed.agent_id, routed.how, routed.why) == ("coder", "likeness", "it is like: y")


@pytest.mark.parametrize(("said", "id"), [("Coder.", "coder"), ("coder or librarian", None), ("encoder", None)])
def test_a_model_has_to_name_one(said: str, id: str | None) -> None:
    assert named(said, shipped()) == id


async def test_nobody_is_asked_where_a_word_decides() -> None:
    models = Vectors(None)
    assert await route("commit this", models) == ("coder", "rule")
    assert models.asked == []


async def test_a_model_is_asked_only_between_those_that_are_alike() -> None:
    models = Vectors({"coder": 0.7, "librarian": 0.69}, says("librarian"))
    assert await route("what about it", models) == ("librarian", "model")
    models = Vectors({"coder": 0.9, "librarian": 0.1})
    assert await route("what about it", models) == ("coder", "likeness")
    assert models.asked == []


async def test_where_nothing_decides_it_is_the_assistant() -> None:
    assert await route("what about it", Vectors({"coder": 0.1, "librarian": 0.1})) == ("assistant", "default")
    assert await route("what about it", Vectors(None)) == ("assistant", "default")
    undecided = Vectors({"coder": 0.7, "librarian": 0.69}, says("either"))
    assert await route("what about it", undecided) == ("assistant", "default")
