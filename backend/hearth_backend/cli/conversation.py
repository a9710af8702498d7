"""One message to a thread and its answer, shown as it comes."""

import os
from collections.abc import Generator
from contextlib import closing
from typing import Any, cast

from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, short
from hearth_backend.cli.transcript import Transcript
from hearth_shared.client import BackendClient
from hearth_shared.errors import Cancelled, HearthError, from_problem
from hearth_shared.wire import Answer, Event, EventType, MadeBy, Source, Tokens

NO_MODEL = "no language model connected"
_TITLE = 60


class Conversation:
    """A thread of the backend. `quiet` shows nothing while the answer comes."""

    def __init__(self, client: BackendClient, terminal: Terminal, thread_id: str, *, quiet: bool = False) -> None:
        self.thread_id = thread_id
        self._client = client
        self._terminal = terminal
        self._quiet = quiet

    @classmethod
    def opened(
        cls, client: BackendClient, terminal: Terminal, thread: str | None, *, local_only: bool, quiet: bool = False
    ) -> "Conversation":
        """The thread of this id, or a new one."""
        if thread is None:
            thread = str(client.request("POST", route("threads"), {"local_only": local_only})["id"])
        return cls(client, terminal, thread, quiet=quiet)

    def say(self, message: dict[str, Any]) -> tuple[str, Answer]:
        """The run's id and its whole answer. Raises HearthError when it failed; a KeyboardInterrupt stops the run."""
        key = os.urandom(16).hex()
        path = route("threads", self.thread_id, "messages")
        run_id = ""
        transcript = Transcript()
        if not self._quiet:
            self._terminal.status("thinking…")
        try:
            with closing(self._client.events(path, message, key=key)) as events:
                for event in events:
                    run_id = event["run_id"] or run_id
                    self._show(transcript, event)
                    if event["type"] == EventType.TASK_FINISHED:
                        answer = cast("Answer", event["data"]["answer"])
                        self._finish(transcript, answer)
                        return run_id, answer
                    _raise_failure(event)
        except KeyboardInterrupt:
            self._stop(path, message, key, run_id)
            raise
        raise HearthError("The answer ended without its end.", "Ask again.")

    def _show(self, transcript: Transcript, event: Event) -> None:
        again = transcript.begins_again
        new = transcript.take(event)
        if self._quiet:
            return
        if new:
            if again:
                self._terminal.say("\n", ("(it begins again)", "muted"))
            self._terminal.stream(new)
        elif event["type"] == EventType.MODEL_FALLBACK:
            self._terminal.note(_fallback(event["data"]))
        elif doing := _doing(event):
            self._terminal.status(doing)

    def _finish(self, transcript: Transcript, answer: Answer) -> None:
        if self._quiet:
            return
        if rest := transcript.rest(answer):
            self._terminal.stream(rest if rest != answer["text"] or not transcript.text else f"\n\n{rest}")
        self._terminal.say("")
        for line in foot(answer):
            self._terminal.fold(*line)

    def _stop(self, path: str, message: dict[str, Any], key: str, run_id: str) -> None:
        """Cancel the run, even one whose first event has not come: the same key finds it."""
        self._terminal.flush()
        try:
            run_id = run_id or str(self._client.request("POST", path, message, key=key, limit=5)["task_id"])
            self._client.request("DELETE", route("tasks", run_id), limit=5)
        except HearthError as error:
            self._terminal.note(f"The answer may go on in the background: {error}")


def foot(answer: Answer) -> Generator[list[tuple[str, str]]]:
    """What stands below an answer: its sources, what was missing, and where it was made."""
    if not answer["complete"]:
        yield [("(the answer broke off here)", "warn")]
    if answer["sources"]:
        yield [("", "")]
        for source in answer["sources"]:
            yield _source(source, answer)
    yield [("", "")]
    for note in answer["notes"]:
        yield [(note, "muted")]
    yield [(made(answer["made_by"], answer["tokens"]), "muted")]


def made(by: MadeBy, tokens: Tokens) -> str:
    """Where an answer was made, by what, and what it cost."""
    if by["where"] == "no model":
        return f"{NO_MODEL} · see `hearth models list`"
    parts = [by["where"], f"{by['model']} (test model)" if by["test_model"] else by["model"]]
    parts.append(f"{tokens['input']} + {tokens['output']} tokens")
    if by["where"] == "cloud":
        parts.append("price not known" if tokens["cost"] is None else f"${tokens['cost']:.4f}")
    return " · ".join(parts)


def _source(source: Source, answer: Answer) -> list[tuple[str, str]]:
    """One line; its quote only where the answer does not consist of quotes, or hold it already."""
    place = _place(source)
    place = "" if place == source["title"] else place
    said = short(source["quote"], 40).rstrip("…") in " ".join(answer["text"].split())
    quote = "" if said or answer["made_by"]["where"] == "no model" else f" — {short(source['quote'])}"
    title = f"{short(source['title'], _TITLE)}{f' ({place})' if place else ''}"
    return [(f"[{source['n']}] ", "accent"), (title, "strong"), (quote, "")]


def _place(source: Source) -> str:
    """A page's address, a file's line; of a memory that no page told, nothing a person could open."""
    if url := source.get("url", ""):
        return url
    return "" if source["kind"] == "memory" else source["location"].partition("#")[0]  # its anchor says the title again


def _raise_failure(event: Event) -> None:
    if event["type"] == EventType.TASK_FAILED:
        raise from_problem(event["data"])
    if event["type"] == EventType.TASK_CANCELLED:
        raise Cancelled("The answer was stopped.")


def _fallback(data: dict[str, Any]) -> str:
    if "from" in data:
        return f"{data['from']} did not answer: {data.get('reason', '')} {data['to']} goes on."
    return str(data.get("reason", "")) or "It goes on with fewer layers on the GPU."


def _doing(event: Event) -> str:
    match event["type"]:
        case EventType.TASK_QUEUED | EventType.TASK_STARTED:
            return "thinking…"
        case EventType.MEMORY_RECALLED:
            return "reading what is remembered…"
        case EventType.MODEL_LOADING:
            return f"loading {event['data'].get('model', 'the model')}…"
        case EventType.TOOL_CALLED:
            return f"using {event['data'].get('name', 'a tool')}…"
        case _:
            return ""
