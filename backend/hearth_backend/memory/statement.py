"""What a turn says of somebody or something, before it is kept."""

from dataclasses import dataclass

from hearth_backend.memory.timeline import Role


@dataclass(frozen=True, slots=True)
class Statement:
    """`subject` holds `value` from `at` on (or until then). `span` is the place of the words that say so."""

    subject: str
    predicate: str
    value: str
    at: float
    span: tuple[int, int]
    role: Role = "says"
    subject_kind: str = "thing"
    confidence: float = 0.9
    extractor: str = "rules"
