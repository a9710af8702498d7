from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from support.orchestra import Orchestra, orchestra


@pytest_asyncio.fixture
async def band(tmp_path: Path) -> AsyncGenerator[Orchestra]:
    """An orchestrator on a new database."""
    async with orchestra(tmp_path / "hearth.db") as band:
        yield band
