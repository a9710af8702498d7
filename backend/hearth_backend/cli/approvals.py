"""`hearth approvals`: a person's decisions. They are taken only where a person sits and has seen the whole card."""

import json
import time
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, Terminal, ago, short
from hearth_shared import wire
from hearth_shared.errors import BadRequest, Forbidden, NotFound

_ARMED_AFTER_S = 0.5


def show(desk: Desk, options: Namespace) -> int:
    """What waits, then what was decided."""
    found = desk.backend().request("GET", route("approvals", status=options.status))
    if options.json:
        desk.terminal.json(found)
    elif not found["approvals"]:
        desk.terminal.say("Nothing waits for your decision.")
    else:
        desk.terminal.table([_row(approval) for approval in found["approvals"]])
    return 0


def one(desk: Desk, options: Namespace) -> int:
    """The card."""
    approval = _get(desk, options.approval)
    if options.json:
        desk.terminal.json(approval)
    else:
        _show(desk.terminal, approval)
    return 0


def approve(desk: Desk, options: Namespace) -> int:
    """Accepts exactly what the card shows, once; nothing is default."""
    need_a_person(desk.terminal)
    seen = desk.terminal.for_person()
    approval = _get(desk, options.approval)
    _show(seen, approval)
    if approval["status"] != "pending":
        return 1
    what = "this and calls like it, until the task ends" if options.for_task else "this, once"
    if not accepted(seen, what):
        seen.say("Nothing was decided; it stays in `hearth approvals list`.")
        return 1
    decision = {"decision": "accept"} | ({"remember": "run"} if options.for_task else {})
    desk.backend().request("POST", route("approvals", options.approval), decision)
    desk.terminal.say(("Accepted, until the task ends." if options.for_task else "Accepted, once.", "ok"))
    return 0


def rules(desk: Desk, options: Namespace) -> int:
    """What may be done unasked; a decision about a rule shows it first."""
    wanted = [(kind, name) for kind in ("accept", "ignore", "forget") if (name := getattr(options, kind))]
    if len(wanted) > 1:
        raise BadRequest("One at a time: --accept, --ignore or --forget.", "`hearth approvals rules` lists them.")
    found: wire.ApprovalRuleList = desk.backend().request("GET", route("approvals", "rules"))
    if wanted:
        return _decide_rule(desk, found, *wanted[0])
    if options.json:
        desk.terminal.json(found)
        return 0
    if found["problem"]:
        desk.terminal.fold((f"{found['problem']}: until it is mended, everything asks.", "warn"))
    if not found["rules"]:
        desk.terminal.say("There are no rules: everything that changes something asks.")
    for rule in found["rules"]:
        _show_rule(desk.terminal, rule)
    return 0


def _decide_rule(desk: Desk, found: wire.ApprovalRuleList, kind: str, rule_id: str) -> int:
    need_a_person(desk.terminal)
    rule = next((rule for rule in found["rules"] if rule["id"] == rule_id), None)
    if rule is None:
        raise NotFound(f"There is no rule {rule_id!r}.", "`hearth approvals rules` lists them.")
    seen = desk.terminal.for_person()
    _show_rule(seen, rule)
    if kind == "accept" and not accepted(seen, "this rule"):
        seen.say("Nothing was decided.")
        return 1
    if kind == "forget":
        desk.backend().request("DELETE", route("approvals", "rules", rule_id))
    else:
        desk.backend().request("POST", route("approvals", "rules", rule_id), {"decision": kind})
    done = {"accept": "It holds from now on.", "ignore": "It is not proposed again.", "forget": "It holds no more."}
    desk.terminal.say((done[kind], "ok"))
    return 0


def _show_rule(terminal: Terminal, rule: wire.ApprovalRule) -> None:
    """What it is about, and what it would have decided."""
    colour = "warn" if rule["state"] == "proposed" else "muted"
    about = ", ".join(f"{name} = {pattern}" for name, pattern in rule["match"].items()) or "whatever it is about"
    terminal.say(
        (f"{rule['state']:>9}  ", colour), rule["id"], f"{'  ' if rule['id'] else ''}{rule['decision']} {rule['tool']}"
    )
    terminal.say(" " * 11, about)
    whose = rule["agent"] or "every agent"
    terminal.say(
        " " * 11, (f"for {whose}, through {', '.join(rule['origins']) or 'every door'}; {rule['source']}", "muted")
    )
    for past in rule["would"] if rule["state"] == "proposed" else ():
        terminal.say(" " * 11, (f"would have: {past['subject']}; you said {past['decision']}", "muted"))


def deny(desk: Desk, options: Namespace) -> int:
    """Without a message the task goes on without it; with one, it reads why."""
    need_a_person(desk.terminal)
    body = {"decision": "respond", "text": options.message} if options.message else {"decision": "ignore"}
    desk.backend().request("POST", route("approvals", options.approval), body)
    desk.terminal.say(
        "Denied; the task has your answer." if options.message else "Denied; the task goes on without it."
    )
    return 0


def card(approval: wire.Approval) -> Iterator[tuple[str, str]]:
    """Who asks, what exactly, because of what, what it can reach, what undo would do: title and text, nothing cut."""
    run = f", task {approval['run_id']}" if approval["run_id"] else ""
    yield "who asks", f"{approval['agent_id']} through {approval['door']}{run}"
    yield "what exactly", f"{approval['tool']}\n{_arguments(approval['args'])}"
    if approval["preview"]:
        yield "changes", approval["preview"]
    if approval["why"]:
        yield "why it asks", approval["why"]
    for quote in approval["quotes"]:
        origin = "" if quote.get("trusted") else " (from a page you opened)"
        yield "because of", f"{quote.get('source', '')}{origin}: {quote.get('text', '')}"
    yield "can reach", ", ".join(approval["reach"]) or "nothing beyond Hearth"
    yield "undo", approval["undo"] or "cannot be undone"
    yield "fingerprint", approval["sha256"]


def _get(desk: Desk, approval_id: str) -> wire.Approval:
    found: Any = desk.backend().request("GET", route("approvals", approval_id))
    return found


def _arguments(arguments: dict[str, Any]) -> str:
    """Each argument on lines of its own; text as it is, everything else as JSON."""
    shown = {
        name: value if isinstance(value, str) else json.dumps(value, indent=2) for name, value in arguments.items()
    }
    return "\n".join(f"{name}: {value}" for name, value in shown.items()) or "(no arguments)"


def _show(terminal: Terminal, approval: wire.Approval) -> None:
    for title, text in card(approval):
        lines = text.split("\n")
        terminal.say((f"{title:>12}  ", "muted"), lines[0])
        for line in lines[1:]:
            terminal.say(" " * 14, line)
    terminal.say((f"{'status':>12}  ", "muted"), _status(approval))
    terminal.flush()


def _status(approval: wire.Approval) -> Part:
    if approval["status"] == "pending":
        return f"waits for you; denied by itself {ago(approval['expires_at'])}", "warn"
    if approval["status"] == "expired":
        return "expired, and so denied", "muted"
    return f"{approval['decision']}, by {approval['decided_by']} {ago(approval['decided_at'])}", "muted"


def _row(approval: wire.Approval) -> list[Part]:
    wanted = short(f"{approval['tool']} {json.dumps(approval['args'], ensure_ascii=False)}", 60)
    return [approval["id"], _status(approval), ago(approval["created_at"]), wanted]


def need_a_person(terminal: Terminal) -> None:
    """Raises Forbidden where a program may be typing."""
    if not terminal.person_sits_here:
        raise Forbidden(
            "A decision is taken only by a person at a terminal.", "Run it in a terminal, or decide in the tray."
        )


def accepted(terminal: Terminal, what: str) -> bool:
    """What was typed before the card could be read does not count."""
    import termios

    time.sleep(_ARMED_AFTER_S)
    termios.tcflush(terminal.input.fileno(), termios.TCIFLUSH)
    terminal.stream(f"Accept {what}? Type accept: ")
    terminal.flush()
    return terminal.input.readline().strip().lower() == "accept"
