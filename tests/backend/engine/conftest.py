"""An engine on the tiny model, and what it announces."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_backend.engine.client import Engine
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced
from support.gguf_files import models, tiny_gguf

__all__ = ["models", "tiny_gguf"]


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest_asyncio.fixture
async def engine(models: Path, announced: Announced) -> AsyncIterator[Engine]:
    engine = Engine(EngineSettings(context=1024), models, announced)
    yield engine
    await engine.close()
