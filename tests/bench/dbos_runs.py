"""DBOS on SQLite with WAL and synchronous=NORMAL: processor time of an enqueue and of a step. Runs in an environment
of its own (see runs.py), so it imports nothing of Hearth.

dbos_runs.py FOLDER STEPS
"""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUntypedFunctionDecorator=false

import json
import sys
import time
from typing import Any

import sqlalchemy
from dbos import DBOS

ENQUEUED = 200


def tuned(path: str) -> Any:
    """A write-ahead log, and no wait for the disk at each commit."""
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")

    @sqlalchemy.event.listens_for(engine, "connect")
    def pragmas(connection: Any, _: Any) -> None:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=normal")

    return engine


def main(folder: str, steps: int) -> None:
    """One line of JSON: microseconds."""
    path = f"{folder}/dbos.sqlite"
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{path}",
            "system_database_engine": tuned(path),
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )

    @DBOS.step()
    def work(number: int) -> int:
        return number

    @DBOS.workflow()
    def many(count: int) -> int:
        return sum(work(number) for number in range(count))

    @DBOS.workflow()
    def idle(number: int) -> int:
        return number

    DBOS.listen_queues([])
    DBOS.launch()
    queue = DBOS.register_queue("nobody", polling_interval_sec=60.0)
    many(5)
    began = time.process_time()
    many(steps)
    step = (time.process_time() - began) / steps * 1e6
    began = time.process_time()
    for number in range(ENQUEUED):
        queue.enqueue(idle, number)
    enqueue = (time.process_time() - began) / ENQUEUED * 1e6
    print(json.dumps({"step": step, "enqueue": enqueue}))
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
