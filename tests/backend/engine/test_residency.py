import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.plan import Device, Room, Wish, memory_bytes, plan
from hearth_backend.engine.residency import Resident, leaving, together
from hearth_backend.engine.shape import Shape

pytestmark = pytest.mark.unit
GB = 1_000_000_000
SHAPE = Shape((GB // 10,) * 20, GB // 5, GB // 5, (8,) * 20, 128, 128, 2048, 5632, 32_000, 8192)
WISH = Wish(8192)
NEED = memory_bytes(SHAPE, 0, 8192, "f16")


def resident(id: str, role: str = "", used: float = 0.0, **more: Any) -> Resident:
    return Resident(id, role, GB, GB // 2, 0, used, **more)


def free(room: int) -> Room:
    return Room(room, 64 * GB)


def test_who_was_not_used_leaves_first_and_the_cursor_last() -> None:
    all = [
        resident("typed", "complete"),
        resident("said", "chat", 5),
        resident("vectors", "embed"),
        resident("new", "", 9),
        resident("old", "", 1),
        resident("held", "", pinned=True),
        resident("at work", "", busy=True),
    ]
    assert [one.id for one in leaving(all)] == ["old", "new", "said", "vectors", "typed"]


def test_where_there_is_room_for_all_nobody_leaves() -> None:
    beside = [resident("said", "chat"), resident("vectors", "embed")]
    found = together(SHAPE, WISH, free(NEED + 3 * GB), beside)
    assert found.leave == ()
    assert found.plan.context == 8192
    assert all("stays loaded" in reason for reason in found.reasons)


def test_as_many_leave_as_are_needed_and_no_more() -> None:
    beside = [resident("a", used=1), resident("b", used=2), resident("c", used=3)]
    room = free(NEED + 3 * GB - 2 * GB)  # without the second gigabyte it reads less
    found = together(SHAPE, WISH, room, beside)
    assert found.leave == ("a", "b")
    assert (found.plan.context, found.plan.kv_type) == (8192, "f16")
    assert "a (1.5 GB) is unloaded to make room: it was not used yet, and nobody asks it now." in found.reasons
    assert sum("stays loaded" in reason for reason in found.reasons) == 1


def test_a_pinned_model_and_one_at_work_stay_whatever_comes() -> None:
    beside = [resident("held", "chat", pinned=True), resident("at work", "chat", busy=True)]
    found = together(SHAPE, WISH, free(GB), beside)
    assert found.leave == ()
    assert "held (1.5 GB) stays loaded: it is pinned." in found.reasons
    assert "at work (1.5 GB) stays loaded: it is answering." in found.reasons


def test_nobody_leaves_in_vain() -> None:
    huge = dataclasses.replace(SHAPE, layers=(40 * GB,) * 20)
    assert together(huge, WISH, free(8 * GB), [resident("a"), resident("b")]).leave == ()


def test_for_room_on_the_gpu_those_on_the_gpu_leave() -> None:
    card = Device("GPU0", "A Card", "gpu", GB // 2, 8 * GB)
    there = Resident("there", "chat", 0, GB, 6 * GB, 1.0)
    here = Resident("here", "", GB, 0, 0, 2.0)
    found = together(SHAPE, WISH, Room(64 * GB, 64 * GB, card), [there, here])
    assert found.plan.gpu_layers == SHAPE.count
    assert "there" in found.leave


residents = st.lists(
    st.builds(
        Resident,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(["", "chat", "embed", "complete"]),
        *(st.integers(0, 4 * GB),) * 3,
        st.floats(0, 9),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(residents, st.integers(0, 20 * GB))
def test_leaving_never_makes_it_worse_and_never_touches_who_stays(all: list[Resident], room: int) -> None:
    found = together(SHAPE, WISH, free(room), all)
    assert not {one.id for one in all if one.stays} & {*found.leave}
    held = sum(one.weights for one in all)
    beside = plan(SHAPE, free(max(0, room - held)), WISH)
    assert (found.plan.fits, found.plan.context) >= (beside.fits, beside.context)
    assert len(found.reasons) == len(all)
