import pytest

from hearth_backend.agent.extractive import best, compose, fact_to_keep, summarised
from hearth_backend.agent.ledger import Ledger
from hearth_shared.errors import LocalOnly, ModelUnavailable, NoModel
from hearth_shared.protocol.tasks import Source
from support.memories import memory

pytestmark = pytest.mark.unit

NOBODY = NoModel("No language model is connected for conversations.", "`hearth models use ollama/qwen3` connects it.")
PAGE = Source(n=1, kind="docs", id="d", title="Editors › VS Code", quote="Install the extension.\nThen run it.")


def test_it_reads_well_in_a_terminal() -> None:
    entries = Ledger().add([memory("My dentist is Dr. Ito.", occurred_at=1_795_176_000.0), PAGE])
    assert compose(entries, NOBODY) == (
        "No language model is connected; these are the passages that fit best.\n"
        "\n"
        "[1] You, 20 November 2026\n"
        "    My dentist is Dr. Ito.\n"
        "\n"
        "[2] Hearth's documentation, Editors › VS Code\n"
        "    Install the extension. Then run it.\n"
        "\n"
        "To connect a model: `hearth models use ollama/qwen3` connects it."
    )


def test_lines_of_what_a_person_wrote_stay_and_paragraphs_of_markdown_flow() -> None:
    note, quote = memory("Milk\nEggs"), "We leave\non Friday."
    page = Source(n=2, kind="file", id="f", title="trip.md", quote=f"{quote}\n\n- a\n- b", location="trip.md:3")
    plain = Source(n=3, kind="file", id="g", title="a.txt", quote=quote, location="a.txt:1")
    text = compose(Ledger().add([note, page, plain]), NOBODY)
    assert "    Milk\n    Eggs\n" in text
    assert "    We leave on Friday.\n\n    - a\n    - b\n" in text
    assert "a.txt:1\n    We leave\n    on Friday.\n" in text


def test_a_passage_of_the_help_is_quoted_whole_and_another_one_cut() -> None:
    long = "word " * 150
    help_page = Source(n=1, kind="docs", id="d", title="Help", quote=long)
    text = compose(Ledger().add([help_page, memory(long)]), NOBODY)
    assert f"    {long.strip()}\n" in text
    assert " word …\n" in text


def test_code_that_is_cut_off_is_closed() -> None:
    text = compose(Ledger().add([memory("See:\n```\n" + "x = 1\n" * 200)]), NOBODY)
    assert " …\n    ```\n\nTo connect" in text


def test_nothing_found_is_said_and_what_to_do() -> None:
    text = compose([], NOBODY)
    assert text.startswith("I found nothing about this")
    assert text.endswith("`hearth models use ollama/qwen3` connects it.")


@pytest.mark.parametrize(
    "reason", [LocalOnly("It must stay here.", "Get a model."), ModelUnavailable("p is down.", "Start p.")]
)
def test_a_model_that_may_not_or_cannot_is_another_reason_than_none(reason: LocalOnly | ModelUnavailable) -> None:
    text = compose(Ledger().add([PAGE]), reason)
    assert text.startswith("No language model answered;")
    assert text.endswith(str(reason))


def test_the_question_itself_is_no_answer() -> None:
    asked_before, told = memory("Who is my dentist", "1"), memory("It is Dr. Ito, my dentist.", "2")
    assert best([asked_before, told], "who is my  dentist?") == [told]


@pytest.mark.parametrize(
    ("said", "answers"), [("Where is the lease?", False), ("Where is it? In the blue folder.", True)]
)
def test_another_question_answers_nothing(said: str, answers: bool) -> None:
    asked = memory(said, "1")
    assert best([asked], "what about the lease?") == ([asked] if answers else [])


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("remember that my dentist is Dr. Ito", "my dentist is Dr. Ito"),
        ("Please remember: the key is under the mat.", "the key is under the mat."),
        ("Note that tea is at five", "tea is at five"),
        ("Don't forget the milk", "the milk"),
        ("Do you remember my dentist?", ""),
        ("Remember my dentist?", ""),
        ("Who is my dentist?", ""),
        ("Notepad is a program", ""),
    ],
)
def test_what_to_remember_is_told_from_questions(said: str, fact: str) -> None:
    assert fact_to_keep(said) == fact


def test_a_page_is_named_by_its_address_and_never_taken_for_the_persons_words() -> None:
    learned = memory(
        "Closes at six.", speaker="", title="Opening hours", url="https://library.example/hours", trusted=False
    )
    page = Source(
        n=1, kind="page", id="p", title="Moorings", quote="40 euros.", url="https://vell.example/m", trusted=False
    )
    told = memory("A program's note.", "ep_2", speaker="", title="my-program", trusted=False)
    text = compose(Ledger().add([learned, page, told]), NOBODY)
    assert "[1] Opening hours, https://library.example/hours" in text
    assert "[2] Moorings, https://vell.example/m" in text
    assert "[3] my-program (not your words)" in text
    assert "You" not in text


def test_a_summary_says_what_it_is_and_cites_each_sentence() -> None:
    one = Source(n=1, kind="page", id="p", title="Moorings", quote="It opens in May.\nIt costs 40 euros.")
    text = summarised(Ledger().add([one]), NOBODY)
    assert text == (
        "No language model is connected; these are the sentences that carry most of Moorings, in the order they stand."
        "\n\n- It opens in May. [1]\n- It costs 40 euros. [1]"
        "\n\nTo connect a model: `hearth models use ollama/qwen3` connects it."
    )


def test_a_summary_of_several_texts_tells_them_apart() -> None:
    one = Source(n=1, kind="file", id="a", title="a.txt", quote="One.", location="a.txt")
    two = Source(n=2, kind="file", id="b", title="b.txt", quote="", location="b.txt")
    text = summarised(Ledger().add([one, two]), ModelUnavailable("p is down.", "Start p."))
    assert "No language model answered; these are the sentences that carry most of each text" in text
    assert "a.txt [1]\n- One. [1]" in text
    assert "b.txt [2]\nIt holds no whole sentences. [2]" in text


def test_what_is_known_answers_by_itself_with_its_source() -> None:
    known = memory("btw I live in Halle now", id="ep_2").model_copy(update={"fact": "You live in Halle (since today)"})
    entries = Ledger().add([known, memory("Halle is on the Saale.")])
    text = compose(entries, NOBODY)
    assert text.startswith("You live in Halle (since today). [1]\n\n[1] You")
    assert "btw I live in Halle now" in text
    assert "Saale" not in text
