"""Values of the wire as the backend sends them, for tests of what shows them."""

from typing import Any, cast

from hearth_shared.wire import Episode, MadeBy, Source, Thread, ThreadMessage, Tokens


def source(n: int = 1, **other: Any) -> Source:
    """A memory of the person's own, unless told otherwise."""
    made: dict[str, Any] = {
        "n": n,
        "kind": "memory",
        "id": f"epi_{n}",
        "title": "me",
        "quote": "The mooring fee is 40 euros a night.",
        "speaker": "me",
        "occurred_at": 1_762_000_000.0,
        "score": 0.9,
        "location": f"main/run_{n}",
        "url": "",
        "trusted": True,
        "cited": True,
    }
    return cast("Source", {**made, **other})


def made_by(where: str = "this machine", **other: Any) -> MadeBy:
    """Where an answer was made."""
    made: dict[str, Any] = {"where": where, "model": "qwen3-4b", "provider": "engine", "test_model": False}
    return cast("MadeBy", {**made, **other})


def tokens(input: int = 12, output: int = 5, cost: float | None = 0.0) -> Tokens:
    """What it cost."""
    return {"input": input, "output": output, "cost": cost}


def thread(number: int, **other: Any) -> Thread:
    """A thread of the tray's."""
    made: dict[str, Any] = {
        "id": f"thr_{number}",
        "title": f"Thread {number}",
        "agent_id": "assistant",
        "door": "tray",
        "local_only": False,
        "created_at": 1_762_000_000.0,
        "updated_at": 1_762_000_000.0 + number,
    }
    return cast("Thread", {**made, **other})


def message(role: str, text: str, run: str = "run_1", **other: Any) -> ThreadMessage:
    """One turn's half."""
    made: dict[str, Any] = {
        "id": f"msg_{role}_{run}",
        "role": role,
        "text": text,
        "run_id": run,
        "created_at": 1_762_000_000.0,
        "sources": [],
        "made_by": made_by() if role == "assistant" else None,
        "complete": True,
        "feedback": None,
    }
    return cast("ThreadMessage", {**made, **other})


def episode(number: int, **other: Any) -> Episode:
    """Something remembered."""
    made: dict[str, Any] = {
        "id": f"epi_{number}",
        "space": "main",
        "external_id": f"run_{number}",
        "source": "person",
        "session": "thr_1",
        "speaker": "me",
        "title": "",
        "occurred_at": "2026-11-03T10:00:00Z",
        "recorded_at": "2026-11-03T10:00:00Z",
        "text": "The mooring fee is 40 euros a night.",
        "trusted": True,
    }
    return cast("Episode", {**made, **other})
