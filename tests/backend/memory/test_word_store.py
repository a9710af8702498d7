from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_backend.memory import store, word_store
from hearth_backend.memory.evidence import one_term
from hearth_backend.memory.ranking import TermHits, bm25
from hearth_backend.memory.shelf import Shelf
from hearth_backend.memory.store import Scratch
from hearth_backend.memory.word_store import Stems
from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import migrate
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.memory import NewEpisode

pytestmark = pytest.mark.unit
WORDS = ("heron", "herons", "lease", "tea", "Ana")
texts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=8)
AT = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Generator[Connection]:
    path: Path = tmp_path_factory.mktemp("words") / "hearth.db"
    with closing(driver.connect(path, synchronous="OFF")) as connection:
        migrate(connection, path, MIGRATIONS)
        yield connection


@pytest.fixture(scope="module")
def stems() -> Generator[Stems]:
    one = Stems()
    yield one
    one.close()


def kept(connection: Connection, *said: str, session: str = "s", space: str = "main") -> list[int]:
    """The rows of new turns, in the order given; nothing else is stored."""
    connection.execute("delete from episode")
    turns = [
        NewEpisode(external_id=str(place), occurred_at=AT, session=session, speaker="Bo", text=text)
        for place, text in enumerate(said)
    ]
    return store.add(connection, space, turns, None, True, 0.0).touched


def shelf_of(connection: Connection) -> Shelf:
    shelf = Shelf(0)
    shelf.put(store.turns(connection, "main", ""))
    return shelf


@settings(max_examples=40)
@given(said=texts)
def test_a_row_is_named_as_often_as_the_word_stands_in_it(emptied: Connection, stems: Stems, said: list[str]) -> None:
    rows = kept(emptied, *said)
    found = Counter[int](word_store.occurrences(emptied, "heron", stems.of("heron")).tolist())
    stand = {row: sum(word.startswith("heron") for word in text.split()) for row, text in zip(rows, said, strict=True)}
    assert found == {row: times for row, times in stand.items() if times}


@settings(max_examples=40)
@given(said=texts)
def test_words_tell_as_much_as_in_fts5s_own_ranking(emptied: Connection, stems: Stems, said: list[str]) -> None:
    kept(emptied, *said)
    shelf = shelf_of(emptied)
    for word in ("heron", "lease"):
        hit = one_term(emptied, word, shelf.size, shelf, stems)
        ours = bm25([hit], shelf.size)[0]
        with Scratch(said) as scratch:
            theirs = np.zeros(len(said))
            for place, score in scratch.occurrences(word):
                theirs[place] = score
        assert ours[shelf.places(sorted(shelf.rowids))] == pytest.approx(theirs)


@settings(max_examples=40)
@given(said=texts, session=st.sampled_from(["", "s"]))
def test_a_turn_knows_the_words_beside_it_in_its_session_alone(
    emptied: Connection, stems: Stems, said: list[str], session: str
) -> None:
    rows = kept(emptied, *said, session=session)
    shelf = shelf_of(emptied)
    hit = one_term(emptied, "lease", shelf.size, shelf, stems, windows=True)
    holds = ["lease" in text for text in said]
    around = [any(holds[max(0, place - 1) : place + 2]) if session else holds[place] for place in range(len(said))]
    assert {int(shelf.rowids[place]) for place in hit.places} == {
        row for row, there in zip(rows, around, strict=True) if there
    }
    assert np.count_nonzero(hit.text) == sum(holds)
    assert (hit.window > 0).all()


def test_what_is_said_in_another_space_changes_no_score(emptied: Connection, stems: Stems) -> None:
    kept(emptied, "a heron", "two herons and a lease", "tea")

    def asked() -> TermHits:
        return one_term(emptied, "heron", store.all_rows(emptied), shelf, stems, windows=True)

    shelf = shelf_of(emptied)
    alone = asked()
    others = [NewEpisode(external_id=str(place), occurred_at=AT, text="heron " * place) for place in range(1, 9)]
    store.add(emptied, "work", others, None, True, 0.0)
    beside = asked()
    assert (alone.rows, alone.having, beside.rows, beside.having) == (3, 2, 11, 10)
    for before, after in zip(bm25([alone], 3), bm25([beside], 3), strict=True):
        assert before.tolist() == after.tolist()
        assert before.any()


def test_a_word_is_what_the_index_makes_of_it(stems: Stems) -> None:
    assert list(stems.of("herons")) == list(stems.of("heron")) == ["heron"]
    assert list(stems.of("cafés")) == ["cafe"]


@settings(max_examples=40)
@given(word=st.text(min_size=1, max_size=12).filter(str.isalnum))
def test_any_word_can_be_looked_up(emptied: Connection, stems: Stems, word: str) -> None:
    rows = kept(emptied, f"so {word} it is", "nothing")
    found = word_store.occurrences(emptied, word.lower(), stems.of(word.lower()))
    assert set(found.tolist()) <= set(rows)
    if word.isascii():
        assert rows[0] in found


def test_a_word_that_the_index_splits_is_looked_for_as_a_phrase(emptied: Connection) -> None:
    rows = kept(emptied, "one two", "two one")
    assert word_store.occurrences(emptied, "one two", ["one", "two"]).tolist() == [rows[0]]
    assert not len(word_store.occurrences(emptied, "…", []))


def test_many_threads_may_ask_for_words_at_once(stems: Stems) -> None:
    with ThreadPoolExecutor(4) as threads:
        asked = [f"word{number % 50}s" for number in range(400)]
        assert [list(found) for found in threads.map(stems.of, asked)] == [[word[:-1]] for word in asked]
