import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.orchestrator.approvals import Asked
from hearth_backend.orchestrator.requester import PERSON, Requester
from hearth_backend.tools.binding import digest
from hearth_shared.errors import Conflict, Forbidden, NotFound
from hearth_shared.protocol.approvals import Approval, DecisionRequest
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door
from support.orchestra import AGENT, IN_THE_TRAY, ME, OTHER_STRANGER, STRANGER, Orchestra, first

pytestmark = pytest.mark.integration
ACCEPT = DecisionRequest(decision="accept")
A_WEEK = 7 * 86_400.0
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


async def ask(band: Orchestra, owner: str = PERSON, **args: Any) -> Approval:
    wanted = args or {"path": "a.txt"}
    return await band.approvals.request(
        Asked(
            agent_id=AGENT,
            owner=owner,
            door="cli",
            tool="write_file",
            args=wanted,
            sha256=digest("write_file", wanted),
            reach=["this folder"],
            undo="the old file comes back",
            quotes=[{"text": "do it", "source": "a page", "trusted": False}],
        )
    )


async def kinds(band: Orchestra, count: int) -> list[EventType]:
    return [event.type for event in await first(count, band.events.follow(PERSON, after_seq=0))]


async def test_a_request_waits_for_the_person(band: Orchestra) -> None:
    approval = await ask(band)
    assert await band.approvals.get(IN_THE_TRAY, approval.id) == approval
    assert (approval.status, approval.args, approval.reach) == ("pending", {"path": "a.txt"}, ["this folder"])
    assert approval.expires_at == band.clock.now + A_WEEK
    assert await band.approvals.pending() == 1
    assert await kinds(band, 1) == [EventType.APPROVAL_REQUESTED]


async def test_a_decision_is_kept_with_who_made_it(band: Orchestra) -> None:
    approval = await ask(band)
    request = DecisionRequest(decision="edit", args={"path": "b.txt"})
    decided = await band.approvals.decide(IN_THE_TRAY, approval.id, request)
    assert (decided.status, decided.decision, decided.decided_by) == ("decided", "edit", "tray")
    assert (decided.decided_args, decided.args) == ({"path": "b.txt"}, {"path": "a.txt"})
    assert await band.approvals.pending() == 0
    assert await kinds(band, 2) == [EventType.APPROVAL_REQUESTED, EventType.APPROVAL_DECIDED]


async def test_a_second_answer_hears_who_was_first(band: Orchestra) -> None:
    approval = await ask(band)
    await band.approvals.decide(IN_THE_TRAY, approval.id, ACCEPT)
    with pytest.raises(Conflict) as raised:
        await band.approvals.decide(ME, approval.id, DecisionRequest(decision="ignore"))
    assert raised.value.data == {"winner": "tray", "decision": "accept"}
    assert (await band.approvals.get(ME, approval.id)).decision == "accept"


async def test_of_many_answers_at_once_one_wins(band: Orchestra) -> None:
    approval = await ask(band)
    deciders = [Requester(PERSON, Door.TRAY, f"tray {n}", frozenset(), "r") for n in range(8)]
    answers = await asyncio.gather(
        *(band.approvals.decide(decider, approval.id, ACCEPT) for decider in deciders), return_exceptions=True
    )
    assert sum(isinstance(answer, Approval) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 7


async def test_an_unanswered_request_is_denied_when_its_time_is_over(band: Orchestra) -> None:
    approval = await ask(band)
    band.clock.pass_(A_WEEK)
    assert await band.approvals.pending() == 0
    with pytest.raises(Conflict) as raised:
        await band.approvals.decide(ME, approval.id, ACCEPT)
    assert raised.value.data["winner"] == "expiry"
    found = await band.approvals.get(ME, approval.id)
    assert (found.status, found.decision) == ("expired", "ignore")
    assert await kinds(band, 2) == [EventType.APPROVAL_REQUESTED, EventType.APPROVAL_EXPIRED]


async def test_expiring_takes_only_what_is_due(band: Orchestra) -> None:
    await ask(band)
    band.clock.pass_(A_WEEK - 1)
    await ask(band)
    assert await band.approvals.expire_due() == 0
    band.clock.pass_(1)
    assert await band.approvals.expire_due() == 1
    assert await band.approvals.expire_due() == 0
    listed = (await band.approvals.list(ME)).approvals
    assert [approval.status for approval in listed] == ["pending", "expired"]


async def test_pending_ones_are_listed_first_then_the_newest(band: Orchestra) -> None:
    made: list[Approval] = []
    for _ in range(3):
        band.clock.pass_(1)
        made.append(await ask(band))
    await band.approvals.decide(ME, made[2].id, ACCEPT)
    listed = (await band.approvals.list(ME)).approvals
    assert [approval.id for approval in listed] == [made[1].id, made[0].id, made[2].id]
    decided = (await band.approvals.list(ME, status="decided")).approvals
    assert [approval.id for approval in decided] == [made[2].id]


async def test_the_person_decides_about_everybodys_and_a_program_sees_its_own(band: Orchestra) -> None:
    approval = await ask(band, owner=STRANGER.owner)
    assert (await band.approvals.list(STRANGER)).approvals == [approval]
    with pytest.raises(NotFound):
        await band.approvals.get(OTHER_STRANGER, approval.id)
    with pytest.raises(NotFound):
        await band.approvals.decide(OTHER_STRANGER, approval.id, ACCEPT)
    assert (await band.approvals.decide(ME, approval.id, ACCEPT)).decided_by == "cli"


async def test_a_run_cannot_decide_for_itself(band: Orchestra) -> None:
    approval = await ask(band)
    run = Requester(PERSON, Door.INTERNAL, "run", frozenset({"main"}), "r")
    with pytest.raises(Forbidden):
        await band.approvals.decide(run, approval.id, ACCEPT)
    assert (await band.approvals.get(ME, approval.id)).status == "pending"


async def test_an_approval_is_bound_to_tool_and_arguments(band: Orchestra) -> None:
    approval = await ask(band, path="a.txt", text="x")
    assert approval.sha256 == digest("write_file", {"text": "x", "path": "a.txt"})
    assert approval.sha256 != digest("write_file", {"text": "x", "path": "b.txt"})
    assert approval.sha256 != digest("send_file", {"text": "x", "path": "a.txt"})


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.dictionaries(st.text(), VALUES, max_size=4))
def test_the_digest_is_the_same_for_the_same_arguments_alone(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest("t", dict(reversed(one.items()))) == digest("t", one)
    if one != other:
        assert digest("t", one) != digest("t", other)
