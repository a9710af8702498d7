from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from hearth_backend.memory import search
from hearth_backend.storage import driver
from hearth_shared.errors import ModelUnavailable
from hearth_shared.protocol.memory import EpisodeBatch, ForgetRequest, SearchRequest
from support.embedders import WordEmbedder
from support.rooms_of_memory import MAIN, START, Room, room, turns

pytestmark = pytest.mark.integration


async def test_without_an_embedder_search_is_by_words_and_says_so_once(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("The lease ends in May.")
        found = await one.memory.search(SearchRequest(query="lease"), MAIN)
        assert found.degraded == [search.NO_MODEL]
        assert "no embedding model: words only" in found.degraded[0]
        assert "pip install" in found.degraded[0]
        assert (found.answered_by, [hit.text for hit in found.results]) == ("words only", ["The lease ends in May."])


async def test_without_weights_it_is_the_same(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder(there=False)) as one:
        await one.keep("The lease ends in May.")
        found = await one.memory.search(SearchRequest(query="lease"), MAIN)
        assert (found.degraded, len(found.results)) == ([search.NO_MODEL], 1)


async def test_with_vectors_nothing_is_degraded(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        await one.keep("The lease ends in May.", "Tea is at four.")
        found = await one.memory.search(SearchRequest(query="lease"), MAIN)
        assert (found.degraded, found.answered_by) == ([], "exact")
        assert found.results[0].signals.dense > 0


async def test_weights_that_come_later_are_used(tmp_path: Path) -> None:
    embedder = WordEmbedder(there=False)
    async with room(tmp_path, embedder) as one:
        await one.keep("First.")
        embedder.there = True
        await one.keep("Second.")
        assert (await one.memory.search(SearchRequest(query="first"), MAIN)).answered_by == "exact"


async def test_an_embedder_that_fails_makes_it_words_only(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("The lease ends in May.")
        embedder.failure = ModelUnavailable("The file is not the right one.", "Install it again.")
        found = await one.memory.search(SearchRequest(query="lease"), MAIN)
        assert found.degraded == ["no embedding model: words only. The file is not the right one. Install it again."]
        assert len(found.results) == 1


async def test_a_turn_just_stored_is_found_by_words_before_it_is_embedded(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("Some talk of tea.", "More talk of tea.")
        await one.find("tea")
        embedder.there = False
        await one.memory.remember(EpisodeBatch(episodes=turns("A heron in the garden.")), spaces=MAIN)
        found = await one.memory.search(SearchRequest(query="heron"), MAIN)
        assert (found.results[0].text, found.answered_by) == ("A heron in the garden.", "exact")
        assert found.results[0].signals.dense == 0


async def test_the_question_is_embedded_without_the_speakers_names(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("I moved to Turin.", speaker="Ana", session="s")
        await one.find("Where did Ana move to?")
        assert "Ana" not in embedder.asked[-1]


@pytest.mark.parametrize("embedder", [None, WordEmbedder()])
async def test_the_one_who_is_asked_about_is_preferred(tmp_path: Path, embedder: WordEmbedder | None) -> None:
    async with room(tmp_path, embedder) as one:
        await one.keep("I moved to Turin.", speaker="Ana", session="a", start=START)
        await one.keep("I moved to Porto.", speaker="Bo", session="b", start=START)
        assert (await one.texts("Where did Bo move to?"))[0] == "I moved to Porto."
        assert (await one.texts("Where did Ana move to?"))[0] == "I moved to Turin."


async def test_a_named_month_is_preferred(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("We had soup for lunch.", start=START + timedelta(200), prefix="later")
        await one.keep("We had soup for lunch.", start=START, prefix="in May")
        assert (await one.find("What did we have for lunch in May 2025?"))[0].occurred_at == START


async def test_the_answer_beside_the_words_is_found(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("Do you still bake?", "Every weekend, mostly rye.", session="s")
        await one.keep("Unrelated.", session="t")
        assert set(await one.texts("bake")) == {"Do you still bake?", "Every weekend, mostly rye."}


async def test_results_can_be_held_to_sources_and_times(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("tea at noon", source="person")
        await one.keep("tea at ten", source="mail", start=START + timedelta(days=1))
        assert await one.texts("tea", sources=["mail"]) == ["tea at ten"]
        assert await one.texts("tea", before=START + timedelta(hours=1)) == ["tea at noon"]
        assert await one.texts("tea", after=START + timedelta(hours=1)) == ["tea at ten"]
        assert await one.texts("tea", sources=["nobody"]) == []


async def test_a_large_space_gives_the_same_first_hits_as_a_small_one(tmp_path: Path) -> None:
    texts = ["thing3 thing4 " * (number % 9) + "filler " * number for number in range(1, 40)]
    found: list[list[str]] = []
    for name, large in (("small", 1000), ("large", 10)):
        (tmp_path / name).mkdir()
        async with room(tmp_path / name, WordEmbedder(), exact_below=large) as one:
            await one.keep(*texts)
            found.append(await one.texts("thing3 and thing4", k=8))
    assert found[0] == found[1]


async def test_a_space_that_outgrows_its_size_is_searched_as_a_large_one(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder(), exact_below=2) as one:
        await one.keep("first heron")
        assert await one.texts("heron") == ["first heron"]
        await one.keep(*(f"heron {number}" for number in range(9)))
        for _ in range(2):
            assert len(await one.texts("heron")) == 10


async def test_a_rebuilt_shelf_ranks_as_the_one_that_grew(tmp_path: Path) -> None:
    texts = [f"Talk of thing{number % 6} and thing{number % 4}." for number in range(30)]
    async with room(tmp_path, WordEmbedder()) as one:
        await one.keep(texts[0], session="s")
        await one.texts("thing1")
        await one.keep(*texts[1:], session="s")
        grown = [(hit.id, hit.score) for hit in await one.find("thing1 thing3")]
    async with room(tmp_path, WordEmbedder()) as one:
        assert [(hit.id, hit.score) for hit in await one.find("thing1 thing3")] == grown


@pytest.mark.parametrize("large", [1000, 10])
async def test_a_question_finds_the_same_ten_in_the_same_order_also_after_a_restore(tmp_path: Path, large: int) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()

    async def asked(one: Room) -> list[list[tuple[str, float]]]:
        found = [await one.find(query, k=10) for query in ("heron", "heron and tea", "the lease")]
        return [[(hit.id, hit.score) for hit in hits] for hits in found]

    async with room(tmp_path, WordEmbedder(), exact_below=large) as one:
        for number in range(8):  # the same words again and again: most of them rank alike
            await one.keep("a heron", "some tea", "the lease", session=str(number), prefix=str(number))
        await asked(one)  # from here on it is held in memory, and follows what comes and goes
        ids = await one.keep("a heron", "more tea", prefix="gone")
        await one.memory.forget(ForgetRequest(ids=ids, dry_run=False), MAIN)
        await one.keep("a heron", prefix="late")
        first, again = await asked(one), await asked(one)
    with closing(driver.connect(tmp_path / "hearth.db")) as connection:
        connection.execute("vacuum into ?", (str(restored / "hearth.db"),))
    assert again == first
    assert all(len(hits) == 10 for hits in first)
    async with room(restored, WordEmbedder(), exact_below=large) as one:
        assert await asked(one) == first
