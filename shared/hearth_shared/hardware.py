"""What can be seen of a machine's GPUs without a driver's help, and which build of llama.cpp suits it. Standard library
only: set-up offers it before there is an environment.
"""

import shutil
import sys
from pathlib import Path
from typing import Literal, NamedTuple

Backend = Literal["cpu", "vulkan", "cuda", "metal", "rocm"]


class Hardware(NamedTuple):
    """What can be seen of a machine without a driver's help."""

    system: str = sys.platform
    nvidia: bool = False
    amd: bool = False
    render_nodes: int = 0
    programs: tuple[str, ...] = ()


def hardware(root: Path = Path("/")) -> Hardware:
    """Of this machine."""
    vendors = {_text(path) for path in (root / "sys/class/drm").glob("card*/device/vendor")}
    return Hardware(
        nvidia=(root / "proc/driver/nvidia/version").exists() or "0x10de" in vendors,
        amd="0x1002" in vendors,
        render_nodes=len(list((root / "dev/dri").glob("renderD*"))),
        programs=tuple(name for name in ("nvcc", "hipcc", "glslc", "c++", "g++", "clang++") if shutil.which(name)),
    )


def suits(found: Hardware, *, prebuilt: bool) -> tuple[Backend, str]:
    """The backend for this machine, and why. `prebuilt` is whether wheels can be fetched, so no toolkit is needed."""
    if found.system == "darwin":
        return "metal", "Metal is part of macOS."
    if found.nvidia and (prebuilt or "nvcc" in found.programs):
        return "cuda", "There is an NVIDIA GPU."
    if found.amd and (prebuilt or "hipcc" in found.programs):
        return "rocm", "There is an AMD GPU, and ROCm is installed." if not prebuilt else "There is an AMD GPU."
    if found.nvidia:
        return "vulkan", "There is an NVIDIA GPU; without CUDA's compiler (nvcc), Vulkan uses it too."
    if found.amd or found.render_nodes:
        return "vulkan", "There is a GPU that Vulkan can use."
    return "cpu", "No GPU was found."


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""
