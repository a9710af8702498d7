from pathlib import Path

import pytest

from hearth_shared.hardware import Hardware, hardware, suits

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("found", "prebuilt", "backend"),
    [
        (Hardware("linux"), False, "cpu"),
        (Hardware("darwin"), False, "metal"),
        (Hardware("linux", nvidia=True, programs=("nvcc",)), False, "cuda"),
        (Hardware("linux", nvidia=True), True, "cuda"),
        (Hardware("linux", nvidia=True), False, "vulkan"),
        (Hardware("linux", amd=True, programs=("hipcc",)), False, "rocm"),
        (Hardware("linux", amd=True), False, "vulkan"),
        (Hardware("linux", render_nodes=1), False, "vulkan"),
    ],
)
def test_what_suits_a_machine(found: Hardware, prebuilt: bool, backend: str) -> None:
    suited, why = suits(found, prebuilt=prebuilt)
    assert suited == backend
    assert why


def test_hardware_is_read_from_the_system_s_own_files(tmp_path: Path) -> None:
    assert not hardware(tmp_path).nvidia
    device = tmp_path / "sys/class/drm/card0/device"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x1002\n")
    (tmp_path / "dev/dri").mkdir(parents=True)
    (tmp_path / "dev/dri/renderD128").touch()
    found = hardware(tmp_path)
    assert (found.amd, found.nvidia, found.render_nodes) == (True, False, 1)
