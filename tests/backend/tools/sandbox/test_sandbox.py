from pathlib import Path

import pytest

from hearth_backend.tools.sandbox.battery import Verdict
from hearth_backend.tools.sandbox.command import Room
from hearth_backend.tools.sandbox.sandbox import Sandbox, Standing
from hearth_shared.errors import ToolOff
from support.ordinary import LIMIT_S, as_ordinary_user, only_for_others, only_for_root
from support.tools import need

pytestmark = pytest.mark.integration


async def contained() -> Verdict:
    return Verdict({"read a secret": "shut"})


async def leaking() -> Verdict:
    return Verdict({"read a secret": "open"}, ("read a secret",))


@only_for_root
@pytest.mark.timeout(LIMIT_S + 20)
def test_as_an_ordinary_user() -> None:
    need("bwrap")
    assert "passed" in as_ordinary_user(Path(__file__), Path(__file__).parents[1] / "test_commands.py")


@only_for_root
async def test_as_root_it_is_off_and_says_so() -> None:
    told: list[Standing] = []
    sandbox = Sandbox(told.append, trial=contained)
    sandbox.look()
    assert "Hearth runs as root" in told[0].why_off
    with pytest.raises(ToolOff, match="runs as root"):
        await sandbox.run(Room("/"), ["true"])


@only_for_others
async def test_everything_that_was_tried_is_contained() -> None:
    need("bwrap")
    told: list[Standing] = []
    standing = await Sandbox(told.append).stands()
    assert standing.why_off == ""
    assert standing.tried >= 24
    assert told == [standing]


@only_for_others
async def test_without_bubblewrap_it_is_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolOff, match="bwrap is not installed"):
        await Sandbox(trial=contained).check()


@only_for_others
async def test_one_way_out_is_enough_to_switch_it_off() -> None:
    need("bwrap")
    with pytest.raises(ToolOff, match="lets through: read a secret"):
        await Sandbox(trial=leaking).check()


@only_for_others
async def test_it_is_tried_once_and_again_when_asked() -> None:
    need("bwrap")
    tried: list[None] = []

    async def trial() -> Verdict:
        tried.append(None)
        return await contained()

    sandbox = Sandbox(trial=trial)
    await sandbox.stands()
    await sandbox.check()
    assert len(tried) == 1
    await sandbox.stands(again=True)
    assert len(tried) == 2


async def test_what_was_switched_off_stays_off() -> None:
    with pytest.raises(ToolOff, match="switched off"):
        await Sandbox(enabled=False, trial=contained).check()
