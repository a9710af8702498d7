"""Verbs that become another program, because an editor speaks with it over stdin and stdout. Standard library only:
`hearth lsp` must not pay for what the other verbs load."""

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from argparse import Namespace

    from hearth_backend.cli.desk import Desk

_HELP: Final = frozenset({"-h", "--help"})
_MISSING: Final = (
    "hearth: The language server needs pygls, which is not installed. Everything else of Hearth works. "
    "Install it: `make run` in Hearth's checkout, or `pip install 'hearth-agent[lsp]'`.\n"
)


def become_if_asked(words: Sequence[str]) -> None:
    """Become the program that these words name; returns when they name none, or ask for help."""
    if words[:1] == ["lsp"] and not _HELP.intersection(words):
        become_lsp(words[1:])


def become_lsp(words: Sequence[str] = ()) -> NoReturn:
    """The language server, in this process's place; editors may add words of their own, such as `--stdio`."""
    if find_spec("pygls") is None:
        sys.stderr.write(_MISSING)
        sys.exit(1)
    os.execv(sys.executable, (sys.executable, "-I", "-m", "hearth_lsp", *words))


def lsp(desk: "Desk", options: "Namespace") -> int:
    """The same, for a caller that went through the parser."""
    become_lsp()
