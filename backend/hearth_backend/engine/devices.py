"""Tries a build of llama.cpp: `python -I -m hearth_backend.engine.devices FOLDER` loads it and tells its devices.

A child of its own, because a driver may take its process with it. It speaks to ggml's device API by ctypes: the
binding does not wrap it, and asking needs no model.
"""

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

_KINDS = {0: "cpu", 1: "gpu", 2: "integrated", 3: "accelerator"}
_SUFFIXES = (".so", ".dylib", ".dll")


def main() -> None:
    """One JSON object on the last line: the devices, or why the build cannot be loaded."""
    try:
        said = {"devices": found(Path(sys.argv[1]))}
    except (OSError, AttributeError, LookupError) as error:
        said = {"error": str(error).partition("\n")[0][:300]}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def found(folder: Path) -> list[dict[str, Any]]:
    """The devices of the build in this folder. Raises OSError when it cannot be loaded."""
    base, ggml = _library(folder, "ggml-base"), _library(folder, "ggml")
    if hasattr(ggml, "ggml_backend_load_all_from_path"):  # of a build whose backends are plug-ins
        ggml.ggml_backend_load_all_from_path(str(folder).encode())
    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    ggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    return [_device(base, ggml.ggml_backend_dev_get(index)) for index in range(ggml.ggml_backend_dev_count())]


def _device(base: ctypes.CDLL, pointer: int) -> dict[str, Any]:
    for name in ("name", "description"):
        function = getattr(base, f"ggml_backend_dev_{name}")
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    base.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p] * 3
    base.ggml_backend_dev_memory.restype = None
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    base.ggml_backend_dev_memory(pointer, ctypes.byref(free), ctypes.byref(total))
    return {
        "name": (base.ggml_backend_dev_name(pointer) or b"").decode("utf-8", "replace"),
        "detail": (base.ggml_backend_dev_description(pointer) or b"").decode("utf-8", "replace").strip(),
        "kind": _KINDS.get(base.ggml_backend_dev_type(pointer), "accelerator"),
        "free": free.value,
        "total": total.value,
    }


def _library(folder: Path, name: str) -> ctypes.CDLL:
    for suffix in _SUFFIXES:
        for path in (folder / f"lib{name}{suffix}", folder / f"{name}{suffix}"):
            if path.exists():
                return ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    raise OSError(f"{folder.name} holds no {name}")


if __name__ == "__main__":
    main()
