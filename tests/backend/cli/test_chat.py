import itertools

import pytest

from support.shell import Typist, answer, hearth
from support.small_backend import Asked, Reply, SmallBackend, Stream, sse, waiting

pytestmark = pytest.mark.integration

SAY = ("POST", "/v1/threads/thr_1/messages")


@pytest.fixture
def echo(backend: SmallBackend) -> SmallBackend:
    """A backend that answers with what it was told, and never ends when told to wait."""

    def say(asked: Asked) -> Reply:
        text = asked.body["text"]
        begun = sse(1, "text.delta", {"part": 0, "offset": 0, "text": f"You said {text}."})
        if text == "wait":
            return Stream(itertools.chain([begun], waiting()))
        return Stream([begun, sse(2, "task.finished", {"answer": answer(f"You said {text}.")})])

    backend.routes["POST", "/v1/threads"] = lambda asked: {"id": "thr_1"}
    backend.routes[SAY] = say
    backend.routes["DELETE", "/v1/tasks/run_1"] = lambda asked: {"id": "run_1"}
    return backend


def test_turns_stay_in_one_thread_that_can_be_taken_up_again(echo: SmallBackend) -> None:
    outcome = hearth("chat", stdin="one\n\ntwo\n")
    assert outcome.status == 0
    assert outcome.out.index("You said one.") < outcome.out.index("You said two.")
    assert "hearth chat --thread thr_1" in outcome.out
    assert [asked.path for asked in echo.asked] == ["/v1/threads", SAY[1], SAY[1]]


def test_a_failure_is_said_and_the_thread_goes_on(echo: SmallBackend) -> None:
    del echo.routes[SAY]
    outcome = hearth("chat", stdin="one\n")
    assert outcome.status == 0
    assert "There is no POST" in outcome.err


def test_an_earlier_thread_is_shown_first(echo: SmallBackend) -> None:
    turns = [{"role": "user", "text": "before"}, {"role": "assistant", "text": "Indeed."}]
    echo.routes["GET", "/v1/threads/thr_1"] = lambda asked: {"title": "Plans", "messages": turns}
    outcome = hearth("chat", "--thread", "thr_1", stdin="")
    assert outcome.out.startswith("Plans\n> before\nIndeed.\n")


def test_ctrl_c_stops_the_answer_and_a_second_one_leaves(echo: SmallBackend) -> None:
    with Typist(["chat"]) as typist:
        typist.read_until("> ")
        typist.type("wait\n")
        typist.read_until("You said wait.")
        typist.interrupt()
        typist.read_until("Stopped.")
        typist.type("more\n")
        typist.read_until("You said more.")
        typist.read_until("tokens")
        typist.read_until("> ")
        assert typist.interrupt_until_it_ends() == 0
        assert "Traceback" not in typist.seen
    assert [asked.path for asked in echo.asked if asked.method == "DELETE"] == ["/v1/tasks/run_1"]
