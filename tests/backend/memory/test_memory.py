import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.memory import documents
from hearth_shared.errors import BadRequest, HearthError, NotFound, StorageFull
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import EpisodeBatch, ForgetRequest, SearchRequest
from hearth_shared.protocol.tasks import FileText
from support.clock import Clock
from support.embedders import WordEmbedder, need_minilm
from support.rooms_of_memory import MAIN, START, Room, room, turns
from support.small_disk import small_disk

pytestmark = pytest.mark.integration
HOSTILE = [
    '"x',
    "a AND",
    "col:",
    "-",
    "NEAR(",
    "*",
    "\x00",
    "🚀",
    "a OR OR b",
    "text : (",
    "^a",
    "') --",
    "\ufffe",
    "ॐ ्",
]
ALICE = "Alice keeps herons."


async def test_what_is_stored_is_found(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        ids = await one.keep("The staging server is called Anemone.", speaker="me", session="s", source="person")
        hit = (await one.find("what is the staging server called?"))[0]
        assert (hit.id, hit.text, hit.speaker, hit.session, hit.space) == (
            *(ids[0], "The staging server is called Anemone.", "me"),
            *("s", "main"),
        )
        assert (hit.external_id, hit.occurred_at, hit.trusted) == ("The staging server is called Anemone.", START, True)
        assert hit.score == pytest.approx(sum(hit.signals.model_dump().values()), abs=1e-4)


async def test_storing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        first = await one.memory.remember(EpisodeBatch(episodes=turns("a b", "c d")), spaces=MAIN)
        again = await one.memory.remember(EpisodeBatch(episodes=turns("c d", "a b", "e f")), spaces=MAIN)
        assert (first.new, again.new) == (2, 1)
        assert again.ids[:2] == first.ids[::-1]
        assert (await one.memory.counts())["episodes"] == 3


async def test_what_is_stored_is_announced_without_its_text(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep(ALICE)
        await one.keep(ALICE)
        assert one.heard.events == [(EventType.MEMORY_STORED, {"space": "main", "ids": ids, "new": 1})]


async def test_where_text_comes_from_is_kept(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.memory.remember(EpisodeBatch(episodes=turns(ALICE)), spaces=MAIN, thread_id="thr_1", trusted=False)
        assert (await one.find("herons"))[0].trusted is False
        assert (await one.database.fetch("select thread_id from episode"))[0]["thread_id"] == "thr_1"


async def test_a_space_that_one_may_not_see_is_not_there(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep(ALICE, space="secret")
        calls = (
            one.memory.search(SearchRequest(space="secret", query="herons"), MAIN),
            one.memory.remember(EpisodeBatch(space="secret", episodes=turns("x")), spaces=MAIN),
            one.memory.list("secret", MAIN),
            one.memory.forget(ForgetRequest(ids=ids), MAIN),
            one.memory.forget(ForgetRequest(ids=ids, dry_run=True), MAIN),
        )
        for call in calls:
            with pytest.raises(NotFound):
                await call
        assert (await one.memory.counts())["episodes"] == 1


async def test_spaces_are_those_that_hold_something_and_main(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        assert await one.memory.spaces() == {"main"}
        await one.keep(ALICE, space="work")
        assert await one.memory.spaces() == {"main", "work"}


@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
async def test_spaces_never_leak(tmp_path: Path, embedder: WordEmbedder | None) -> None:
    async with room(tmp_path, embedder) as one:
        for space in ("main", "work", "home"):
            await one.keep(*(f"heron {number} of {space}" for number in range(8)), space=space, session="s")
        for space in ("main", "work", "home"):
            found = await one.find("heron of work", space, k=200)
            assert {hit.space for hit in found} == {space}
            assert all(hit.text.endswith(space) for hit in found)
        assert all("main" in source.location for source in await one.memory.recall("heron 1 of work", MAIN))


async def test_what_is_stored_in_another_space_does_not_change_a_score(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("a heron", "a swan and a heron", "a duck")
        before = [(hit.id, hit.score) for hit in await one.find("swan heron")]
        await one.keep(*(f"swan {number}" for number in range(50)), space="work")
        after = [(hit.id, hit.score) for hit in await one.find("swan heron")]
        assert [id for id, _ in after] == [id for id, _ in before]
        assert [score for _, score in after] == pytest.approx([score for _, score in before], rel=0.1)


@pytest.mark.parametrize("query", HOSTILE)
@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
async def test_a_hostile_query_is_a_query(tmp_path: Path, query: str, embedder: WordEmbedder | None) -> None:
    async with room(tmp_path, embedder) as one:
        await one.keep(ALICE)
        await one.find(query)
        await one.memory.recall(query, MAIN)
        await one.memory.rank_passages(query, [FileText(name="f", text=ALICE)])


async def _ask_anything(one: Room, text: str) -> None:
    try:
        await one.find(text[:4000] or "x")
        await one.memory.recall(text, MAIN)
    except HearthError as error:
        pytest.fail(f"{text!r}: {error}")


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=12))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_text_breaks_storing_searching_or_forgetting(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    async def live() -> None:
        async with room(tmp_path_factory.mktemp("any"), WordEmbedder()) as one:
            ids = await one.keep(*dict.fromkeys(texts), session="s")
            for text in texts:
                await _ask_anything(one, text)
            await one.memory.forget(ForgetRequest(ids=ids), MAIN)
            assert (await one.memory.counts())["episodes"] == 0

    asyncio.run(live())


async def test_an_exact_text_is_its_own_best_hit(tmp_path: Path) -> None:
    texts = [f"On day {number} the heron{number} met {'a' * (number + 1)} swan." for number in range(25)]
    async with room(tmp_path, WordEmbedder()) as one:
        await one.keep(*texts)
        for text in texts:
            assert (await one.texts(text))[0] == text


async def test_an_empty_space_finds_nothing(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        assert await one.texts("anything") == []


async def test_a_token_budget_is_kept(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("heron " * 100, "heron one", "heron two")
        found = await one.find("heron", token_budget=20)
        assert sorted(hit.text for hit in found) == ["heron one", "heron two"]
        assert (await one.find("heron", token_budget=1))[0].text in ("hero", "heron one"[:4])


async def test_episodes_are_listed_newest_first_page_by_page(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep(*"abcde")
        listed: list[str] = []
        after: str | None = None
        while True:
            page = await one.memory.list("main", MAIN, limit=2, after=after)
            listed += [episode.text for episode in page.episodes]
            if (after := page.next) is None:
                break
        assert listed == list("edcba")


@pytest.mark.parametrize("cursor", ["", "x", "1/2/3", "nan", "1.0/x"])
async def test_a_place_that_is_none_is_said_to_be_wrong(tmp_path: Path, cursor: str) -> None:
    async with room(tmp_path) as one:
        with pytest.raises(BadRequest):
            await one.memory.list("main", MAIN, after=cursor)


async def test_the_real_model_finds_by_meaning_what_words_do_not(tmp_path: Path) -> None:
    need_minilm()
    embedder = MiniLMEmbedder(tmp_path / "minilm")
    async with room(tmp_path, embedder) as one:
        await one.keep("My automobile is at the garage.", "The soup was cold.", "Bo sings in a choir.")
        assert (await one.texts("where is the car?"))[0] == "My automobile is at the garage."
    await embedder.close()


# -- forgetting


async def test_a_dry_run_lists_what_would_go_and_changes_nothing(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        ids = await one.keep(ALICE)
        planned = await one.memory.forget(ForgetRequest(ids=ids, dry_run=True), MAIN)
        assert ([episode.text for episode in planned.episodes], planned.vectors, planned.dry_run) == ([ALICE], 2, True)
        assert await one.texts("herons") == [ALICE]
        done = await one.memory.forget(ForgetRequest(ids=ids), MAIN)
        assert (done.episodes, done.vectors, done.dry_run) == (planned.episodes, 2, False)


async def test_what_is_forgotten_is_found_by_nobody(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        kept = await one.keep("Bo keeps swans.", ALICE, "Bo sings.", session="s")
        await one.texts("herons")
        await one.memory.forget(ForgetRequest(ids=[kept[1]], for_good=True), MAIN)
        assert ALICE not in await one.texts("alice herons", k=200)
        await one.memory.settled()
        assert all("Alice" not in source.quote for source in await one.memory.recall("alice herons", MAIN))
        assert ALICE not in (await one.database.fetch("select group_concat(window) from episode"))[0][0]
        assert one.heard.events[-1] == (EventType.MEMORY_FORGOTTEN, {"ids": [kept[1]]})


async def test_forgetting_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        kept = await one.keep("Bo keeps swans.", "Zanzibar herons: xylograph", "Bo sings.", session="s")
        await one.texts("zanzibar")
        await one.memory.forget(ForgetRequest(ids=[kept[1]], for_good=True), MAIN)
        await one.memory.settled()
    left = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("hearth.db*")))
    assert b"swans" in left
    for trace in (b"Zanzibar", b"zanzibar", b"xylograph", b"herons"):
        assert trace not in left


async def test_all_is_forgotten_or_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep(ALICE)
        with pytest.raises(NotFound, match="nothing was forgotten"):
            await one.memory.forget(ForgetRequest(ids=[*ids, "epi_unknown"]), MAIN)
        assert await one.texts("herons") == [ALICE]


# -- recall


async def test_recall_answers_from_memory_with_where_it_knows_it_from(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder(), help=documents.shipped()) as one:
        ids = await one.keep("Ana works at the harbour office.", speaker="me")
        source = (await one.memory.recall("where does Ana work?", MAIN))[0]
        assert (source.n, source.kind, source.id, source.quote) == (
            1,
            "memory",
            ids[0],
            "Ana works at the harbour office.",
        )
        assert (source.speaker, source.occurred_at) == ("me", START.timestamp())
        assert all(one.kind == "memory" for one in await one.memory.recall("where does Ana work?", MAIN))


@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("what can you do?", "hearth.md#what-can-hearth-do-what-can-you-do"),
        ("How do I connect VS Code?", "editors.md#how-do-i-connect-vs-code"),
        ("what is Hearth?", "hearth.md#what-is-hearth-who-are-you"),
        ("how do I connect ollama", "models.md#how-do-i-connect-ollama"),
        ("What leaves this machine?", "privacy.md#what-leaves-this-machine-do-you-send-my-data-anywhere"),
    ],
)
async def test_hearth_answers_questions_about_itself(
    tmp_path: Path, question: str, page: str, embedder: WordEmbedder | None
) -> None:
    async with room(tmp_path, embedder, help=documents.shipped()) as one:
        await one.keep("Ana works at the harbour office.", "We met in the machine room.", speaker="me")
        source = (await one.memory.recall(question, MAIN))[0]
        assert (source.kind, source.id, source.location) == ("docs", page, f"help/{page}")
        assert source.quote


async def test_what_nobody_told_is_not_known(tmp_path: Path) -> None:
    async with room(tmp_path, help=documents.shipped()) as one:
        await one.keep("Ana works at the harbour office.")
        assert await one.memory.recall("what is the capital of France?", MAIN) == []
        assert await one.memory.recall("  ", MAIN) == []


async def test_a_long_memory_is_quoted_where_it_answers(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("\n\n".join(["Filler text. " * 40, "The heron nests in the old mill.", "More filler. " * 60]))
        source = (await one.memory.recall("where does the heron nest?", MAIN))[0]
        assert "old mill" in source.quote
        assert len(source.quote) < 1200


async def test_changed_help_is_read_anew(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.md").write_text("# A\n\n## How do I use the heron?\n\nFeed it fish.\n", "utf-8")
    async with room(tmp_path, help=pages) as one:
        assert (await one.memory.recall("how do I use the heron?", MAIN))[0].quote == "Feed it fish."
    (pages / "a.md").write_text("# A\n\n## How do I use the heron?\n\nLeave it alone.\n", "utf-8")
    async with room(tmp_path, help=pages) as one:
        assert [source.quote for source in await one.memory.recall("how do I use the heron?", MAIN)] == [
            "Leave it alone."
        ]
        assert await one.memory.counts() == {"episodes": 0, "documentation": 1, "waiting": 1}


async def test_nobody_writes_or_forgets_hearths_own_help(tmp_path: Path) -> None:
    async with room(tmp_path, help=documents.shipped()) as one:
        seen = {"main", documents.SPACE}
        page = (await one.find("ollama", documents.SPACE))[0]
        with pytest.raises(NotFound):
            await one.memory.remember(EpisodeBatch(space=documents.SPACE, episodes=turns("Obey me.")), spaces=seen)
        with pytest.raises(NotFound):
            await one.memory.forget(ForgetRequest(ids=[page.id]), seen)


async def test_what_ranking_needs_is_let_go_when_nobody_searches(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder(), embedder_idle_s=0) as one:
        await one.keep(ALICE)
        for _ in range(3):
            assert await one.texts("herons") == [ALICE]
            await asyncio.sleep(0)


async def test_a_crash_right_after_storing_loses_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.memory.remember(EpisodeBatch(episodes=turns(ALICE)), spaces=MAIN)
        copy = tmp_path / "copy"
        copy.mkdir()
        for path in tmp_path.glob("hearth.db*"):
            (copy / path.name).write_bytes(path.read_bytes())
    async with room(copy, WordEmbedder()) as one:
        assert await one.texts("herons") == [ALICE]


async def test_a_clock_that_goes_backwards_loses_nothing_and_turns_no_order(tmp_path: Path) -> None:
    clock = Clock(1_750_000_000.0)
    async with room(tmp_path, clock=clock) as one:
        await one.keep("The first thing about the boat.", session="s")
        clock.pass_(-400 * 86_400)
        await one.keep("The second thing about the boat.", start=START + timedelta(minutes=1), session="s")
        await one.keep("The first thing about the boat.", session="s")
        listed = (await one.memory.list("main", MAIN)).episodes
        assert [episode.text[:10] for episode in listed] == ["The second", "The first "]
        (hit,) = await one.find("first boat", k=1, neighbours=1)
        assert [beside.text[:10] for beside in hit.neighbours] == ["The second"]
    async with room(tmp_path, clock=clock) as again:
        assert len(await again.texts("boat")) == 2


@pytest.mark.logs("hearth_backend.storage", "hearth_backend.memory")
async def test_on_a_full_disk_memory_is_read_only_and_goes_on_by_itself_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        async with room(disk.path) as one:
            await one.keep("The lighthouse keeper is called Ingeborg.")
            disk.fill()
            for n in range(3):
                batch = EpisodeBatch(episodes=turns(*(f"{n} {m} {'long ' * 300}" for m in range(40))))
                with pytest.raises(StorageFull):
                    await one.memory.remember(batch, spaces=MAIN)
                assert await one.texts("lighthouse keeper") == ["The lighthouse keeper is called Ingeborg."]
            assert (await one.memory.counts())["episodes"] == 1
            disk.free()
            await one.keep("The harbour master is called Olaf.")
            assert len(await one.texts("called")) == 2
