import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.structured import Entry, Kind, entries, kind_of
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit

CARD = """BEGIN:VCARD\r
VERSION:3.0\r
N:Vogel;Katrin;;Dr.;\r
FN:Dr. Katrin Vogel\r
ORG:Nordlicht\\, Energie;Netze\r
item1.EMAIL;TYPE=INTERNET:katrin@no\r
 rdlicht.example\r
TEL;TYPE=CELL:+49 341 555\r
BDAY:19800305\r
ADR;TYPE=HOME:;;Am Markt 1;Leipzig;;04109;Germany\r
PHOTO;ENCODING=b:AAAA\r
END:VCARD\r
"""
CALENDAR = """BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Dentist
DTSTART;TZID=Europe/Berlin:20260610T093000
LOCATION:Gohliser Straße 5
ATTENDEE;CN="Hanna Lind":mailto:h@x.example
BEGIN:VALARM
SUMMARY:not this
END:VALARM
END:VEVENT
BEGIN:VTODO
SUMMARY:Tax return
DUE;VALUE=DATE:20260731
STATUS:NEEDS-ACTION
END:VTODO
END:VCALENDAR
"""


def told(text: str, kind: Kind) -> list[tuple[str, str, dict[str, str]]]:
    return [(one.name, one.kind, {said.predicate: said.value for said in one.said}) for one in entries(text, kind)]


def test_a_card_is_a_person() -> None:
    assert told(CARD, "vcard") == [
        (
            "Dr. Katrin Vogel",
            "person",
            {
                "works_at": "Nordlicht, Energie",
                "email": "katrin@nordlicht.example",
                "phone": "+49 341 555",
                "birthday": "1980-03-05",
                "address": "Am Markt 1, 04109 Leipzig, Germany",
                "lives_in": "Leipzig",
            },
        )
    ]


def test_a_calendar_holds_events_and_tasks() -> None:
    assert told(CALENDAR, "ics") == [
        (
            "Dentist",
            "event",
            {"happens_on": "2026-06-10 09:30", "located_at": "Gohliser Straße 5", "with": "Hanna Lind"},
        ),
        ("Tax return", "event", {"due_on": "2026-07-31", "status": "needs-action"}),
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_names_what_its_columns_say(sign: str) -> None:
    rows = (("Full Name", "E-Mail", "Company", "Shoe size"), ("Lena", "l@x.example", "Volvo", "39"))
    text = "\ufeff" + "\n".join(sign.join(row) for row in rows)
    said = {"email": "l@x.example", "works_at": "Volvo", "shoe_size": "39"}
    assert told(text, "csv") == [("Lena", "person", said)]


def test_json_is_a_list_of_objects_or_objects_by_name() -> None:
    person = ("Lena", "person", {"email": "l@x.example"})
    assert told('[{"name": "Lena", "email": "l@x.example", "x": null}, 5]', "json") == [person]
    assert told('{"Lena": {"email": "l@x.example"}}', "json") == [person]
    assert told('{"name": "lamp", "watts": 5, "tags": ["a", "b"]}', "json")[0][2]["watts"] == "5"


def test_every_value_stands_at_its_place_in_the_text() -> None:
    for kind, text in (("vcard", CARD), ("ics", CALENDAR)):
        for entry in entries(text, kind_of(f"x.{'vcf' if kind == 'vcard' else kind}")):
            assert all(entry.text[slice(*said.span)] == said.value for said in entry.said)


@pytest.mark.parametrize("text", ["{", "[1, 2", "5", "\x00", "[" * 100_000])
def test_broken_json_is_said(text: str) -> None:
    with pytest.raises(BadRequest):
        list(entries(text, "json"))


def test_another_file_is_refused() -> None:
    with pytest.raises(BadRequest, match="no file"):
        kind_of("letter.docx")


@given(st.text(max_size=300), st.sampled_from(["csv", "json", "vcard", "ics"]))
def test_any_text_is_read_or_refused(text: str, kind: Kind) -> None:
    try:
        found = list(entries(text, kind))
    except BadRequest:
        return
    assert all(isinstance(one, Entry) for one in found)
