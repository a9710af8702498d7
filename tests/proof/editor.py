"""The editor: a file is opened and asked about, memory answers under the cursor; with a model, typing is completed."""

import asyncio

from proof.chapter import Chapter
from proof.scene import FACT, QUESTION, Scene
from support.editor import editor
from support.editor import play as played

_SOURCE = "# the staging server Anemone\ndef anemone_host() -> str:\n    return "
_SHOWN = 60


def play(scene: Scene) -> Chapter:
    """One session of a real protocol client with `python -I -m hearth_lsp`, before there is a model."""
    chapter = Chapter("editor", "In the editor, through the language server")
    path = scene.folder / "hosts.py"
    path.write_text(_SOURCE, "utf-8")
    told = played(scene.backend.home, path, QUESTION, hover=(0, 22))
    chapter.say("\n".join(told.lines).replace(str(scene.folder), "~"))
    quotes = [source["quote"] for source in told.answer.get("sources", [])]
    chapter.check("its answer cites what was told in the terminal", FACT in quotes)
    chapter.check("memory answers under the cursor", FACT.rstrip(".") in told.hover)
    chapter.check("without a model it says so once and completes nothing", told.completion == "")
    return chapter


def play_typing(scene: Scene) -> Chapter:
    """The same file with a model file in the models folder: ghost text at the cursor."""
    chapter = Chapter("typing", "Typing, with a model file")
    lines = _SOURCE.split("\n")
    shown = asyncio.run(_complete(scene, len(lines) - 1, len(lines[-1])))
    chapter.say(f"{_SOURCE}▏{shown[:_SHOWN]!r}{' …' if len(shown) > _SHOWN else ''}")
    chapter.say("(a generated test model: its words mean nothing)")
    chapter.check("it completes at the cursor", bool(shown))
    return chapter


async def _complete(scene: Scene, line: int, character: int) -> str:
    path = scene.folder / "hosts.py"
    uri = path.absolute().as_uri()
    async with editor(scene.backend.home, folder=scene.folder.as_uri()) as one:
        one.open(uri, _SOURCE)
        ghosts = await one.inline(uri, line, character)
    return str(ghosts[0]["insertText"]) if ghosts else ""
