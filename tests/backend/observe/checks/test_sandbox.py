import pytest

from hearth_backend.observe.checks.sandbox import Held, policy, sandbox

pytestmark = pytest.mark.unit


async def test_a_sandbox_that_holds_says_what_was_tried() -> None:
    async def attempt() -> Held:
        return Held("", "", 24)

    check = await sandbox(attempt)
    assert (check.state, check.detail) == ("ok", "24 ways out of it were tried, and are shut.")


async def test_one_that_does_not_says_why_what_still_works_and_the_fix() -> None:
    async def attempt() -> Held:
        return Held("bwrap is not installed", "Install it.", 0)

    check = await sandbox(attempt)
    assert (check.state, check.fix) == ("warn", "Install it.")
    assert "bwrap is not installed. Everything else works" in check.detail


async def test_rules_that_cannot_be_read_are_said() -> None:
    assert (await policy("", 2)).detail == "2 rules in policy.toml."
    assert (await policy("policy.toml cannot be read (line 3)", 0)).state == "warn"
