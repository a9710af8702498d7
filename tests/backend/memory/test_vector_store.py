from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_backend.memory import store, vector_store
from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import hearth, migrate
from support.rooms_of_memory import turns

pytestmark = pytest.mark.integration
M = "model"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    connection = driver.connect(tmp_path / "hearth.db")
    migrate(connection, tmp_path / "hearth.db", hearth.MIGRATIONS)
    yield connection
    connection.close()


def add(connection: Connection, *texts: str) -> list[int]:
    return store.add(connection, "main", turns(*texts), None, True, 0.0).touched


def put(connection: Connection, rowids: Sequence[int], vector: bytes = b"12345678rest", model: str = M) -> None:
    vector_store.put_vectors(connection, model, 3, [(rowid, "text", vector) for rowid in rowids], 1 << 60)


def forget(connection: Connection, rowid: int) -> None:
    store.remove(connection, connection.execute("select rowid, * from episode where rowid = ?", (rowid,)).fetchall())


def test_nothing_is_noted_before_an_index_is_begun(connection: Connection) -> None:
    put(connection, add(connection, "one"))
    assert vector_store.feed(connection, M, 10) is None
    vector_store.begin_index(connection, M)
    assert vector_store.feed(connection, M, 10) is None
    put(connection, add(connection, "two"))
    assert vector_store.feed_size(connection, M) == (1, 0)


def test_what_comes_changes_and_goes_is_told_as_it_is_now(connection: Connection) -> None:
    vector_store.begin_index(connection, M)
    kept, changed, gone = add(connection, "one", "two", "three")
    put(connection, [kept, changed, gone], b"11111111")
    put(connection, [changed], b"22222222")
    forget(connection, gone)
    feed = vector_store.feed(connection, M, 100)
    assert feed is not None
    assert sorted(feed.put) == [
        (vector_store.key(kept, b"11111111"), b"11111111"),
        (vector_store.key(changed, b"22222222"), b"22222222"),
    ]
    assert set(feed.remove) == {vector_store.key(changed, b"11111111"), vector_store.key(gone, b"11111111")}
    vector_store.feed_told(connection, M, feed.up_to)
    assert vector_store.feed(connection, M, 100) is None


def test_a_vector_that_is_put_again_unchanged_is_not_noted(connection: Connection) -> None:
    vector_store.begin_index(connection, M)
    rowids = add(connection, "one")
    put(connection, rowids)
    put(connection, rowids)
    assert vector_store.feed_size(connection, M) == (1, 0)


def test_a_row_number_given_away_again_has_another_key(connection: Connection) -> None:
    vector_store.begin_index(connection, M)
    (first,) = add(connection, "one")
    put(connection, [first], b"11111111")
    forget(connection, first)
    (second,) = add(connection, "two")
    assert second == first
    put(connection, [second], b"22222222")
    feed = vector_store.feed(connection, M, 100)
    assert feed is not None
    assert [key for key, _ in feed.put] == [vector_store.key(second, b"22222222")]
    assert feed.remove == [vector_store.key(first, b"11111111")]


def test_vectors_of_a_model_that_is_not_indexed_are_not_noted(connection: Connection) -> None:
    vector_store.begin_index(connection, M)
    put(connection, add(connection, "one"), model="other")
    assert vector_store.feed_size(connection, M) == (0, 0)


def test_vectors_are_counted_without_reading_them(connection: Connection) -> None:
    one, two = add(connection, "one", "two")
    assert vector_store.vectors_there(connection, M) == 0
    put(connection, [one, two])
    add(connection, "three")
    assert vector_store.vectors_there(connection, M) == 2
    forget(connection, one)
    assert vector_store.vectors_there(connection, M) == 1


def test_a_text_with_its_vector_is_not_embedded_again_for_its_window(connection: Connection) -> None:
    (one,) = add(connection, "one")
    put(connection, [one])
    vector_store.enqueue(connection, [one])
    waiting = vector_store.waiting(connection, M, 10)
    assert waiting is not None
    assert waiting.embedded == {one}
    other = vector_store.waiting(connection, "other", 10)
    assert other is not None
    assert other.embedded == frozenset()


def test_the_searched_model_changes_in_one_step_and_the_old_one_goes_in_parts(connection: Connection) -> None:
    assert vector_store.searched_model(connection) is None
    rowids = add(connection, "one", "two", "three")
    put(connection, rowids, model="old")
    assert vector_store.searched_model(connection) == "old"
    vector_store.begin_index(connection, "old")
    put(connection, rowids, model="new")
    assert vector_store.searched_model(connection) is None
    vector_store.switch_model(connection, "new")
    assert vector_store.searched_model(connection) == "new"
    assert not vector_store.index_is_whole(connection, "old")
    assert vector_store.drop_other_models(connection, "new", 2)
    assert vector_store.models(connection) == ["new", "old"]
    while vector_store.drop_other_models(connection, "new", 2):
        pass
    assert vector_store.models(connection) == ["new"]
    assert vector_store.feed(connection, "old", 10) is None


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "forget", "tell"]), st.integers(0, 5), st.binary(min_size=8, max_size=9)),
        max_size=30,
    )
)
def test_told_in_any_order_the_index_ends_up_with_what_there_is(
    connection: Connection, steps: list[tuple[str, int, bytes]]
) -> None:
    connection.execute("delete from embedding")
    connection.execute("delete from episode")
    vector_store.begin_index(connection, M)
    index: dict[str, bytes] = {}
    for step, number, vector in [*steps, ("tell", 0, b"")]:
        rows = connection.execute("select rowid from episode where text = ?", (str(number),)).fetchone()
        if step == "put":
            put(connection, [rows["rowid"]] if rows else add(connection, str(number)), vector)
        elif step == "forget" and rows:
            forget(connection, rows["rowid"])
        while step == "tell" and (feed := vector_store.feed(connection, M, 3)) is not None:
            for key in feed.remove:
                index.pop(key, None)
            index.update(feed.put)
            vector_store.feed_told(connection, M, feed.up_to)
    there = vector_store.vectors_after(connection, M, -1, 100)
    assert index == {vector_store.key(rowid, vector): vector for rowid, vector in there}
