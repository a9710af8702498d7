"""Gets one model file running in a child, and remembers what worked.

With a GPU a failed load is tried again with fewer layers on it, each time in a fresh child: all, three quarters,
half, none. A file whose child dies twice while loading without a GPU, or whose children die with whatever they are
asked, is bad until the file changes.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hearth_backend.engine.child import ARGV, NOTHING_MORE, Child
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.frames import Answer, Hello, Load, Ready, Refused
from hearth_backend.engine.offload import rungs
from hearth_backend.engine.placement import Placement, Spot
from hearth_backend.engine.plan import KV_TYPES, Room, Wish
from hearth_shared.errors import BadModelFile, HearthError, ModelUnavailable
from hearth_shared.protocol.events import EventType

log = logging.getLogger(__name__)

Emit = Callable[[EventType, Mapping[str, Any]], Awaitable[None]]
MakeRoom = Callable[[ModelFile, Wish, Room], Awaitable[Sequence[str]]]
_DEATHS = 2
KILLED = ("SIGKILL", "SIGTERM")
"""How a process ends that somebody else ended: for want of memory, or by hand."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How models are loaded on this machine."""

    context: int
    gpu_layers: int
    threads: int
    batch_threads: int
    states: str = ""
    embed_tokens: int = 512


class Loader:
    """Starts children for one file until one is ready."""

    def __init__(
        self,
        file: ModelFile,
        options: LoadOptions,
        emit: Emit,
        argv: Sequence[str] = ARGV,
        placement: Placement | None = None,
        make_room: MakeRoom | None = None,
    ) -> None:
        """Without a `placement` the installed build is used, and as many layers are tried as `options` say.

        `make_room` lets other models leave for this one.
        """
        self._file = file
        self._options = options
        self._emit = emit
        self._argv = argv
        self._placement = placement
        self._make_room = make_room
        self._spot: Spot | None = None
        self._rungs = list(rungs(file.facts.layers, options.gpu_layers))
        self._deaths = 0
        self._fallen = ""
        self._left: Sequence[str] = ()
        self.verdict: BadModelFile | None = None
        """Why the file is not tried again, once that is so."""

    async def load(self, answered: Callable[[Answer], None], ended: Callable[[Child], None]) -> tuple[Child, Ready]:
        """A child with the model loaded. Raises BadModelFile or ModelUnavailable with the reason."""
        self._refuse_bad()
        await self._place()
        if self._fallen:
            await self._step_down(self._fallen)
            self._fallen = ""
        left, self._left = self._left, ()
        await self._tell(EventType.MODEL_LOADING, **({"unloaded": list(left)} if left else {}))
        while True:
            child = await Child.start(answered, ended, self._argv, self._spot.environ if self._spot else NOTHING_MORE)
            try:
                layers, outcome = await self._open(child)
            except BaseException:
                await child.close()
                raise
            if isinstance(outcome, Ready):
                await self._welcome(outcome)
                return child, outcome
            await child.close()
            await self._failed(child, layers, outcome)

    @property
    def taken(self) -> tuple[int, int, int] | None:
        """Bytes of its weights for the processor, of what else it takes there, and on the GPU, as was planned last."""
        if self._spot is None:
            return None
        made, layers = self._spot.plan, self._rungs[0]
        weights = 0 if layers else min(self._file.facts.shape.weights, made.memory_bytes)
        return weights, made.memory_bytes - weights, made.gpu_bytes if layers else 0

    def crashed(self, layers: int, how: str) -> None:
        """A loaded child died while it worked: with layers on a GPU, most likely for want of its memory."""
        if layers and how not in KILLED:
            self._fallen = f"the engine died ({how})"

    @property
    def _context(self) -> int:
        """The tokens wanted: an embedding model that may read more than it needs is several times slower."""
        return self._options.embed_tokens if self._file.facts.embeds else self._options.context

    def give_up(self, how: str) -> None:
        """Children of this file die whatever they are asked."""
        self.verdict = BadModelFile(
            f"The engine died again and again while {self._file.path.name} was answering ({how}): the file is damaged, "
            "or this build of the engine cannot run it.",
            "Download the file again, or choose another: `hearth models list`.",
        )

    async def _place(self) -> None:
        """Look where it can run now; what failed while it worked is not tried again at once."""
        if self._placement is None:
            return
        wish = Wish(self._context, self._options.gpu_layers, KV_TYPES)
        self._spot = await self._placement.spot(self._file, wish)
        if self._make_room is not None and (left := await self._make_room(self._file, wish, self._spot.room)):
            self._left = left
            self._spot = await self._placement.spot(self._file, wish)
        most = self._rungs[0] if self._fallen else self._spot.rungs[0]
        self._rungs = [rung for rung in self._spot.rungs if rung <= most] or [0]
        log.info("model %s: %s", self._file.id, " ".join(self._spot.plan.reasons))

    async def _open(self, child: Child) -> tuple[int, Ready | Refused | None]:
        """The layers tried on the GPU and what came of it; None when the child died."""
        hello = await child.opening.get()
        if not isinstance(hello, Hello):
            return 0, hello if isinstance(hello, Refused) else None
        layers = self._rungs[0] if hello.offload else 0
        options = self._options
        context = min(self._context, self._spot.plan.context if self._spot else self._context)
        child.send(
            Load(
                str(self._file.path),
                self._file.id,
                context,
                layers,
                options.threads,
                options.batch_threads,
                options.states,
                self._spot.plan.kv_type if self._spot else "f16",
                [card.name for card in self._spot.cards] if self._spot else (),
                self._file.facts.embeds,
                self._spot.plan.split if self._spot else (),
            )
        )
        outcome = await child.opening.get()
        return layers, outcome if isinstance(outcome, Ready | Refused) else None

    async def _welcome(self, ready: Ready) -> None:
        self._deaths = 0
        if self._placement is not None and self._spot is not None:
            await self._placement.keep(self._spot, ready.gpu_layers)
        if ready.note:
            log.warning("model %s: %s", self._file.id, ready.note)
        await self._tell(
            EventType.MODEL_READY,
            seconds=round(ready.seconds, 3),
            context=ready.context,
            gpu_layers=ready.gpu_layers,
            test_model=self._file.facts.test_model,
        )

    async def _failed(self, child: Child, layers: int, outcome: Refused | None) -> None:
        """Decide whether to try again; raises when there is no sense in it."""
        if outcome is None:
            log.warning("engine child %s died while loading: %s", child.pid, child.how_it_ended())
            log.debug("its last words: %s", child.last_words)
        if layers:
            await self._step_down(outcome.cause if outcome else f"the engine died ({child.how_it_ended()})")
        elif outcome is None:
            self._deaths += 1
            self._refuse_bad(child.how_it_ended())
        else:
            raise self._refusal(outcome)

    async def _step_down(self, reason: str) -> None:
        tried = self._rungs.pop(0) if len(self._rungs) > 1 else 0
        await self._tell(EventType.MODEL_FALLBACK, reason=reason, gpu_layers=self._rungs[0], tried_gpu_layers=tried)

    def _refuse_bad(self, how: str = "") -> None:
        if self._deaths >= _DEATHS and self.verdict is None:
            cause = "there is most likely too little memory for it" if how == "SIGKILL" else "the file is damaged"
            self.verdict = BadModelFile(
                f"The engine died twice while loading {self._file.path.name}: {cause}.",
                "Choose a smaller model, or download the file again.",
            )
        if self.verdict is not None:
            raise BadModelFile(self.verdict.detail, self.verdict.fix)

    def _refusal(self, refused: Refused) -> HearthError:
        name = self._file.path.name
        match refused.what:
            case "engine":
                return ModelUnavailable(f"llama.cpp cannot be loaded: {refused.cause}.", "Run `make run` again.")
            case "context":
                return ModelUnavailable(
                    f"There is no room for {name} with {self._context:,} tokens of context.",
                    "Lower `engine.context`, or choose a smaller model.",
                )
            case "model":
                return BadModelFile(
                    f"llama.cpp does not take {name}: {refused.cause}.",
                    "Download the file again, or choose another: `hearth models list`.",
                )

    async def _tell(self, kind: EventType, **data: Any) -> None:
        try:
            await self._emit(kind, {"model": self._file.id, **data})
        except HearthError as error:  # an event that cannot be stored must not cost an answer
            log.warning("%s could not be announced: %s", kind.value, error)
