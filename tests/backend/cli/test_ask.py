import itertools
import json
from pathlib import Path

import pytest

from support.shell import Typist, answer, hearth
from support.small_backend import SmallBackend, Stream, sse, waiting

pytestmark = pytest.mark.integration

SAY = ("POST", "/v1/threads/thr_1/messages")


@pytest.fixture
def asked(backend: SmallBackend) -> SmallBackend:
    """A backend that answers "Hello." to everything."""
    backend.routes["POST", "/v1/threads"] = lambda asked: {"id": "thr_1"}
    backend.routes[SAY] = lambda asked: Stream([sse(1, "task.finished", {"answer": answer("Hello.")})])
    return backend


def test_a_question_gets_its_answer_in_a_new_thread(asked: SmallBackend) -> None:
    outcome = hearth("ask", "who", "are you?")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("Hello.\n")
    said = asked.asked[1]
    assert said.body == {"text": "who are you?", "context": {"files": []}, "local_only": False}
    assert said.headers["accept"] == "text/event-stream"
    assert said.headers["idempotency-key"]


def test_files_and_thread_and_local_only_go_along(asked: SmallBackend, tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("The lease ends in May.")
    outcome = hearth("ask", "when?", "--thread", "thr_1", "--file", str(path), "--local-only")
    assert outcome.status == 0
    body = asked.asked[0].body
    assert body["context"] == {"files": [{"name": str(path), "text": "The lease ends in May."}]}
    assert body["local_only"] is True


def test_for_a_program_there_is_one_json_value(asked: SmallBackend) -> None:
    found = json.loads(hearth("ask", "-", "--json", stdin="hi").out)
    assert (found["thread_id"], found["task_id"], found["answer"]["text"]) == ("thr_1", "run_1", "Hello.")


def test_an_unknown_thread_is_a_sentence(asked: SmallBackend) -> None:
    outcome = hearth("ask", "hi", "--thread", "thr_9")
    assert outcome.status == 1
    assert outcome.err.startswith("hearth: There is no")


def test_ctrl_c_stops_the_run_and_ends_with_130(asked: SmallBackend) -> None:
    begun = sse(1, "text.delta", {"part": 0, "offset": 0, "text": "Well"})
    asked.routes[SAY] = lambda asked: Stream(itertools.chain([begun], waiting()))
    asked.routes["DELETE", "/v1/tasks/run_1"] = lambda asked: {"id": "run_1", "status": "cancelled"}
    with Typist(["ask", "hi"]) as typist:
        typist.read_until("Well")
        typist.interrupt()
        assert typist.leave() == 130
        assert "Traceback" not in typist.seen
    assert asked.asked[-1].method == "DELETE"


def test_on_a_terminal_it_shows_that_it_thinks_until_the_answer_comes(asked: SmallBackend) -> None:
    asked.routes[SAY] = lambda asked: Stream(
        [sse(1, "task.queued", {}), sse(2, "task.finished", {"answer": answer("Hello.")})]
    )
    with Typist(["ask", "hi"]) as typist:
        assert typist.leave() == 0
        assert "thinking…" in typist.seen
        assert typist.seen.index("thinking…") < typist.seen.index("Hello.")


def test_what_would_leave_is_shown_and_nothing_is_asked(backend: SmallBackend) -> None:
    here = {"model": "tiny", "provider": "engine", "where": "this machine"}
    near: dict[str, object] = {**here, "url": "", "body": None, "hidden": []}
    body = {"messages": [{"role": "user", "content": "Who is <EMAIL_1>?"}]}
    there = {"model": "sky/m", "provider": "sky", "where": "cloud", "url": "https://sky.example/v1"}
    away: dict[str, object] = {**there, "body": body}
    backend.routes["POST", "/v1/outgoing"] = lambda asked: {
        "calls": [near, away | {"hidden": ["<EMAIL_1>"]}],
        "notes": ["1 thing that must stay on this machine was left out."],
    }
    outcome = hearth("ask", "who?", "--show-outgoing", "--thread", "thr_1", "--local-only")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("Nothing was sent.\n")
    assert '"content": "Who is <EMAIL_1>?"' in outcome.out
    assert outcome.out.index("tiny") < outcome.out.index("sky/m")
    assert "was left out" in outcome.out
    assert [asked.path for asked in backend.asked] == ["/v1/outgoing"]
    sent = backend.asked[0].body
    assert sent == {"text": "who?", "context": {"files": []}, "local_only": True, "thread_id": "thr_1"}


def test_what_would_leave_is_one_json_value_for_a_program(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/outgoing"] = lambda asked: {"calls": [], "notes": []}
    assert json.loads(hearth("ask", "who?", "--show-outgoing", "--json").out) == {"calls": [], "notes": []}
    assert "nothing would leave this machine" in hearth("ask", "who?", "--show-outgoing").out
