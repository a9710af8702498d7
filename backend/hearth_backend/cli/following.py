"""Follows work that the backend does on its own, a download or a build, by its events."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, size, span
from hearth_shared import wire
from hearth_shared.client import BackendClient

_OVER = ("done", "failed", "cancelled")


def follow(client: BackendClient, id: str, after_seq: int) -> Generator[Mapping[str, Any]]:
    """What is told of it after this event, to its end."""
    with closing(client.events(route("events"), after_seq=after_seq, ends=False)) as events:
        for event in events:
            if _is_of(event, id):
                yield event["data"]
                if event["data"]["state"] in _OVER:
                    return


def _is_of(event: wire.Event, id: str) -> bool:
    return event["type"] == "download.progress" and event["data"].get("id") == id


def watch(
    desk: Desk, client: BackendClient, begun: Any, words: Callable[[Mapping[str, Any]], str], *, as_json: bool
) -> Mapping[str, Any]:
    """Show how far it is until it ends: on a line that goes away, or where lines cannot, a line for each tenth."""
    last: Mapping[str, Any] = begun
    shown = ""
    if begun["state"] in _OVER:
        return begun
    for last in follow(client, begun["id"], begun["seq"]):
        if as_json:
            desk.terminal.json(last, one_line=True)
        elif last["state"] not in _OVER:
            shown = _show(desk.terminal, words(last), shown, _tenth(last))
    return last


def _show(terminal: Terminal, words: str, shown: str, step: str) -> str:
    terminal.status(words)
    if step != shown and not terminal.person_sits_here:
        terminal.note(words)
    return step


def _tenth(told: Mapping[str, Any]) -> str:
    share = told.get("percent")
    if share is None:
        share = 100 * told.get("done", 0) // max(1, told.get("total", 0))
    return f"{told['state']} {told.get('stage', '')} {share // 10}"


def download_words(told: Mapping[str, Any]) -> str:
    """How far a download is."""
    if told["state"] == "looking":
        return f"Looking for {told['source']}…"
    if told["state"] == "checking":
        return f"Checking {told['file']} ({size(told['total'])})…"
    parts = [told["file"], f"{size(told['done'])} of {size(told['total'])}"]
    parts.append(f"{100 * told['done'] // max(1, told['total'])} %")
    if told["rate"]:
        parts.append(f"{size(int(told['rate']))}/s")
    if told["left_s"] is not None:
        parts.append(f"{span(told['left_s'])} left")
    return "  ".join(parts)


def build_words(told: Mapping[str, Any]) -> str:
    """How far a build is."""
    share = f" {told['percent']} %" if told["percent"] is not None else ""
    left = f", about {span(told['left_s'])} left" if told["left_s"] else ""
    return f"{told['backend']}: {told['stage']}{share}, {span(told['seconds'])} so far{left}"
