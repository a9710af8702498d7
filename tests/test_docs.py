"""The docs list what the code has, and the code has what the docs and the messages to people name."""

import argparse
import importlib.util
import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from hearth_backend.cli.parser import parser
from hearth_backend.observe.metrics import Metrics
from hearth_shared.errors import every_error
from hearth_shared.protocol.events import EventType
from hearth_shared.settings import Settings

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
VERB = re.compile(r"`hearth ((?:[a-z]+(?:-[a-z]+)* ?){1,2})")
ROUTE = re.compile(r"`((?:GET|POST|PUT|DELETE|WS) /[^\s`]*)`")
METRIC = re.compile(r"\b(?:agent|hearth)_[a-z_]+_(?:total|seconds|usage|dollars|waiting)\b")
DOTTED = re.compile(r"`([a-z]+)\.([a-z_]+)(?: = [^`]*)?`")
VARIABLE = re.compile(r"\bHEARTH_([A-Z]+)__([A-Z_]+)\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)")
CODE = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
TARGET = re.compile(r"`make ([a-z-]+)`")
PAGE = re.compile(r"(?<![\w/])docs/([\w/-]+\.md)\b")


@cache
def generator() -> ModuleType:
    """packaging/generate_docs.py, which knows the route table and the verbs."""
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "packaging" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def pages() -> dict[str, str]:
    """What a person reads, by its place beside docs/: these pages, README.md, and the help that Hearth quotes."""
    texts = {str(path.relative_to(DOCS)): path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
    others = [ROOT / "README.md", *sorted((ROOT / "backend" / "hearth_backend" / "help").glob("*.md"))]
    return texts | {f"../{path.relative_to(ROOT)}": path.read_text("utf-8") for path in others}


@cache
def sources() -> dict[str, str]:
    folders = (ROOT / "backend", ROOT / "shared", ROOT / "packaging")
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for top in folders for path in top.rglob("*.py")}


def found(pattern: re.Pattern[str], texts: Iterable[str]) -> Iterator[re.Match[str]]:
    for text in texts:
        yield from pattern.finditer(text)


def options() -> set[tuple[str, str]]:
    """Every option; those of a provider stand under `providers.NAME`."""
    named: set[tuple[str, str]] = set()
    for section, field in Settings.model_fields.items():
        model = generator().model_of(field.annotation)
        named |= {(section, option) for option in model.model_fields}
    return named


def verbs() -> set[str]:
    """Every verb, and every first word of one: `models list`, `models`."""
    return {name.removeprefix("hearth ") for name in leaves(parser())}


def leaves(parent: argparse.ArgumentParser) -> Iterator[str]:
    """The verbs below a parser that have no verbs below them; argparse has no public way to them."""
    for action in parent._actions:  # pyright: ignore[reportPrivateUsage]
        choices: object = action.choices
        if action.nargs == argparse.PARSER and isinstance(choices, dict):
            for child in cast("dict[str, argparse.ArgumentParser]", choices).values():
                yield from list(leaves(child)) or [child.prog]


def routes() -> set[str]:
    return {generator().name(route) for route in generator().routes()}


def missing(names: Iterable[str], page: str) -> list[str]:
    return [name for name in names if name not in pages()[page]]


def test_every_generated_table_is_fresh() -> None:
    assert generator().main(["--check"]) == 0


def test_every_setting_is_documented() -> None:
    named = [f"`{'providers.NAME' if section == 'providers' else section}.{option}`" for section, option in options()]
    assert not missing(named, "settings.md")


def test_every_error_code_is_documented() -> None:
    assert not missing([f"`{kind.code}`" for kind in every_error()], "errors.md")


def test_every_metric_is_documented() -> None:
    assert not missing([f"`{one.name}`" for one in Metrics().described()], "metrics.md")


def test_every_event_is_documented() -> None:
    assert not missing([f"| `{kind.value}` |" for kind in EventType], "events.md")


def test_every_route_is_documented() -> None:
    assert len(routes()) > 30
    assert not missing([f"`{name}`" for name in routes()], "http-api.md")


def test_every_verb_is_documented() -> None:
    assert len(verbs()) > 20
    assert not missing([f"### `hearth {name}`" for name in verbs()], "commands.md")


def test_every_route_that_the_docs_name_exists() -> None:
    assert {match[1] for match in found(ROUTE, pages().values())} <= routes()


def test_every_metric_that_the_docs_name_exists() -> None:
    known = {one.name for one in Metrics().described()}
    assert {match[0] for match in found(METRIC, pages().values())} <= known


def test_every_event_or_setting_that_the_docs_name_exists() -> None:
    known = options() | {(kind.partition(".")[0], kind.partition(".")[2]) for kind in EventType}
    sections = {section for section, _ in known}
    named = {match.group(1, 2) for match in found(DOTTED, pages().values())}
    assert {name for name in named if name[0] in sections and name[1] not in ("py", "toml", "db")} <= known


def test_every_variable_that_is_named_sets_an_option() -> None:
    texts = [*pages().values(), *sources().values()]
    named = {(match[1].lower(), match[2].lower()) for match in found(VARIABLE, texts)}
    assert named - {("section", "option")} <= options()


@pytest.mark.parametrize("where", ["docs", "product"])
def test_every_verb_that_a_person_is_told_exists(where: str) -> None:
    texts = pages() if where == "docs" else sources()
    known = verbs() | {name.split()[0] for name in verbs()}
    wrong = [
        f"{name}: hearth {match[1]}"
        for name, text in texts.items()
        for match in VERB.finditer(text)
        if match[1].strip() not in known and match[1].split()[0] not in known
    ]
    assert not wrong


def typed() -> Iterator[tuple[str, list[str]]]:
    """The command lines in the pages' code blocks, as a shell would hand them over."""
    for page, text in pages().items():
        for block in CODE.finditer(text):
            for line in re.sub(r"\\\n", " ", block[1]).splitlines():
                words = shlex.split(line, comments=True) if line.startswith("hearth ") else []
                if words and not {"|", ">", "…"} & set(words):
                    yield page, words[1:]


def test_every_command_that_the_pages_show_would_be_taken(capsys: pytest.CaptureFixture[str]) -> None:
    refused: list[str] = []
    for page, words in typed():
        try:
            parser().parse_args(words)
        except SystemExit:
            refused.append(f"{page}: hearth {' '.join(words)}: {capsys.readouterr().err.splitlines()[-1]}")
    assert not refused


def test_every_page_that_a_person_is_sent_to_exists() -> None:
    named = {match[1] for match in found(PAGE, [*pages().values(), *sources().values()])}
    assert not [name for name in named if not (DOCS / name).exists()]


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page}: {match[1]}"
        for page, text in pages().items()
        for match in LINK.finditer(text)
        if "://" not in match[1] and not (DOCS / page).parent.joinpath(match[1]).exists()
    ]
    assert not broken


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {match[1] for match in found(TARGET, pages().values())}
    assert not [name for name in named if f"\n{name}:" not in makefile]


def test_every_page_is_reached_from_the_index() -> None:
    linked = {match[1] for match in LINK.finditer(pages()["index.md"])}
    assert not [name for name in pages() if "/" not in name and name != "index.md" and name not in linked]
