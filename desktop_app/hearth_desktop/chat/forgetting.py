"""Forgetting a memory, and taking that back. No widget is known here."""

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.net.api import Api
from hearth_shared.wire import Episode, EpisodeBatch, Forgotten, NewEpisode


class Forgetting(QObject):
    """One at a time. What was forgotten is kept here, and only here, until the next one or until the window closes.

    What came from elsewhere (a page) is not given back: remembered by this door, it would be trusted like the person's
    own words.
    """

    forgot = Signal(object, bool)
    """What the backend forgot (Forgotten), and whether it can be taken back."""
    restored = Signal()
    failed = Signal(object)
    """A HearthError."""

    def __init__(self, api: Api, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._api = api
        self._gone: list[Episode] = []

    def forget(self, memory_id: str) -> None:
        """For good, in every door."""
        reply = self._api.request("POST", "/v1/memory/forget", {"ids": [memory_id]})
        reply.done.connect(self._on_forgotten)
        reply.failed.connect(self.failed)

    def restore(self) -> None:
        """Remember again what was forgotten last."""
        gone, self._gone = self._gone, []
        for space in sorted({episode["space"] for episode in gone}):
            batch: EpisodeBatch = {"space": space, "episodes": [_new(one) for one in gone if one["space"] == space]}
            reply = self._api.request("POST", "/v1/memory/episodes", batch)
            reply.done.connect(self._on_restored)
            reply.failed.connect(self.failed)

    @Slot(object)
    def _on_forgotten(self, forgotten: Forgotten) -> None:
        episodes = forgotten["episodes"]
        can_return = bool(episodes) and all(episode["trusted"] for episode in episodes)
        self._gone = list(episodes) if can_return else []
        self.forgot.emit(forgotten, can_return)

    @Slot(object)
    def _on_restored(self, _: Any) -> None:
        self.restored.emit()


def _new(episode: Episode) -> NewEpisode:
    return {
        "external_id": episode["external_id"],
        "source": episode["source"],
        "session": episode["session"],
        "speaker": episode["speaker"],
        "occurred_at": episode["occurred_at"],
        "text": episode["text"],
        "title": episode["title"],
    }
