from pathlib import Path

import pytest

from hearth_desktop.guide import machine

pytestmark = pytest.mark.unit


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_an_nvidia_card_is_known_by_its_full_name(tmp_path: Path) -> None:
    write(tmp_path / "gpus" / "0000:01:00.0" / "information", "Model: \t NVIDIA RTX 4090\nIRQ: 1\n")
    write(tmp_path / "drm" / "card0" / "device" / "vendor", "0x10de\n")
    assert machine.gpus(tmp_path / "gpus", tmp_path / "drm") == ("NVIDIA RTX 4090",)


def test_an_amd_card_is_known_with_its_memory(tmp_path: Path) -> None:
    write(tmp_path / "drm" / "card1" / "device" / "vendor", "0x1002\n")
    write(tmp_path / "drm" / "card1" / "device" / "mem_info_vram_total", "17163091968\n")
    write(tmp_path / "drm" / "card1-HDMI-A-1" / "device" / "vendor", "0x1002\n")
    assert machine.gpus(tmp_path / "gpus", tmp_path / "drm") == ("AMD graphics card, 17 GB",)


def test_a_card_that_speeds_nothing_up_is_not_told(tmp_path: Path) -> None:
    write(tmp_path / "drm" / "card0" / "device" / "vendor", "0x8086\n")
    assert machine.gpus(tmp_path / "nowhere", tmp_path / "drm") == ()


def test_editors_are_those_on_the_path(tmp_path: Path) -> None:
    here = {"nvim": "/usr/bin/nvim", "hx": "/usr/bin/hx", "helix": "/usr/bin/helix"}
    found = machine.look(tmp_path, tmp_path, here.get)
    assert found.editors == ("Neovim", "Helix")
    assert found.memory >= 0


@pytest.mark.parametrize(("count", "said"), [(2_500_000_000, "2.5 GB"), (16_700_000_000, "17 GB"), (0, "0.0 GB")])
def test_sizes_are_told_in_gigabytes(count: int, said: str) -> None:
    assert machine.size(count) == said
