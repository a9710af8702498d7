import pytest

from hearth_backend.observe.checks.builds import BuildSeen, builds

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("seen", "state", "words"),
    [
        ([], "ok", "run on the processor"),
        ([BuildSeen("cpu", True)], "ok", "run on the processor"),
        ([BuildSeen("vulkan", True, "A Card"), BuildSeen("cpu", False)], "ok", "The vulkan build uses A Card."),
        ([BuildSeen("cuda", False, problem="no driver"), BuildSeen("cpu", True)], "warn", "not used: no driver."),
    ],
)
async def test_what_is_used_and_what_is_not(seen: list[BuildSeen], state: str, words: str) -> None:
    async def look() -> list[BuildSeen]:
        return seen

    check = await builds(look)
    assert check.state == state
    assert words in check.detail
    assert bool(check.fix) == (state != "ok")
