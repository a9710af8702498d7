import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_backend.memory import facts_store, store, vector_store
from hearth_backend.memory.text import said, windows
from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import migrate
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.memory import NewEpisode

pytestmark = pytest.mark.integration
START = datetime(2025, 1, 1, tzinfo=UTC)
Batch = list[tuple[int, str, int]]


@contextmanager
def opened() -> Generator[Connection]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hearth.db"
        with closing(driver.connect(path, synchronous="OFF")) as connection:
            migrate(connection, path, MIGRATIONS)
            yield connection


@pytest.fixture
def connection() -> Generator[Connection]:
    with opened() as connection:
        yield connection


def episode(text: str, *, session: str = "s", minute: int = 0, id: str = "") -> NewEpisode:
    at = START + timedelta(minutes=minute)
    return NewEpisode(external_id=id or text, session=session, speaker="Ana", occurred_at=at, text=text)


def add(connection: Connection, *episodes: NewEpisode, space: str = "main") -> store.Added:
    return store.add(connection, space, episodes, None, True, 0.0)


def window_of(connection: Connection, text: str) -> str:
    return connection.execute("select window from episode where text = ?", (text,)).fetchone()[0]


def forget(connection: Connection, *texts: str) -> store.Removed:
    marks = ",".join("?" * len(texts))
    rows = connection.execute(f"select rowid, * from episode where text in ({marks})", texts).fetchall()
    return store.remove(connection, rows)


def test_a_turn_brings_the_window_of_the_one_before_up_to_date(connection: Connection) -> None:
    add(connection, episode("one"))
    add(connection, episode("two", minute=1))
    assert window_of(connection, "one") == window_of(connection, "two") == "Ana: one Ana: two"


def test_a_turn_that_arrives_late_takes_its_place(connection: Connection) -> None:
    add(connection, episode("one"), episode("three", minute=2))
    add(connection, episode("two", minute=1))
    assert window_of(connection, "two") == "Ana: one Ana: two Ana: three"
    assert window_of(connection, "three") == "Ana: two Ana: three"


def test_turns_without_a_session_stand_alone(connection: Connection) -> None:
    add(connection, episode("one", session=""), episode("two", session=""))
    assert window_of(connection, "one") == "Ana: one"


def test_the_same_session_name_in_another_space_is_another_session(connection: Connection) -> None:
    add(connection, episode("one"))
    add(connection, episode("two", minute=1), space="work")
    assert window_of(connection, "two") == "Ana: two"


def test_the_same_episode_twice_in_a_batch_is_stored_once(connection: Connection) -> None:
    added = add(connection, episode("one", id="x"), episode("changed", id="x"))
    assert (added.new, len(set(added.ids))) == (1, 1)
    assert window_of(connection, "one") == "Ana: one"


def test_what_was_stored_or_mended_is_queued_for_its_vectors(connection: Connection) -> None:
    add(connection, episode("one"))
    vector_store.put_vectors(connection, "m", 1, [], up_to=10)
    added = add(connection, episode("two", minute=1))
    waiting = vector_store.waiting(connection, "m", 50)
    assert waiting is not None
    assert sorted(rowid for rowid, _, _, _ in waiting.rows) == sorted(added.touched)


def test_a_vector_of_an_episode_that_is_gone_is_not_kept(connection: Connection) -> None:
    rowid = add(connection, episode("one")).touched[0]
    forget(connection, "one")
    vector_store.put_vectors(connection, "m", 1, [(rowid, "text", b"vector")], up_to=10)
    assert store.vectors_of(connection, [rowid]) == 0


def test_forgetting_takes_the_vectors_of_every_model(connection: Connection) -> None:
    rowid = add(connection, episode("one")).touched[0]
    for model in ("a", "b"):
        vector_store.put_vectors(connection, model, 1, [(rowid, "text", b"v"), (rowid, "window", b"w")], up_to=0)
    assert forget(connection, "one").vectors == 4
    assert connection.execute("select count(*) from outbox").fetchone()[0] == 0


def test_a_fact_with_another_source_outlives_a_forgotten_one(connection: Connection) -> None:
    one, two = add(connection, episode("one"), episode("two", session="t")).touched
    for subject, predicate, value, source in (
        ("Ana", "likes", "tea", one),
        ("Ana", "likes", "tea", two),
        ("T", "is", "far", one),
    ):
        facts_store.put(connection, facts_store.Claim("main", subject, predicate, value, 1.0, 2.0, source))
    assert len(facts_store.facts_of(connection, [one])) == 1
    assert forget(connection, "one").facts == 1
    assert [row["value"] for row in connection.execute("select value from fact")] == ["tea"]
    assert [row["name"] for row in connection.execute("select name from entity")] == ["Ana"]


def test_another_models_vectors_are_dropped_and_its_episodes_queued(connection: Connection) -> None:
    rowid = add(connection, episode("one")).touched[0]
    vector_store.put_vectors(connection, "old", 1, [(rowid, "text", b"v")], up_to=10)
    assert vector_store.enqueue_missing(connection, "new") == 1
    assert vector_store.enqueue_missing(connection, "new") == 0
    assert vector_store.drop_other_models(connection, "new", 10)
    assert not vector_store.drop_other_models(connection, "new", 10)
    assert store.vectors_of(connection, [rowid]) == 0


def test_all_spaces_that_hold_something_are_found(connection: Connection) -> None:
    for space in ("work", "main", "home"):
        add(connection, episode("one"), space=space)
    assert store.spaces(connection) == ["home", "main", "work"]


def index_bytes(connection: Connection) -> bytes:
    return b"".join(row[0] for row in connection.execute("select block from episode_fts_data"))


def test_the_word_index_forgets_in_steps_that_end(connection: Connection) -> None:
    for number in range(200):
        add(connection, episode(f"heron {number}", minute=number))
    add(connection, episode("zanzibar", session="t"))
    forget(connection, "zanzibar")
    assert b"zanzibar" in index_bytes(connection)
    steps = 0
    while store.merge_words(connection, steps == 0):
        steps += 1
    assert steps < 100
    assert b"zanzibar" not in index_bytes(connection)


batches = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", "a", "b"]), st.integers(0, 5)), max_size=6)


@given(st.lists(st.one_of(batches, st.integers(0, 9)), max_size=8))
@settings(max_examples=60, deadline=None)
def test_windows_and_words_are_right_after_any_storing_and_forgetting(changes: list[Batch | int]) -> None:
    with opened() as connection:
        for change in changes:
            if isinstance(change, int):
                forget(connection, f"text{change}")
            else:
                new = [episode(f"text{n}", session=session, minute=minute) for n, session, minute in change]
                add(connection, *new)
        _check_windows(connection)
        connection.execute("insert into episode_fts(episode_fts, rank) values ('integrity-check', 1)")


def _check_windows(connection: Connection) -> None:
    rows = connection.execute("select * from episode order by occurred_at, rowid").fetchall()
    for row in rows:
        line = [other for other in rows if other["session"] == row["session"] != ""] or [row]
        expected = windows([said(other["speaker"], other["text"]) for other in line])
        assert row["window"] == expected[[other["id"] for other in line].index(row["id"])]
