"""The model files of this machine as the doors and doctor tell them, with what is wrong with those that are broken."""

from collections.abc import Sequence

from hearth_backend.engine.client import Engine
from hearth_backend.engine.files import BrokenFile, ModelFile
from hearth_shared.protocol.models import ModelFileInfo

_WRITES_NOTHING = "It writes no text, so it cannot answer."


async def listed(engine: Engine, context: int) -> Sequence[ModelFileInfo]:
    """All files, the chosen one first; `context` is the length set for the engine."""
    files = await engine.every_file()
    return [_broken(file) if isinstance(file, BrokenFile) else _usable(file, context) for file in files]


def _usable(file: ModelFile, context: int) -> ModelFileInfo:
    facts = file.facts
    return ModelFileInfo(
        name=file.path.name,
        path=str(file.path),
        bytes=facts.size,
        readable=True,
        detail="" if facts.writes else _WRITES_NOTHING,
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
