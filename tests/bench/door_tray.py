"""What the tray costs: processor time of its whole process until the icon is visible, and memory and wake-ups at rest.

PYTHONPATH=tests python -P -m bench.door_tray

The icon is visible when a real panel has taken it in and given it its place. Everything that the process spent up to
then counts, from the start of its interpreter.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import processes
from bench.verdict import Verdict
from hearth_shared import discovery
from hearth_shared.paths import Home
from support.tray_process import LIMIT_S, QUIET, TRAY
from support.xsession import Desktop, desktop, wait_until

RUNS, REST_S, WATCH_S = 9, 45.0, 60.0
CPU_BAR_S, MEMORY_BAR_MB = 0.25, 75.0
_TO_ICON = """
import json, os, sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from hearth_desktop import app as tray_app
from hearth_desktop.start import seat
from hearth_shared.paths import find_home

def look(app):
    # The panel is at the bottom of the screen: there the icon is once the panel has taken it in.
    if app.tray.findChild(QSystemTrayIcon).geometry().y() > 700:
        print(json.dumps({"cpu_s": time.process_time()}), flush=True)
        os._exit(0)
    QTimer.singleShot(1, lambda: look(app))

begin = tray_app.App.begin
def watched(app):
    begin(app)
    look(app)
tray_app.App.begin = watched
home = find_home()
with seat.take(home) as own:
    tray_app.run_app(home, own, None)
"""


def measure(runs: int = RUNS, watch_s: float = WATCH_S) -> dict[str, float]:
    """Seconds of processor time to the visible icon (median, worst), megabytes at rest, wake-ups a minute."""
    with tempfile.TemporaryDirectory() as folder, desktop(Path(folder)) as session:
        home = Home(Path(folder, "home"))
        _to_icon(session, home)  # the first one reads the files from the disk
        seconds = sorted(_to_icon(session, home) for _ in range(runs))
        at_rest = _at_rest(session, home, watch_s)
    return {"cpu_to_icon_s": median(seconds), "cpu_to_icon_worst_s": seconds[-1], **at_rest}


def _to_icon(session: Desktop, home: Home) -> float:
    environ = {**session.environ, **QUIET, "HEARTH_HOME": str(home.root)}
    done = subprocess.run(
        [sys.executable, "-I", "-c", _TO_ICON], env=environ, capture_output=True, timeout=LIMIT_S, check=True
    )
    return float(json.loads(done.stdout)["cpu_s"])


def _at_rest(session: Desktop, home: Home, watch_s: float) -> dict[str, float]:
    """Connected to its backend, with no window open."""
    tray = session.start([*TRAY, "--background"], {**QUIET, "HEARTH_HOME": str(home.root)})
    try:
        wait_until(lambda: discovery.read_endpoint(home) is not None, LIMIT_S)
        wait_until(lambda: processes.tree(tray.pid) == [tray.pid], LIMIT_S)  # what started the backend has gone
        time.sleep(REST_S)  # what it does once is not its rest; Qt lets go of its pooled threads after 30 s
        pss, rss = processes.memory_mb(tray.pid)
        before = processes.cost(tray.pid)
        time.sleep(watch_s)
        after = processes.cost(tray.pid)
        minutes = watch_s / 60
        return {
            "rss_mb": rss,
            "pss_mb": pss,
            "wakeups_per_minute": (after.wakeups - before.wakeups) / minutes,
            "cpu_ms_per_minute": 1000 * (after.cpu_s - before.cpu_s) / minutes,
        }
    finally:
        tray.terminate()
        tray.wait(LIMIT_S)
        discovery.stop_backend(home)


def main() -> int:
    """The exit status: 1 when a bar is missed."""
    verdict = Verdict("door-tray")
    figures = measure()
    verdict.bar("processor time to the visible icon, median", figures["cpu_to_icon_s"], CPU_BAR_S, "s")
    verdict.note("processor time to the visible icon, worst", figures["cpu_to_icon_worst_s"], "s")
    verdict.bar("memory at rest, resident", figures["rss_mb"], MEMORY_BAR_MB, "MB")
    verdict.note("memory at rest, shared pages divided", figures["pss_mb"], "MB")
    verdict.note("wake-ups at rest", figures["wakeups_per_minute"], "a minute")
    verdict.note("processor time at rest", figures["cpu_ms_per_minute"], "ms a minute")
    return verdict.close()


if __name__ == "__main__":
    sys.exit(main())
