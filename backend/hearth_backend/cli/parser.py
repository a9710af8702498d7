"""The parser, made from the table of verbs."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from typing import Any

from hearth_backend.cli.verb import Verb
from hearth_backend.cli.verbs import GROUPS, VERBS
from hearth_shared import __version__

_ABOUT = "Hearth: the local agent that lives beside your work. It keeps everything on this machine."
_MANNER: dict[str, Any] = {"formatter_class": RawDescriptionHelpFormatter, "allow_abbrev": False}
_EXAMPLE = 'example:\n  hearth ask "what can you do?"'


def parser(first: str | None = None) -> ArgumentParser:
    """All verbs, or only those that begin with the word `first`: making one costs less than making all."""
    root = ArgumentParser(prog="hearth", description=_ABOUT, epilog=_EXAMPLE, **_MANNER)
    root.add_argument("--version", action="version", version=f"hearth {__version__}")
    verbs = root.add_subparsers(metavar="VERB", required=True)
    for word, found in _by_word(first):
        if found[0].name == word:
            _add(verbs.add_parser, word, found[0])
            continue
        group = verbs.add_parser(word, help=GROUPS[word], description=GROUPS[word])
        inner = group.add_subparsers(metavar="VERB", required=True)
        for verb in found:
            _add(inner.add_parser, verb.name.partition(" ")[2], verb)
    return root


def _by_word(first: str | None) -> Iterator[tuple[str, list[Verb]]]:
    words: dict[str, list[Verb]] = {}
    for verb in VERBS:
        words.setdefault(verb.name.partition(" ")[0], []).append(verb)
    return iter([(first, words[first])] if first in words else words.items())


def _add(make: Callable[..., ArgumentParser], name: str, verb: Verb) -> None:
    epilog = f"example:\n  {verb.example}"
    made = make(name, help=verb.summary, description=verb.summary, epilog=epilog, **_MANNER)
    for flags, settings in verb.options:
        made.add_argument(*flags, **settings)
    made.set_defaults(verb=verb)
