import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.network import centrality, communities, neighbours

pytestmark = pytest.mark.unit
STAR = [(0, n) for n in range(1, 6)]
TWO = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 3)]


def test_the_middle_of_a_star_is_its_centre() -> None:
    rank = centrality(neighbours(STAR))
    assert max(rank, key=rank.__getitem__) == 0
    assert sum(rank.values()) == pytest.approx(1)


def test_two_triangles_are_two_groups() -> None:
    groups = communities(neighbours([pair for pair in TWO if pair != (2, 3)]))
    assert len({groups[node] for node in (0, 1, 2)}) == 1
    assert groups[0] != groups[3]


def test_nobody_is_beside_himself_and_nothing_has_no_middle() -> None:
    assert neighbours([(1, 1)]) == {}
    assert centrality({}) == communities({}) == {}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_the_same_graph_gives_the_same_answer_in_any_order(pairs: list[tuple[int, int]]) -> None:
    one, other = neighbours(pairs), neighbours(reversed(pairs))
    assert one == other
    assert communities(one) == communities(other)
    assert set(centrality(one)) == set(one)
