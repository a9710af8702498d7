"""The folders a person granted to tools, and which of them a path lies in."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from hearth_backend.tools.beneath import Beneath
from hearth_shared.display import display
from hearth_shared.errors import Forbidden, NotFound

_GRANT = "Grant a folder: `hearth config set tools.roots ~/notes` (several: separate them with a colon)."


@dataclass(frozen=True, slots=True)
class Place:
    """A path, as the granted folder it lies in and its name there."""

    root: str
    name: str

    @property
    def path(self) -> str:
        """The whole path, as it was named."""
        return os.path.normpath(os.path.join(self.root, self.name))


class Roots:
    """`granted` is the setting: folders with colons between. `closed` are folders that no tool gets into."""

    def __init__(self, granted: str, *, closed: Sequence[str] = ()) -> None:
        listed = [os.path.expanduser(part.strip()) for part in granted.split(os.pathsep) if part.strip()]
        self._named = tuple(os.path.abspath(part) for part in listed)
        self._closed = tuple(os.path.realpath(place) for place in closed)

    @property
    def granted(self) -> Sequence[str]:
        """The folders, as they are now."""
        return [os.path.realpath(root) for root in self._named]

    @property
    def closed(self) -> Sequence[str]:
        """Folders that no tool gets into."""
        return self._closed

    def find(self, path: str) -> Place:
        """Where a path lies; one that is not absolute begins in the first folder. Raises Forbidden outside of all."""
        if not self._named:
            raise Forbidden("No folder has been granted to tools.", _GRANT)
        wanted = os.path.expanduser(path) if path.startswith("~") else path
        if not os.path.isabs(wanted):
            wanted = os.path.join(self._named[0], wanted)
        wanted = os.path.normpath(wanted)
        for root in sorted({*self._named, *self.granted}, key=len, reverse=True):
            if wanted == root or wanted.startswith(root.rstrip("/") + "/"):
                return Place(os.path.realpath(root), os.path.relpath(wanted, root))
        shown = ", ".join(display(root, keep="") for root in self.granted)
        raise Forbidden(f"{display(path, keep='')} lies in no folder granted to tools (there are: {shown}).", _GRANT)

    def open(self, place: Place) -> Beneath:
        """Its folder. The caller closes it."""
        try:
            return Beneath(place.root, closed=self._closed)
        except NotFound as error:
            raise NotFound(error.detail, _GRANT) from error
