"""What agents may use, and what stands before it: the tools, the folders, the sandbox, the rules, the guard, the way
back."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from hearth_backend.agent.profiles import Profiles
from hearth_backend.memory.memory import Memory
from hearth_backend.observe.health import Health
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.asking import Asking
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.rules import Rules
from hearth_backend.storage.database import Database
from hearth_backend.tools import plugins
from hearth_backend.tools.clock import Clock
from hearth_backend.tools.commands import Python, Shell
from hearth_backend.tools.delegate import Delegate, Plans
from hearth_backend.tools.files import EditFile, ListFolder, ReadFile, SearchFiles, WriteFile
from hearth_backend.tools.notify import Notify
from hearth_backend.tools.policy import Policy, Rule, unasked
from hearth_backend.tools.policy_file import PolicyFile
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from hearth_backend.tools.roots import Roots
from hearth_backend.tools.sandbox.sandbox import Sandbox, Standing
from hearth_backend.tools.tool import AnyTool, ToolContext
from hearth_backend.tools.undo import UndoLog
from hearth_shared.paths import Home
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Source
from hearth_shared.settings import Settings


class Toolbox(NamedTuple):
    """Built once; nothing in it has to be closed."""

    tools: Registry
    sandbox: Sandbox
    policy: PolicyFile
    rules: Rules
    guard: Asking
    undo: UndoLog


def toolbox(
    home: Home,
    settings: Settings,
    database: Database,
    events: EventLog,
    memory: Memory,
    approvals: Approvals,
    health: Health,
    profiles: Profiles,
    plans: Plans,
    permits: Callable[[str, Source], bool],
) -> Toolbox:
    """Everything in it; edited approvals are bound by its guard."""
    closed = [str(home.root), str(home.socket.parent)]
    undo = UndoLog(database, closed=closed)
    sandbox = Sandbox(partial(_tell_sandbox, health), enabled=settings.tools.shell)
    sandbox.look()
    roots = Roots(settings.tools.roots, closed=closed)
    own: list[AnyTool] = [
        Recall(memory, token_budget=settings.memory.recall_tokens, permits=permits),
        *(Clock(), Notify(partial(_notify, events))),
        *(ReadFile(roots), ListFolder(roots), SearchFiles(roots), EditFile(roots, undo), WriteFile(roots, undo)),
        *(Shell(roots, sandbox, undo), Python(roots, sandbox, undo), Delegate(plans)),
    ]
    tools = Registry([*own, *_foreign(own, health)])
    policy = PolicyFile(home.policy, partial(_tell_policy, health))
    rules = Rules(database, policy.current)
    guard = Asking(approvals, rules, policy.current, tools, unasked=partial(_unasked, profiles, tools))
    approvals.rebind = guard.rebound
    return Toolbox(tools, sandbox, policy, rules, guard, undo)


def _foreign(own: list[AnyTool], health: Health) -> list[AnyTool]:
    found = plugins.found([tool.name for tool in own])
    if found.problems:
        health.set("tools", "warn", " ".join(found.problems), "Update or remove the package that brings it.")
    elif found.tools:
        health.set("tools", "ok", f"{len(found.tools)} from other packages")
    return list(found.tools)


def _unasked(profiles: Profiles, tools: Registry, agent_id: str) -> Sequence[Rule]:
    profile = profiles.get(agent_id)
    if profile is None:
        return ()
    here = [tools.get(name) for name in profile.tools if name in tools.names]
    return unasked(agent_id, [tool.name for tool in here if tool.effect == "read"], profile.unasked)


def _tell_policy(health: Health, policy: Policy) -> None:
    if policy.problem:
        health.set("policy", "warn", f"{policy.problem}: until it is mended, everything asks.", "Correct that line.")
    else:
        health.set("policy", "ok", f"{len(policy.rules)} rules in policy.toml")


def _tell_sandbox(health: Health, standing: Standing) -> None:
    if standing.why_off:
        health.set("sandbox", "warn", f"Shell and Python are off: {standing.why_off}.", standing.fix)
    else:
        health.set("sandbox", "ok", f"{standing.tried} ways out were tried, and are shut")


async def _notify(events: EventLog, text: str, context: ToolContext) -> None:
    about = {"text": text, "agent_id": context.agent_id}
    await events.record(
        EventType.AMBIENT_SUGGESTED,
        run_id=context.run_id,
        thread_id=context.thread_id,
        owner=context.owner,
        door=context.door,
        data=about,
    )
