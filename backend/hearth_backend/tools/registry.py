"""The tools there are, by name."""

from collections.abc import Iterable, Sequence

from hearth_backend.tools.tool import AnyTool
from hearth_shared.errors import NotFound


class Registry:
    """Holds each tool once."""

    def __init__(self, tools: Iterable[AnyTool]) -> None:
        self._tools: dict[str, AnyTool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ValueError(f"two tools are called {tool.name}")
            self._tools[tool.name] = tool

    @property
    def names(self) -> Sequence[str]:
        """All names, in the order given."""
        return tuple(self._tools)

    def get(self, name: str) -> AnyTool:
        """One of them. Raises NotFound."""
        return self.pick([name])[0]

    def pick(self, names: Iterable[str]) -> list[AnyTool]:
        """The tools of a profile. Raises NotFound for one that there is not."""
        missing = [name for name in names if name not in self._tools]
        if missing:
            raise NotFound(f"There is no tool {missing[0]!r}.", "Check the agent's profile.")
        return [self._tools[name] for name in names]
