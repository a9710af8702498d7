"""Memory as text: records as JSON lines, or as Markdown that a person can read and that says just as much. Pure.

A record carries a check sum, so that a damaged line is told by its number; the last one counts all the others, so that
a file that was cut off is noticed.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from hearth_backend.memory.predicates import sentence
from hearth_shared.errors import BadRequest

Record = dict[str, Any]
Format = Literal["jsonl", "markdown"]
VERSION: Final = 1
_OPENS: Final = "<!-- hearth "
_CLOSES: Final = " -->"
_TILDES: Final = re.compile(r"~+")
_TEXT_BESIDE: Final = "episode"
_CHECK: Final = 12


@dataclass(frozen=True, slots=True)
class Placed:
    """A record, and the line it begins at."""

    line: int
    record: Record


def damaged(line: int, why: str) -> BadRequest:
    """What is said of a file that cannot be taken."""
    return BadRequest(
        f"Line {line} cannot be used: {why}. Nothing was imported.",
        "Export again, or import a file that was not changed since.",
    )


# -- writing


def written(record: Record, format: Format) -> str:
    """One record, with its check sum and the end of its last line."""
    if format == "jsonl":
        return f"{_dumped(_summed(record))}\n"
    return _markdown(record)


def _summed(record: Record) -> Record:
    return {**record, "sum": _sum(record)}


def _sum(record: Record) -> str:
    return hashlib.sha256(_dumped(record).encode()).hexdigest()[:_CHECK]


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _markdown(record: Record) -> str:
    summed = _summed(record)
    kind = record["kind"]
    if kind != _TEXT_BESIDE:
        return f"{_heading(record)}{_comment(summed)}\n"
    text = str(summed.pop("text"))
    fence = "~" * max(4, 1 + max((len(run) for run in _TILDES.findall(text)), default=0))
    return f"{_heading(record)}{_comment(summed)}\n{fence}\n{text}\n{fence}\n\n"


def _comment(value: Any) -> str:
    """What a Markdown page does not show. A `>` could end it, so it is written as JSON may write it."""
    return f"{_OPENS}{_dumped(value).replace('>', chr(92) + 'u003e')}{_CLOSES}"


def _heading(record: Record) -> str:
    """What a person reads of a record; a reader of the file passes over it."""
    match record["kind"]:
        case "hearth":
            return "# Hearth's memory\n\n"
        case "episode":
            day = str(record["occurred_at"])[:16].replace("T", " ")
            about = (day, record["speaker"], record["title"] or record["source"])
            return f"## {_line(' · '.join(part for part in about if part))}\n\n"
        case "claim":
            said = sentence(record["subject"], record["predicate"], record["value"], past=record["role"] == "ends")
            day = datetime.fromtimestamp(record["at"], UTC).date().isoformat() if abs(record["at"]) < 6e10 else ""
            return f"- {_line(said)} ({'until' if record['role'] == 'ends' else 'since'} {day})\n"
        case "summary":
            lines = "\n".join(f"- {_line(one['text'])}" for one in record["lines"])
            return f"## Summary: {_line(record['level'])} {_line(record['key'])}\n\n{lines}\n\n"
        case "block":
            return f"## Pinned: {_line(record['label'])}\n\n{_line(record['text'])}\n\n"
        case _:
            return ""


def _line(text: str) -> str:
    """On one line, and never the beginning of a comment."""
    return " ".join(text.split()).replace("<", "‹")


# -- reading


def read(lines: Iterable[str]) -> Iterator[Placed]:
    """The records of a file of either form, with check sums verified; lines come without their ends."""
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if not line.strip():
            continue
        if line.lstrip("\ufeff").startswith("{"):
            yield from _json_lines(number, line, numbered)
        elif line.lstrip("\ufeff").startswith("#"):
            yield from _marked_down(numbered)
        else:
            raise damaged(number, "this is no export of Hearth's memory")
        return
    raise damaged(1, "the file is empty")


def _json_lines(number: int, line: str, rest: Iterator[tuple[int, str]]) -> Iterator[Placed]:
    yield _checked(number, _parsed(number, line.lstrip("\ufeff")))
    for number, line in rest:
        if line.strip():
            yield _checked(number, _parsed(number, line))


def _marked_down(lines: Iterator[tuple[int, str]]) -> Iterator[Placed]:
    for number, line in lines:
        plain = line.rstrip("\r")
        if not plain.startswith(_OPENS):
            continue
        if not plain.endswith(_CLOSES):
            raise damaged(number, "it is cut off")
        record = _parsed(number, plain.removeprefix(_OPENS).removesuffix(_CLOSES))
        if record.get("kind") == _TEXT_BESIDE:
            check = record.pop("sum", None)
            record = _with_text(record, _fenced(number, lines), check)
        yield _checked(number, record)


def _with_text(record: Record, text: str, check: object) -> Record:
    """The text in the place among the fields that it has in a record."""
    fields = list(record.items())
    place = next((n for n, (name, _) in enumerate(fields) if name == "recorded_at"), len(fields) - 1) + 1
    return {**dict(fields[:place]), "text": text, **dict(fields[place:]), "sum": check}


def _fenced(number: int, lines: Iterator[tuple[int, str]]) -> str:
    _, fence = next(lines, (number, ""))
    if len(fence) < 4 or set(fence) != {"~"}:
        raise damaged(number, "its text is missing")
    text: list[str] = []
    for _, line in lines:
        if line == fence:
            return "\n".join(text)
        text.append(line)
    raise damaged(number, "its text has no end")


def _parsed(number: int, text: str) -> Record:
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise damaged(number, "it is no JSON") from error
    if not isinstance(value, dict):
        raise damaged(number, "it is no record")
    return _fields(value)


def _fields(value: Any) -> Record:
    return value


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _checked(number: int, record: Record) -> Placed:
    check = record.pop("sum", None)
    try:
        right = check == _sum(record)
    except UnicodeEncodeError:
        right = False
    if not right:
        raise damaged(number, "it was changed or damaged")
    return Placed(number, record)


def whole(records: Iterable[Placed], check: Callable[[Placed], None]) -> Record:
    """Go through a file once, checking each record; the counts at its end. Raises BadRequest that names the line."""
    counts: dict[str, int] = {}
    end: Record | None = None
    last = 1
    for placed in records:
        kind, last = placed.record.get("kind"), placed.line
        if end is not None:
            raise damaged(placed.line, "it stands behind the end")
        if not counts and kind != "hearth":
            raise damaged(placed.line, "this is no export of Hearth's memory")
        if kind == "end":
            end = placed.record
            continue
        check(placed)
        counts[str(kind)] = counts.get(str(kind), 0) + 1
    del counts["hearth"]
    if end is None:
        raise damaged(last, "the file ends behind it; it was cut off")
    if end.get("counts") != counts:
        raise damaged(last, f"it counts {end.get('counts')}, and there are {counts}")
    return counts
