from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.recall import Candidate, about_hearth, choose, heading_match, relevance, tokens
from hearth_shared.protocol.tasks import Source

pytestmark = pytest.mark.unit
PLAIN = "where does Ana work"
ABOUT = "how do I connect VS Code?"


def told(text: str, worth: float, id: str = "") -> Candidate:
    return Candidate(Source(n=0, kind="memory", id=id or text, title="me", quote=text), worth)


def page(heading: str, worth: float) -> Candidate:
    return Candidate(Source(n=0, kind="docs", id=heading, title=f"Page › {heading}", quote="Do this."), worth)


def quotes(
    question: str, *memories: list[Candidate], help: list[Candidate] | None = None, budget: int = 1000
) -> list[str]:
    return [
        source.quote if source.kind == "memory" else source.id
        for source in choose(question, memories, help or [], budget)
    ]


def test_sources_are_numbered_from_one() -> None:
    found = choose(PLAIN, [[told("a", 0.9), told("b", 0.8)]], [], 1000)
    assert [(source.n, source.score) for source in found] == [(1, 0.9), (2, 0.8)]


def test_memories_keep_the_order_of_their_ranking() -> None:
    assert quotes(PLAIN, [told("a", 0.6), told("b", 0.9)]) == ["a", "b"]


def test_nothing_is_told_when_the_best_is_too_far_away() -> None:
    assert quotes(PLAIN, [told("a", 0.29)], help=[page("b", 0.29)]) == []


def test_what_is_much_worse_than_the_best_is_left_out() -> None:
    assert quotes(PLAIN, [told("a", 1.0), told("b", 0.2)]) == ["a"]


def test_the_question_itself_asked_before_is_no_answer() -> None:
    assert quotes("Where does Ana work?", [told("where does ana work", 1.0), told("At the harbour.", 0.5)]) == [
        "At the harbour."
    ]


def test_other_questions_come_after_statements() -> None:
    assert quotes(PLAIN, [told("Does Ana work?", 1.0), told("Ana works.", 0.6)]) == ["Ana works.", "Does Ana work?"]


def test_help_answers_what_is_asked_about_hearth() -> None:
    assert quotes(ABOUT, [told("I like VS Code.", 0.5)], help=[page("Connect", 0.9)]) == ["Connect", "I like VS Code."]


def test_a_better_memory_comes_before_help() -> None:
    assert (
        quotes("how do I connect the printer?", [told("USB, then...", 0.9)], help=[page("Connect", 0.5)])[0]
        == "USB, then..."
    )


def test_help_stays_out_of_other_questions() -> None:
    assert quotes(PLAIN, [told("At the harbour.", 0.5)], help=[page("Work offline", 0.6)]) == ["At the harbour."]


def test_help_fits_without_being_asked_for_when_nothing_in_memory_does() -> None:
    assert quotes("where is my data stored?", [told("Data is fun.", 0.4)], help=[page("Data", 0.8)])[0] == "Data"


def test_a_tie_between_memory_and_help_goes_to_memory() -> None:
    assert quotes("when does the lease end", [told("In May.", 1.0)], help=[page("Examples", 1.0)]) == ["In May."]


def test_of_two_pages_the_one_that_puts_the_question_comes_first() -> None:
    pages = [page("Who can reach Hearth?", 0.8), page("What is Hearth? What can you do?", 0.6)]
    assert quotes("what can you do", help=pages)[0] == "What is Hearth? What can you do?"


def test_help_is_a_few_passages_not_a_book() -> None:
    assert len(quotes(ABOUT, help=[page(str(number), 0.9) for number in range(9)])) == 3


def test_several_spaces_take_turns() -> None:
    assert quotes(PLAIN, [told("a1", 0.9), told("a2", 0.9)], [told("b1", 0.5)])[:2] == ["a1", "b1"]


@given(st.lists(st.integers(1, 800), max_size=30), st.integers(1, 1000))
def test_the_budget_is_kept(lengths: list[int], budget: int) -> None:
    memories = [told("x" * length, 0.9, str(number)) for number, length in enumerate(lengths)]
    found = choose(PLAIN, [memories], [], budget)
    assert sum(tokens(source.quote) for source in found) <= budget
    assert [source.n for source in found] == list(range(1, len(found) + 1))


def test_relevance_rises_with_words_and_with_meaning() -> None:
    assert relevance(0.4, None) == 0.4
    assert relevance(1, 1.0) == 1
    assert relevance(0, -0.5) == 0
    assert all(relevance(0.5, a / 10) <= relevance(0.5, b / 10) for a, b in pairwise(range(-10, 11)))


@pytest.mark.parametrize(
    "question",
    [
        "what can you do?",
        "how do I connect VS Code?",
        "What is Hearth?",
        "how could I make a token",
        "who are you",
        "help",
    ],
)
def test_a_question_about_hearth_is_known(question: str) -> None:
    assert about_hearth(question)


@pytest.mark.parametrize(
    "question", ["where does Ana work?", "when did you-know-who call?", "what does Bo do?", "helping Ana"]
)
def test_other_questions_are_not_about_hearth(question: str) -> None:
    assert not about_hearth(question)


def test_a_heading_may_put_several_questions() -> None:
    assert heading_match("what can you do?", "What is Hearth? What can you do?") == 1
    assert heading_match("", "") == 0
