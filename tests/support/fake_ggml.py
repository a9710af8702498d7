"""A build of llama.cpp with devices this machine has not: real shared libraries, compiled in a moment, that say so.

`way` makes it misbehave as drivers do: "aborts" while it is loaded, "hangs" for ever, "lacks" what is asked of it.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from support import tools

_BASE = r"""
#include <stddef.h>
typedef struct { const char *name, *detail; int kind; size_t free, total; } device;
const char *ggml_backend_dev_name(device *one) { return one->name; }
const char *ggml_backend_dev_description(device *one) { return one->detail; }
int ggml_backend_dev_type(device *one) { return one->kind; }
void ggml_backend_dev_memory(device *one, size_t *free, size_t *total) { *free = one->free; *total = one->total; }
"""
_GGML = r"""
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
typedef struct { const char *name, *detail; int kind; size_t free, total; } device;
static device devices[] = { DEVICES };
__attribute__((constructor)) static void begin(void) { ON_LOAD; }
size_t ggml_backend_dev_count(void) { return sizeof devices / sizeof *devices; }
device *GET(size_t index) { return &devices[index]; }
"""
_ON_LOAD = {"aborts": "abort()", "hangs": "for (;;) pause()"}


@dataclass(frozen=True)
class Card:
    """A device: kind 1 is a GPU, 2 one that shares the machine's memory."""

    detail: str
    free: int
    total: int
    kind: int = 1


def make_build(
    folder: Path,
    *cards: Card,
    way: Literal["works", "aborts", "hangs", "lacks"] = "works",
    backend: str = "",
) -> Path:
    """The libraries in `folder`, the processor always among their devices."""
    compiler = tools.need("cc")
    folder.mkdir(parents=True)
    rows = [f'{{"GPU{at}", "{one.detail}", {one.kind}, {one.free}u, {one.total}u}}' for at, one in enumerate(cards)]
    source = folder / "source.c"
    source.write_text(_BASE)
    _compile(compiler, source, folder / "libggml-base.so")
    devices = ", ".join([*rows, '{"CPU", "A Processor", 0, 0, 0}'])
    getter = "nothing" if way == "lacks" else "ggml_backend_dev_get"
    source.write_text(
        _GGML.replace("DEVICES", devices).replace("ON_LOAD", _ON_LOAD.get(way, "")).replace("GET", getter)
    )
    _compile(compiler, source, folder / "libggml.so")
    source.unlink()
    (folder / "libllama.so").touch()
    if backend:
        (folder / f"libggml-{backend}.so").touch()
    return folder


def _compile(compiler: str, source: Path, library: Path) -> None:
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(library), str(source)], check=True)
