from dataclasses import dataclass, field

import pytest

from hearth_backend.observe.checks.index import index

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class How:
    state: str = "resting"
    detail: str = "It rests."


@dataclass(frozen=True)
class Small:
    """An index that was examined, or does not run."""

    found: tuple[int, float] | None = None
    progress: How = field(default_factory=How)

    async def examine(self) -> tuple[int, float] | None:
        return self.found


async def test_one_that_does_not_run_is_not_started_for_it() -> None:
    check = await index(Small())
    assert (check.state, check.detail, check.fix) == ("ok", "It rests.", "")


async def test_one_that_is_unwell_comes_with_its_fix() -> None:
    check = await index(Small(progress=How("unwell", "It broke off.")))
    assert (check.state, check.detail) == ("warn", "It broke off.")
    assert "hearth memory reindex" in check.fix


@pytest.mark.parametrize(("agreement", "state"), [(1.0, "ok"), (0.95, "ok"), (0.9, "warn")])
async def test_what_it_names_is_compared(agreement: float, state: str) -> None:
    check = await index(Small((1234, agreement)))
    assert check.state == state
    assert f"{agreement:.0%}" in check.detail
    assert "1234" in check.detail
