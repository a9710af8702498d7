"""`python -I -m hearth_desktop.net.starter`: starts the backend, or waits for the one that somebody starts, and ends.

A start takes seconds, so the GUI runs it as a process of its own. On failure the reason is one JSON line, a problem.
"""

import json
import sys

from hearth_shared.discovery import ensure_backend
from hearth_shared.errors import HearthError
from hearth_shared.paths import find_home


def main() -> int:
    """0 when the backend is ready, 1 with the reason on standard output when it cannot be."""
    try:
        ensure_backend(find_home())
    except HearthError as error:
        json.dump(error.problem(), sys.stdout)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
