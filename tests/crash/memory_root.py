"""Database, memory and index behind a door of one pipe: the smallest process that acknowledges memories.

A line on stdin is a number; ten turns are made of it and the number is answered on stdout when they are on disk. They
are embedded and told to the index as fast as that goes. End of input: wait until everything is, then stop.
"""

import asyncio
import os
import sys
from pathlib import Path

from hearth_shared.protocol.memory import EpisodeBatch
from support.damages import MAIN, House, episodes, house

TOGETHER = 10


async def serve(folder: Path) -> None:
    """Until the input ends."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with house(folder) as one:
        os.write(1, b"ready\n")
        while line := await lines.readline():
            await _store(one, int(line))
        await one.settled()


async def _store(one: House, number: int) -> None:
    turns = episodes(number * TOGETHER, TOGETHER)
    await one.memory.remember(EpisodeBatch(episodes=turns), spaces=MAIN)
    os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
