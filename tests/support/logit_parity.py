"""The same state and one more token, in a batch of eight sequences and alone: are the logits the same?

python -I logit_parity.py MODEL.gguf       one line for each sequence; exit 1 when a line breaks the rule

The rule: nothing differs by more than 0.05, and the likeliest token is the same unless the first two are that close.
"""

import sys
from pathlib import Path

import numpy as np

from hearth_backend.engine import native
from hearth_backend.engine.kvcache import Chunk
from hearth_backend.engine.native import AbortFlag, NativeContext, NativeModel

WITHIN = 0.05
LENGTH = 60


def main() -> int:
    native.start()
    model = NativeModel(str(Path(sys.argv[1])))
    cells = NativeContext(model, AbortFlag(), context=1024, batch=512, threads=1, batch_threads=1, seats=8)
    rng = np.random.default_rng(1)
    for seat in range(8):
        tokens = rng.integers(5, model.vocabulary, LENGTH).tolist()
        cells.decode([Chunk(seat, 0, tokens)])
    cells.decode([Chunk(seat, LENGTH, [77]) for seat in range(8)])
    together = [cells.logits(row).copy() for row in range(8)]
    broken = 0
    for seat in range(8):
        cells.forget(seat, LENGTH)
        cells.decode([Chunk(seat, LENGTH, [77])])
        alone = cells.logits()
        apart = float(abs(together[seat] - alone).max())
        first, second = np.sort(alone)[-1], np.sort(alone)[-2]
        same = together[seat].argmax() == alone.argmax()
        broken += apart > WITHIN or not (same or first - second < WITHIN)
        print(f"sequence {seat}: at most {apart:.4f} apart, the same token {bool(same)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
