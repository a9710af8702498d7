"""The ladder of layers on a GPU."""

import pytest

from hearth_backend.engine.offload import rungs

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("layers", "wanted", "found"),
    [
        (32, -1, (33, 24, 16, 0)),
        (32, 12, (12, 9, 6, 0)),
        (32, 99, (33, 24, 16, 0)),
        (32, 0, (0,)),
        (0, -1, (1, 0)),
        (32, 2, (2, 1, 0)),
    ],
)
def test_each_rung_is_lower_and_the_last_is_the_processor(layers: int, wanted: int, found: tuple[int, ...]) -> None:
    assert rungs(layers, wanted) == found
