"""Compares the engine's vectors with those of llama.cpp's own way to them, each text alone.

python -I embedding_parity.py MODEL.gguf          prints the least cosine, how far a batch is from a text alone, and
                                                   what comes of what would abort the process
"""

import sys
import threading
from collections.abc import Sequence

import numpy as np
from llama_cpp import Llama

from hearth_backend.engine import native
from hearth_backend.engine.abortflag import AbortFlag
from hearth_backend.engine.embeddings import EmbeddingModel
from hearth_backend.engine.frames import Load
from hearth_backend.engine.kvcache import Fault

TEXTS = ("hello world", "import os", "def main(argv):\n    return 0", "x", "a list of names and of numbers " * 9)


BAD: dict[str, list[list[int]]] = {
    "too long": [[5] * 513],
    "too long together": [[5] * 300, [6] * 300],
    "no text": [],
    "an empty text": [[]],
    "too many": [[5]] * 17,
    "no token": [[10**7]],
    "a negative token": [[-1]],
}


def told(model: EmbeddingModel, texts: Sequence[Sequence[int]]) -> str:
    try:
        return str(model.context.embed(texts))
    except Fault as fault:
        return type(fault).__name__


def main() -> None:
    path = sys.argv[1]
    native.start()
    model = EmbeddingModel(Load(path, "m", 512, 0, 1, 1, embeds=True), AbortFlag())
    tokens = [model.tokens(text) for text in TEXTS]
    together, alone = model.context.embed(tokens), np.stack([model.context.embed([one])[0] for one in tokens])
    plain = Llama(path, embedding=True, n_ctx=512, n_batch=512, n_ubatch=512, n_threads=1, verbose=False)
    theirs = np.array([plain.embed(text, normalize=True) for text in TEXTS])
    print("cosine", float((alone * theirs).sum(1).min()))
    print("batch", float(abs(together - alone).max()))
    print("length", float(abs(np.linalg.norm(alone, axis=1) - 1).max()))
    print("longest", len(model.tokens("word " * 9000)), tokens[0][-1] == model.tokens("word " * 9000)[-1])
    for name, texts in BAD.items():
        print(name, told(model, texts))
    elsewhere = threading.Thread(target=lambda: print("another thread", told(model, [[5]])))
    elsewhere.start()
    elsewhere.join()
    model.context.close()
    model.context.close()
    print("after close", told(model, [[5]]))


if __name__ == "__main__":
    main()
