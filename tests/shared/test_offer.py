"""What is offered to which machine."""

import pytest

from hearth_shared.offer import memory_here, offer

pytestmark = pytest.mark.unit
GB = 1_000_000_000


@pytest.mark.parametrize(("memory", "file"), [(8, "Qwen3-4B"), (16, "Qwen3-8B"), (64, "Qwen3-14B"), (4, "Qwen3-1.7B")])
def test_a_machine_is_offered_what_fits_it(memory: int, file: str) -> None:
    found = offer(memory * GB)
    assert found is not None
    assert found.file.startswith(file)
    assert found.gigabytes * 2 < memory


def test_a_machine_that_is_too_small_is_offered_nothing() -> None:
    assert offer(2 * GB) is None
    assert offer(0) is None


def test_the_offer_tells_size_and_licence() -> None:
    found = offer(8 * GB)
    assert found is not None
    assert "2.5 GB, Apache-2.0" in found.words()


def test_this_machine_tells_its_memory() -> None:
    assert memory_here() > 0
