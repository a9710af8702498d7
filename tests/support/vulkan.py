"""llama.cpp's Vulkan backend on Mesa's software device: the build that `make test-gpu` makes, and its environment."""

import glob
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.engine import probe
from hearth_backend.engine.builds import Build, Builds
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.placement import Placement, Spot, Trial
from hearth_backend.engine.plan import Wish
from support import tools
from support.gguf_files import ROOT

BUILDS = ROOT / ".cache" / "engine"
_ICDS = "/usr/share/vulkan/icd.d/lvp_icd.*.json"


def build() -> Build:
    """The Vulkan build, of the version of the binding."""
    found = [one for one in Builds(BUILDS).all() if one.backend == "vulkan" and one.added and one.current]
    return found[0] if found else pytest.skip("needs vulkan-build")


def device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The software device alone, whatever cards there are. llama.cpp passes it over unless it is named."""
    drivers = glob.glob(_ICDS) or pytest.skip("needs lavapipe")
    use_driver(monkeypatch, drivers[0])
    monkeypatch.setenv("GGML_VK_VISIBLE_DEVICES", "0")


def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The software device twice: to llama.cpp these are two."""
    monkeypatch.setenv("GGML_VK_VISIBLE_DEVICES", "0,0")


def use_driver(monkeypatch: pytest.MonkeyPatch, description: str) -> None:
    """This driver alone; Vulkan's older loaders know it by the other name."""
    monkeypatch.setenv("VK_DRIVER_FILES", description)
    monkeypatch.setenv("VK_ICD_FILENAMES", description)


def broken_driver(folder: Path) -> str:
    """A driver that takes the process down with it when it is loaded."""
    compiler = tools.need("cc")
    source, library = folder / "driver.c", folder / "libdriver.so"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void begin(void) { abort(); }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    (folder / "driver.json").write_text(
        f'{{"file_format_version": "1.0.0", "ICD": {{"library_path": "{library}", "api_version": "1.3.0"}}}}'
    )
    return str(folder / "driver.json")


class Scarce(Placement):
    """A placement whose engine children meet a device that refuses buffers of more than `most` bytes."""

    def __init__(self, builds: Builds, most: int) -> None:
        super().__init__(builds)
        self._most = most

    async def spot(self, file: ModelFile, wish: Wish) -> Spot:
        """Where the real one puts it."""
        spot = await super().spot(file, wish)
        limit: Mapping[str, str] = {"GGML_VK_FORCE_MAX_BUFFER_SIZE": str(self._most)} if self._most else {}
        return replace(spot, environ={**spot.environ, **limit})


class Crowded(Placement):
    """A placement that finds so little free on each GPU that a model of `need` bytes is a little too much for one."""

    def __init__(self, builds: Builds, need: int) -> None:
        self._free = (512 << 20) + need - 1
        super().__init__(builds, try_build=self._crowded)

    async def _crowded(self, build: Build) -> Trial:
        found = await probe.devices(build.libraries)
        return Trial(build, tuple(replace(one, free=self._free) if one.kind == "gpu" else one for one in found))


def builds_in(folder: Path) -> Builds:
    """The Vulkan build in a folder of the test's own, where what worked is remembered."""
    found = build()
    os.makedirs(folder / f"vulkan-{found.version}", exist_ok=True)
    link = folder / f"vulkan-{found.version}" / "lib"
    if not link.exists():
        link.symlink_to(found.libraries)
    return Builds(folder)
