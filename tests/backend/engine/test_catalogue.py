import pytest

from hearth_backend.engine.catalogue import fit, known_files, named
from hearth_backend.engine.hub_source import parse
from hearth_backend.engine.plan import Device, Room
from hearth_shared.offer import offer

pytestmark = pytest.mark.unit
GB = 1_000_000_000


def test_every_entry_can_be_pulled_by_its_name() -> None:
    for known in known_files():
        assert named(known.name.upper()) == known
        source = parse(known.source)
        assert (source.repo, source.wanted) == (known.repo, known.file)
        assert known.licence
        assert known.context == known.shape.trained_context
        assert known.shape.weights == pytest.approx(known.bytes, rel=0.01)
    assert named("nobody") is None


@pytest.mark.parametrize("gigabytes", [4, 7, 14, 24, 100])
def test_what_is_offered_is_in_the_list_and_fits(gigabytes: int) -> None:
    best = offer(gigabytes * GB)
    assert best is not None
    (known,) = [one for one in known_files() if one.file == best.file]
    assert fit(known, Room(int(gigabytes * GB * 0.75), gigabytes * GB), 8192)[0] == "memory"
    assert known.bytes == pytest.approx(best.gigabytes * GB, rel=0.03)


def test_a_card_takes_it_whole_or_in_part_or_not() -> None:
    known = named("qwen3-8b")
    assert known is not None
    fits = [
        fit(known, Room(24 * GB, 32 * GB, Device("G", "A Card", "gpu", size * GB, size * GB)), 8192)[0]
        for size in (24, 4, 1)
    ]
    assert fits == ["gpu", "partly", "memory"]
    assert fit(known, Room(2 * GB, 4 * GB), 8192)[0] == "no"
