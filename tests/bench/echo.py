"""The floor: FastAPI and uvicorn with nothing of Hearth's, on a Unix socket. `python -P -m bench.echo SOCKET`."""

import contextlib
import sys
import time
from collections.abc import Generator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from bench.module import start

_LIMIT_S = 30.0


class Said(BaseModel):
    """What is echoed."""

    goal: str


app = FastAPI(openapi_url=None)


@app.get("/echo")
async def listen() -> dict[str, bool]:
    """The smallest answer."""
    return {"ok": True}


@app.post("/echo", status_code=202)
async def echo(said: Said) -> Said:
    """The body, parsed and written again."""
    return said


@contextlib.contextmanager
def running(path: Path) -> Generator[int]:
    """The echo server as a child; gives its process id."""
    with start("echo", str(path)) as process:
        try:
            deadline = time.monotonic() + _LIMIT_S
            while not path.is_socket() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()


if __name__ == "__main__":
    uvicorn.run(app, uds=sys.argv[1], loop="uvloop", http="httptools", access_log=False, log_level="error")
