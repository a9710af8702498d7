"""Facts from files that have a form: CSV, JSON, vCard, iCalendar. Pure: text in, entries out.

An entry is somebody or something with what is said of it. Its text is what a person can read and a fact can cite; every
value stands in it word for word. CSV and JSON are read by the standard library, the other two by `content_lines`:
recurrence, time zones' rules and pictures say nothing that becomes a fact.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from hearth_backend.memory import content_lines
from hearth_backend.memory.content_lines import Line
from hearth_shared.errors import BadRequest

Kind = Literal["csv", "json", "vcard", "ics"]
MOST: Final = 2000
"""Entries of one file."""
_MOST_VALUES: Final = 32
_LONGEST: Final = 200
_ENDINGS: Final[Mapping[str, Kind]] = {
    "csv": "csv", "tsv": "csv", "json": "json", "vcf": "vcard", "vcard": "vcard", "ics": "ics", "ical": "ics",
}  # fmt: skip
_COLUMNS: Final = {
    "e_mail": "email", "mail": "email", "email_address": "email", "tel": "phone", "telephone": "phone",
    "phone_number": "phone", "mobile": "phone", "company": "works_at", "organisation": "works_at",
    "organization": "works_at", "employer": "works_at", "role": "works_as", "job": "works_as", "job_title": "works_as",
    "title": "works_as", "position": "works_as", "city": "lives_in", "town": "lives_in", "birth_date": "birthday",
    "date_of_birth": "birthday", "dob": "birthday", "url": "website", "homepage": "website", "web": "website",
    "time_zone": "timezone", "manager": "manager", "boss": "manager", "location": "located_at", "language": "speaks",
    "languages": "speaks", "due": "due_on", "deadline": "due_on", "date": "happens_on",
}  # fmt: skip
_NAMES: Final = ("name", "full_name", "fullname", "display_name", "title", "subject", "item", "id")
_PERSONAL: Final = frozenset({"email", "phone", "works_at", "works_as", "birthday", "lives_in", "manager", "speaks"})
_DATE: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2}):?(\d{2}))?")
_YEARLESS: Final = re.compile(r"--(\d{2})-?(\d{2})")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing an entry says; `span` is its value's place in the entry's text."""

    predicate: str
    value: str
    span: tuple[int, int]


@dataclass(slots=True)
class Entry:
    """Somebody or something, as a text with what it says."""

    name: str
    kind: str = "thing"
    text: str = ""
    said: list[Said] = field(default_factory=list[Said])

    def __post_init__(self) -> None:
        self.text = self.text or self.name

    def say(self, predicate: str, label: str, value: str) -> None:
        """Write it down; an empty or overlong value says nothing."""
        value = " ".join(value.replace("\0", " ").split())
        if not value or len(value) > _LONGEST or len(self.said) >= _MOST_VALUES:
            return
        start = len(self.text) + len(f"\n{label}: ")
        self.text += f"\n{label}: {value}"
        self.said.append(Said(predicate, value, (start, start + len(value))))


def kind_of(name: str) -> Kind:
    """What a file is, by its name. Raises BadRequest."""
    ending = name.rpartition(".")[2].lower()
    if ending not in _ENDINGS:
        raise BadRequest(f"{name} is no file that facts can be taken from.", "Give a .csv, .json, .vcf or .ics file.")
    return _ENDINGS[ending]


def entries(text: str, kind: Kind) -> Iterator[Entry]:
    """The entries of a file, those that say nothing too. Raises BadRequest where the file is broken, saying where."""
    match kind:
        case "csv":
            yield from _csv(text)
        case "json":
            yield from _json(text)
        case "vcard":
            yield from (_person(lines) for lines in content_lines.components(text, "VCARD"))
        case "ics":
            yield from (_event(lines) for lines in content_lines.components(text, "VEVENT"))
            yield from (_task(lines) for lines in content_lines.components(text, "VTODO"))


# -- rows


def _csv(text: str) -> Iterator[Entry]:
    sample = text[:4000]
    try:
        dialect = csv.Sniffer().sniff(sample, delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff").replace("\0", ""), newline=""), dialect=dialect)
        for row in reader:
            yield _row({str(name): str(value) for name, value in row.items() if name and isinstance(value, str)})
    except csv.Error as error:
        raise BadRequest(
            f"The table cannot be read: {error}.", "Save it as CSV with one row of column names."
        ) from error


def _json(text: str) -> Iterator[Entry]:
    try:
        read: object = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The file is not valid JSON: {error}.", "Give a list of objects.") from error
    for given in _objects(read):
        yield _row({name: value for key, found in given.items() for name, value in _flat(str(key), found)})


def _objects(read: object) -> Iterator[Mapping[str, Any]]:
    """A list of objects, one object, or objects by name."""
    if isinstance(read, list):
        for one in cast("list[object]", read):
            if isinstance(one, dict):
                yield cast("dict[str, Any]", one)
        return
    if not isinstance(read, dict):
        raise BadRequest("The file holds no objects.", "Give a list of objects with names and values.")
    named = cast("dict[str, Any]", read)
    if named and all(isinstance(value, dict) for value in named.values()):
        for name, value in named.items():
            yield {"name": name, **cast("dict[str, Any]", value)}
    else:
        yield named


def _flat(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, str | int | float):
        yield key, str(value)
    elif isinstance(value, list):
        plain = [str(one) for one in cast("list[object]", value) if isinstance(one, str | int | float)]
        yield key, "; ".join(plain)


def _row(row: Mapping[str, str]) -> Entry:
    columns = {name: _column(name) for name in row}
    chosen = next((name for wanted in _NAMES for name in row if columns[name] == wanted and row[name].strip()), None)
    chosen = chosen or next((name for name in row if row[name].strip()), "")
    entry = Entry(" ".join(row.get(chosen, "").split())[:_LONGEST])
    for name, value in row.items():
        predicate = _COLUMNS.get(columns[name], columns[name])
        if name != chosen and predicate:
            for one in value.split(";") if ";" in value else (value,):
                entry.say(predicate, name.strip(), _dated(one) if predicate == "birthday" else one)
    if _PERSONAL.intersection(said.predicate for said in entry.said):
        entry.kind = "person"
    return entry


def _column(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40]
    return plain if plain[:1].isalpha() else ""


# -- people and dates


def _person(lines: Sequence[Line]) -> Entry:
    given = {line.name: line.value for line in reversed(lines)}
    name = content_lines.plain(given.get("FN", ""))
    if not name and "N" in given:
        family, first, *_ = [*content_lines.parts(given["N"]), ""]
        name = f"{first} {family}".strip()
    entry = Entry(name[:_LONGEST], "person")
    labels = {
        "EMAIL": ("email", "E-mail"), "TEL": ("phone", "Phone"), "TITLE": ("works_as", "Title"),
        "ROLE": ("works_as", "Role"), "URL": ("website", "Website"), "NICKNAME": ("nickname", "Nickname"),
        "TZ": ("timezone", "Time zone"), "LANG": ("speaks", "Language"),
    }  # fmt: skip
    for line in lines:
        if line.name in labels:
            entry.say(*labels[line.name], content_lines.plain(line.value).removeprefix("tel:"))
        elif line.name == "ORG":
            entry.say("works_at", "Organisation", content_lines.parts(line.value)[0])
        elif line.name == "BDAY":
            entry.say("birthday", "Birthday", _dated(line.value))
        elif line.name == "ADR":
            _address(entry, content_lines.parts(line.value))
    return entry


def _address(entry: Entry, told: Sequence[str]) -> None:
    """Box, extension, street, town, region, code, country."""
    _, _, street, town, _, code, country = [*told, *[""] * 7][:7]
    entry.say("address", "Address", ", ".join(part for part in (street, f"{code} {town}".strip(), country) if part))
    entry.say("lives_in", "Town", town)


def _event(lines: Sequence[Line]) -> Entry:
    entry = _named(lines)
    for line in lines:
        if line.name == "DTSTART":
            entry.say("happens_on", "Begins", _dated(line.value))
        elif line.name == "LOCATION":
            entry.say("located_at", "Place", content_lines.plain(line.value))
        elif line.name in ("ATTENDEE", "ORGANIZER"):
            who = re.search(r"CN=\"?([^\";:]+)", line.parameters)
            address = line.value.lower().removeprefix("mailto:")
            entry.say("with", "With", who[1].title() if who else address)
    return entry


def _task(lines: Sequence[Line]) -> Entry:
    entry = _named(lines)
    for line in lines:
        if line.name == "DUE":
            entry.say("due_on", "Due", _dated(line.value))
        elif line.name == "STATUS":
            entry.say("status", "Status", line.value.lower())
    return entry


def _named(lines: Sequence[Line]) -> Entry:
    given = {line.name: content_lines.plain(line.value) for line in reversed(lines)}
    return Entry(given.get("SUMMARY", "")[:_LONGEST], "event")


def _dated(value: str) -> str:
    """A date in its extended form, whatever form it had; other texts as they are."""
    if found := _YEARLESS.search(value):
        return f"--{found[1]}-{found[2]}"
    if (found := _DATE.search(value)) is None:
        return value
    day = f"{found[1]}-{found[2]}-{found[3]}"
    return f"{day} {found[4]}:{found[5]}" if found[4] else day
