"""`make bench-memory`: does memory find the evidence, over the wire and beside the usual baselines; and the rest of it.

`python -P -m bench.memory [FOLDER]`: the evaluation data, else where HEARTH_BENCH_DATA says; without data only what
needs none is measured. Weights were chosen on the same conversations, with the choice checked on those left out; others
are held out altogether. Other modules of this folder, `memory_*`, add their figures by `measure()`.
"""

import asyncio
import importlib
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.backend import Backend, new_home, running
from bench.baselines import Baselines
from bench.conversations import Collection, Question, cranfield, folder, locomo
from bench.scores import CATEGORIES, Scores
from bench.verdict import Verdict
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.memory.recall import tokens

DEPTH, BATCH, LONGEST_S = 200, 64, 3600.0
PARTS = ("memory_speed", "memory_damage", "memory_facts", "memory_context")
METHODS = ("ours", "by words", "bm25", "dense")
Ranked = Mapping[str, Scores]


def main() -> int:
    """The exit code."""
    verdict = Verdict("memory")
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else folder()
    if data is None:
        print("  no evaluation data (HEARTH_BENCH_DATA): what is found is not measured")
    else:
        asyncio.run(_found(verdict, data))
    for part in PARTS:
        _part(verdict, part)
    return verdict.close()


def _part(verdict: Verdict, name: str) -> None:
    """What another module measures: a number is a figure, a truth value a bar."""
    if find_spec(f"bench.{name}") is None:
        return
    measured: dict[str, float | bool] = importlib.import_module(f"bench.{name}").measure()
    for figure, value in measured.items():
        if isinstance(value, bool):
            verdict.must(figure, value)
        else:
            verdict.note(figure, value, "")


async def _found(verdict: Verdict, data: Path) -> None:
    talks, documents = locomo(data), cranfield(data)
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch, new_home() as home, running(home) as backend:
        embedder = MiniLMEmbedder(Path(scratch) / "minilm")
        try:
            for collection in (*talks, documents):
                _remember(backend, collection)
            _settle(backend)
            conversations = await _ranked(backend, embedder, talks)
            papers = await _ranked(backend, embedder, [documents])
        finally:
            await embedder.close()
    _conversations(verdict, conversations)
    _documents(verdict, papers)


async def _ranked(backend: Backend, embedder: MiniLMEmbedder, collections: Sequence[Collection]) -> Ranked:
    """The scores of every method over all questions that have an answer."""
    scored = {name: Scores() for name in METHODS}
    for collection in collections:
        sizes = {one.external_id: tokens(f"{one.speaker}: {one.text}") for one in collection.episodes}
        asked = [question for question in collection.questions if question.category in (0, *CATEGORIES)]
        baselines = Baselines(collection)
        await baselines.embed(embedder, [question.text for question in asked])
        for scores in scored.values():
            scores.costs = sizes
        for question in asked:
            scored["ours"].add(question, _ask(backend, collection, question))
            scored["by words"].add(question, _ask(backend, collection, question, words_only=True))
            scored["bm25"].add(question, baselines.bm25(question.text))
            scored["dense"].add(question, baselines.dense(question.text))
    return scored


def _remember(backend: Backend, collection: Collection) -> None:
    for start in range(0, len(collection.episodes), BATCH):
        episodes = [one.model_dump(mode="json") for one in collection.episodes[start : start + BATCH]]
        backend.ask("POST", "/v1/memory/episodes", {"space": collection.name, "episodes": episodes})


def _settle(backend: Backend) -> None:
    """A first question wakes the embedder; then all that waits is embedded behind it."""
    backend.ask("POST", "/v1/memory/search", {"query": "hello"})
    until = time.monotonic() + LONGEST_S
    while backend.ask("GET", "/v1/status")["memory"]["waiting"]:
        if time.monotonic() > until:
            raise SystemExit(f"Not all turns were embedded within {LONGEST_S:g} s.")
        time.sleep(0.2)


def _ask(backend: Backend, collection: Collection, question: Question, **options: Any) -> list[str]:
    """The external ids found, best first."""
    body = {"space": collection.name, "query": question.text, "k": DEPTH, **options}
    found = backend.ask("POST", "/v1/memory/search", body)
    if bool(found["degraded"]):
        raise SystemExit(f"Search was not what it should be: {found['degraded']}")
    return [hit["external_id"] for hit in found["results"]]


def _conversations(verdict: Verdict, ranked: Ranked) -> None:
    figures = {name: scores.figures() for name, scores in ranked.items()}
    _table("LoCoMo development conversations", figures)
    ours, bm25, dense = figures["ours"], figures["bm25"], figures["dense"]
    _told(verdict, "LoCoMo", figures)
    verdict.least("LoCoMo R@10", ours["R@10"], 0.79)
    verdict.least("LoCoMo MRR", ours["MRR"], 0.60)
    verdict.least("LoCoMo R@10 / BM25", ours["R@10"] / bm25["R@10"], 1.30)
    verdict.least("LoCoMo R@10 / dense", ours["R@10"] / dense["R@10"], 1.60)
    verdict.least("LoCoMo evidence in 1000 tokens", ours["evidence in 1000 tokens"], 0.85)
    of_bm25 = ours["evidence in 1000 tokens"] / bm25["evidence in 1000 tokens"]
    verdict.least("LoCoMo evidence in 1000 tokens / BM25", of_bm25, 1.22)
    of_dense = ours["evidence in 500 tokens"] / dense["evidence in 2000 tokens"]
    verdict.least("LoCoMo evidence in 500 tokens / dense in 2000", of_dense, 1.0)
    verdict.least("LoCoMo R@10 by words alone", figures["by words"]["R@10"], 0.75)


def _documents(verdict: Verdict, ranked: Ranked) -> None:
    figures = {name: scores.figures() for name, scores in ranked.items()}
    _table("Cranfield development queries", figures)
    _told(verdict, "Cranfield", figures)
    better = max(figures["bm25"]["nDCG@10"], figures["dense"]["nDCG@10"])
    verdict.least("Cranfield nDCG@10 / the better baseline", figures["ours"]["nDCG@10"] / better, 1.08)


def _told(verdict: Verdict, name: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    for method, told in figures.items():
        verdict.figures.update({f"{name} {figure}, {method}": round(value, 4) for figure, value in told.items()})


def _table(title: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n  {title:<34}" + "".join(f"{method:>10}" for method in figures))
    for figure in figures["ours"]:
        print(f"  {figure:<34}" + "".join(f"{told[figure]:>10.3f}" for told in figures.values()))
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
