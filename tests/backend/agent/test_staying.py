from dataclasses import dataclass, replace

import pytest

from hearth_backend.agent.staying import stay
from hearth_shared.protocol.models import Role
from hearth_shared.protocol.tasks import Source
from hearth_shared.protocol.threads import ThreadMessage
from support.journals import RUN
from support.memories import memory

pytestmark = pytest.mark.unit


@dataclass
class Somewhere:
    """Models of which some may be on this machine."""

    here: bool
    asked: int = 0

    async def has(self, role: Role, *, local_only: bool = False) -> bool:
        self.asked += 1
        return self.here or not local_only


def turn(run: str, *, local_only: bool = False) -> list[ThreadMessage]:
    return [
        ThreadMessage(id=f"{run}u", role="user", text="q", run_id=run, created_at=0, local_only=local_only),
        ThreadMessage(id=f"{run}a", role="assistant", text="a", run_id=run, created_at=0, local_only=local_only),
    ]


OPEN, PRIVATE = memory("open"), memory("private", "ep_2", local_only=True)


async def test_nothing_changes_where_nothing_must_stay() -> None:
    models = Somewhere(here=False)
    run = replace(RUN, history=turn("run_0"))
    found = await stay(models, run, [OPEN])
    assert (found.run, found.sources, found.note, models.asked) == (run, [OPEN], "", 0)


async def test_a_run_that_stays_here_is_given_everything() -> None:
    run = replace(RUN, local_only=True)
    assert (await stay(Somewhere(here=False), run, [PRIVATE])).sources == [PRIVATE]


@pytest.mark.parametrize(("sources", "history"), [([PRIVATE], []), ([OPEN], turn("run_0", local_only=True))])
async def test_what_must_stay_keeps_the_turn_here(sources: list[Source], history: list[ThreadMessage]) -> None:
    run = replace(RUN, history=history)
    found = await stay(Somewhere(here=True), run, sources)
    assert (found.run.local_only, found.sources, found.run.history, found.note) == (True, sources, history, "")


async def test_without_a_model_here_it_is_left_out_and_that_is_said() -> None:
    history = [*turn("run_0"), *turn("run_1", local_only=True)]
    found = await stay(Somewhere(here=False), replace(RUN, history=history), [OPEN, PRIVATE])
    assert (found.run.local_only, found.sources, list(found.run.history)) == (False, [OPEN], history[:2])
    assert found.note.startswith("3 things that must stay on this machine were left out")


async def test_an_answer_goes_with_the_question_that_is_left_out() -> None:
    asked, answered = turn("run_0")
    history = [asked.model_copy(update={"local_only": True}), answered]
    found = await stay(Somewhere(here=False), replace(RUN, history=history), [OPEN])
    assert list(found.run.history) == []
