"""The route table: the one thing that both decides which scope a request needs and what runs.

The gate and the router cannot disagree about a path, because they are the same look-up.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from hearth_backend.api.endpoint import OPEN, Endpoint

_MAY_BE_OPEN: Final = frozenset({("GET", "/healthz")})
_NOTHING: Final[Mapping[str, str]] = {}
_FIELD: Final = re.compile(r"\{(\w+)(:path)?\}")
Methods = dict[str, Endpoint]


class RouteTable:
    """All routes by path. Refuses to be made of a route without a scope, or of two with the same name."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._exact: dict[str, Methods] = {}
        self._patterns: dict[str, dict[str, tuple[re.Pattern[str], Methods]]] = {}
        for endpoint in self.endpoints:
            _check(endpoint)
            self._add(endpoint)

    def find(self, path: str) -> tuple[Methods, Mapping[str, str]] | None:
        """What may be done at `path`, by method (WS for a WebSocket), and the path's parameters."""
        if (methods := self._exact.get(path)) is not None:
            return methods, _NOTHING
        for pattern, found in self._patterns.get(_group(path), _NO_PATTERNS).values():
            if (match := pattern.fullmatch(path)) is not None:
                return found, match.groupdict()
        return None

    def _add(self, endpoint: Endpoint) -> None:
        if "{" in endpoint.path:
            group = self._patterns.setdefault(_group(endpoint.path), {})
            methods = group.setdefault(endpoint.path, (_compiled(endpoint.path), {}))[1]
        else:
            methods = self._exact.setdefault(endpoint.path, {})
        if endpoint.method in methods:
            raise ValueError(f"{endpoint.method} {endpoint.path} is declared twice")
        methods[endpoint.method] = endpoint


_NO_PATTERNS: Final[dict[str, tuple[re.Pattern[str], Methods]]] = {}


def _check(endpoint: Endpoint) -> None:
    name = f"{endpoint.method} {endpoint.path}"
    if endpoint.scopes is None:
        raise ValueError(f"{name} declares no scope: a route is closed until it says who may use it")
    is_open = endpoint.scopes == OPEN and not endpoint.for_bridge
    if is_open and (endpoint.method, endpoint.path) not in _MAY_BE_OPEN:
        raise ValueError(f"{name} may not be open")


def _group(path: str) -> str:
    """The first two parts of a path, which no parameter may be in: `/v1/agents`."""
    return "/".join(path.split("/", 3)[:3])


def _compiled(path: str) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    for field in _FIELD.finditer(path):
        parts.append(re.escape(path[at : field.start()]))
        parts.append(f"(?P<{field[1]}>{'.+' if field[2] else '[^/]+'})")
        at = field.end()
    return re.compile("".join(parts) + re.escape(path[at:]), re.DOTALL)
