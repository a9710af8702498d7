import pytest

from hearth_backend.observe.checks.profiles import profiles

pytestmark = pytest.mark.unit


async def test_broken_files_are_named_with_their_line() -> None:
    found = await profiles(["assistant"], ["mine.toml, line 4: `tools`."])
    assert (found.state, found.detail) == ("warn", "mine.toml, line 4: `tools`.")


async def test_profiles_that_are_all_read_are_named() -> None:
    found = await profiles(["assistant", "coder"], [])
    assert (found.state, found.detail) == ("ok", "assistant, coder.")
