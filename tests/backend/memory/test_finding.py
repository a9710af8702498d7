from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_backend.memory import entity_store
from hearth_backend.storage.driver import Connection
from hearth_shared.protocol.memory import NewEpisode, SearchRequest
from support.embedders import WordEmbedder
from support.rooms_of_memory import MAIN, START, room

pytestmark = pytest.mark.integration

HOSTILE = [
    '"x',
    "a AND",
    "col:",
    "-",
    "NEAR(",
    "*",
    "\x00",
    "a\x00b",
    "🚀",
    "שלום עולם",
    "' or 1=1 --",
    "{text} : x",
    "()",
    "^a",
]


async def test_results_can_be_held_to_sites_projects_and_doors(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("tea in the news", source="https://news.example.org/a")
        await one.keep("tea in the plan", project="garden")
        await one.keep("tea elsewhere", source="https://other.example/b")
        assert await one.texts("tea", sites=["example.org"]) == ["tea in the news"]
        assert await one.texts("tea", projects=["garden"]) == ["tea in the plan"]
        assert await one.texts("tea", doors=["browser"]) == []
        assert len(await one.texts("tea", sites=["other.example", "Example.org."])) == 2


async def test_by_words_alone_nothing_is_asked_of_the_model(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("The lease ends in May.", "Tea is at four.")
        await one.find("lease")
        asked = len(embedder.asked)
        found = await one.memory.search(SearchRequest(query="lease", words_only=True), MAIN)
        assert (found.answered_by, found.degraded, len(embedder.asked)) == ("words only", [], asked)
        assert [hit.text for hit in found.results][:1] == ["The lease ends in May."]
        assert all(hit.signals.dense == 0 for hit in found.results)


async def test_a_hit_is_shown_with_what_was_said_beside_it(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("One.", "Two.", "A heron.", "Three.", "Four.", session="s", speaker="Ana")
        await one.keep("Another talk.", session="t")
        hit = (await one.find("heron", neighbours=1))[0]
        assert [(turn.distance, turn.text) for turn in hit.neighbours] == [(-1, "Two."), (1, "Three.")]
        assert (await one.find("heron"))[0].neighbours == []


async def test_each_hit_says_why_what_counted_most_first(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        await one.keep("I moved to Turin.", speaker="Ana", session="a")
        await one.keep("Tea is at four.", speaker="Bo", session="b")
        hit = (await one.find("Where did Ana move to?"))[0]
        assert any(reason.startswith("Ana said it, and the question names Ana") for reason in hit.why)
        assert len(hit.why) == sum(abs(share) >= 0.005 for _, share in hit.signals)
        assert "words" in hit.why[0]


async def test_what_the_first_findings_name_leads_to_what_they_leave_open(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        sisters = ["My sister is called Berta.", *(f"My sister likes thing{place}." for place in range(2))]
        await one.keep(*sisters, session="a", speaker="Ana")
        for place in range(8):
            await one.keep(f"I have work at place{place}.", session=f"w{place}", speaker="Bo", prefix=str(place))
        await one.keep(*(f"Tea number{place} was good." for place in range(30)), session="t", prefix="t")
        await one.keep("The mint is where Berta has work.", session="d", speaker="Bo", prefix="d")
        hits = {hit.text: hit for hit in await one.find("Where does the sister of Ana work?", k=20)}
        assert hits["The mint is where Berta has work."].signals.hop > 0
        assert any("speaks of Berta" in reason for reason in hits["The mint is where Berta has work."].why)
        assert hits["I have work at place3."].signals.hop == 0


@pytest.mark.parametrize("query", HOSTILE)
async def test_no_question_can_break_the_search(tmp_path: Path, query: str) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        await one.keep("The lease ends in May.", "🚀 a launch", "שלום עולם", "a\x00b")
        await one.find(query, neighbours=2)
        await one.find(query, words_only=True, sources=[query], sites=[query], projects=[query])
        await one.memory.recall(query, MAIN)


async def test_text_of_any_kind_is_kept_and_found_again(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        long = "word " * 38_000 + "lastword"
        await one.keep(long, "مرحبا بالعالم", "🚀🚀🚀", "nul\x00nul")
        assert (await one.texts("lastword", words_only=True)) == [long]
        assert (await one.texts("مرحبا"))[0] == "مرحبا بالعالم"
        assert (await one.find("lastword", token_budget=50, words_only=True))[0].text == long[:200]


def test_an_empty_text_is_no_memory_and_a_megabyte_is_refused() -> None:
    for text in ("", "x" * 1_000_000):
        with pytest.raises(ValueError, match="string_too"):
            NewEpisode(external_id="x", occurred_at=START, text=text)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(query=st.text(min_size=1, max_size=200))
async def test_whatever_is_asked_is_answered(tmp_path: Path, query: str) -> None:
    (home := tmp_path / query.encode().hex()[:40]).mkdir(exist_ok=True)
    async with room(home) as one:
        await one.memory.search(SearchRequest(query=query, neighbours=1), MAIN)
        await one.memory.recall(query, MAIN)


async def test_somebody_with_two_names_is_found_by_either(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        await one.keep(*(f"Tea number{place} was good." for place in range(30)), session="t", prefix="t")
        await one.keep("Magdalena grows peas.", session="m", prefix="m")

        def same(connection: Connection) -> None:
            lena = entity_store.resolve(connection, "main", "Lena")
            entity_store.add_alias(connection, "main", lena, "Magdalena")

        await one.database.write(same)
        hit = (await one.find("What does Lena do?"))[0]
        assert hit.text == "Magdalena grows peas."
        assert any("speaks of Magdalena" in reason for reason in hit.why)
