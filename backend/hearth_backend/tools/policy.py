"""Who may do what unasked: rules a person can read, held against one call at a time.

    [[rule]]
    tool = "write_file"                      # a name, or a pattern such as *_file
    match = { path = "/home/me/notes/*" }    # what the call is about, as patterns; a * goes over slashes too
    origin = ["tray", "cli"]                 # doors; without it, every door, but nothing that started by itself
    agent = "assistant"                      # without it, every agent
    decision = "allow"                       # allow, ask or deny

The strictest rule that fits wins. What no rule names: reading is allowed, everything else asks. No rule allows what a
protected file needs, nor what a run wants that has read words of strangers: those ask, whatever stands here. A file
that cannot be read allows nothing.
"""

import fnmatch
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hearth_backend.tools.tool import Effect

Decision = Literal["allow", "ask", "deny"]
BY_ITSELF: Final = "internal"
_HARMLESS: Final = frozenset({"clock", "recall"})
_DOORS: Final = ("tray", "cli", "editor", "browser", "http", BY_ITSELF)
_TABLE: Final = re.compile(r"\s*\[\[\s*rule\s*\]\]")
STRANGERS: Final = "it has read words of strangers"


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tool: str = Field(min_length=1, max_length=100)
    match: dict[str, str] = {}
    origin: str | list[str] = []
    agent: str = Field(default="", max_length=100)
    decision: Decision


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    rule: list[_Rule] = []


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `source` is where a person finds it."""

    tool: str
    decision: Decision
    match: tuple[tuple[str, str], ...] = ()
    origins: frozenset[str] = frozenset()
    agent: str = ""
    source: str = ""
    line: int = 0

    def fits(self, call: "Call") -> bool:
        """Whether it is about this call."""
        if not fnmatch.fnmatchcase(call.tool, self.tool) or self.agent not in ("", call.agent):
            return False
        if self.origins and call.origin not in self.origins:
            return False
        if self.decision == "allow" and call.origin == BY_ITSELF and BY_ITSELF not in self.origins:
            return False
        return all(name in call.subject and fnmatch.fnmatchcase(call.subject[name], glob) for name, glob in self.match)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as rules see it. `insists` says why it has to be asked about; empty when rules may decide."""

    tool: str
    effect: Effect
    subject: Mapping[str, str]
    origin: str
    agent: str
    tainted: bool = False
    private: bool = False
    insists: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done with a call, and because of what."""

    decision: Decision
    why: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of policy.toml. `problem` says why it could not be read: then nothing is allowed that touches
    anything."""

    rules: tuple[Rule, ...] = ()
    problem: str = ""

    def judge(self, call: Call, more: Iterable[Rule] = ()) -> Judgement:
        """With `more` rules beside those of the file."""
        fitting = [rule for rule in (*self.rules, *more) if rule.fits(call)]
        by = {rule.decision: rule for rule in reversed(fitting)}
        if denied := by.get("deny"):
            return Judgement("deny", f"{denied.source} forbids it")
        if self.problem and call.tool not in _HARMLESS:
            return Judgement("ask", self.problem)
        if call.insists:
            return Judgement("ask", call.insists)
        if call.effect != "read" and call.tainted:
            own = ", and knows your own things" if call.private and call.effect == "send" else ""
            return Judgement("ask", f"{STRANGERS}{own}")
        if asked := by.get("ask"):
            return Judgement("ask", f"{asked.source} says so")
        if allowed := by.get("allow"):
            return Judgement("allow", f"{allowed.source} allows it")
        if call.effect == "read":
            return Judgement("allow", "it only reads")
        return Judgement("ask", "no rule allows it")

    def mentions(self, tool: str, more: Iterable[Rule] = ()) -> bool:
        """Whether a call that only reads has to be judged at all."""
        if self.problem:
            return tool not in _HARMLESS
        return any(rule.decision != "allow" and fnmatch.fnmatchcase(tool, rule.tool) for rule in (*self.rules, *more))


def unasked(agent: str, reading: Iterable[str], names: Iterable[str]) -> tuple[Rule, ...]:
    """What a profile says: the tools in `names` may be used unasked; of those that only read, the others may not. What
    changes something asks anyhow, unless a rule of the person's allows it."""
    allowed = tuple(names)
    source = f"the profile {agent}"
    asking = [Rule(tool, "ask", agent=agent, source=source) for tool in reading if tool not in allowed]
    return (*(Rule(tool, "allow", agent=agent, source=source) for tool in allowed), *asking)


def parsed(text: str) -> Policy:
    """The policy that stands in a text; with its `problem`, naming the line, when it cannot be read."""
    try:
        read = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        return _broken(str(error).rstrip("."))
    except ValidationError as error:
        return _broken(_where(text, error))
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _TABLE.match(line)]
    rules: list[Rule] = []
    for number, rule in enumerate(read.rule):
        line = lines[number] if number < len(lines) else 0
        origins = [rule.origin] if isinstance(rule.origin, str) else rule.origin
        if strange := [origin for origin in origins if origin not in _DOORS]:
            return _broken(f"line {line}: there is no door {strange[0]!r}; there are {', '.join(_DOORS)}")
        rules.append(
            Rule(
                rule.tool,
                rule.decision,
                tuple(rule.match.items()),
                frozenset(origins),
                rule.agent,
                f"policy.toml line {line}",
                line,
            )
        )
    return Policy(tuple(rules))


def _broken(problem: str) -> Policy:
    return Policy(problem=f"policy.toml cannot be read ({problem})")


def _where(text: str, error: ValidationError) -> str:
    """The first fault, with its line."""
    first = error.errors(include_url=False, include_input=False)[0]
    loc: Sequence[Any] = first["loc"]
    name = ".".join(str(part) for part in loc if isinstance(part, str)) or "the file"
    lines = text.splitlines()
    tables = [number for number, line in enumerate(lines) if _TABLE.match(line)]
    index = next((part for part in loc if isinstance(part, int)), None)
    start = tables[index] if index is not None and index < len(tables) else 0
    key = next((str(part) for part in loc[2 if index is not None else 0 :] if isinstance(part, str)), "")
    inside = range(start, len(lines))
    found = next((n for n in inside if key and re.match(rf"\s*{re.escape(key)}\s*(=|\])", lines[n])), start)
    return f"line {found + 1}: {name}: {first['msg']}"
