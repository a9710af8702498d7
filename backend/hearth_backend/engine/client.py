"""llama.cpp for the rooms above: one child process per model file, started on first use, unloaded when idle."""

import asyncio
import importlib.util
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hearth_backend.engine import cores, statefiles
from hearth_backend.engine.broker import HoldBroker
from hearth_backend.engine.child import ARGV
from hearth_backend.engine.files import BrokenFile, ModelFile, ModelFiles
from hearth_backend.engine.frames import (
    Chat,
    Complete,
    Detokenize,
    Embed,
    Ended,
    Event,
    Forget,
    Piece,
    Started,
    Task,
    Text,
    Tokenize,
    Tokens,
    Vectors,
)
from hearth_backend.engine.keystrokes import Keystrokes
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.loader import Emit, Loader, LoadOptions
from hearth_backend.engine.placement import Placement
from hearth_backend.engine.plan import Room, Wish
from hearth_backend.engine.residency import Resident, Together, together
from hearth_backend.engine.sampling import Sampling
from hearth_backend.engine.supervisor import NOBODY, Asker, Figures, Running, Said, Supervisor
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_shared.errors import BadRequest, EngineCrashed, HearthError, ModelUnavailable
from hearth_shared.settings import Engine as EngineSettings

log = logging.getLogger(__name__)
PLAIN = Sampling()
_SLICE = 16
_LONGEST_TOKEN = 64


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model file and, when it is loaded, how it runs."""

    file: ModelFile
    running: Running | None = None
    figures: Figures | None = None
    pinned: bool = False


class Engine:
    """Answers with the GGUF files of this machine. `file` is a file's id or path; empty or "auto": the default one."""

    def __init__(
        self,
        settings: EngineSettings,
        models_folder: Path,
        emit: Emit,
        *,
        metrics: Metrics | None = None,
        tracer: Tracer | None = None,
        argv: Sequence[str] = ARGV,
        placement: Placement | None = None,
        batch_threads: int = 0,
        states: Path | None = None,
    ) -> None:
        """`states` is where beginnings of prompts are kept (system prompts and tools); None keeps none.

        `batch_threads` reads prompts with another number of threads than all cores, to compare engines fairly.
        """
        threads, reading = cores.threads(cores.physical_cores(), settings.threads)
        batch_threads = batch_threads or reading
        self._options = LoadOptions(
            settings.context, settings.gpu_layers, threads, batch_threads, str(states or ""), settings.embed_tokens
        )
        self._idle_s = settings.idle_s
        self._pinned = frozenset(id for part in settings.pinned.split(",") if (id := part.strip()))
        self._moving = asyncio.Lock()
        self._files = ModelFiles(models_folder, settings.model_file, (settings.embed_file,))
        self._emit = emit
        self._metrics = metrics
        self._tracer = tracer or Tracer()
        self._argv = argv
        self._placement = placement
        self._states = states
        self._keystrokes = Keystrokes()
        self._broker = HoldBroker()
        self._supervisors: dict[Path, Supervisor] = {}

    @staticmethod
    def available() -> bool:
        """Whether llama.cpp is installed; it is never loaded into this process."""
        return importlib.util.find_spec("llama_cpp") is not None

    async def files(self) -> list[ModelFile]:
        """The readable model files: the chosen one first, then the newest."""
        return await asyncio.to_thread(self._files.readable)

    async def every_file(self) -> list[ModelFile | BrokenFile]:
        """All model files, also those that cannot be used: broken ones, and those that kill their engines."""
        return [self._marked(file) for file in await asyncio.to_thread(self._files.all)]

    def _marked(self, file: ModelFile | BrokenFile) -> ModelFile | BrokenFile:
        supervisor = self._supervisors.get(file.path)
        if isinstance(file, BrokenFile) or supervisor is None or supervisor.file.stamp != file.stamp:
            return file
        return BrokenFile(file.id, file.path, file.facts.size, supervisor.verdict) if supervisor.verdict else file

    def embedding_file(self, name: str) -> ModelFile | None:
        """The embedding model of this id or path, if there is one. Reads its header: before anything is served."""
        try:
            file = self._files.find(name)
        except HearthError:
            return None
        return file if file.facts.embeds else None

    async def info(self, file: str = "") -> ModelState:
        """A file's facts and how it runs. Raises NotFound, NoModel or BadModelFile."""
        found = await asyncio.to_thread(self._files.find, file)
        supervisor = self._supervisors.get(found.path)
        pinned = found.id in self._pinned
        if supervisor is None:
            return ModelState(found, pinned=pinned)
        return ModelState(found, supervisor.running, supervisor.figures, pinned)

    def together(self, file: ModelFile, wish: Wish, room: Room) -> Together:
        """Who would leave for this file, and why; nothing is done."""
        residents = [one for path, supervisor in self._supervisors.items() if (one := _beside(file, path, supervisor))]
        return together(file.facts.shape, wish, room, residents)

    async def _make_room(self, file: ModelFile, wish: Wish, room: Room) -> Sequence[str]:
        """Let others leave for a file that is to be loaded; who left."""
        async with self._moving:
            found = self.together(file, wish, room)
            by_id = {supervisor.file.id: supervisor for supervisor in self._supervisors.values()}
            left = [id for id in found.leave if await by_id[id].leave()]
        if left:
            log.info("model %s: %s", file.id, " ".join(found.reasons))
        return left

    async def chat(
        self,
        file: str,
        messages: Sequence[Mapping[str, Any]],
        sampling: Sampling = PLAIN,
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        lane: Lane = "chat",
        asker: Asker = NOBODY,
        response_format: Mapping[str, Any] | None = None,
        budget: int | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Answer a conversation: Started, Pieces, Ended. Leaving the iterator stops the model within one step.

        Messages, tools and response_format are in OpenAI's shape. Calls the model makes come as text. To a `budget`
        of tokens the oldest messages give way (0: to what the context holds); None refuses what is too long.
        """
        task = Chat(messages, sampling, tools, response_format, budget)
        async with aclosing(self._events(file, lane, asker, task)) as events:
            async for event in events:
                yield event

    async def complete(
        self,
        file: str,
        prefix: str,
        suffix: str | None = None,
        sampling: Sampling = PLAIN,
        files: Sequence[tuple[str, str]] = (),
        *,
        lane: Lane = "inline",
        asker: Asker = NOBODY,
        budget: int | None = 0,
    ) -> AsyncGenerator[Event, None]:
        """Go on from a text, or fill in between two: Started, Pieces, Ended. To the `budget` gives way what is far
        from the cursor; None refuses what is too long.

        Raises Cancelled when a newer keystroke of the asker's document takes its place.
        """
        if asker.document:
            await self._keystrokes.settle((asker.owner, asker.document))
        task = Complete(prefix, suffix, files, sampling, budget)
        async with aclosing(self._events(file, lane, asker, task)) as events:
            async for event in events:
                yield event

    async def tokenize(self, file: str, text: str) -> list[int]:
        """The model's tokens of a plain text."""
        said = await self._one(file, Tokenize(text))
        return list(said.tokens) if isinstance(said, Tokens) else []

    async def detokenize(self, file: str, tokens: Sequence[int]) -> str:
        """The text of the model's tokens."""
        said = await self._one(file, Detokenize(tokens))
        return said.text if isinstance(said, Text) else ""

    async def embed(
        self, file: str, texts: Sequence[str], *, lane: Lane = "chat", asker: Asker = NOBODY
    ) -> AsyncGenerator[Vectors, None]:
        """Vectors of a few texts at a time, in order; what is longer than the model reads is cut. A question of
        another waits for a few texts, not for all."""
        supervisor = await self._supervisor(file, embeds=True)
        most = self._options.embed_tokens * _LONGEST_TOKEN
        for start in range(0, len(texts), _SLICE):
            task = Embed([text[:most] for text in texts[start : start + _SLICE]])
            async with aclosing(supervisor.answers(lane, task, asker)) as answers:
                async for said in answers:
                    if isinstance(said, Vectors):
                        yield said

    async def unload(self, file: str = "") -> None:
        """Free a model's memory now; what it was writing ends, and the next task loads it again."""
        found = await asyncio.to_thread(self._files.find, file)
        if supervisor := self._supervisors.get(found.path):
            supervisor.unload()

    async def forget(self) -> int:
        """Keep nothing of any prompt that was read so far, in files or in memory; how many files there were.

        Answers that are being written go on, and what they have read goes with their end. When this returns, no file
        is left, and no later request finds what an earlier one read.
        """
        running = [supervisor for supervisor in self._supervisors.values() if supervisor.running]
        await asyncio.gather(*map(_forgotten, running))
        return await asyncio.to_thread(statefiles.forget, self._states) if self._states else 0

    async def close(self) -> None:
        """End every task and every child."""
        supervisors, self._supervisors = list(self._supervisors.values()), {}
        await asyncio.gather(*(supervisor.close() for supervisor in supervisors))

    async def _events(self, file: str, lane: Lane, asker: Asker, task: Task) -> AsyncGenerator[Event, None]:
        supervisor = await self._supervisor(file)
        typing = self._broker.typing(supervisor) if lane == "inline" and supervisor.running else nullcontext()
        async with aclosing(supervisor.answers(lane, task, asker)) as answers:
            with typing:
                async for said in answers:
                    if isinstance(said, Started | Piece | Ended):
                        yield said

    async def _one(self, file: str, task: Task) -> Said:
        supervisor = await self._supervisor(file)
        async with aclosing(supervisor.answers("chat", task)) as answers:
            return await anext(answers)

    async def _supervisor(self, name: str, *, embeds: bool = False) -> Supervisor:
        if not self.available():
            raise ModelUnavailable(
                "This installation of Hearth has no engine of its own.",
                "Install it with `make run`, or connect another model: `hearth models list`.",
            )
        file = await asyncio.to_thread(self._files.find, name)
        if embeds and not file.facts.embeds:
            raise BadRequest(f"{file.id} makes no vectors.", "Choose an embedding model: `hearth models list`.")
        if not embeds and not file.facts.writes:
            raise BadRequest(f"{file.id} writes no text.", "Choose a language model: `hearth models list`.")
        known = self._supervisors.get(file.path)
        if known is None or known.file.stamp != file.stamp:
            loader = Loader(file, self._options, self._emit, self._argv, self._placement, self._make_room)
            supervisor = Supervisor(
                file,
                loader,
                idle_s=self._idle_s,
                metrics=self._metrics,
                tracer=self._tracer,
                pinned=file.id in self._pinned,
            )
            self._supervisors[file.path] = supervisor
            self._broker.add(supervisor)
            if known is not None:  # the file was replaced: what runs is the old one
                self._broker.remove(known)
                await known.close()
        return self._supervisors[file.path]


def _beside(file: ModelFile, path: Path, supervisor: Supervisor) -> Resident | None:
    """What a model takes beside the one of this file."""
    return None if path == file.path else supervisor.resident


async def _forgotten(supervisor: Supervisor) -> None:
    """One that dies meanwhile keeps nothing either."""
    with suppress(EngineCrashed):
        async with aclosing(supervisor.answers("inline", Forget())) as answers:
            async for _ in answers:
                pass
