"""Facts from what a person says, by rules alone: no model. Pure.

Precision comes first: a sentence that is not plainly a statement of fact gives nothing. Peers keep what a model thought
worth keeping; an audit of one of them found nearly all of it useless.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from hearth_backend.memory import days, patterns
from hearth_backend.memory.patterns import Pattern
from hearth_backend.memory.predicates import ME
from hearth_backend.memory.sentences import Sentence, statements
from hearth_backend.memory.statement import Statement

_LONGEST: Final = 20_000
_MOST_VALUES: Final = 8
_AND: Final = re.compile(r", and |, | and | und | et | y ")
_FILLERS: Final = re.compile(r"^(?:a bit of|some|a little|really|also) ", re.IGNORECASE)
_TAILS: Final = re.compile(
    r"(?: (?:now|too|as well|though|obviously|anymore|any more|by the way|btw))+$", re.IGNORECASE
)
_PASSING: Final = re.compile(
    r"\b(?:at the moment|right now|today|tonight|for now|this week|just kidding)\b", re.IGNORECASE
)
_LASTING: Final = frozenset(
    {"due_on", "ends_on", "happens_on", "happens_at", "birthday", "decided", "prefers", "dislikes"}
)
_MERE: Final = frozenset({"second", "first", "third", "last", "other", "latter", "former", "things", "stuff"})


def extract(text: str, said_at: datetime, speaker: str = ME) -> list[Statement]:
    """The facts that a turn tells, once each, in order. `speaker` is whom "I" means."""
    found: dict[tuple[str, str, str, str], Statement] = {}
    for sentence in statements(text[:_LONGEST]):
        for one in _of_sentence(sentence, said_at):
            one = replace(one, subject=speaker) if one.subject == ME else one
            found.setdefault((one.subject.casefold(), one.predicate, one.value.casefold(), one.role), one)
    return list(found.values())


def aliases(text: str) -> list[tuple[str, str]]:
    """Pairs of names of which a turn says that they are one."""
    found = (patterns.ALIAS.match(sentence.text) for sentence in statements(text[:_LONGEST]))
    return [(match["s"], match["v"]) for match in found if match]


def _of_sentence(sentence: Sentence, said_at: datetime) -> Iterator[Statement]:
    text = sentence.text
    if related := _related(sentence, said_at):
        yield from related
        return
    for table, kind in ((patterns.FIRST_PERSON, "person"), (patterns.OTHERS, "person"), (patterns.THINGS, "thing")):
        seen = set[str]()
        for pattern in table:
            match = pattern.regex.search(text)
            if match is None or (pattern.predicate in seen and "end" not in match.groupdict()):
                continue
            found = list(_told(pattern, match, sentence, said_at, kind))
            if found:
                seen.add(pattern.predicate)
            yield from found
        if seen:
            return


def _related(sentence: Sentence, said_at: datetime) -> list[Statement]:
    """Somebody of the speaker's, and what the rest of the sentence says of them."""
    for regex in patterns.RELATED:
        if (match := regex.match(sentence.text)) is None:
            continue
        relation, name = match["rel"].lower(), match["v"]
        known = Statement(
            ME, patterns.RELATIONS[relation], name, said_at.timestamp(), _span(sentence), subject_kind="person"
        )
        rest = f"{name}{sentence.text[match.end('v') :]}"
        more = (
            one
            for pattern in patterns.OTHERS
            if (told := pattern.regex.search(rest)) is not None
            for one in _told(pattern, told, sentence, said_at, "person")
        )
        return [known, *more]
    return []


def _told(
    pattern: Pattern, match: re.Match[str], sentence: Sentence, said_at: datetime, kind: str
) -> Iterator[Statement]:
    groups = match.groupdict()
    if _PASSING.search(sentence.text) and pattern.predicate not in _LASTING:
        return
    subject = _subject(groups.get("s"))
    plain = Statement(
        subject, _predicate(pattern, groups), "", _at(pattern, groups, sentence, said_at), _span(sentence)
    )
    plain = replace(plain, subject_kind=kind if subject != ME else "person")
    for value in _values(pattern, groups, said_at):
        yield replace(plain, value=value)
    if role := groups.get("role"):
        yield replace(plain, predicate="works_as", value=_clean(role))
    if ended := groups.get("end"):
        yield replace(plain, value=_clean(ended), role="ends")


def _subject(given: str | None) -> str:
    if given is None:
        return ME
    return re.sub(r"^(?:my|our) ", "", given, flags=re.IGNORECASE)


def _predicate(pattern: Pattern, groups: dict[str, str | None]) -> str:
    about = groups.get("about")
    return f"{pattern.predicate}:{about.strip()}" if about else pattern.predicate


def _values(pattern: Pattern, groups: dict[str, str | None], said_at: datetime) -> Sequence[str]:
    if many := groups.get("vs"):
        return [value for part in _AND.split(many)[:_MOST_VALUES] if _is_something(value := _clean(part))]
    if one := groups.get("v"):
        return [value] if _is_something(value := _clean(one)) else []
    if avoided := groups.get("no"):
        return [f"no {_clean(avoided)}"]
    if day := groups.get("day"):
        if pattern.predicate == "birthday":
            return [text] if (text := days.anniversary(day)) else []
        return [found.text] if (found := days.named_day(day, said_at.date())) else []
    return []


def _at(pattern: Pattern, groups: dict[str, str | None], sentence: Sentence, said_at: datetime) -> float:
    """When it began: the day that the sentence names for it, else when it was said."""
    if pattern.predicate == "works_at" and (day := groups.get("day")):
        found = days.named_day(day, said_at.date())
    elif pattern.when == "past":
        found = days.past(sentence.text, said_at.date())
    else:
        found = days.since(sentence.text, said_at.date())
    return said_at.timestamp() if found is None else days.start_of(found.first, said_at)


def _clean(value: str) -> str:
    value = _TAILS.sub("", " ".join(value.split())).strip(" ,;:.–-")
    return _FILLERS.sub("", value)


def _is_something(value: str) -> bool:
    words = value.casefold().split()
    return bool(words) and len(value) <= 120 and not _MERE.intersection(words)


def _span(sentence: Sentence) -> tuple[int, int]:
    return sentence.start, sentence.end
