"""A verb of the command line, as a value: parser, help and docs are made from it."""

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from hearth_backend.cli.desk import Desk

Action = Callable[[Desk, Namespace], int]


class Option(NamedTuple):
    """An argument as argparse takes it."""

    flags: tuple[str, ...]
    settings: dict[str, Any]


class Verb(NamedTuple):
    """`name` is what is typed (`keys set`); `action` is module:function in this package."""

    name: str
    summary: str
    example: str
    action: str
    options: tuple[Option, ...] = ()

    def load(self) -> Action:
        """The function; its module is imported only now, so that one verb does not pay for all."""
        module, _, function = self.action.partition(":")
        return getattr(import_module(f"hearth_backend.cli.{module}"), function)


def option(*flags: str, **settings: Any) -> Option:
    """An argument."""
    return Option(flags, settings)


JSON = option("--json", action="store_true", help="print JSON for a program")
LIMIT = option("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)")
