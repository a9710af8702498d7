import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hearth_backend.memory.extraction import Extraction
from hearth_backend.memory.facts import Facts
from hearth_backend.memory.knowledge import Knowledge, knowledge
from hearth_backend.memory.known_first import KnownFirst
from hearth_backend.memory.statement import Statement
from hearth_backend.storage.driver import Row
from hearth_shared.errors import BadRequest, HearthError, NoModel, NotFound
from hearth_shared.protocol.facts import BlockRequest, MergeRequest, NewFact, PatternRequest, StructuredFile
from hearth_shared.protocol.memory import EpisodeBatch, ForgetRequest, NewEpisode
from support.clock import Clock
from support.rooms_of_memory import MAIN, Room, room

pytestmark = pytest.mark.integration
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Study:
    """A memory with all that is derived of it, on a clock that moves a second a look."""

    room: Room
    known: Knowledge
    said: int = 0

    @property
    def facts(self) -> Facts:
        return self.known.facts

    async def say(
        self, *texts: str, speaker: str = "me", space: str = "main", session: str = "s", **more: object
    ) -> list[str]:
        """Turns, a day apart, read for facts."""
        ids: list[str] = []
        for text in texts:
            self.said += 1
            at = START + timedelta(days=self.said)
            plain = {"external_id": str(self.said), "occurred_at": at, "text": text, "speaker": speaker}
            episode = NewEpisode.model_validate(plain | {"session": session, "origin": "turn"} | more)
            ids += (await self.room.memory.remember(EpisodeBatch(space=space, episodes=[episode]), spaces={space})).ids
        self.known.extraction.wake()
        await self.known.extraction.settled()
        return ids

    async def texts(self, **asked: object) -> list[str]:
        return [fact.text for fact in (await self.facts.list("main", MAIN, **asked)).facts]  # type: ignore[arg-type]


@asynccontextmanager
async def study(folder: Path) -> AsyncGenerator[Study]:
    moments = iter(range(10**9))
    base = START.timestamp() + 10_000_000

    def clock() -> float:
        return base + next(moments)

    async with room(folder) as one:
        extraction = Extraction(one.database, clock=clock)
        await extraction.start()
        try:
            yield Study(one, knowledge(one.database, one.memory.remember, extraction, clock=clock))
        finally:
            await extraction.close()


@pytest.fixture
async def open_study(tmp_path: Path) -> AsyncGenerator[Study]:
    async with study(tmp_path) as one:
        yield one


async def test_what_is_said_becomes_facts_with_their_evidence(open_study: Study) -> None:
    ids = await open_study.say("I live in Leipzig.", "My sister Lena lives in Hamburg.", "I moved to Halle.")
    assert await open_study.texts(subject="me", predicate="lives_in") == ["You live in Halle"]
    history = (await open_study.facts.list("main", MAIN, subject="me", predicate="lives_in", history=True)).facts
    assert [fact.value for fact in history] == ["Halle", "Leipzig"]
    assert history[1].superseded_by == history[0].id
    why = await open_study.facts.why(history[0].id, MAIN)
    assert [(one.episode_id, one.quote) for one in why.evidence] == [(ids[2], "I moved to Halle.")]
    of_memory = await open_study.facts.why(ids[1], MAIN)
    assert sorted(fact.text for fact in of_memory.facts) == ["Lena lives in Hamburg", "You have the sibling Lena"]


async def test_both_clocks_are_asked(open_study: Study) -> None:
    await open_study.say("I live in Leipzig.")
    await open_study.say("I live in Halle.")
    first = (START + timedelta(days=1, hours=1)).timestamp()
    assert await open_study.texts(at=first) == ["You lived in Leipzig"]
    (before,) = [fact for fact in (await open_study.facts.list("main", MAIN, history=True)).facts if fact.valid_to]
    assert await open_study.texts(at=first, known_at=before.recorded_at.timestamp()) == ["You live in Leipzig"]
    assert await open_study.texts(at=first, known_at=START.timestamp()) == []


async def test_only_the_persons_own_words_are_read(open_study: Study) -> None:
    await open_study.say("I live in Rome.", speaker="assistant")
    await open_study.say("I live in Oslo.", source="https://a.example/x", origin="page")
    await open_study.say("I live in Bern.", origin="file")
    assert await open_study.texts(history=True) == []
    await open_study.say("I live in Lyon.", speaker="Caroline")
    assert await open_study.texts() == ["Caroline lives in Lyon"]


async def test_a_fact_is_added_ended_and_taken_back(open_study: Study) -> None:
    add = open_study.facts.add
    stored = await add(
        NewFact(predicate="works_at", value="Acme", text="Since May I am with Acme."), MAIN, trusted=True
    )
    again = await add(NewFact(predicate="works_at", value="acme", text="Since May I am with Acme."), MAIN, trusted=True)
    assert (stored.outcome, again.outcome) == ("added", "confirmed")
    assert again.fact.id == stored.fact.id
    why = await open_study.facts.why(stored.fact.id, MAIN)
    assert "Acme" in why.evidence[0].quote
    ended = await open_study.facts.end(stored.fact.id, None, MAIN)
    assert ended.valid_to is not None
    assert ended.text == "You worked at Acme"
    with pytest.raises(BadRequest):
        await open_study.facts.end(stored.fact.id, None, MAIN)
    tea = (await add(NewFact(predicate="likes", value="tea"), MAIN, trusted=True)).fact
    with pytest.raises(BadRequest):
        await open_study.facts.end(tea.id, START.timestamp(), MAIN)
    assert (await open_study.facts.retract(tea.id, MAIN)).retracted_at is not None
    assert await open_study.texts() == []
    assert (await add(NewFact(predicate="likes", value="tea"), MAIN, trusted=True)).fact.retracted_at is None
    assert await open_study.texts() == ["You like tea"]


async def test_other_spaces_are_not_to_be_seen(open_study: Study) -> None:
    await open_study.say("I live in Leipzig.", space="work")
    (fact,) = (await open_study.facts.list("work", {"work"})).facts
    for call in (
        open_study.facts.list("work", MAIN),
        open_study.facts.why(fact.id, MAIN),
        open_study.facts.end(fact.id, None, MAIN),
        open_study.facts.retract(fact.id, MAIN),
        open_study.facts.add(NewFact(space="work", predicate="likes", value="x"), MAIN, trusted=True),
        open_study.known.network.around("work", None, MAIN, 1, None, outside=False),
        open_study.known.blocks.list("work", MAIN),
        open_study.known.summaries.list("work", MAIN),
    ):
        with pytest.raises(NotFound):
            await call
    assert await open_study.texts(history=True) == []


async def test_what_must_stay_here_is_not_told_outside(open_study: Study) -> None:
    ids = await open_study.say("I live in Leipzig.", sensitivity="local only")
    (fact,) = (await open_study.facts.list("main", MAIN)).facts
    assert fact.local_only
    assert [source.local_only for source in await open_study.facts.answering("Where do I live?", MAIN)] == [True]
    assert (await open_study.facts.list("main", MAIN, outside=True)).facts == []
    with pytest.raises(NotFound):
        await open_study.facts.why(fact.id, MAIN, outside=True)
    assert (await open_study.facts.why(ids[0], MAIN, outside=True)).evidence == []
    around = await open_study.known.network.around("main", "me", MAIN, 2, None, outside=True)
    assert [one.name for one in around.entities] == ["me"]


ANSWERS: tuple[tuple[str, list[str]], ...] = (
    ("Where do I live?", ["You live in Halle"]),
    ("where does my sister live", ["Lena lives in Hamburg"]),
    ("Who is my sister?", ["You have the sibling Lena"]),
    ("What is Lena's birthday?", ["Lena has the birthday --08-03"]),
    ("when is Lena's birthday?", ["Lena has the birthday --08-03"]),
    ("What's my favourite editor?", ["Your favourite editor is Helix"]),
    ("What is my favourite food?", []),
    ("When does the lease end?", ["lease ends on 2027-05-31"]),
    ("Where did I live before?", []),
    ("Why do I live in Halle?", []),
    ("I live in Halle.", []),
    ("Where is the moon?", []),
)


async def learned(study: Study) -> Study:
    await study.say(
        "I live in Leipzig.",
        "My sister Lena lives in Hamburg.",
        "Lena's birthday is on 3 August.",
        "I moved to Halle.",
        "My favourite editor is Helix.",
        "The lease ends on 31 May 2027.",
    )
    return study


async def test_a_question_is_answered_by_what_is_known(open_study: Study) -> None:
    known = await learned(open_study)
    for question, answers in ANSWERS:
        found = await known.facts.answering(question, MAIN)
        assert [source.fact.partition(" (since")[0] for source in found] == answers, question
        assert all(source.quote and source.id.startswith("epi_") for source in found)


async def test_what_is_known_comes_before_passages_and_not_twice(open_study: Study) -> None:
    await open_study.say("I live in Leipzig.", "Leipzig is rainy.")
    found = await KnownFirst(open_study.room.memory, open_study.facts).recall("Where do I live in Leipzig?", MAIN)
    assert found[0].fact.startswith("You live in Leipzig")
    assert [source.n for source in found] == list(range(1, len(found) + 1))
    assert len({source.id for source in found}) == len(found)


async def test_forgetting_takes_facts_lines_and_nothing_else(open_study: Study) -> None:
    ids = await open_study.say(
        "I live in Leipzig near the river.", "I moved to Halle.", "My boss is Katrin Vogel.", "The printer jams a lot."
    )
    summaries = open_study.known.summaries
    assert [one.level for one in (await summaries.list("main", MAIN)).summaries] != []
    await open_study.room.memory.forget(ForgetRequest(ids=[ids[1]]), MAIN)
    assert await open_study.texts(predicate="lives_in") == ["You live in Leipzig"]
    cited = {id for one in (await summaries.list("main", MAIN)).summaries for line in one.lines for id in line.episodes}
    assert ids[1] not in cited
    assert cited


async def test_every_line_of_a_summary_cites_memories_that_exist(open_study: Study) -> None:
    ids = await open_study.say(*(f"On day {n} we measured {n * 7} litres at station {n}." for n in range(1, 12)))
    found = (await open_study.known.summaries.list("main", MAIN)).summaries
    assert {one.level for one in found} == {"session", "week"}
    assert all(line.episodes and set(line.episodes) <= set(ids) for one in found for line in one.lines)
    assert all(len(one.lines) <= 8 for one in found)


async def test_reading_survives_a_restart_and_can_be_paused(tmp_path: Path) -> None:
    async with study(tmp_path) as one:
        one.known.extraction.pause()
        batch = EpisodeBatch(episodes=[NewEpisode(external_id="1", occurred_at=START, text="I live in Leipzig.")])
        await one.room.memory.remember(batch, spaces=MAIN)
        one.known.extraction.wake()
        assert await one.known.extraction.waiting() == 1
        assert one.known.extraction.is_paused
    async with study(tmp_path) as two:
        await two.known.extraction.settled()
        assert await two.known.extraction.waiting() == 0
        assert await two.texts() == ["You live in Leipzig"]
        two.known.extraction.pause()
        two.known.extraction.resume()
        await asyncio.wait_for(two.known.extraction.settled(), 60)


async def test_names_that_are_said_to_be_one_become_one(open_study: Study) -> None:
    await open_study.say("My friend Bob works at Volvo.", "My colleague Robert lives in Lund.")
    await open_study.say("Bob is short for Robert.")
    around = await open_study.known.network.around("main", "Bob", MAIN, 1, None, outside=False)
    assert around.entities[0].name == "Robert"
    assert around.entities[0].aliases == ["Bob"]
    assert {fact.text for fact in around.facts} >= {"Robert works at Volvo", "Robert lives in Lund"}


async def test_the_graph_is_walked(open_study: Study) -> None:
    network = (await learned(open_study)).known.network
    way = await network.path("main", "me", "Hamburg", MAIN, 4, None, outside=False)
    assert [one.name for one in way.entities] == ["me", "Lena", "Hamburg"]
    assert len(way.facts) == 2
    assert (await network.path("main", "Halle", "Hamburg", MAIN, 1, None, outside=False)).entities == []
    steps = [{"subject": "me", "predicate": "sibling", "value": "?who"}, {"subject": "?who", "value": "?what"}]
    found = await network.pattern(PatternRequest.model_validate({"steps": steps}), MAIN, outside=False)
    assert {"?who": "Lena", "?what": "Hamburg"} in found.matches
    middle = await network.central("main", MAIN, 1, None)
    assert middle.entities[0].name in ("me", "Lena")
    assert middle.cut
    with pytest.raises(NotFound):
        await network.around("main", "nobody", MAIN, 1, None, outside=False)


async def test_the_person_makes_two_one(open_study: Study) -> None:
    await open_study.say("My sister Lena lives in Hamburg.", "My friend Magdalena works at Volvo.")
    one = await open_study.known.network.merge(MergeRequest(keep="Lena", gone="Magdalena", kind="person"), MAIN)
    assert (one.name, one.aliases) == ("Lena", ["Magdalena"])
    with pytest.raises(BadRequest):
        await open_study.known.network.merge(MergeRequest(keep="Lena", gone="Magdalena", kind="person"), MAIN)


async def test_a_file_fills_the_graph_once(open_study: Study) -> None:
    file = StructuredFile(name="people.csv", text="name,email,company\nLena,l@x.example,Volvo\n,,\n")
    fill = open_study.known.filling.fill
    first = await fill(file, MAIN, trusted=True)
    assert (first.entries, first.facts, first.skipped) == (1, 2, ["entry 2: it has no name"])
    assert (await fill(file, MAIN, trusted=True)).facts == 0
    (mail,) = (await open_study.facts.list("main", MAIN, predicate="email")).facts
    (evidence,) = (await open_study.facts.why(mail.id, MAIN)).evidence
    assert "l@x.example" in evidence.quote
    for bad in ("{", "nothing"):
        with pytest.raises(BadRequest):
            await fill(StructuredFile(name="a.json", text=bad), MAIN, trusted=True)
    with pytest.raises(BadRequest):
        await fill(StructuredFile(name="a.exe", text="x"), MAIN, trusted=True)


async def test_pinned_blocks_keep_their_versions(open_study: Study) -> None:
    blocks = open_study.known.blocks
    await blocks.put("me", BlockRequest(text="I am Jo.", version=0), MAIN, by="tray")
    second = await blocks.put("me", BlockRequest(text="I am Jo Weber.", version=1), MAIN, by="cli")
    assert second.version == 2
    assert [one.text for one in (await blocks.history("main", "me", MAIN)).blocks] == ["I am Jo Weber.", "I am Jo."]
    assert [one.label for one in await blocks.pinned(MAIN)] == ["me"]
    await blocks.delete("main", "me", MAIN)
    assert (await blocks.list("main", MAIN)).blocks == []
    for call in (blocks.history("main", "me", MAIN), blocks.delete("main", "me", MAIN)):
        with pytest.raises(NotFound):
            await call


class Pointing:
    """A reader that finds one fact in every batch, and counts how often it is asked."""

    def __init__(self, failure: HearthError | None = None) -> None:
        self.failure = failure
        self.asked = 0

    async def read(self, turns: Sequence[Row]) -> Mapping[int, Sequence[Statement]]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return {turns[0]["rowid"]: [Statement("me", "owns", "a boat", START.timestamp(), (0, 5), extractor="model")]}


async def test_a_model_reads_beside_the_rules_once_a_batch(open_study: Study) -> None:
    model = Pointing()
    open_study.known.extraction.read_with(model)
    open_study.known.extraction.pause()
    batch = [
        NewEpisode(external_id=str(n), occurred_at=START, text=text)
        for n, text in enumerate(["The boat is mine.", "I live in Gdynia."])
    ]
    await open_study.room.memory.remember(EpisodeBatch(episodes=batch), spaces=MAIN)
    open_study.known.extraction.wake()
    open_study.known.extraction.resume()
    await open_study.known.extraction.settled()
    assert model.asked == 1
    assert sorted(await open_study.texts()) == ["You live in Gdynia", "You own a boat"]


async def test_without_a_model_the_rules_read_alone(open_study: Study) -> None:
    open_study.known.extraction.read_with(Pointing(NoModel("No model.", "Connect one.")))
    await open_study.say("I live in Gdynia.")
    assert await open_study.texts() == ["You live in Gdynia"]


async def test_a_clock_that_goes_backwards_closes_facts_in_the_order_in_which_they_were_said(tmp_path: Path) -> None:
    clock = Clock(START.timestamp() + 10_000_000)
    async with room(tmp_path) as one:
        extraction = Extraction(one.database, clock=clock)
        await extraction.start()
        here = Study(one, knowledge(one.database, one.memory.remember, extraction, clock=clock))
        await here.say("I live in Leipzig.")
        clock.pass_(-9_000_000)
        await here.say("I moved to Halle.")
        assert await here.texts(subject="me", predicate="lives_in") == ["You live in Halle"]
        history = (await here.facts.list("main", MAIN, predicate="lives_in", history=True)).facts
        assert [(fact.value, fact.valid_to is None) for fact in history] == [("Halle", True), ("Leipzig", False)]
        assert history[1].superseded_by == history[0].id
        await extraction.close()
