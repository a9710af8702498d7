"""Does to the native wrappers what would abort a process that calls llama.cpp directly, and tells what came of it.

python -I native_misuse.py MODEL.gguf          prints one line for each case: its name, and the exception or value
"""

import math
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hearth_backend.engine import native
from hearth_backend.engine.kvcache import Chunk
from hearth_backend.engine.native import AbortFlag, NativeContext, NativeModel
from hearth_backend.engine.native_sampler import NativeSampler

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
    return NativeContext(model, AbortFlag(), context=256, batch=64, threads=1, batch_threads=1, seats=4)


def read(cells: NativeContext, tokens: Sequence[int], start: int, *, seat: int = 0, output: bool = True) -> str:
    return cells.decode([Chunk(seat, start, tokens, output)])


def sampled(model: NativeModel, times: int = 1, *, decode: bool = True, **options: Any) -> list[int]:
    """Tokens written after one that was read."""
    cells, sampler = context(model), NativeSampler(model, **{**PLAIN, **options})
    if decode:
        read(cells, [5], 0)
    tokens: list[int] = []
    for at in range(times):
        tokens.append(sampler.sample(cells))
        read(cells, tokens[-1:], at + 1)
    sampler.close()
    sampler.close()
    cells.close()
    cells.close()
    return tokens


def aborted(model: NativeModel) -> str:
    cells = context(model)
    cells.abort.up()
    return read(cells, [5] * 64, 0)


def elsewhere(model: NativeModel) -> str:
    cells, said = context(model), list[str]()
    read(cells, [5], 0)
    thread = threading.Thread(target=lambda: said.append(told(lambda: read(cells, [5], 1))))
    thread.start()
    thread.join()
    return said[0]


def after_close(model: NativeModel) -> object:
    cells = context(model)
    cells.close()
    return read(cells, [5], 0)


def after_forget(model: NativeModel) -> object:
    cells = context(model)
    read(cells, [5], 0)
    cells.forget(0, 0)
    return cells.logits()


def rows_without_output(model: NativeModel) -> object:
    cells, sampler = context(model), NativeSampler(model, **PLAIN)
    cells.decode([Chunk(0, 0, [5, 6], output=False), Chunk(1, 0, [5])])
    return sampler.sample(cells, 0)


def a_beginning_copied(model: NativeModel) -> bool:
    cells = context(model)
    read(cells, [5, 6, 7, 8], 0)
    there = cells.logits().copy()
    read(cells, [9], 4)
    cells.copy(0, 1, 3)
    read(cells, [8], 3, seat=1)
    return bool(abs(there - cells.logits()).max() < 0.05)


def every_seat(model: NativeModel) -> bool:
    cells, sampler = context(model), NativeSampler(model, **PLAIN)
    cells.decode([Chunk(seat, 0, [5] * (seat + 1)) for seat in range(4)])
    return len({sampler.sample(cells, row) for row in (0, 2, 5, 9)}) > 0


def the_context_full(model: NativeModel) -> str:
    cells = context(model)
    return [read(cells, [5] * 64, 64 * (at // 4), seat=at % 4, output=False) for at in range(5)][-1]


def truncated(path: Path) -> object:
    cut = path.with_name("cut.gguf")
    cut.write_bytes(path.read_bytes()[:-5000])
    return NativeModel(str(cut))


def cases(model: NativeModel, path: Path) -> dict[str, Callable[[], object]]:
    return {
        "nothing": lambda: read(context(model), [], 0),
        "more than a batch": lambda: read(context(model), [5] * 65, 0),
        "token too high": lambda: read(context(model), [10**6], 0),
        "token negative": lambda: read(context(model), [-5], 0),
        "beyond the context": lambda: read(context(model), [5] * 8, 250),
        "position negative": lambda: read(context(model), [5], -1),
        "position gap": lambda: read(context(model), [5], 9),
        "seat too high": lambda: read(context(model), [5], 0, seat=4),
        "seat negative": lambda: read(context(model), [5], 0, seat=-1),
        "one seat twice": lambda: context(model).decode([Chunk(0, 0, [5]), Chunk(0, 1, [5])]),
        "sample a row without output": lambda: rows_without_output(model),
        "copy to no seat": lambda: context(model).copy(0, 9, 1),
        "copy to itself": lambda: context(model).copy(1, 1, 1),
        "copy of nothing": lambda: context(model).copy(0, 1, 5),
        "forget no seat": lambda: context(model).forget(99, 0),
        "a beginning copied": lambda: a_beginning_copied(model),
        "every seat in one batch": lambda: every_seat(model),
        "the context full": lambda: the_context_full(model),
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
        "grammar nested too deeply": lambda: sampled(model, grammar="root ::= " + "(" * 10**5 + '"a"' + ")*" * 10**5),
        "grammar nested": lambda: len(sampled(model, 2, grammar="root ::= " + "(" * 200 + '"a"' + ")" * 200)),
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
