"""Places outside memory that forget with it: beginnings of prompts kept for models, what surfaces see, answers that an
editor showed as files."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from hearth_backend.memory.gone import Gone
from hearth_backend.memory.working import Working


class States:
    """What models keep of prompts, in files and in memory. Which prompts held a text is not known: all of it goes."""

    def __init__(self, forget: Callable[[], Awaitable[int]]) -> None:
        self._forget = forget

    async def quoting(self, gone: Gone) -> int:
        """Not to be known."""
        return 0

    async def erase(self, gone: Gone) -> bool:
        """The next prompt is read from its beginning."""
        await self._forget()
        return True


class InSight:
    """Pages that a surface showed lately."""

    def __init__(self, working: Working) -> None:
        self._working = working

    async def quoting(self, gone: Gone) -> int:
        """It is no record of anything."""
        return 0

    async def erase(self, gone: Gone) -> bool:
        """The forgotten pages are no longer in sight."""
        self._working.forget(lambda seen: seen.url in gone.sources)
        return True


class Papers:
    """Text files that are shown again, such as answers in an editor."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def quoting(self, gone: Gone) -> int:
        """They are copies of what the journal holds."""
        return 0

    async def erase(self, gone: Gone) -> bool:
        """A paper that quotes it goes; it can be made again from its answer."""
        await asyncio.to_thread(self._erase, gone)
        return True

    def _erase(self, gone: Gone) -> None:
        for path in self._folder.glob("*") if self._folder.is_dir() else ():
            if path.is_file() and gone.mask(text := path.read_text("utf-8", "replace")) != text:
                path.unlink(missing_ok=True)
