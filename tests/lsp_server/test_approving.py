"""Approvals in an editor, over its pipes, on a backend whose agent really asks."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.deciding import Deciding, deciding
from support.editor import Editor, Json, editor

pytestmark = pytest.mark.editors

BEFORE = "".join(f"line {number}\n" for number in range(1, 31))
PATCH = "@@ -19,3 +19,3 @@\n line 19\n-line 20\n+line twenty\n line 21\n"
AFTER = BEFORE.replace("line 20", "line twenty")
_count = itertools.count()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deciding]:
    """One backend for all tests."""
    with deciding(tmp_path_factory.mktemp("deciding")) as desk:
        yield desk


@pytest.fixture
def path(desk: Deciding) -> Path:
    """A file that an agent wants to change."""
    path = desk.folder / f"{next(_count)}.txt"
    path.write_text(BEFORE)
    return path


@pytest.fixture
async def one(desk: Deciding, path: Path) -> AsyncIterator[Editor]:
    """An editor in which it is open, and which has heard what waits by then."""
    async with editor(desk.backend.home, folder=desk.folder.as_uri()) as one:
        one.open(path.as_uri(), BEFORE, "text")
        yield one
    desk.backend.hang_up()


def asked(desk: Deciding, path: Path) -> tuple[str, str]:
    return desk.asks("edit_file", path=path.name, patch=PATCH)


async def shown(one: Editor, path: Path, approval_id: str) -> list[Json]:
    """The lenses of an approval, once the editor was told to ask for them: what waited before tells it too."""
    for told in itertools.count(1):
        await one.was_asked_times("workspace/codeLens/refresh", told)
        found = [
            lens for lens in await one.lenses(path.as_uri()) if lens["command"]["arguments"][0]["id"] == approval_id
        ]
        if found:
            return found
    raise AssertionError


def decisions(lenses: list[Json]) -> list[str]:
    return [said["decision"] for lens in lenses if "decision" in (said := lens["command"]["arguments"][0])]


async def decide(one: Editor, approval_id: str, decision: str = "accept", **others: Any) -> Json:
    return await one.command("hearth.decide", {"id": approval_id, "decision": decision, **others})


def picks(one: Editor, number: int) -> None:
    """The person presses this button of whatever is asked."""
    one.answers["window/showMessageRequest"] = lambda asked: asked["actions"][number]


async def test_an_approval_stands_where_it_would_change_the_file(desk: Deciding, path: Path, one: Editor) -> None:
    _, approval_id = asked(desk, path)
    head, place = await shown(one, path, approval_id)
    assert [lens["range"]["start"] for lens in (head, place)] == [{"line": 19, "character": 0}] * 2
    assert "coder asks for edit_file: +1 −1" in head["command"]["title"]
    assert place["command"]["title"] == "Hearth: −1 +1  + line twenty"
    card = await one.command(head["command"]["command"], *head["command"]["arguments"])
    page = Path((await one.was_asked("window/showDocument"))["uri"].removeprefix("file://")).read_text()
    assert card["approval"]["id"] == approval_id
    assert "-line 20\n+line twenty" in page
    assert card["approval"]["sha256"] in page


async def test_another_file_that_is_open_has_no_lens(desk: Deciding, path: Path, one: Editor) -> None:
    other = path.with_name("other.txt")
    one.open(other.as_uri(), BEFORE, "text")
    _, approval_id = asked(desk, path)
    await shown(one, path, approval_id)
    assert await one.lenses(other.as_uri()) == []
    assert await one.lenses("file:///nowhere/at/all.txt") == []


async def test_a_file_is_known_by_where_it_really_is(desk: Deciding, path: Path, one: Editor, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(desk.folder)
    one.open((link / path.name).as_uri(), BEFORE, "text")
    _, approval_id = asked(desk, path)
    await shown(one, path, approval_id)
    assert await one.lenses((link / path.name).as_uri())


async def test_without_the_grant_the_backend_refuses(desk: Deciding, path: Path, one: Editor) -> None:
    _, approval_id = asked(desk, path)
    assert decisions(await shown(one, path, approval_id)) == []
    picks(one, 0)
    problem = (await decide(one, approval_id))["problem"]
    assert problem["code"] == "forbidden"
    assert "hearth pair editor --decide" in problem["fix"]
    assert desk.status(approval_id) == "pending"
    assert path.read_text() == BEFORE


async def test_with_the_grant_it_is_decided_here_once_and_done(desk: Deciding, path: Path, one: Editor) -> None:
    task_id, approval_id = asked(desk, path)
    await shown(one, path, approval_id)
    grant = desk.grant()
    assert decisions(await one.lenses(path.as_uri())) == ["accept", "respond", "ignore"]
    picks(one, 0)
    assert await decide(one, approval_id) == {"decided": "accept"}
    orders = [asked["method"] for asked in one.asked if asked["method"].startswith("window/show")]
    assert orders == ["window/showDocument", "window/showMessageRequest"]  # nothing is asked before the card stands
    desk.wait(task_id, "task.finished")
    assert path.read_text() == AFTER
    second = await decide(one, approval_id)
    assert (second["problem"]["code"], "accept, by editor" in second["problem"]["detail"]) == ("conflict", True)
    desk.revoke(grant)


async def test_who_decides_while_the_card_is_read_is_first(desk: Deciding, path: Path, one: Editor) -> None:
    task_id, approval_id = asked(desk, path)
    grant = desk.grant()

    def other(message: Json) -> Json:
        body = {"decision": "ignore"}
        assert desk.backend.door("tray").post(f"/v1/approvals/{approval_id}", json=body).status_code == 200
        return message["actions"][0]

    one.answers["window/showMessageRequest"] = other
    problem = (await decide(one, approval_id))["problem"]
    assert (problem["code"], problem["detail"]) == ("conflict", "tray has decided already: ignore.")
    desk.wait(task_id, "task.finished")
    assert path.read_text() == BEFORE
    desk.revoke(grant)


async def test_later_is_no_decision_and_a_grant_taken_back_counts_at_once(
    desk: Deciding, path: Path, one: Editor
) -> None:
    task_id, approval_id = asked(desk, path)
    await shown(one, path, approval_id)
    grant = desk.grant()
    picks(one, -1)
    assert await decide(one, approval_id) == {"decided": ""}
    picks(one, 1)
    assert await decide(one, approval_id, "ignore") == {"decided": ""}
    assert desk.status(approval_id) == "pending"
    desk.revoke(grant)
    assert decisions(await one.lenses(path.as_uri())) == []
    picks(one, 0)
    assert (await decide(one, approval_id, "ignore"))["problem"]["code"] == "forbidden"
    grant = desk.grant()
    assert await decide(one, approval_id, "respond", text="Not today.") == {"decided": "respond"}
    desk.wait(task_id, "task.finished")
    assert "Not today." in str(desk.model.model.calls[-1].body["messages"])
    assert path.read_text() == BEFORE
    desk.revoke(grant)


async def test_what_was_changed_since_is_left_alone_whoever_accepted(desk: Deciding, path: Path, one: Editor) -> None:
    task_id, approval_id = asked(desk, path)
    grant = desk.grant()
    path.write_text("Mine.\n")
    picks(one, 0)
    assert await decide(one, approval_id) == {"decided": "accept"}
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Mine.\n"
    desk.revoke(grant)


@pytest.mark.parametrize(
    "said",
    [{}, {"id": "apr_none"}, {"id": 7, "decision": "accept"}, {"id": "../clients"}, {"id": "x", "decision": "edit"}],
)
async def test_what_makes_no_sense_is_said(one: Editor, said: Json) -> None:
    for command in ("hearth.approval", "hearth.decide"):
        problem = (await one.command(command, said))["problem"]
        assert problem["code"] in ("bad_request", "not_found")
        assert problem["detail"]
