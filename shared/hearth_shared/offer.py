"""The model file that would suit this machine: offered, never fetched. Standard library only."""

import os
from typing import NamedTuple

_GB = 1_000_000_000


class Offer(NamedTuple):
    """A model file as its makers publish it: size as they state it, on the page named `page`."""

    file: str
    page: str
    gigabytes: float
    licence: str

    def words(self) -> str:
        """One line for a person."""
        return f"{self.file} ({self.gigabytes:g} GB, {self.licence}; on the model hub as {self.page})"


_BY_NEED = (
    (24, Offer("Qwen3-14B-Q4_K_M.gguf", "Qwen/Qwen3-14B-GGUF", 9.0, "Apache-2.0")),
    (14, Offer("Qwen3-8B-Q4_K_M.gguf", "Qwen/Qwen3-8B-GGUF", 5.0, "Apache-2.0")),
    (7, Offer("Qwen3-4B-Q4_K_M.gguf", "Qwen/Qwen3-4B-GGUF", 2.5, "Apache-2.0")),
    (4, Offer("Qwen3-1.7B-Q8_0.gguf", "Qwen/Qwen3-1.7B-GGUF", 1.8, "Apache-2.0")),
)


def offer(memory: int) -> Offer | None:
    """For a machine with `memory` bytes; None when even the smallest would crowd it out."""
    return next((found for need, found in _BY_NEED if memory >= need * _GB), None)


def memory_here() -> int:
    """This machine's memory in bytes; 0 when the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
