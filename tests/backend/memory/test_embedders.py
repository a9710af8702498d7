from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_backend.memory.embedders import SearchedModel, embedded
from hearth_shared.errors import ModelUnavailable
from support.embedders import WordEmbedder

pytestmark = pytest.mark.unit


class Crooked(WordEmbedder):
    """Gives what it is told to, whatever it promised."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        super().__init__(id="crooked", dim=8)
        self._rows = rows

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._rows


@pytest.mark.parametrize("shape", [(1, 7), (2, 8), (0, 8), (8,)])
async def test_vectors_of_another_shape_are_refused_with_both_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelUnavailable, match="not 1 vectors of 8 numbers; none were kept"):
        await embedded(Crooked(np.zeros(shape, np.float32)), ["text"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
async def test_vectors_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ModelUnavailable, match="no numbers"):
        await embedded(Crooked(np.full((1, 8), value, np.float32)), ["text"])


async def test_until_all_is_embedded_anew_the_former_model_is_asked() -> None:
    old, new = WordEmbedder(id="old", dim=16), WordEmbedder(id="new")
    models = SearchedModel(new, {"old": old}.get)
    models.search_with("old")
    assert (models.id, models.dim, models.is_taking_over) == ("old", 16, True)
    assert (await models.embed(["where"])).shape == (1, 16)
    assert (old.asked, new.asked) == (["where"], [])
    models.search_with("new")
    assert (models.id, models.dim, models.is_taking_over) == ("new", new.dim, False)
    assert (await models.embed(["where"])).shape == (1, new.dim)


async def test_a_former_model_that_is_gone_is_said_to_be() -> None:
    models = SearchedModel(WordEmbedder(id="new"), lambda model: None)
    models.search_with("old")
    assert not await models.available()
    with pytest.raises(ModelUnavailable, match="old, is not here any more"):
        await models.embed(["where"])


async def test_before_the_first_vector_the_current_model_is_searched() -> None:
    models = SearchedModel(WordEmbedder(id="new"), lambda model: None)
    models.search_with(None)
    assert models.id == "new"
    assert await models.available()
