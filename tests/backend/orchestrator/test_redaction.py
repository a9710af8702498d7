import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.agent.journal import Journal
from hearth_backend.memory.gone import FORGOTTEN, Gone
from hearth_backend.orchestrator.redaction import Redaction
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, FileText, Source, TaskContext
from hearth_shared.protocol.threads import MessageRequest, ThreadRequest
from support.orchestra import IN_THE_TRAY, ME, Orchestra, orchestra, shown

pytestmark = pytest.mark.integration
TOLD = "my locker opens with 7431-KESTREL"
PAGE = "https://example.org/a"


def source(id: str, quote: str, url: str = "") -> Source:
    return Source(n=1, kind="memory", id=id, title="Told", quote=quote, speaker="me", url=url)


def reads(*sources: Source, says: str) -> Any:
    """A script that recalls sources, thinks, and answers in small pieces."""

    async def script(journal: Journal) -> Answer:
        async def recall() -> dict[str, Any]:
            return {"memory": [one.model_dump() for one in sources]}

        async def quote() -> str:
            return says

        await journal.step("recall", "", recall)
        await journal.emit(EventType.MEMORY_RECALLED, {"sources": [one.model_dump() for one in sources]})
        for start in range(0, len(says), 5):
            await journal.text(0, says[start : start + 5])
        await journal.step("quote", "", quote)
        return Answer(text=says, sources=list(sources))

    return script


async def say(one: Orchestra, thread: str, text: str, script: Any, context: TaskContext | None = None) -> str:
    async with one.working(script):
        said = MessageRequest(text=text, context=context or TaskContext())
        run = (await one.runs.say(IN_THE_TRAY, thread, said)).task_id
        await one.story(run)
    return run


async def journal_of(one: Orchestra) -> dict[str, str]:
    """All text of each table."""
    found: dict[str, str] = {}
    for table in ("run", "step", "event", "message", "thread"):
        rows = await one.database.fetch(f"select * from {table}")
        found[table] = "\n".join(str(value) for row in rows for value in tuple(row))
    return found


async def thread(one: Orchestra) -> str:
    return (await one.threads.create(ME, ThreadRequest())).id


def gone(turns: Sequence[str], threads: Sequence[str]) -> Gone:
    own = frozenset({"locker", "opens", "7431", "kestrel"})
    return Gone(frozenset({"epi_1a"}), (TOLD,), turns=frozenset(turns), threads=frozenset(threads), own=own)


async def test_every_quotation_is_masked_and_all_else_stays(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "hearth.db") as one:
        first, other, third = [await thread(one) for _ in range(3)]
        told = await say(one, first, TOLD, reads(says="I will remember that."))
        await say(one, first, "and the heron?", reads(says="The heron, and 7431-KESTREL, as you said."))
        run = await say(
            one, other, "how?", reads(source("epi_1a", TOLD), source("epi_2", "Herons."), says="With 7431-Kestrel. [1]")
        )
        apart = await say(one, third, "a KESTREL is a bird", reads(source("epi_2", "Herons."), says="So is a heron."))
        redaction = Redaction(one.database)
        assert await redaction.quoting(gone([told], [first])) == 3
        before = await one.story(apart)
        assert await redaction.erase(gone([told], [first]))
        left = await journal_of(one)
        for table, text in left.items():
            lines = [line for line in text.lower().splitlines() if "kestrel" in line]
            assert all("a kestrel is a bird" in line for line in lines), (table, lines)
            assert "7431" not in text, table
        answer = (await one.runs.get(IN_THE_TRAY, run)).answer
        assert answer is not None
        assert answer.text == "With ████████████. [1]"
        assert [(one.title, one.quote) for one in answer.sources] == [(FORGOTTEN, ""), ("Told", "Herons.")]
        assert shown(await one.story(run)) == answer.text
        assert (await one.runs.get(IN_THE_TRAY, told)).goal == FORGOTTEN
        messages = (await one.threads.get(ME, first)).messages
        assert [message.text for message in messages[::2]] == [FORGOTTEN, "and the heron?"]
        assert (await one.threads.get(ME, first)).title == FORGOTTEN
        assert await one.story(apart) == before


async def test_a_page_laid_beside_a_question_goes_with_its_site(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "hearth.db") as one:
        mine = await thread(one)
        page = FileText(name=PAGE, text="Zanzibar is warm.", origin="page", title="Zanzibar")
        kept = FileText(name="notes.md", text="Oslo is cold.")
        context = TaskContext(files=[page, kept])
        run = await say(one, mine, "warm?", reads(source("p1", "Zanzibar is warm.", PAGE), says="Yes."), context)
        forgotten = Gone(frozenset({"epi_9"}), ("Zanzibar is warm.",), sources=frozenset({PAGE}))
        assert await Redaction(one.database).erase(forgotten)
        row = (await one.database.fetch("select context from run where id = ?", (run,)))[0]
        assert [file["text"] for file in json.loads(row["context"])["files"]] == ["", "Oslo is cold."]
        left = await journal_of(one)
        assert "warm." not in "".join(left.values())


async def test_of_a_whole_thread_everything_goes(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "hearth.db") as one:
        mine, other = await thread(one), await thread(one)
        await say(one, mine, "where do swans nest?", reads(source("epi_7", "In reeds."), says="In the reeds."))
        await say(one, other, "and herons?", reads(says="In trees."))
        forgotten = Gone(frozenset(), (), threads=frozenset({mine}), whole_threads=frozenset({mine}))
        assert await Redaction(one.database).erase(forgotten)
        left = "".join((await journal_of(one)).values())
        assert not any(word in left for word in ("swans", "nest", "reeds"))
        assert "In trees." in left


async def test_a_task_at_work_has_it_done_again(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "hearth.db") as one:
        mine = await thread(one)
        run = (await one.runs.say(IN_THE_TRAY, mine, MessageRequest(text=TOLD))).task_id
        await one.database.execute("update run set status = 'running' where id = ?", (run,))
        redaction = Redaction(one.database)
        assert not await redaction.erase(gone([run], [mine]))
        await one.database.execute("update run set status = 'finished' where id = ?", (run,))
        assert await redaction.erase(gone([run], [mine]))
