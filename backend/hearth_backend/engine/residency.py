"""Which models stay in memory beside each other, who leaves when there is no room for another, and why. Pure.

Nobody leaves who is pinned or answering. Of the others the one whose work can wait leaves first: what nobody used,
then the one for conversations, for embeddings, and last the one at the cursor; among equals, who was not used longest.
Nobody leaves in vain: only as many as let the newcomer run better than it would beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from hearth_backend.engine.plan import Plan, Room, Wish, plan
from hearth_backend.engine.shape import Shape

_PATIENCE = {"": 0, "chat": 1, "embed": 2, "complete": 3}
_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Resident:
    """A loaded model: what it is used for ("" for nothing yet), what it takes, when it was last used.

    `weights` are read from its file by the processor, `memory` is what else it takes there, `gpu` what on the GPU.
    """

    id: str
    role: str
    weights: int
    memory: int
    gpu: int
    used: float
    pinned: bool = False
    busy: bool = False

    @property
    def stays(self) -> str:
        """Why it does not leave; empty when it may."""
        return "it is pinned" if self.pinned else "it is answering" if self.busy else ""


@dataclass(frozen=True, slots=True)
class Together:
    """Who leaves, in this order, so that a model fits as `plan` says; `reasons` are for people."""

    leave: tuple[str, ...]
    plan: Plan
    reasons: tuple[str, ...]


def together(shape: Shape, wish: Wish, room: Room, residents: Sequence[Resident]) -> Together:
    """The fewest that leave for the best plan there can be."""
    order = leaving(residents)
    # a loaded file's pages count as free for the system, which can drop them; but then its model is slow
    held = sum(resident.weights for resident in residents)
    freed = list(accumulate(order, _with, initial=(-held, 0)))
    plans = [plan(shape, _room(room, memory, gpu), wish) for memory, gpu in freed]
    best = max(map(_quality, plans))
    count = next(at for at, made in enumerate(plans) if _quality(made) == best)
    return Together(tuple(one.id for one in order[:count]), plans[count], _reasons(residents, order[:count]))


def leaving(residents: Sequence[Resident]) -> list[Resident]:
    """Those who may leave, the first to do so first."""
    free = [resident for resident in residents if not resident.stays]
    return sorted(free, key=lambda one: (_PATIENCE.get(one.role, 0), one.used, one.id))


def _with(freed: tuple[int, int], one: Resident) -> tuple[int, int]:
    memory, gpu = freed
    return memory + one.weights + one.memory, gpu + one.gpu


def _room(room: Room, memory: int, gpu: int) -> Room:
    free = max(0, min(room.memory_free + memory, room.memory_total))
    card = replace(room.gpu, free=min(room.gpu.free + gpu, room.gpu.total)) if room.gpu else None
    return replace(room, memory_free=free, gpu=card)


def _quality(made: Plan) -> tuple[bool, int, int, bool]:
    return made.fits, made.gpu_layers, made.context, made.kv_type == "f16"


def _reasons(residents: Sequence[Resident], gone: Sequence[Resident]) -> tuple[str, ...]:
    """One sentence for each that is loaded."""
    return tuple(_reason(one, one in gone) for one in sorted(residents, key=lambda one: one not in gone))


def _reason(one: Resident, leaves: bool) -> str:
    takes = f"{one.id} ({_gb(one.weights + one.memory + one.gpu)})"
    if leaves:
        return f"{takes} is unloaded to make room: {_why(one)}."
    return f"{takes} stays loaded: {one.stays or 'there is room for both, or its leaving would not help'}."


def _why(one: Resident) -> str:
    work = {"chat": "it answers conversations", "embed": "it embeds", "complete": "it completes what is typed"}
    chosen = work.get(one.role, "it was not used yet")
    return f"{chosen}, and nobody asks it now"


def _gb(size: int) -> str:
    return f"{size / _GB:.1f} GB"
