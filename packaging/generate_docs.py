"""Writes the tables in docs/ that derive from the code, between their markers; the prose around them is by hand.

python packaging/generate_docs.py            write them
python packaging/generate_docs.py --check    exit 1 when one is not fresh
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hearth_backend.api.app import endpoints
from hearth_backend.api.endpoint import OPEN, Endpoint
from hearth_backend.cli.verb import Option, Verb
from hearth_backend.cli.verbs import VERBS
from hearth_backend.observe.metrics import Metrics
from hearth_shared.errors import HearthError, every_error
from hearth_shared.settings import Settings

DOCS: Final = Path(__file__).parents[1] / "docs"
_MARKED: Final = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Anything:
    """Stands for the services while routes are declared: declaring one only remembers where things are."""

    def __getattr__(self, name: str) -> "Anything":
        return Anything()

    def __int__(self) -> int:
        return 0

    def __iter__(self) -> Iterator["Anything"]:
        return iter(())


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    stale = [path for path in sorted(DOCS.rglob("*.md")) if path.read_text("utf-8") != fresh(path)]
    if list(arguments) == ["--check"]:
        for path in stale:
            print(f"docs/{path.relative_to(DOCS)} is not fresh: run `make docs`.", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(fresh(path), "utf-8")
    return 0


def fresh(path: Path) -> str:
    """The page with its tables made anew."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{TABLES[found['name']]()}\n\n{found[3]}", path.read_text("utf-8"))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


# -- settings


def settings() -> str:
    """Every option by section."""
    return "\n\n".join(_sections())


def _sections() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        model = model_of(field.annotation)
        prefix = f"{name}.NAME" if get_origin(field.annotation) is dict else name
        rows = [_option(prefix, option, inner) for option, inner in model.model_fields.items()]
        head = ("option", "type", "default", "meaning")
        yield f"### `[{prefix}]`\n\n{model.__doc__}\n\n{table(head, rows)}"


def model_of(annotation: Any) -> type[BaseModel]:
    """The section's model; of a section with names of the person's own, the model of each."""
    return get_args(annotation)[-1] if get_origin(annotation) is dict else annotation


def _option(section: str, name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    default = "(must be given)" if field.is_required() else f"`{json.dumps(field.default)}`"
    return f"`{section}.{name}`", _kind(field), default, field.description or ""


def _kind(field: FieldInfo) -> str:
    inner = [part for part in get_args(field.annotation) if part is not type(None)]
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    kind = inner[0] if inner else field.annotation
    name = {str: "text", bool: "true or false", int: "whole number", float: "number"}[cast("type[str]", kind)]
    return " ".join([name, *_bounds(field)])


def _bounds(field: FieldInfo) -> Iterator[str]:
    for sign, attribute in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt")):
        for constraint in field.metadata:
            if (bound := getattr(constraint, attribute, None)) is not None:
                yield f"{sign} {bound:g}"


# -- errors and metrics


def errors() -> str:
    """Every error code."""
    kinds = sorted(every_error(), key=lambda kind: (kind.status, kind.code))
    rows = [(f"`{kind.code}`", str(kind.status), "yes" if kind.retryable else "no", _meaning(kind)) for kind in kinds]
    return table(("code", "status", "may succeed later", "meaning"), rows)


def _meaning(kind: type[HearthError]) -> str:
    if kind is HearthError:
        return "Something that Hearth did not expect; the log tells more."
    return (kind.__doc__ or "").split("\n")[0]


def metrics() -> str:
    """Every metric."""
    rows = [
        (f"`{one.name}`", one.kind, " ".join(f"`{label}`" for label in one.labels) or "–", one.help)
        for one in Metrics().described()
    ]
    return table(("name", "type", "labels", "counts"), rows)


# -- routes


def routes() -> list[Endpoint]:
    """Every route of the HTTP door."""
    return endpoints(cast("Any", Anything()), {})


def native() -> str:
    """The routes of Hearth's own API."""
    return _routes(route for route in routes() if route.dialect == "native")


def compatible() -> str:
    """The routes that speak another program's dialect."""
    return _routes(route for route in routes() if route.dialect != "native")


def _routes(found: Iterable[Endpoint]) -> str:
    ordered = sorted(found, key=lambda route: (route.path, route.method))
    rows = [(f"`{name(route)}`", _scopes(route), route.summary) for route in ordered]
    return table(("route", "scope", "does"), rows)


def name(route: Endpoint) -> str:
    """As a reader writes it: `GET /v1/models/{model_id}`."""
    return f"{route.method} {route.path.replace(':path}', '}')}"


def _scopes(route: Endpoint) -> str:
    if route.scopes is None or route.scopes == OPEN:
        return "(the bridge's key)" if route.for_bridge else "–"
    return " or ".join(f"`{scope}`" for scope in sorted(route.scopes))


# -- commands


def commands() -> str:
    """Every verb with its example and what it takes."""
    return "\n\n".join(_verb(verb) for verb in sorted(VERBS, key=lambda verb: verb.name))


def _verb(verb: Verb) -> str:
    parts = [f"### `hearth {verb.name}`", f"{verb.summary[0].upper()}{verb.summary[1:]}.", f"```\n{verb.example}\n```"]
    if verb.options:
        parts.append(table(("takes", "meaning"), [(_flags(one), one.settings["help"]) for one in verb.options]))
    return "\n\n".join(parts)


def _flags(option: Option) -> str:
    """As it is typed: `--limit N`, `-m TEXT` or `--message TEXT`, `QUESTION …`, `[OPTION]`."""
    settings = option.settings
    placed = option.flags[0][0] != "-"
    name = settings.get("metavar") or (option.flags[0].lstrip("-").replace("-", "_").upper())
    if choices := settings.get("choices"):
        name = "{" + ",".join(choices) + "}"
    if placed:
        return {"+": f"`{name} …`", "?": f"`[{name}]`"}.get(settings.get("nargs", ""), f"`{name}`")
    value = "" if settings.get("action") == "store_true" else f" {name}"
    return " or ".join(f"`{flag}{value}`" for flag in option.flags)


TABLES: Final[dict[str, Callable[[], str]]] = {
    "commands": commands,
    "compatible-routes": compatible,
    "errors": errors,
    "metrics": metrics,
    "routes": native,
    "settings": settings,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
