import io

import pytest

from hearth_backend.cli.conversation import Conversation, foot, made
from hearth_backend.cli.terminal import Terminal
from hearth_shared.client import BackendClient
from hearth_shared.errors import Cancelled, NoModel
from hearth_shared.wire import MadeBy, Tokens
from support.shell import answer, source
from support.small_backend import Asked, Reply, SmallBackend, Stream, sse

pytestmark = pytest.mark.integration

SAY = ("POST", "/v1/threads/thr_1/messages")


def conversation(backend: SmallBackend, out: io.StringIO, err: io.StringIO | None = None) -> Conversation:
    terminal = Terminal(io.StringIO(), out, err or io.StringIO(), {})
    return Conversation(BackendClient(backend.home, "cli", start=False), terminal, "thr_1")


def finished(seq: int, text: str, **rest: object) -> bytes:
    return sse(seq, "task.finished", {"answer": answer(text, **rest)})


def delta(seq: int, offset: int, text: str, part: int = 0) -> bytes:
    return sse(seq, "text.delta", {"part": part, "offset": offset, "text": text})


def shown(backend: SmallBackend, *pieces: bytes) -> str:
    out = io.StringIO()
    backend.routes[SAY] = lambda asked: Stream(pieces)
    conversation(backend, out).say({"text": "hi"})
    return out.getvalue()


def test_an_answer_is_shown_as_it_comes_and_once(backend: SmallBackend) -> None:
    text = shown(backend, sse(1, "task.queued", {}), delta(2, 0, "Hel"), delta(3, 3, "lo."), finished(4, "Hello."))
    assert text == "Hello.\n\nthis machine · tiny (test model) · 12 + 3 tokens\n"


def test_an_answer_that_was_not_streamed_is_shown_whole(backend: SmallBackend) -> None:
    assert shown(backend, finished(1, "Hello.")).startswith("Hello.\n")


def test_an_answer_that_ends_otherwise_than_it_came_is_shown_whole_below(backend: SmallBackend) -> None:
    assert shown(backend, delta(1, 0, "Helix"), finished(2, "Hello.")).startswith("Helix\n\nHello.\n")


def test_a_model_that_begins_again_is_said(backend: SmallBackend) -> None:
    text = shown(
        backend, delta(1, 0, "Hal"), sse(2, "text.reset", {"part": 0}), delta(3, 0, "Hello."), finished(4, "Hello.")
    )
    assert text.startswith("Hal\n(it begins again)\nHello.\n")


def test_sources_stand_below_with_their_numbers(backend: SmallBackend) -> None:
    quoted = source(1, "notes.md", "The lease ends\nin May.")
    assert "\n[1] notes.md — The lease ends in May.\n" in shown(backend, finished(1, "May [1].", sources=[quoted]))


def test_a_quote_that_stands_in_the_answer_is_not_said_twice(backend: SmallBackend) -> None:
    quoted = source(1, "notes.md", "The lease ends\nin May.")
    text = shown(backend, finished(1, "[1] notes.md\n    The lease ends\n    in May.", sources=[quoted]))
    assert text.count("The lease ends") == 1
    assert text.count("[1] notes.md\n") == 2


def test_under_an_answer_of_quotes_a_source_is_one_line(backend: SmallBackend) -> None:
    quoted = {
        **source(1, "Editors", "Make a token for it."),
        "location": "help/editors.md#editors",
    }
    nobody = {"where": "no model", "model": "", "provider": "", "test_model": False}
    text = shown(backend, finished(1, "[1] Hearth's documentation, Editors\n    …", sources=[quoted], made_by=nobody))
    assert "\n[1] Editors (help/editors.md)\n" in text


def test_what_a_page_says_cannot_command_the_terminal(backend: SmallBackend) -> None:
    quoted = source(1, "\x1b[2Jtitle", "quote\u202e")
    text = shown(backend, delta(1, 0, "\x1b]0;x\x07"), finished(2, "\x1b]0;x\x07", sources=[quoted]))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_over_a_broken_connection_no_text_is_lost_or_doubled(backend: SmallBackend) -> None:
    pieces = [delta(n, n - 1, letter) for n, letter in enumerate("Grüße.", 1)] + [finished(7, "Grüße.")]

    def broken(asked: Asked) -> Reply:
        seen = int(asked.headers.get("last-event-id", "0"))
        return Stream([*pieces[max(0, seen - 1) : seen + 1], pieces[min(seen + 1, 6)][:50]], whole=False)

    backend.routes["GET", "/v1/tasks/run_1/events"] = broken
    backend.routes[SAY] = broken
    out = io.StringIO()
    conversation(backend, out).say({"text": "hi"})
    assert out.getvalue().startswith("Grüße.\n")
    assert len(backend.asked) == 7


def test_a_failed_run_is_its_error(backend: SmallBackend) -> None:
    failure = {"code": "no_model", "detail": "No model is there.", "fix": "Connect one.", "retryable": False}
    with pytest.raises(NoModel, match=r"No model is there\. Connect one\."):
        shown(backend, sse(1, "task.failed", failure))


def test_a_run_that_somebody_stopped_is_said(backend: SmallBackend) -> None:
    with pytest.raises(Cancelled):
        shown(backend, sse(1, "task.cancelled", {}))


def test_another_model_that_goes_on_is_noted_beside_the_answer(backend: SmallBackend) -> None:
    err = io.StringIO()
    fallback = {"from": "big", "to": "small", "reason": "It is asleep."}
    backend.routes[SAY] = lambda asked: Stream([sse(1, "model.fallback", fallback), finished(2, "x")])
    conversation(backend, io.StringIO(), err).say({"text": "hi"})
    assert err.getvalue() == "big did not answer: It is asleep. small goes on.\n"


def test_a_new_thread_keeps_local_only(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/threads"] = lambda asked: {"id": "thr_9", "got": asked.body}
    terminal = Terminal(io.StringIO(), io.StringIO(), io.StringIO(), {})
    client = BackendClient(backend.home, "cli", start=False)
    assert Conversation.opened(client, terminal, None, local_only=True).thread_id == "thr_9"
    assert backend.asked[0].body == {"local_only": True}
    assert Conversation.opened(client, terminal, "thr_2", local_only=False).thread_id == "thr_2"


def by(where: str, **rest: object) -> MadeBy:
    found: MadeBy = {"where": where, "model": "m", "provider": "p", "test_model": False, **rest}  # type: ignore[typeddict-item]
    return found


@pytest.mark.parametrize(
    ("where", "cost", "said"),
    [
        ("cloud", 0.01234, "cloud · m · 5 + 6 tokens · $0.0123"),
        ("cloud", None, "cloud · m · 5 + 6 tokens · price not known"),
        ("another machine", 0.0, "another machine · m · 5 + 6 tokens"),
    ],
)
def test_every_answer_says_where_it_was_made_and_what_it_cost(where: str, cost: float | None, said: str) -> None:
    tokens: Tokens = {"input": 5, "output": 6, "cost": cost}
    assert made(by(where), tokens) == said


def test_without_a_model_it_says_so_and_how_to_connect_one() -> None:
    tokens: Tokens = {"input": 0, "output": 0, "cost": 0.0}
    assert made(by("no model", model=""), tokens) == "no language model connected · see `hearth models list`"


def test_an_answer_that_broke_off_and_what_was_missing_are_said() -> None:
    lines = ["".join(text for text, _ in line) for line in foot(answer("x", complete=False, notes=["No GPU."]))]
    assert lines[0] == "(the answer broke off here)"
    assert "No GPU." in lines


def test_a_source_that_is_a_page_shows_its_address() -> None:
    learned = {
        **source(1, "Opening hours", "It closes at six."),
        "kind": "memory",
        "url": "https://library.example/hours",
        "trusted": False,
    }
    lines = ["".join(text for text, _ in line) for line in foot(answer("At six [1].", sources=[learned]))]
    assert lines[1] == "[1] Opening hours (https://library.example/hours) — It closes at six."
