"""What a tool is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hearth_shared.protocol.tasks import Source


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool runs."""

    run_id: str
    owner: str
    spaces: frozenset[str]
    local_only: bool
    door: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Text for the model, and the sources it may cite. `trusted` is false when the text came from outside."""

    text: str
    sources: tuple[Source, ...] = ()
    trusted: bool = True


class Tool(Protocol):
    """Something an agent may call; `parameters` is a JSON Schema object."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    @property
    def effect(self) -> Literal["read", "write"]: ...

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult: ...
