"""Approvals in the shapes of others: LangChain's agent inbox, and the permission requests of the Agent Client Protocol.
Pure."""

from collections.abc import Mapping
from typing import Any, Final, cast

from hearth_shared.display import display
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.approvals import Approval, DecisionRequest

_KINDS: Final = {
    "accept": ("Do it, once", "allow_once"),
    "accept-run": ("Do it, and calls like it until the task ends", "allow_always"),
    "ignore": ("Do not do it", "reject_once"),
    "ignore-run": ("Do not do it, nor calls like it until the task ends", "reject_always"),
}


def to_inbox(approval: Approval) -> dict[str, Any]:
    """A `HumanInterrupt`."""
    return {
        "action_request": {"action": approval.tool, "args": dict(approval.args)},
        "config": {"allow_ignore": True, "allow_respond": True, "allow_edit": True, "allow_accept": True},
        "description": described(approval),
    }


def from_inbox(response: Mapping[str, Any]) -> DecisionRequest:
    """A `HumanResponse`. Raises BadRequest for what is none."""
    kind, args = response.get("type"), response.get("args")
    match kind:
        case "accept" | "ignore":
            return DecisionRequest(decision=kind)
        case "response" if isinstance(args, str) and args:
            return DecisionRequest(decision="respond", text=args)
        case "edit" if (edited := _edited(args)) is not None:
            return DecisionRequest(decision="edit", args=edited)
        case _:
            raise BadRequest("That is no answer of an agent inbox.", "Its type is accept, ignore, response or edit.")


def to_permission(approval: Approval, session_id: str) -> dict[str, Any]:
    """The parameters of `session/request_permission`."""
    locations = [{"path": path} for path in approval.paths if path.startswith("/")]
    return {
        "sessionId": session_id,
        "toolCall": {
            "toolCallId": approval.id,
            "title": display(f"{approval.tool} {' '.join(approval.paths)}".strip(), keep=""),
            "kind": _kind_of(approval.tool),
            "status": "pending",
            "rawInput": dict(approval.args),
            "locations": locations,
            "content": [{"type": "content", "content": {"type": "text", "text": described(approval)}}],
        },
        "options": [{"optionId": option, "name": name, "kind": kind} for option, (name, kind) in _KINDS.items()],
    }


def from_permission(outcome: Mapping[str, Any]) -> DecisionRequest | None:
    """The decision; None when the editor was left without one. Raises BadRequest for an option that is none."""
    if outcome.get("outcome") == "cancelled":
        return None
    option = outcome.get("optionId")
    if outcome.get("outcome") != "selected" or option not in _KINDS:
        raise BadRequest("That is none of the options.", f"There are: {', '.join(_KINDS)}.")
    decision, _, run = str(option).partition("-")
    values = {"decision": decision, "remember": "run" if run else "once"}
    return DecisionRequest.model_validate(values)


def described(approval: Approval) -> str:
    """The card as text: nothing in it hides."""
    quotes = [
        f"because of{'' if quote.get('trusted') is True else ' (nobody vouches for it)'}: "
        f"{quote.get('source', '')}: {quote.get('text', '')}"
        for quote in approval.quotes
    ]
    parts = [
        f"who asks: {approval.agent_id} through {approval.door}",
        f"why it asks: {approval.why}",
        *([approval.preview] if approval.preview else []),
        *quotes,
        f"can reach: {', '.join(approval.reach) or 'nothing beyond Hearth'}",
        f"undo: {approval.undo or 'cannot be undone'}",
    ]
    return display("\n".join(parts))


def _edited(request: object) -> dict[str, Any] | None:
    """The arguments of an edited `ActionRequest`."""
    if not isinstance(request, Mapping):
        return None
    args = cast("Mapping[str, Any]", request).get("args")
    return dict(cast("Mapping[str, Any]", args)) if isinstance(args, Mapping) else None


def _kind_of(tool: str) -> str:
    """The protocol's word for what a tool does."""
    words = {"read_file": "read", "list_folder": "read", "search_files": "search", "edit_file": "edit"}
    return words.get(tool) or (
        "edit" if tool == "write_file" else "execute" if tool in ("shell", "python") else "other"
    )
