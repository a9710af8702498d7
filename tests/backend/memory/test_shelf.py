import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.shelf import Shelf, Shelves, Turn

pytestmark = pytest.mark.unit
DIM = 4


def turn(rowid: int, *, session: str = "s", speaker: str = "Ana", at: float = 0.0, vector: float | None = 1.0) -> Turn:
    raw = None if vector is None else np.full(DIM, vector, np.float32).tobytes()
    return Turn(rowid, session, speaker, "person", at, "text", raw, raw)


def shelf(*turns: Turn, large: bool = False) -> Shelf:
    one = Shelf(DIM, large=large)
    one.put(turns)
    return one


def test_turns_are_ordered_by_session_and_time_however_they_came() -> None:
    one = shelf(turn(1, session="b", at=5), turn(2, session="a", at=9), turn(3, session="b", at=1))
    sessions = one.sessions()[one.order()]
    assert [int(rowid) for rowid in one.rowids[one.order()]] in ([2, 3, 1], [3, 1, 2])
    assert np.count_nonzero(np.diff(sessions)) == 1


def test_a_turn_without_a_session_is_a_session_of_its_own() -> None:
    assert len(set(shelf(turn(1, session=""), turn(2, session=""), turn(3)).sessions())) == 3


def test_a_turn_may_be_put_again_when_its_vector_has_come() -> None:
    one = shelf(turn(1, vector=None))
    assert not one.has_vectors
    one.put([turn(1)])
    assert (one.size, one.has_vectors) == (1, True)


def test_a_turn_without_a_vector_has_no_cosine() -> None:
    cosines = shelf(turn(1), turn(2, vector=None)).cosines(np.ones(DIM, np.float32))
    assert cosines[0] == 4
    assert np.isnan(cosines[1])


def test_a_vector_of_another_models_length_is_no_vector() -> None:
    raw = np.ones(DIM + 1, np.float32).tobytes()
    assert not shelf(Turn(1, "s", "", "person", 0.0, "text", raw, raw)).has_vectors


@pytest.mark.parametrize("large", [False, True])
def test_windows_are_compared_for_the_chosen_alone(large: bool) -> None:
    one = shelf(turn(1), turn(2), large=large)
    cosines = one.window_cosines(np.ones(DIM, np.float32), np.array([False, True]))
    assert np.isnan(cosines[0])
    assert cosines[1] == 4


def test_speakers_who_are_gone_are_known_no_more() -> None:
    one = shelf(turn(1, speaker="Ana"), turn(2, speaker="Bo"))
    one.drop([2])
    assert one.names.speakers == ("Ana",)


def test_sources_are_told_apart() -> None:
    one = shelf(turn(1))
    assert one.from_sources(["person", "nobody"]).all()
    assert not one.from_sources(["nobody"]).any()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=120))
def test_whatever_comes_and_goes_the_shelf_holds_what_is_left(changes: list[tuple[bool, int]]) -> None:
    one, expected = Shelf(DIM), dict[int, float]()
    for step, (comes, rowid) in enumerate(changes):
        if comes:
            one.put([turn(rowid, at=step, vector=float(step))])
            expected[rowid] = float(step)
        else:
            one.drop([rowid])
            expected.pop(rowid, None)
    rowids = [int(rowid) for rowid in one.rowids]
    assert sorted(rowids) == sorted(expected)
    assert list(one.occurred) == [expected[rowid] for rowid in rowids]
    assert list(one.cosines(np.ones(DIM, np.float32))) == [4 * expected[rowid] for rowid in rowids]
    assert list(one.places(rowids)) == list(range(len(rowids)))


def test_a_row_that_is_not_here_has_no_place() -> None:
    assert list(shelf(turn(7)).places([7, 8])) == [0, -1]


def test_changed_rows_are_taken_once() -> None:
    shelves = Shelves()
    one = shelves.get("main", lambda: Shelf(DIM))
    shelves.mark("main", [3, 1, 3])
    shelves.mark("elsewhere", [9])
    assert one.changed() == [1, 3]
    assert one.changed() == []


def test_the_space_used_longest_ago_goes_first_and_the_one_in_use_stays() -> None:
    shelves, kept = Shelves(most_bytes=1), shelf(turn(1))
    shelves.get("old", lambda: shelf(turn(1)))
    assert shelves.get("new", lambda: kept) is kept
    shelves.trim()
    assert shelves.get("new", lambda: Shelf(DIM)) is kept
    assert shelves.get("old", lambda: Shelf(DIM)).size == 0
