"""What a tool is.

A tool says what it takes (a strict pydantic model), what it changes, and how much of it there may be. One that changes
something also looks ahead: its `plan` says what a call would touch, and on what state of the world that rests. A person
decides over the plan, and the call is done only while the plan is still the same.
"""

import glob
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from hearth_shared.display import display
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.tasks import Source

Effect = Literal["read", "write", "send", "execute"]
LARGEST_ARGUMENTS = 262_144
_SHOWN_FAULTS = 3


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Text for the model, and the sources it may cite. `trusted` is false when the text came from outside, `private`
    is true when it is the person's own."""

    text: str
    sources: tuple[Source, ...] = ()
    trusted: bool = True
    private: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a tool there may be: characters it gives back, seconds it takes, calls a minute of one run; and how
    long what it gave may be given again, for a call that only reads (see `cache.py`)."""

    output: int = 30_000
    timeout_s: float = 30.0
    per_minute: int = 120
    cache_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call would do, for the person who decides over it. `subject` is what rules are held against, such as the
    whole path of a file; `state` is what it rests on (resolved paths, their
    identity and content): a grant holds for this state alone. `insists` says why a person has to be asked whatever the
    rules say; empty when they may decide."""

    subject: Mapping[str, str] = field(default_factory=dict[str, str])
    reach: tuple[str, ...] = ()
    undo: str = ""
    preview: str = ""
    paths: tuple[str, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])
    insists: str = ""


NO_PLAN = Plan()


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool runs. `key` is the same in every attempt at the same call; `plan` is what was decided over, and a
    tool that changes something does it to that alone."""

    run_id: str
    owner: str
    spaces: frozenset[str]
    local_only: bool
    key: str = ""
    plan: Plan = NO_PLAN
    agent_id: str = ""
    thread_id: str | None = None
    door: str = ""


class Arguments(BaseModel):
    """What a tool takes: nothing it does not name, and nothing of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


A = TypeVar("A", bound=Arguments)


class Tool(ABC, Generic[A]):
    """Something an agent may call.

    `effect` is what it changes: nothing, something on this machine, something elsewhere (send), or whatever a program
    does (execute). `repeatable` is true when a call may be done again with the same key after a crash.
    """

    name: str
    description: str
    takes: type[A]
    effect: Effect = "read"
    limits: Limits = Limits()
    repeatable: bool = False

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The JSON Schema of its arguments."""
        return _plain(self.takes.model_json_schema())

    def read(self, arguments: Mapping[str, Any]) -> A:
        """The arguments as its model has them. Raises BadRequest naming what is wrong, for the model to repair."""
        return read_arguments(self.name, self.takes, arguments)

    async def plan(self, arguments: A, context: ToolContext) -> Plan:
        """Look, and change nothing. Raises HearthError when the call could not be done."""
        return Plan(subject={name: text_of(value) for name, value in arguments.model_dump(mode="json").items()})

    def pattern(self, plan: Plan) -> Mapping[str, str]:
        """What a rule for calls like this one would say of their subject, as glob patterns."""
        return {name: glob.escape(value) for name, value in plan.subject.items()}

    async def look_back(self, arguments: A, context: ToolContext) -> Literal["done", "not done", "unknown"]:
        """Whether a call that was interrupted had come to its end."""
        return "unknown"

    @abstractmethod
    async def call(self, arguments: A, context: ToolContext) -> ToolResult:
        """Do it."""

    async def stamp(self, arguments: A, context: ToolContext) -> str:
        """What an earlier result must have had in common with the world now to be given again."""
        return ""


AnyTool = Tool[Any]


def text_of(value: Any) -> str:
    """A value as rules see it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def read_arguments(tool: str, model: type[A], arguments: Mapping[str, Any]) -> A:
    """`arguments` as `model`. Raises BadRequest."""
    try:
        text = json.dumps(arguments, ensure_ascii=False)
        text.encode()  # a lone surrogate is text to Python, and not to JSON
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"The arguments of {tool} are no JSON.", "Call it again with a JSON object.") from error
    if len(text) > LARGEST_ARGUMENTS:
        raise BadRequest(
            f"The arguments of {tool} are too large: {len(text)} characters, of {LARGEST_ARGUMENTS}.", "Do it in parts."
        )
    try:
        return model.model_validate_json(text)  # JSON's own rules: a list is as good as a tuple
    except ValidationError as error:
        raise BadRequest(f"{tool} was called wrongly: {_faults(error)}.", "Correct that and call it again.") from error


def _faults(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)
    said = [f"`{display('.'.join(map(str, one['loc'])), keep='')}`: {one['msg']}" for one in found[:_SHOWN_FAULTS]]
    more = len(found) - len(said)
    return "; ".join(said)[:1000] + (f"; and {more} more" if more > 0 else "")


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic derives from names: they cost a model words and tell it nothing."""

    def without(value: Any, *, names: bool = False) -> Any:
        if isinstance(value, dict):
            return {
                key: without(inner, names=key in ("properties", "$defs") and not names)
                for key, inner in cast("dict[str, Any]", value).items()
                if names or key != "title" or not isinstance(inner, str)
            }
        if isinstance(value, list):
            return [without(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
        return value

    plain = without(schema)
    plain.pop("description", None)
    plain.setdefault("properties", {})
    return plain
