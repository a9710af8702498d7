"""`python -I -m hearth_lsp`: the language server over stdin and stdout, as editors start it."""

import asyncio
import logging
import os
import sys

from hearth_lsp import light_types
from hearth_shared.errors import HearthError
from hearth_shared.paths import find_home


def main() -> int:
    """The exit status: 0 after `shutdown` and `exit`, else 1."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="hearth: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # it logs whole requests, and with them what is in the file
    light_types.prepare()
    from hearth_lsp.session import serve  # this imports lsprotocol, which has to be prepared first

    try:
        home = find_home()
    except HearthError as error:
        print(f"hearth: {error}", file=sys.stderr)  # noqa: T201
        return 1
    try:
        return asyncio.new_event_loop().run_until_complete(serve(home))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # At once: a thread may still be waiting for a backend to start. What counts lives in the backend.
    os._exit(status)
