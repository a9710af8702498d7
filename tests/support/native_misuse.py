"""Does to the native wrappers what would abort a process that calls llama.cpp directly, and tells what came of it.

python -I native_misuse.py MODEL.gguf          prints one line for each case: its name, and the exception or value
"""

import math
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hearth_backend.engine import native
from hearth_backend.engine.native import AbortFlag, NativeContext, NativeModel, NativeSampler

PLAIN: dict[str, Any] = {
    "temperature": 0.0,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "seed": 1,
}


def context(model: NativeModel) -> NativeContext:
    return NativeContext(model, AbortFlag(), context=256, batch=64, threads=1, batch_threads=1)


def sampled(model: NativeModel, times: int = 1, *, decode: bool = True, **options: Any) -> list[int]:
    """Tokens written after one that was read."""
    cells, sampler = context(model), NativeSampler(model, **{**PLAIN, **options})
    if decode:
        cells.decode([5], 0)
    tokens: list[int] = []
    for at in range(times):
        tokens.append(sampler.sample(cells))
        cells.decode(tokens[-1:], at + 1)
    sampler.close()
    sampler.close()
    cells.close()
    cells.close()
    return tokens


def aborted(model: NativeModel) -> str:
    cells = context(model)
    cells.abort.up()
    return cells.decode([5] * 64, 0)


def elsewhere(model: NativeModel) -> str:
    cells, said = context(model), list[str]()
    thread = threading.Thread(target=lambda: said.append(told(lambda: cells.decode([5], 0))))
    thread.start()
    thread.join()
    return said[0]


def after_close(model: NativeModel) -> object:
    cells = context(model)
    cells.close()
    return cells.decode([5], 0)


def after_forget(model: NativeModel) -> object:
    cells = context(model)
    cells.decode([5], 0)
    cells.forget(0)
    return cells.logits()


def truncated(path: Path) -> object:
    cut = path.with_name("cut.gguf")
    cut.write_bytes(path.read_bytes()[:-5000])
    return NativeModel(str(cut))


def cases(model: NativeModel, path: Path) -> dict[str, Callable[[], object]]:
    return {
        "nothing": lambda: context(model).decode([], 0),
        "more than a batch": lambda: context(model).decode([5] * 65, 0),
        "token too high": lambda: context(model).decode([10**6], 0),
        "token negative": lambda: context(model).decode([-5], 0),
        "beyond the context": lambda: context(model).decode([5] * 8, 250),
        "position negative": lambda: context(model).decode([5], -1),
        "position gap": lambda: context(model).decode([5], 9),
        "another thread": lambda: elsewhere(model),
        "after close": lambda: after_close(model),
        "logits after forgetting": lambda: after_forget(model),
        "aborted": lambda: aborted(model),
        "sample before decode": lambda: sampled(model, decode=False),
        "temperature is no number": lambda: sampled(model, temperature=math.nan),
        "top_k negative": lambda: sampled(model, top_k=-1),
        "grammar is none": lambda: sampled(model, grammar="root ::= ("),
        "grammar without a rule": lambda: sampled(model, grammar="root ::= nowhere"),
        "grammar without root": lambda: sampled(model, grammar='a ::= "x"'),
        "grammar too large": lambda: sampled(model, grammar="#" * 10**6),
        "grammar that no token follows": lambda: sampled(model, grammar='root ::= "\\x00"'),
        "grammar to its end": lambda: model.ends(sampled(model, 2, grammar='root ::= "a"')[-1]),
        "grammar beyond its end": lambda: len(sampled(model, 4, grammar='root ::= "a"')),
        "grammar and every option": lambda: len(
            sampled(model, 9, grammar="root ::= [a-z]+", temperature=1.0, frequency_penalty=2.0, presence_penalty=-2.0)
        ),
        "seed of all ones": lambda: len(sampled(model, 3, seed=0xFFFFFFFF, temperature=1.0)),
        "piece of no token": lambda: model.piece(10**6),
        "half a surrogate": lambda: len(model.tokenize("\ud800")),
        "a long text of one letter": lambda: len(model.tokenize("a" * 50_000)) > 1000,
        "truncated file": lambda: truncated(path),
        "no file": lambda: NativeModel(str(path.with_name("none.gguf"))),
        "schema without end": lambda: native.json_grammar({"$ref": "#"}),
    }


def told(case: Callable[[], object]) -> str:
    try:
        return str(case())
    except Exception as error:
        return type(error).__name__


def main() -> None:
    path = Path(sys.argv[1])
    native.start()
    model = NativeModel(str(path))
    for name, case in cases(model, path).items():
        print(f"{name}: {told(case)}", flush=True)


if __name__ == "__main__":
    main()
