from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.ranking import Evidence, TermHits, best, bm25, by_max, coverage, fused, idf, saturated, weigh
from hearth_backend.memory.recipe import FULL, WORDS_ONLY, Recipe

pytestmark = pytest.mark.unit
ONLY_WORDS = Recipe(dense=0, dense_window=0, session=0, question=0)


def evidence(*words: float, sessions: tuple[int, ...] = (), **more: object) -> Evidence:
    """Turns of one session in order, unless said otherwise."""
    count = len(words)
    plain = Evidence(
        allowed=np.ones(count, np.bool_),
        order=np.arange(count, dtype=np.intp),
        sessions=np.array(sessions or [0] * count, np.int64),
        bm25=np.array(words, np.float64),
        bm25_window=np.zeros(count),
        dense=None,
        dense_window=None,
        speaker=None,
        date=None,
        time=None,
        question=np.zeros(count, np.bool_),
    )
    return replace(plain, **more)  # pyright: ignore[reportArgumentType]


def hits(rows: int, having: int, *found: tuple[int, float]) -> TermHits:
    scores = np.array([score for _, score in found])
    return TermHits(rows, having, np.array([place for place, _ in found], np.intp), scores, scores)


def test_a_turn_next_to_the_words_ranks_above_one_far_away() -> None:
    total = weigh(evidence(0, 0, 0, 4, 0, 0), ONLY_WORDS).total()
    assert list(np.argsort(-total, kind="stable"))[:3] == [3, 2, 4]
    assert total[0] == 0


def test_words_do_not_reach_over_the_edge_of_a_session() -> None:
    total = weigh(evidence(0, 4, 0, 0, sessions=(0, 0, 1, 1)), ONLY_WORDS).total()
    assert total[0] > 0
    assert not total[2:].any()


def test_smoothing_follows_the_conversation_not_the_place_on_the_shelf() -> None:
    order = np.array([2, 0, 1], np.intp)  # said third, first, second
    total = weigh(evidence(4, 0, 0, order=order), replace(ONLY_WORDS, smooth=(0.5,))).total()
    assert total[1] == total[2] == pytest.approx(0.5)


def test_what_may_not_be_found_lends_no_score() -> None:
    allowed = np.array([True, False, True])
    assert not weigh(evidence(0, 4, 0, allowed=allowed), ONLY_WORDS).total().any()


def test_a_turn_without_a_vector_yet_is_weighed_by_its_words() -> None:
    cosines = np.array([0.9, 0.1, np.nan])
    shares = weigh(evidence(0, 0, 4, sessions=(0, 1, 2), dense=cosines, dense_window=cosines), FULL)
    assert shares.total()[2] > shares.total()[0] > shares.total()[1]
    assert shares.dense[2] == 0


def test_the_shares_of_a_hit_add_up_to_its_score() -> None:
    yes = np.array([True, False])
    given_ = evidence(1, 2, dense=np.array([0.2, 0.4]), speaker=yes, date=yes, time=yes, question=yes)
    shares = weigh(given_, FULL)
    parts = (getattr(shares, name) for name in shares.__dataclass_fields__)
    assert shares.total() == pytest.approx(np.sum(list(parts), axis=0))


def test_the_one_who_said_it_is_preferred() -> None:
    assert np.argmax(weigh(evidence(1, 1, speaker=np.array([False, True])), WORDS_ONLY).total()) == 1


def test_a_question_is_worth_less_than_a_statement() -> None:
    assert np.argmax(weigh(evidence(1, 1, question=np.array([True, False])), WORDS_ONLY).total()) == 1


def test_a_rare_word_tells_more_than_a_common_one() -> None:
    assert idf(100, 1) > idf(100, 40) > idf(100, 60) > 0


def test_a_word_repeated_tells_ever_less_and_less_in_a_long_text() -> None:
    once, twice, thrice = (saturated(np.array([times]), np.array([9.0]), 9.0)[0] for times in (1.0, 2.0, 3.0))
    assert twice - once > thrice - twice > 0
    assert saturated(np.array([1.0]), np.array([90.0]), 9.0)[0] < once
    assert saturated(np.array([1.0]), np.array([0.0]), 0.0)[0] > 0


def test_how_common_a_word_is_elsewhere_is_not_felt_in_a_ranking() -> None:
    alone, crowded = hits(4, 1, (2, 0.7)), hits(1004, 500, (2, 0.7))
    assert bm25([crowded], 4)[0].tolist() == bm25([alone], 4)[0].tolist()


def test_coverage_counts_the_words_that_are_nowhere_too() -> None:
    found = coverage([hits(10, 2, (0, 1.0), (1, 1.0)), hits(10, 1, (0, 1.0)), hits(10, 0)], 3)
    assert 1 > found[0] > found[1] > found[2] == 0


def test_equal_scores_keep_the_order_of_storing() -> None:
    ties = np.array([30, 10, 20], np.int64)
    assert list(best(np.ones(3), ties, np.ones(3, np.bool_), 2)) == [1, 2]


@given(st.lists(st.floats(0, 4), max_size=300), st.integers(1, 20))
def test_the_best_are_those_a_full_sort_would_give(values: list[float], count: int) -> None:
    scores, ties = np.array(values), np.arange(len(values), dtype=np.int64)
    expected = sorted(range(len(values)), key=lambda place: (-values[place], place))[:count]
    assert list(best(scores, ties, np.ones(len(values), np.bool_), count)) == expected


def test_what_several_lists_agree_on_comes_first() -> None:
    merged = fused([[1, 2, 3], [2, 4]])
    assert max(merged, key=lambda item: merged[item]) == 2


def test_a_list_may_weigh_more() -> None:
    merged = fused([[1], [2]], weights=[1.0, 2.0])
    assert merged[2] > merged[1]


def test_scores_of_zero_stay_zero() -> None:
    assert not by_max(np.zeros(3)).any()
    assert len(by_max(np.zeros(0))) == 0


def test_an_empty_space_has_no_scores() -> None:
    assert len(weigh(evidence(), FULL).total()) == 0
