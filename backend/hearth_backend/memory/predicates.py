"""What can be said of somebody or something, and how many values it has at a time. From code, never from a model."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from hearth_backend.memory.text import words

Cardinality = Literal["one", "many"]
ME: Final = "me"


@dataclass(frozen=True, slots=True)
class Predicate:
    """`says` reads between subject and object; `kind` is that of the object when it is an entity, empty for a value;
    `asks` are the words by which a question means it."""

    name: str
    cardinality: Cardinality
    says: str
    kind: str = ""
    asks: str = ""


_TABLE: Final = (
    Predicate("name", "one", "is called", asks=r"name|called"),
    Predicate("nickname", "one", "goes by", asks=r"nickname|goes by"),
    Predicate("email", "one", "has the e-mail address", asks=r"e-?mail"),
    Predicate("phone", "one", "has the phone number", asks=r"(?:tele)?phone|mobile"),
    Predicate("address", "one", "has the address", asks=r"address"),
    Predicate("website", "one", "has the website", asks=r"website|homepage"),
    Predicate("birthday", "one", "has the birthday", asks=r"birthday|born"),
    Predicate("age", "one", "has the age", asks=r"how old|\bage\b"),
    Predicate("timezone", "one", "is in the time zone", asks=r"time ?zone"),
    Predicate("lives_in", "one", "lives in", "place", r"\blives?\b|home town"),
    Predicate("born_in", "one", "was born in", "place", r"\bborn\b"),
    Predicate("comes_from", "one", "comes from", "place", r"\bfrom\b"),
    Predicate("works_at", "one", "works at", "organisation", r"\bworks?\b|employer|company"),
    Predicate("works_as", "many", "works as", asks=r"\bjob\b|profession|occupation|living"),
    Predicate("studies", "many", "studied", asks=r"stud(?:y|ie[sd])"),
    Predicate("studies_at", "one", "studies at", "organisation", r"\bstud(?:y|ies)\b"),
    Predicate("learns", "many", "learns", asks=r"\blearn"),
    Predicate("speaks", "many", "speaks", asks=r"\bspeaks?\b|languages?"),
    Predicate("plays", "many", "plays", asks=r"\bplays?\b|instrument|sports?"),
    Predicate("partner", "one", "is together with", "person", r"wife|husband|partner|girlfriend|boyfriend|spouse"),
    Predicate("child", "many", "has the child", "person", r"child(?:ren)?|kids?|sons?|daughters?"),
    Predicate("mother", "one", "has the mother", "person", r"mother|\bmum\b|\bmom\b"),
    Predicate("father", "one", "has the father", "person", r"father|\bdad\b"),
    Predicate("sibling", "many", "has the sibling", "person", r"sisters?|brothers?|siblings?"),
    Predicate("friend", "many", "has the friend", "person", r"friends?"),
    Predicate("colleague", "many", "works with", "person", r"colleagues?|coworkers?"),
    Predicate("manager", "one", "reports to", "person", r"\bboss\b|manager|supervisor"),
    Predicate("doctor", "one", "has the doctor", "person", r"doctor|physician"),
    Predicate("pet", "many", "has the pet", "animal", r"\bpets?\b|\bdogs?\b|\bcats?\b"),
    Predicate("knows", "many", "knows", "person", r"\bknows?\b"),
    Predicate("member_of", "many", "belongs to", "organisation", r"member|belongs?"),
    Predicate("likes", "many", "likes", asks=r"\blikes?\b|\bloves?\b|enjoys?"),
    Predicate("dislikes", "many", "dislikes", asks=r"dislikes?|hates?|not like"),
    Predicate("prefers", "many", "prefers", asks=r"prefers?|preferences?"),
    Predicate("favourite", "one", "has the favourite", asks=r"favou?rite|preferred"),
    Predicate("account", "one", "has the account", asks=r"account|handle|user ?name"),
    Predicate("allergic_to", "many", "is allergic to", asks=r"allerg(?:ic|y|ies)"),
    Predicate("diet", "many", "eats", asks=r"\bdiet\b|\beats?\b"),
    Predicate("uses", "many", "uses", "thing", r"\buses?\b|\busing\b"),
    Predicate("owns", "many", "owns", asks=r"\bowns?\b|\bhave\b|\bcar\b|drives?"),
    Predicate("decided", "many", "decided to", asks=r"decid(?:e|ed)|decisions?"),
    Predicate("located_at", "one", "is at", asks=r"\bwhere\b|\blives?\b"),
    Predicate("ends_on", "one", "ends on", asks=r"\bwhen\b.*\b(?:ends?|expires?)|\b(?:end|expiry) date"),
    Predicate("due_on", "one", "is due on", asks=r"\bdue\b|deadline"),
    Predicate("happens_on", "one", "is on", asks=r"\bwhen\b|what (?:day|date)"),
    Predicate("happens_at", "one", "is at", asks=r"\bwhen\b|what time"),
    Predicate("with", "many", "is with", "person", r"\bwith whom\b"),
    Predicate("status", "one", "has the status", asks=r"\bstatus\b"),
    Predicate("attends", "many", "attends", "event", r"attends?|events?"),
)
TABLE: Final = {predicate.name: predicate for predicate in _TABLE}
FORM: Final = r"[a-z][a-z0-9_]{0,40}(:[^\s:][^:\n]{0,60})?"
_FORM: Final = re.compile(FORM)


def is_predicate(name: str) -> bool:
    """Whether it has the form of one: `works_at`, or `favourite:editor` with what it is about."""
    return _FORM.fullmatch(name) is not None


def predicate(name: str) -> Predicate:
    """The row of the table; one that it does not hold has many values, all of them plain."""
    base, _, about = name.partition(":")
    found = TABLE.get(base) or Predicate(base, "many", base.replace("_", " "))
    if not about:
        return found
    return Predicate(name, found.cardinality, f"{found.says} {about}", found.kind, found.asks)


def cardinality(name: str) -> Cardinality:
    """How many values it has at a time."""
    return predicate(name).cardinality


def sentence(subject: str, name: str, value: str, *, past: bool = False) -> str:
    """A fact as a plain sentence; of the person in their own voice's answer: "You live in Halle"."""
    says = predicate(name).says
    base, _, about = name.partition(":")
    if about and base in ("favourite", "account"):
        whose = "Your" if subject == ME else f"{subject}'s"
        text = f"{whose} {'favourite ' if base == 'favourite' else ''}{about}{' account' * (base == 'account')}"
        return f"{text} {'was' if past else 'is'} {value}"
    if subject != ME:
        return f"{subject} {_past(says) if past else says} {value}"
    return f"You {_past(says) if past else _second(says)} {value}"


_SECOND: Final = {"is": "are", "has": "have", "goes": "go", "was": "were"}
_PAST: Final = {"is": "was", "has": "had", "goes": "went", "was": "was", "eats": "ate", "speaks": "spoke"}


def _second(says: str) -> str:
    """The verb of "you": lives → live."""
    verb, _, rest = says.partition(" ")
    if verb in _SECOND:
        verb = _SECOND[verb]
    elif verb.endswith("s") and verb != "was":
        verb = verb[:-1]
    return f"{verb} {rest}".rstrip()


def _past(says: str) -> str:
    verb, _, rest = says.partition(" ")
    if verb in _PAST:
        verb = _PAST[verb]
    elif verb.endswith("s"):
        stem = verb[:-1]
        verb = stem if stem.endswith("d") and stem != "attend" else f"{stem.removesuffix('e')}ed"
    return f"{verb} {rest}".rstrip()


def search_terms(*texts: str) -> list[str]:
    """The words by which a fact is found: lower case, without a plural's s, once each."""
    found = (word for text in texts for word in words(text.replace("_", " ")))
    return list(dict.fromkeys(stem(word) for word in found))


def stem(word: str) -> str:
    """Enough of a stem that "lives" finds "live"."""
    if len(word) > 3 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
