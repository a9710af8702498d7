from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hearth_backend.gateway.minilm import MiniLM
from hearth_backend.memory.ports import Vectors
from hearth_shared.errors import BadRequest, NoModel
from support.gateways import CALLER, HELLO, collected, gateway_over

pytestmark = pytest.mark.integration


@dataclass
class Lengths:
    """Embeds a text as its length."""

    there: bool = True
    id: str = "lengths"
    dim: int = 2

    async def available(self) -> bool:
        return self.there

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([[len(text), 0] for text in texts], np.float32)


async def test_the_built_in_model_embeds_unless_another_is_named(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, MiniLM(Lengths())) as bench:
        for name in (None, "auto", "all-minilm-l6-v2"):
            found = await bench.gateway.embed(["abcd"], name, CALLER)
            assert (found.model, [list(vector) for vector in found.vectors]) == ("all-minilm-l6-v2", [[4.0, 0.0]])


async def test_without_its_weights_it_is_not_listed_and_said_to_be_missing(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, MiniLM(Lengths(there=False))) as bench:
        assert await bench.gateway.models() == []
        with pytest.raises(NoModel, match="not installed"):
            await bench.gateway.embed(["abcd"], None, CALLER)


async def test_it_writes_nothing() -> None:
    with pytest.raises(BadRequest):
        await collected(MiniLM(Lengths()).chat(HELLO, CALLER))
