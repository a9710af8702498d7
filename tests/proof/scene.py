"""Where the proof is played: a home of its own, a backend in it, a small web site, a notes file."""

import asyncio
import contextlib
import shutil
import threading
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from support.backend import Backend
from support.website import website

T = TypeVar("T")
FACT = "Remember that the staging server is called Anemone and is rebooted on Mondays."
QUESTION = "What is the staging server called?"
PAGE_FACT = "The harbour crane of Lindholm lifts forty tonnes and was painted yellow in 2019."
PAGE_QUESTION = "How much does the harbour crane of Lindholm lift?"
NOTES = "# Boat\n\nThe mooring fee is 40 euros a night.\n\n# Train\n\nThe night train leaves at 22:40.\n"
NOTES_QUESTION = "What is the mooring fee?"
PAGES = {
    "/crane": "<!doctype html><title>The crane of Lindholm</title><main><h1>The crane of Lindholm</h1>"
    f"<p>{PAGE_FACT}</p><p>It stands at the eastern quay and is worked by two people in turns.</p></main>"
}


@dataclass(frozen=True)
class Scene:
    """What every chapter is given."""

    folder: Path
    backend: Backend
    site: str
    notes: Path

    @property
    def page_url(self) -> str:
        """The page that holds a fact."""
        return f"{self.site}/crane"


@contextlib.contextmanager
def scene(folder: Path, backend: Backend) -> Generator[Scene]:
    """The same for all chapters of one run."""
    notes = folder / "notes.md"
    notes.write_text(NOTES, "utf-8")
    with website(PAGES) as site:
        yield Scene(folder, backend, site, notes)


def lay_model(backend: Backend, file: Path) -> None:
    """Put a model file where the person would."""
    shutil.copyfile(file, backend.home.models / file.name)


class Aside:
    """An event loop in a thread, for a server that plays its part while the chapters run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aside")

    def __enter__(self) -> "Aside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T], limit: float = 60) -> T:
        """Its value, from this thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit)
