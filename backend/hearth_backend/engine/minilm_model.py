"""all-MiniLM-L6-v2 on onnxruntime. Imported by the embedder's child process only: it takes some 100 MB."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from hearth_backend.engine.minilm_weights import TOKENIZER

_runtime: Any = onnxruntime
DIM = 384
LONGEST = 256
_BUDGET = 512  # tokens; larger batches are no faster here and cost memory
_CHARACTERS = LONGEST * 24  # more than any 256 tokens hold; a whole book need not pass through the tokenizer


class MiniLM:
    """Mean-pooled, L2-normalised sentence vectors; text beyond 256 tokens is not read."""

    def __init__(self, graph: Path, threads: int) -> None:
        self._session = _runtime.InferenceSession(str(graph), _options(threads), ["CPUExecutionProvider"])
        self._tokenizer: Any = Tokenizer.from_file(str(graph.parent / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self.grown = False

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text, in the order given."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch([text[:_CHARACTERS] for text in texts])]
        rows = np.zeros((len(ids), DIM), np.float32)
        for batch in batches([len(row) for row in ids], _BUDGET):
            rows[batch] = self._run([ids[position] for position in batch])
        return rows

    def shrink(self) -> None:
        """Give the memory that large batches needed back to the system."""
        options = _runtime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._run([[101, 102]], options)
        self.grown = False

    def _run(self, ids: list[list[int]], options: Any = None) -> NDArray[np.float32]:
        width = max(map(len, ids))
        self.grown = self.grown or width * len(ids) > _BUDGET // 4
        tokens, mask = np.zeros((2, len(ids), width), np.int64)
        for row, values in enumerate(ids):
            tokens[row, : len(values)] = values
            mask[row, : len(values)] = 1
        return self._session.run(None, {"input_ids": tokens, "attention_mask": mask}, options)[0]


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions, longest first, cut so that a batch padded to its longest holds at most `budget` tokens."""
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    start = 0
    while start < len(order):
        end = start + max(1, budget // max(1, lengths[order[start]]))
        yield order[start:end]
        start = end


def _options(threads: int) -> Any:
    options = _runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # spinning threads ruin the latency of a busy desktop
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
