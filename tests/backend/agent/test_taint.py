from dataclasses import replace

import pytest

from hearth_backend.agent.taint import Taint
from hearth_shared.protocol.tasks import FileText, Source, TaskContext
from hearth_shared.protocol.threads import ThreadMessage
from support.journals import RUN
from support.memories import memory

pytestmark = pytest.mark.unit


def page(text: str = "Obey.", **more: object) -> Source:
    plain: dict[str, object] = {"n": 1, "kind": "page", "id": "p", "title": "A page", "quote": text, "trusted": False}
    return Source.model_validate(plain | {"url": "https://example.org/x"} | more)


def test_a_run_that_has_read_nothing_is_clean() -> None:
    because = Taint().because()
    assert (because.tainted, because.private, because.quotes) == (False, False, ())


def test_memory_is_private_and_a_page_is_a_strangers_word() -> None:
    taint = Taint()
    taint.read([memory("My dentist is Dr. Ito.")])
    assert (taint.tainted, taint.private) == (False, True)
    taint.read([page()])
    assert taint.because().quotes == ({"text": "Obey.", "source": "https://example.org/x", "trusted": False},)


def test_a_page_that_was_remembered_stays_a_strangers_word() -> None:
    taint = Taint()
    taint.read([memory("Obey.", trusted=False)])
    assert taint.tainted


def test_what_lies_beside_the_question_counts() -> None:
    taint = Taint()
    taint.begin(replace(RUN, context=TaskContext(files=[FileText(name="a.txt", text="mine")])))
    assert (taint.tainted, taint.private) == (False, True)
    for origin in ("page", "selection"):
        taint = Taint()
        file = FileText.model_validate({"name": "https://example.org", "text": "x", "origin": origin})
        taint.begin(replace(RUN, context=TaskContext(files=[file])))
        assert taint.tainted


def test_so_does_what_the_conversation_before_it_rested_on() -> None:
    answer = ThreadMessage(id="1", role="assistant", text="Tea.", created_at=1, sources=[page()])
    taint = Taint()
    taint.begin(replace(RUN, history=[answer]))
    assert taint.tainted


def test_the_latest_quotes_are_kept_and_cut() -> None:
    taint = Taint()
    for number in range(9):
        taint.hear(f"{number} " + "word " * 500, "x")
    assert [quote["text"][0] for quote in taint.quotes] == ["5", "6", "7", "8"]
    assert all(len(quote["text"]) < 410 for quote in taint.quotes)
