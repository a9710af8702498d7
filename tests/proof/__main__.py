"""`make proof`: starts Hearth in a folder of its own, asks through all five doors, kills it in mid-answer, and writes
proof/index.html. No key, no display, no network. It fails when any door fails."""

import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from proof import browser, editor, everywhere, ground, killed, page, program, terminal, tray
from proof.chapter import Chapter, Proof
from proof.scene import Scene, lay_model, scene
from support.backend import running
from support.gguf_files import TINY, generated, tiny

OUT = Path(__file__).parents[2] / "proof"


def main() -> int:
    """0 when every door held."""
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="hearth-proof-", ignore_cleanup_errors=True) as folder:
        chapters = _play(Path(folder), figures)
    proof = Proof(chapters, ground.versions(), figures, ground.NOT_RUN)
    written = page.write(proof, OUT)
    print(f"\n{'Every door held' if proof.holds else 'FAILED'}: {written.relative_to(OUT.parent)}")
    return 0 if proof.holds else 1


def _play(folder: Path, figures: dict[str, str]) -> list[Chapter]:
    began = time.perf_counter()
    with running(folder / "home") as backend, scene(folder, backend) as one:
        figures["backend ready"] = f"{time.perf_counter() - began:.1f} s"
        chapters = [_tried(name, figures, partial(play, one)) for name, play in _WITHOUT_A_MODEL.items()]
        lay_model(backend, generated(TINY, tiny()))
        chapters += [_tried(name, figures, partial(play, one)) for name, play in _WITH_A_MODEL.items()]
    chapters.append(_tried("killed", figures, partial(killed.play, folder / "second home")))
    return chapters


_WITHOUT_A_MODEL: dict[str, Callable[[Scene], Chapter]] = {
    "terminal": terminal.play,
    "editor": editor.play,
    "browser": browser.play,
    "tray": tray.play,
    "everywhere": everywhere.play,
}
_WITH_A_MODEL: dict[str, Callable[[Scene], Chapter]] = {"program": program.play, "typing": editor.play_typing}


def _tried(name: str, figures: dict[str, str], play: Callable[[], Chapter]) -> Chapter:
    """A chapter, also when it broke: the others are played all the same."""
    print(f"== {name}", flush=True)
    began = time.perf_counter()
    try:
        chapter = play()
    except Exception:
        chapter = Chapter(name, f"{name}: broke off", fault=traceback.format_exc())
        traceback.print_exc()
    figures[f"time of {name}"] = f"{time.perf_counter() - began:.1f} s"
    for claim, held in chapter.checks:
        print(f"   {'ok  ' if held else 'FAIL'} {claim}", flush=True)
    return chapter


if __name__ == "__main__":
    sys.exit(main())
