import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.dense import Named, agreement, dense
from hearth_backend.memory.shelf import Shelf, Turn
from hearth_backend.memory.vector_store import key

pytestmark = pytest.mark.unit
DIM = 8


def vector(seed: int) -> np.ndarray:
    row = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return row / np.linalg.norm(row)


def turn(rowid: int, seed: int | None = None) -> Turn:
    raw = vector(rowid if seed is None else seed).tobytes()
    return Turn(rowid, "s", "me", "person", float(rowid), "text", raw, raw)


def shelf_of(*turns: Turn) -> Shelf:
    shelf = Shelf(DIM)
    shelf.put(turns)
    return shelf


def named(*rowids: int) -> Named:
    return Named.of("m", [key(rowid, vector(rowid).tobytes()) for rowid in rowids])


def rows(shelf: Shelf, places: np.ndarray) -> list[int]:
    return shelf.rowids[places].tolist()


@given(st.sets(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 12))
def test_exact_search_is_the_sorted_list(rowids: set[int], k: int) -> None:
    shelf, query = shelf_of(*(turn(rowid) for rowid in rowids)), vector(0)
    best = sorted(rowids, key=lambda rowid: -float(vector(rowid) @ query))[:k]
    found = dense(shelf, query, k)
    assert (rows(shelf, found.places), found.answered_by) == (best, "exact")
    assert np.allclose(found.cosines, [vector(rowid) @ query for rowid in best], atol=1e-6)


@given(st.permutations(range(1, 25)), st.sets(st.integers(1, 24), max_size=9), st.integers(1, 12), st.booleans())
def test_equally_near_turns_come_by_row_whatever_came_and_went(
    order: list[int], gone: set[int], k: int, by_index: bool
) -> None:
    seeds = {rowid: rowid % 3 for rowid in order}  # three texts, each said many times
    shelf = shelf_of(*(turn(rowid, seeds[rowid]) for rowid in order))
    shelf.drop(gone)
    keys = [key(rowid, vector(seed).tobytes()) for rowid, seed in seeds.items()]
    found = dense(shelf, vector(0), k, named=Named.of("m", keys) if by_index else None)
    left = sorted(set(order) - gone, key=lambda rowid: (-float(vector(seeds[rowid]) @ vector(0)), rowid))
    assert rows(shelf, found.places) == left[:k]


@given(st.sets(st.integers(1, 40), min_size=5, max_size=30), st.integers(1, 5))
def test_an_index_that_names_all_finds_the_same(rowids: set[int], k: int) -> None:
    shelf, query = shelf_of(*(turn(rowid) for rowid in rowids)), vector(0)
    found = dense(shelf, query, k, named=named(*rowids))
    assert rows(shelf, found.places) == rows(shelf, dense(shelf, query, k).places)
    assert found.answered_by == "index"


def test_what_is_gone_or_was_never_there_is_left_out() -> None:
    shelf = shelf_of(turn(1), turn(2))
    found = dense(shelf, vector(0), 2, named=named(1, 2, 3, 99))
    assert sorted(rows(shelf, found.places)) == [1, 2]


def test_a_row_number_given_away_again_is_not_taken_for_the_old_one() -> None:
    shelf = shelf_of(turn(1), turn(2, seed=77))
    found = dense(shelf, vector(0), 1, named=named(1, 2))
    assert rows(shelf, found.places) == [1]
    both = dense(shelf, vector(0), 2, named=named(1, 2))
    assert both.answered_by == "exact"


def test_what_the_index_was_not_told_yet_is_looked_at_too() -> None:
    shelf = shelf_of(turn(1), turn(2), turn(3))
    found = dense(shelf, vector(3), 1, named=named(1, 2), not_told=[3, 50])
    assert (rows(shelf, found.places), found.answered_by) == ([3], "index")


def test_with_a_filter_that_leaves_too_few_all_that_is_allowed_is_looked_at() -> None:
    shelf = shelf_of(*(turn(rowid) for rowid in range(1, 9)))
    allowed = np.isin(shelf.rowids, [5, 6, 7])
    found = dense(shelf, vector(0), 3, allowed, named(1, 2, 3, 4, 5))
    assert (sorted(rows(shelf, found.places)), found.answered_by) == ([5, 6, 7], "exact")
    assert dense(shelf, vector(0), 1, allowed, named(5)).answered_by == "index"


def test_a_turn_without_a_vector_is_never_near() -> None:
    shelf = shelf_of(turn(1))
    shelf.put([Turn(2, "s", "me", "person", 2.0, "text", None, None)])
    assert rows(shelf, dense(shelf, vector(0), 5).places) == [1]
    assert rows(shelf, dense(shelf, vector(0), 5, named=named(1, 2), not_told=[2]).places) == [1]


def test_nothing_is_found_where_nothing_is() -> None:
    assert len(dense(Shelf(DIM), vector(0), 5).places) == 0
    assert len(dense(Shelf(DIM), vector(0), 5, named=named(1)).places) == 0


def test_agreement_counts_what_should_have_been_named() -> None:
    shelf, query = shelf_of(*(turn(rowid) for rowid in range(1, 41))), vector(0)
    order = sorted(range(1, 41), key=lambda rowid: -float(vector(rowid) @ query))
    assert agreement(shelf, query, named(*order[:20])) == 1.0
    assert agreement(shelf, query, named(*order[5:20])) == 0.5
    assert agreement(shelf, query, named(*order[5:20]), not_told=order[:5]) == 1.0


def test_other_spaces_may_have_crowded_turns_out() -> None:
    shelf, query = shelf_of(*(turn(rowid) for rowid in range(1, 41))), vector(0)
    order = sorted(range(1, 41), key=lambda rowid: -float(vector(rowid) @ query))
    assert agreement(shelf, query, named(*order[:3])) == 1.0
