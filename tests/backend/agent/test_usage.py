import pytest

from hearth_backend.agent.ledger import Ledger
from hearth_backend.agent.usage import Use, use_of
from support.memories import memory

pytestmark = pytest.mark.unit


def test_cited_echoed_and_unused_passages_are_told_apart() -> None:
    told = ("The lease ends in May.", "Tea is at four with Ana.", "The heron came back today.")
    entries = Ledger().add(memory(quote, f"epi_{place}") for place, quote in enumerate(told))
    assert use_of(entries, "In May [1]. You have tea with Ana at four.") == Use(cited=1, echoed=1, unused=1)


def test_without_passages_nothing_was_used() -> None:
    assert use_of([], "Hello [1].") == Use()
