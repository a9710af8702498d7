"""The model files of this machine as the doors and doctor tell them, with what is wrong with those that are broken."""

import asyncio
import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hearth_backend.engine.catalogue import Known, fit, known_files
from hearth_backend.engine.client import Engine, ModelState
from hearth_backend.engine.files import BrokenFile, ModelFile
from hearth_backend.engine.memory_here import memory_here
from hearth_backend.engine.placement import Placement, Spot
from hearth_backend.engine.plan import KV_TYPES, Room, Wish
from hearth_backend.gateway.local import roles_of
from hearth_shared.errors import Conflict, HearthError, NotFound
from hearth_shared.offer import offer
from hearth_shared.protocol.models import (
    Catalogue,
    CatalogueEntry,
    FileRemoved,
    ModelFileDetail,
    ModelFileInfo,
    Plan,
)
from hearth_shared.settings import Engine as EngineSettings

_SHARE = 0.75  # of this machine's memory may be a model's: what is free just now says little about tomorrow
_WRITES_NOTHING = "It writes no text, so it cannot answer."
_EMBEDS = "It embeds: `hearth models use embed` chooses it."


async def listed(engine: Engine, context: int) -> Sequence[ModelFileInfo]:
    """All files, the chosen one first; `context` is the length set for the engine."""
    files = await engine.every_file()
    return [_broken(file) if isinstance(file, BrokenFile) else _usable(file, context) for file in files]


class Shelf:
    """What can be done with model files: look at one, plan it, remove it, and see which others would fit."""

    def __init__(self, engine: Engine, placement: Placement, settings: EngineSettings, folder: Path) -> None:
        self._engine = engine
        self._placement = placement
        self._settings = settings
        self._folder = folder

    async def plan(self, name: str, context: int | None = None, gpu_layers: int | None = None) -> Plan:
        """How it would be loaded now. Raises NotFound, NoModel, BadModelFile."""
        file = (await self._engine.info(name)).file
        wished = Wish(
            context or self._settings.context, self._settings.gpu_layers if gpu_layers is None else gpu_layers, KV_TYPES
        )
        return await self._planned(file, wished)

    async def _planned(self, file: ModelFile, wished: Wish) -> Plan:
        """Beside the models that are loaded now: who leaves for it and who stays is said."""
        spot = await self._placement.spot(file, wished)
        found = self._engine.together(file, wished, spot.room)
        return _plan(file, replace(spot, plan=found.plan) if found.leave else spot, found.reasons)

    async def detail(self, name: str) -> ModelFileDetail:
        """What it says of itself, how it would be loaded, and how it runs. Raises as `plan` does."""
        state = await self._engine.info(name)
        wished = Wish(self._settings.context, self._settings.gpu_layers, KV_TYPES)
        return _detail(state, self._settings.context, await self._planned(state.file, wished))

    async def remove(self, name: str) -> FileRemoved:
        """Unload it and remove all its parts. Raises NotFound, and Conflict for a file that is not in the folder."""
        found = next((one for one in await self._engine.every_file() if name in (one.id, one.path.name)), None)
        if found is None:
            raise NotFound(f"There is no model file {name!r}.", "`hearth models list` shows those that are there.")
        if found.path.parent != self._folder:
            raise Conflict(
                f"{found.path} is not in Hearth's models folder, so Hearth does not remove it.",
                "Remove it yourself, or `hearth config set engine.model_file ''` to use it no longer.",
            )
        if isinstance(found, ModelFile):
            await self._engine.unload(found.id)
        return await asyncio.to_thread(_removed, found.id, found.path)

    async def catalogue(self) -> Catalogue:
        """The shipped list, and what of it fits this machine."""
        trial = await self._placement.chosen()
        total = (await asyncio.to_thread(memory_here))[1]
        room = Room(int(total * _SHARE), total, trial.gpu if trial else None, trial.others if trial else ())
        here = {one.path.name for one in await self._engine.every_file()}
        known = known_files()
        best = offer(total)
        offered = next((one.name for one in known if best is not None and one.file == best.file), "")
        return Catalogue(models=[self._entry(one, room, here) for one in known], offered=offered)

    def _entry(self, known: Known, room: Room, here: set[str]) -> CatalogueEntry:
        fits, detail = fit(known, room, self._settings.context)
        return CatalogueEntry(
            name=known.name,
            source=known.source,
            roles=list(known.roles),
            bytes=known.bytes,
            licence=known.licence,
            context=known.context,
            fits=fits,
            detail=detail,
            here=known.file in here,
        )


def _removed(id: str, path: Path) -> FileRemoved:
    parts = sorted(path.parent.glob(f"{glob.escape(id)}-?????-of-?????.gguf")) or [path]
    size = sum(part.stat().st_size for part in parts)
    try:
        for part in parts:
            part.unlink()
    except OSError as error:
        raise HearthError(f"{path.name} cannot be removed: {error.strerror}.", "Look who owns the file.") from error
    return FileRemoved(model=id, files=[part.name for part in parts], bytes=size)


def _plan(file: ModelFile, spot: Spot, beside: Sequence[str] = ()) -> Plan:
    made, trial = spot.plan, spot.trial
    layers = spot.rungs[0]
    reasons = [*made.reasons, *beside]
    if layers < made.gpu_layers:
        reasons.append(f"More than {layers} layers failed on this device before, so it begins with {layers}.")
    return Plan(
        model=file.id,
        backend=trial.build.backend if trial else "cpu",
        device=" + ".join(card.detail or card.name for card in spot.cards),
        gpu_layers=layers,
        layers=file.facts.shape.count,
        context=made.context,
        kv_type=made.kv_type,
        gpu_bytes=made.gpu_bytes,
        memory_bytes=made.memory_bytes,
        gpu_free=sum(card.free for card in spot.cards),
        memory_free=memory_here()[0],
        fits=made.fits,
        reasons=reasons,
    )


def _detail(state: ModelState, context: int, plan: Plan) -> ModelFileDetail:
    facts, running, figures = state.file.facts, state.running, state.figures
    return ModelFileDetail(
        file=_usable(state.file, context),
        architecture=facts.architecture,
        name=facts.name,
        layers=facts.layers,
        vocabulary=facts.vocabulary,
        trained_context=facts.context,
        roles=roles_of(facts),
        chat_template=facts.chat_template,
        plan=plan,
        loaded=running is not None,
        load_s=running.load_s if running else None,
        tokens_per_s=figures.tokens_per_s if figures else None,
        words_per_s=figures.words_per_s if figures else None,
        first_s=figures.first_s if figures else None,
        first_read=figures.read if figures else None,
        pinned=state.pinned,
    )


def _usable(file: ModelFile, context: int) -> ModelFileInfo:
    facts = file.facts
    return ModelFileInfo(
        name=file.path.name,
        path=str(file.path),
        bytes=facts.size,
        readable=True,
        detail=_EMBEDS if facts.embeds else "" if facts.writes else _WRITES_NOTHING,
        model=file.id,
        context=min(context, facts.context) if facts.context else context,
        test_model=facts.test_model,
    )


def _broken(file: BrokenFile) -> ModelFileInfo:
    return ModelFileInfo(
        name=file.path.name,
        path=str(file.path),
        bytes=file.size,
        readable=False,
        detail=file.error.detail,
        fix=file.error.fix,
        model=file.id,
    )
