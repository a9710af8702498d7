import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.model_reader import LocalReader, proved
from hearth_backend.storage.driver import Row
from support.scripted_models import ScriptedModels, says

pytestmark = pytest.mark.unit
SAID = datetime(2026, 6, 10, 12, tzinfo=UTC).timestamp()
TEXT = "We keep the boat in Gdynia. The inspection is due next Friday, says the yard. Do I own a car?"


def turn(text: str, rowid: int = 7, speaker: str = "me") -> Row:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = Row
        return connection.execute(
            "select ? as rowid, ? as text, ? as speaker, ? as occurred_at", (rowid, text, speaker, SAID)
        ).fetchone()


@pytest.fixture(scope="module")
def boat() -> Row:
    return turn(TEXT)


def answer(**row: Any) -> str:
    plain = {"turn": 1, "subject": "me", "predicate": "owns", "object": "boat", "when_text": ""}
    return json.dumps({"facts": [plain | {"quote": "We keep the boat in Gdynia"} | row]})


def test_what_the_turn_bears_out_is_kept_with_its_place(boat: Row) -> None:
    (one,) = proved(answer(), [boat])[7]
    assert (one.subject, one.predicate, one.value, one.extractor) == ("me", "owns", "boat", "model")
    assert TEXT[slice(*one.span)] == "We keep the boat in Gdynia"


@pytest.mark.parametrize(
    "row",
    [
        {"quote": "we keep the boat in gdynia"},
        {"quote": "I own a yacht"},
        {"quote": ""},
        {"object": "yacht"},
        {"object": ""},
        {"predicate": "is_rich"},
        {"subject": "Anna"},
        {"turn": 2},
        {"turn": "1"},
        {"turn": 0},
        {"predicate": "owns", "object": "a car", "quote": "Do I own a car"},
        {"predicate": "due_on", "object": "2026-07-01", "when_text": "in July"},
    ],
)
def test_what_it_does_not_is_dropped(boat: Row, row: dict[str, Any]) -> None:
    assert not proved(answer(**row), [boat]).get(7)


def test_days_are_reckoned_by_code() -> None:
    given = turn("The inspection is due next Friday.")
    row = {"subject": "inspection", "predicate": "due_on", "object": "2031-01-01", "when_text": "next Friday"}
    (one,) = proved(answer(**row, quote="The inspection is due next Friday"), [given])[7]
    assert one.value == "2026-06-12"


@given(st.text(max_size=200))
def test_no_answer_breaks_it(text: str) -> None:
    assert proved(text, [turn("I live in Rome.")]) == {}


async def test_a_batch_is_one_call_that_never_leaves_this_machine(boat: Row) -> None:
    models = ScriptedModels(says(answer()[:40], answer()[40:]))
    found = await LocalReader(models).read([boat, turn("I like tea.", 8)])
    assert [one.value for one in found[7]] == ["boat"]
    assert len(models.asked) == 1
    (caller,) = models.callers
    assert caller.local_only
    assert caller.lane == "indexing"


async def test_without_turns_no_model_is_asked() -> None:
    models = ScriptedModels()
    assert await LocalReader(models).read([]) == {}
    assert not models.asked
