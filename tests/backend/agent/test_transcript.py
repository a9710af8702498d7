import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.agent.context import cost_of
from hearth_backend.agent.transcript import elided, fitted, is_elided
from hearth_backend.gateway.messages import ChatMessage, ToolCall

pytestmark = pytest.mark.unit

SYSTEM, QUESTION = ChatMessage("system", "Be brief."), ChatMessage("user", "What is in the log?")
sizes = st.lists(st.lists(st.integers(0, 9000), min_size=1, max_size=3), max_size=6)


def later(sizes: list[list[int]]) -> list[ChatMessage]:
    """For each group a call for each size, and results of these sizes."""
    messages: list[ChatMessage] = []
    for group, results in enumerate(sizes):
        ids = [f"call_{group}_{place}" for place in range(len(results))]
        messages.append(ChatMessage("assistant", "", tuple(ToolCall(id, "look", "{}") for id in ids)))
        messages += [
            ChatMessage("tool", "x" * size, tool_call_id=id, name="look") for id, size in zip(ids, results, strict=True)
        ]
    return messages


@given(sizes=sizes, turns=st.integers(0, 6), budget=st.integers(900, 6000))
def test_it_fits_pairs_stay_together_and_the_question_is_whole(sizes: list[list[int]], turns: int, budget: int) -> None:
    said = [ChatMessage(("user", "assistant")[place % 2], "word " * 100) for place in range(2 * turns)]
    messages = fitted((SYSTEM, *said, QUESTION), later(sizes), budget, cost_of)
    assert sum(map(cost_of, messages)) <= budget
    assert messages[0] == SYSTEM
    assert QUESTION in messages
    called = [call.id for message in messages for call in message.tool_calls]
    answered = [message.tool_call_id for message in messages if message.role == "tool"]
    assert called == answered
    if sizes:
        assert f"call_{len(sizes) - 1}_0" in called


def test_the_oldest_results_shrink_first_and_say_how_to_read_them_again() -> None:
    messages = fitted((SYSTEM, QUESTION), later([[8000], [8000]]), 2700, cost_of)
    assert [len(message.content) for message in messages if message.role == "tool"][1] == 8000
    assert 'read_again with id "call_0_0"' in messages[3].content
    assert is_elided(messages)


def test_what_fits_is_left_as_it_is() -> None:
    calls = later([[500], [20]])
    assert fitted((SYSTEM, QUESTION), calls, 4000, cost_of) == (SYSTEM, QUESTION, *calls)
    assert not is_elided(calls)


def test_head_and_tail_of_a_result_stay() -> None:
    short = elided(ChatMessage("tool", "begin" + "-" * 5000 + "end", tool_call_id="c1"), 100, 50)
    assert short.content.startswith("begin")
    assert short.content.endswith("end")
    assert len(short.content) < 300
