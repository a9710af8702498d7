"""Several engines and one processor."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.broker import HoldBroker

pytestmark = pytest.mark.unit


class Told:
    """An engine that remembers whether it is to hold."""

    def __init__(self) -> None:
        self.held = False

    def hold(self, on: bool) -> None:
        assert on != self.held, "it is told once"
        self.held = on


def test_the_others_hold_while_one_is_typed_for() -> None:
    broker, engines = HoldBroker(), [Told(), Told()]
    for engine in engines:
        broker.add(engine)
    with broker.typing(engines[0]):
        with broker.typing(engines[0]):
            assert [engine.held for engine in engines] == [False, True]
        late = Told()
        broker.add(late)
        assert (engines[1].held, late.held) == (True, True)
        broker.remove(late)
    assert [engine.held for engine in engines] == [False, False]


@given(st.lists(st.integers(0, 2), max_size=20))
def test_when_nobody_types_nobody_holds(order: list[int]) -> None:
    broker, engines = HoldBroker(), [Told(), Told(), Told()]
    for engine in engines:
        broker.add(engine)
    typed: set[int] = set()
    with contextlib.ExitStack() as stack:
        for at in order:
            stack.enter_context(broker.typing(engines[at]))
            typed.add(at)
            assert [engine.held for engine in engines] == [bool(typed - {at}) for at in range(3)]
    assert not any(engine.held for engine in engines)
