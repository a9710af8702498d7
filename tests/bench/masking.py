"""`make bench-masking`: what it costs to find what must not leave, in processor time for a KB; and that a stream cut
anywhere comes back as it was."""

import random
import string
import sys
import time
from pathlib import Path

from bench.verdict import Verdict
from hearth_backend.privacy import Restorer, Vault
from support.planted import PLANTED

BAR_MS = 0.2
ROUNDS, CUTS, PIECE = 7, 1000, 4
ROOT = Path(__file__).parents[2]


def main() -> int:
    verdict = Verdict("masking")
    made = random.Random(7)
    code = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "backend/hearth_backend/gateway").glob("*.py")))
    prose = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md")))[:100_000]
    verdict.bar("prose", _cost(prose), BAR_MS, "ms a KB")
    verdict.bar("code", _cost(code), BAR_MS, "ms a KB")
    verdict.bar("prose with a secret in every KB", _cost(_planted(prose, 1024, made)), BAR_MS, "ms a KB")
    noise = "".join(made.choices(string.ascii_letters + string.digits + "+/", k=100_000))
    verdict.bar("random characters", _cost(noise), BAR_MS, "ms a KB")
    numbers = ", ".join(str(made.randrange(1_000_000)) for _ in range(12_000))
    verdict.note("nothing but numbers", _cost(numbers), "ms a KB")
    verdict.note("a secret in every 64 characters", _cost(_planted(prose[:20_000], 64, made)), "ms a KB")
    verdict.note("restored from pieces of 4 characters", _restoring(_planted(prose, 1024, made)), "ms a KB")
    verdict.must(f"{CUTS} streams cut anywhere come back as they were", all(_comes_back(made) for _ in range(CUTS)))
    return verdict.close()


def _planted(text: str, every: int, made: random.Random) -> str:
    pieces = [text[start : start + every] for start in range(0, len(text), every)]
    return "".join(f"{piece} {made.choice(PLANTED).text} " for piece in pieces)


def _cost(text: str) -> float:
    def once() -> float:
        began = time.process_time()
        Vault([text]).mask(text)
        return time.process_time() - began

    return sorted(once() for _ in range(ROUNDS))[ROUNDS // 2] * 1000 / (len(text.encode()) / 1024)


def _restoring(text: str) -> float:
    vault = Vault([text])
    hidden = vault.mask(text)
    restorer = Restorer(vault)
    began = time.process_time()
    for start in range(0, len(hidden), PIECE):
        restorer.feed(hidden[start : start + PIECE])
    return (time.process_time() - began) * 1000 / (len(text.encode()) / 1024)


def _comes_back(made: random.Random) -> bool:
    text = " < ".join(planted.text for planted in made.sample(PLANTED, 6))
    vault = Vault([text])
    hidden, restorer, pieces = vault.mask(text), Restorer(vault), list[str]()
    while hidden:
        size = made.randrange(1, 12)
        pieces.append(restorer.feed(hidden[:size]))
        hidden = hidden[size:]
    return "".join((*pieces, restorer.rest())) == text


if __name__ == "__main__":
    sys.exit(main())
