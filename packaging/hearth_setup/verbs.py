"""The verbs of `packaging/setup.py`, as the Makefile and .ci/run call them."""

import argparse
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from hearth_setup.doors import choose_link, doors, home_of_user, put_on_path
from hearth_setup.engine import Engine
from hearth_setup.environment import Environment, Kind, Work, packages_in
from hearth_setup.failure import SetupFailed
from hearth_setup.machine import Plan, apt_here, has_display, has_package, install, plan, read_needs
from hearth_setup.offer import accepted, fetches_builds, offer_for, terminal_key
from hearth_setup.stages import Stages
from hearth_shared.discovery import ensure_backend, stop_backend
from hearth_shared.engine_build import EngineBuild, write_engine_build
from hearth_shared.errors import HearthError
from hearth_shared.hardware import hardware
from hearth_shared.paths import Home, find_home

ROOT = Path(__file__).resolve().parents[2]
FIRST_TIME = "The first set-up downloads about {} MB and takes about {} MB of disk; it goes on where it was stopped."
SIZES = {Kind.RUN: (220, 580), Kind.DESKTOP: (300, 810)}


def main(arguments: Sequence[str]) -> int:
    """Runs one verb; 0 done, 1 failed and said why, 130 stopped."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        return {"run": _run, "environment": _environment, "system": _system, "engine": _engine,
                "build-engine": _build_engine, "uv": _uv}[options.verb](options)  # fmt: skip
    except SetupFailed as failure:
        print(f"\n{failure.detail}\n{failure.fix}", file=sys.stderr)
        return 1
    except HearthError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{error.filename or 'A file'}: {error.strerror}. Mend that, then run it again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="setup.py", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="everything: environment, backend, engine, doors")
    run.add_argument("--no-engine", action="store_true", help="do not build llama.cpp")
    run.add_argument("--no-desktop", action="store_true", help="leave the tray out, where there is a display too")
    run.add_argument("--no-chat", action="store_true", help="return when ready, on a terminal too")
    environment = verbs.add_parser("environment", help="the Python environment alone")
    environment.add_argument("--dev", action="store_true", help="with everything the checks and tests need")
    system = verbs.add_parser("system", help="the system's packages alone")
    system.add_argument("sections", nargs="+", choices=("run", "engine", "tools", "desktop", "check", "vulkan", "gpu"))
    verbs.add_parser("engine", help="build llama.cpp and wait for it")
    build = verbs.add_parser("build-engine", help="what `run` starts in the background")
    build.add_argument("--gpu", default="", metavar="BACKEND", help="then the build for a GPU")
    verbs.add_parser("uv", help="the pinned uv with your arguments").add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def _run(options: argparse.Namespace) -> int:
    environment, home = Environment(ROOT), find_home()
    kind = Kind.DESKTOP if has_display(os.environ) and not options.no_desktop else Kind.RUN
    todo = environment.work(kind)
    packages = _plan(_sections(options, kind))
    stages = Stages(sys.stdout, _count(environment, todo, packages) + 1)
    if todo is Work.EVERYTHING:
        stages.say(FIRST_TIME.format(*SIZES[kind]))
    _see_to_packages(stages, packages)
    if todo is not Work.NOTHING:
        stop_backend(home)  # it may stand on the environment that goes
        _make_environment(stages, environment, kind)
    with stages.stage("Backend"):
        endpoint = ensure_backend(home, command=_backend(environment))
    if not options.no_engine:
        stages.say(_start_engine(Engine(ROOT, home), packages))
        _offer_gpu(stages, Engine(ROOT, home))
    if kind is Kind.DESKTOP:
        _start_tray(environment)
    program = environment.folder / "bin" / "hearth"
    link = choose_link(os.environ, home_of_user(), is_root=os.geteuid() == 0)
    stages.say("\nHearth is running. It keeps everything on this machine.")
    for line in (*doors(home, endpoint.port, tray=kind is Kind.DESKTOP), put_on_path(link, program)):
        stages.say(line)
    stages.say("\nWhat can answer:")
    sys.stdout.flush()
    subprocess.run([str(program), "models", "list"], stdin=subprocess.DEVNULL, check=False)
    if sys.stdin.isatty() and sys.stdout.isatty() and not options.no_chat:
        os.execv(program, [str(program), "chat"])
    return 0


def _offer_gpu(stages: Stages, engine: Engine) -> None:
    """A person at a terminal is asked; anybody else is told."""
    prebuilt = fetches_builds(engine.home, os.environ)
    offer = offer_for(hardware(), engine.home, prebuilt=prebuilt)
    if offer is None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        stages.say(offer.line)
    elif accepted(offer, engine.home, terminal_key, sys.stdout):
        if offer.backend == "vulkan" and not prebuilt:
            _see_to_packages(stages, _plan(("vulkan",)))
        engine.start(offer.backend)
        stages.say("        `hearth engine list` says how far it is; until then models run on the processor.")


def _sections(options: argparse.Namespace, kind: Kind) -> tuple[str, ...]:
    engine = () if options.no_engine else ("engine",)
    sandbox = ("tools",) if sys.platform.startswith("linux") else ()
    return ("run", *engine, *sandbox, *(("desktop",) if kind is Kind.DESKTOP else ()))


def _start_tray(environment: Environment) -> None:
    """In a session of its own: it outlives this terminal. One that runs already shows itself and the new one ends."""
    subprocess.Popen(
        [str(environment.python), "-I", "-m", "hearth_desktop"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _count(environment: Environment, todo: Work, packages: Plan) -> int:
    return bool(packages.commands) + (todo is not Work.NOTHING) * (1 if environment.uv.is_here else 2)


def _backend(environment: Environment) -> tuple[str, ...]:
    return str(environment.python), "-I", "-m", "hearth_backend", "up", "--headless"


def _environment(options: argparse.Namespace) -> int:
    environment, kind = Environment(ROOT), Kind.DEV if options.dev else Kind.RUN
    todo = environment.work(kind)
    if todo is not Work.NOTHING:
        packages = _plan(("run",))
        stages = Stages(sys.stdout, _count(environment, todo, packages))
        _see_to_packages(stages, packages)
        _make_environment(stages, environment, kind)
    return 0


def _make_environment(stages: Stages, environment: Environment, kind: Kind) -> None:
    with _alone(environment.root / ".cache" / "setup.lock", stages):
        if not environment.uv.is_here:
            with stages.stage("uv, which installs the rest, 25 MB"):
                environment.uv.fetch()
        packages = packages_in((environment.root / kind.value).read_text("utf-8"))
        with stages.stage(f"Environment, at most {packages} packages"):
            megabytes = environment.make(kind, stages.update)
            stages.note(f"{megabytes:.0f} MB downloaded" if megabytes else "nothing to download")


@contextmanager
def _alone(path: Path, stages: Stages) -> Generator[None]:
    """One set-up at a time; the second waits and then finds everything done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stages.say("Another set-up is at work in this checkout; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _system(options: argparse.Namespace) -> int:
    packages = _plan(options.sections)
    _see_to_packages(Stages(sys.stdout, 1), packages, all_needed=True)
    return 0


def _plan(sections: Sequence[str]) -> Plan:
    needs = read_needs((ROOT / "packaging" / "apt-packages.txt").read_text("utf-8"))
    return plan([need for need in needs if need.section in sections], has_package, apt_here())


def _see_to_packages(stages: Stages, packages: Plan, *, all_needed: bool = False) -> None:
    """Installs what is missing. Raises SetupFailed with the line that does, when nothing can go on without it."""
    for need in packages.missing:
        stages.say(f"Missing: {need.package} ({need.why})")
    if packages.commands:
        log = ROOT / ".cache" / "apt.log"
        with stages.stage(f"{' '.join(need.package for need in packages.missing)}, with apt"):
            if not install(packages.commands, log, stages.update):
                raise SetupFailed(f"apt could not install them; {log} says why.", f"By hand: {packages.line}")
    elif packages.blocks or (all_needed and packages.missing):
        raise SetupFailed("Hearth may not install packages here. Run this line, then start again:", packages.line)


def _start_engine(engine: Engine, packages: Plan) -> str:
    if engine.is_installed:
        return "Engine: llama.cpp is here."
    if not packages.commands and any(need.section == "engine" for need in packages.missing):
        lacking = EngineBuild("no compiler", "There is no C++ compiler to build llama.cpp with.", packages.line)
        write_engine_build(engine.home, lacking)
        return (
            f"Engine: without a C++ compiler no model runs inside Hearth; the rest works. To have one: {packages.line}"
        )
    engine.start()
    return (
        "Engine: llama.cpp is being built in the background, about 3 minutes on 2 cores; the rest works meanwhile.\n"
        f"        `hearth status` says how far it is, {engine.log} what it does."
    )


def _engine(_options: argparse.Namespace) -> int:
    engine = Engine(ROOT, find_home())
    if engine.is_installed:
        return 0
    _see_to_packages(Stages(sys.stdout, 1), _plan(("run", "engine")), all_needed=True)
    engine.prepare()
    os.execv(engine.command[0], engine.command)


def _build_engine(options: argparse.Namespace) -> int:
    home: Home = find_home()
    home.make()
    return Engine(ROOT, home).watch(options.gpu)


def _uv(options: argparse.Namespace) -> int:
    uv = Environment(ROOT).uv
    if not uv.is_here:
        uv.fetch()
    os.execv(uv.program, [str(uv.program), *options.rest])


def _as_interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
