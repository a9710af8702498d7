"""What earlier attempts at a run leave to the next one: finished steps, and the text that was sent during them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from hearth_backend.orchestrator.frames import Stream
from hearth_shared.protocol.events import EventType

StepState = Literal["intent", "started", "done", "failed", "unknown"]


class StepRecord(NamedTuple):
    """One journaled step; `output` is the JSON of its value, or of the problem it failed with; before its end, of what
    an effect is to do. An effect changes something outside."""

    seq: int
    name: str
    call_id: str
    state: StepState
    output: str | None = None
    is_effect: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that was sent."""

    stream: Stream
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class Reset:
    """A part was taken back."""

    part: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """`steps` by position; `said` by the position of the step during which it was said; `shown` are the parts of which
    the person has text on the screen that has to be taken back before the run begins again."""

    steps: Mapping[int, StepRecord] = field(default_factory=dict[int, StepRecord])
    said: Mapping[int, tuple[Piece | Reset, ...]] = field(default_factory=dict[int, tuple[Piece | Reset, ...]])
    shown: tuple[int, ...] = ()


def earlier(steps: Iterable[StepRecord], story: Iterable[tuple[EventType, Mapping[str, Any]]]) -> Earlier:
    """Read the journal of a run: its steps, and its text and step events in order."""
    said: dict[int, list[Piece | Reset]] = {}
    running: list[int] = []
    shown: dict[int, None] = {}
    for kind, data in story:
        match kind:
            case EventType.STEP_STARTED:
                said[data["seq"]] = []
                running.append(data["seq"])
            case EventType.STEP_FINISHED:
                running = [seq for seq in running if seq != data["seq"]]
            case EventType.TEXT_DELTA | EventType.REASONING_DELTA:
                shown[data["part"]] = None
                if running:
                    said[running[-1]].append(Piece(kind, data["part"], data["text"]))
            case EventType.TEXT_RESET:
                shown.pop(data["part"], None)
                if "attempt" in data:  # a new attempt began: what finished steps had said still holds
                    running.clear()
                for seq in running[-1:]:  # what was said before the step may have to go too
                    kept = [piece for piece in said[seq] if piece.part != data["part"]]
                    said[seq] = [*kept, Reset(data["part"])]
            case _:
                pass
    return Earlier(
        {step.seq: step for step in steps}, {seq: tuple(pieces) for seq, pieces in said.items()}, tuple(shown)
    )
