"""Hearth's own help pages as passages of a space, so that "what can you do?" has an answer at once."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable

from hearth_backend.memory.passages import slug, split
from hearth_shared.protocol.memory import NewEpisode

SPACE = "hearth-docs"
# all pages carry one date: they are no events, and no question about a time should prefer them
_DATED = datetime(2000, 1, 1, tzinfo=UTC)


def shipped() -> Traversable:
    """The help pages inside the package."""
    return resources.files("hearth_backend") / "help"


def read(folder: Traversable) -> list[NewEpisode]:
    """Every passage of every page; the first line of a passage is the path of its headings."""
    pages = sorted((page for page in folder.iterdir() if page.name.endswith(".md")), key=lambda page: page.name)
    return [episode for page in pages for episode in _passages(page.name, page.read_text("utf-8"))]


def changes(pages: Iterable[NewEpisode], stored: dict[str, tuple[str, bytes]]) -> tuple[list[str], list[NewEpisode]]:
    """(ids to forget, passages to store) so that the space holds `pages`; `stored` maps a key to (id, text's hash)."""
    wanted = {page.external_id: page for page in pages}
    same = {
        key
        for key, page in wanted.items()
        if key in stored and stored[key][1] == hashlib.sha256(page.text.encode()).digest()
    }
    return [id for key, (id, _) in stored.items() if key not in same], [
        page for key, page in wanted.items() if key not in same
    ]


def _passages(page: str, text: str) -> Iterator[NewEpisode]:
    seen: dict[str, int] = {}
    for passage in split(text):
        anchor = slug(passage.headings[-1]) if passage.headings else ""
        place = f"{page}#{anchor}" if anchor else page
        seen[place] = seen.get(place, 0) + 1
        key = place if seen[place] == 1 else f"{place}~{seen[place]}"
        yield NewEpisode(
            external_id=key, source=page, occurred_at=_DATED, text=f"{passage.path or page}\n{passage.text}"
        )
