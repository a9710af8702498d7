"""Stands in for packaging/build_llama.py where compiling would take minutes: the same words, the same outcome.

    python scripted_builder.py --backend B --libraries FOLDER --cache FOLDER

It copies the build in `made` beside this script's copy to FOLDER/lib; without one it fails with a compiler's last
words. A file `waits` there makes it wait after half of its steps until it is ended.
"""

import argparse
import shutil
import sys
import threading
from pathlib import Path


def main() -> int:
    """Build in appearance."""
    parser = argparse.ArgumentParser()
    for name in ("--backend", "--libraries", "--cache"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    here = Path(__file__).parent
    for line in ("Fetching cmake and ninja (35 MB)", "[1/2] compiling, about 3 min left"):
        print(line, file=sys.stderr, flush=True)
    if (here / "waits").exists():
        threading.Event().wait()
    if not (here / "made").exists():
        print("fatal error: no vulkan.h\nllama-cpp-python could not be built.", file=sys.stderr, flush=True)
        return 1
    print("[2/2] compiling", file=sys.stderr, flush=True)
    shutil.copytree(here / "made", Path(options.libraries) / "lib")
    return 0


if __name__ == "__main__":
    sys.exit(main())
