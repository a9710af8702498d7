"""Every failure a person can meet, each with its cause, its fix and whether trying again helps.

HearthError
├── BadRequest · InvalidBody · UnsupportedMedia · MethodNotAllowed · TooLarge   the request is wrong
├── Unauthorized · Forbidden · RateLimited                         who asks, how much
│   ├── WrongCode                                                  a browser that wants in
│   └── NoConsent                                                  a site the person said no to
├── NotFound · Conflict · IdempotencyMismatch · NoPairing          the thing asked about
│   └── ApprovalMismatch                                           not what was approved
├── ToolOff · ToolFailed                                           what an agent may call
├── SettingsError · HomeError · PortInUse · AlreadyRunning         starting up
│   └── NotLoopback
├── GaveUp · ReplayMismatch · BudgetExceeded                       a task that comes to no end
├── BackendUnavailable · Overloaded · DeadlineExceeded · Cancelled the backend now
├── NoModel · LocalOnly · ModelUnavailable · ModelFailed           answering
│   ├── IncompleteAnswer
│   ├── EngineCrashed
│   └── BadModelFile
├── DownloadFailed                                                 fetching a model file, building the engine
│   └── BuildFailed
├── StorageFault
│   ├── StorageFull
│   └── NewerDatabase
└── KeyringUnavailable
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, cast


class HearthError(Exception):
    """Says what happened (`detail`) and what to do (`fix`); `data` rides along for programs."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, fix: str = "", **data: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix
        self.data = data

    def __str__(self) -> str:
        return f"{self.detail} {self.fix}".strip()

    def problem(self) -> dict[str, Any]:
        """This error as an RFC 9457 problem."""
        return {
            "type": f"urn:hearth:error:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "fix": self.fix,
            "retryable": self.retryable,
            **self.data,
        }


class BadRequest(HearthError):
    """The request can never succeed as it is."""

    code, status = "bad_request", 400


class InvalidBody(BadRequest):
    """The body is JSON of the wrong shape."""

    code, status = "invalid_body", 422


class UnsupportedMedia(BadRequest):
    """The body is not JSON."""

    code, status = "unsupported_media", 415


class MethodNotAllowed(BadRequest):
    """The address is right, the method is not; `allow` names those that are."""

    code, status = "method_not_allowed", 405


class TooLarge(BadRequest):
    """The body is over its limit."""

    code, status = "too_large", 413


class Unauthorized(HearthError):
    """No credential, or one that is wrong, expired or revoked."""

    code, status = "unauthorized", 401


class Forbidden(HearthError):
    """The credential is good, but not for this."""

    code, status = "forbidden", 403


class WrongCode(Forbidden):
    """Not the code that is shown; `tries_left` rides along."""

    code = "wrong_code"


class NoConsent(Forbidden):
    """The person said that nothing of this site is read or kept; `subject` rides along."""

    code = "no_consent"


class RateLimited(HearthError):
    """Too many requests; `retry_after` seconds ride along."""

    code, status, retryable = "rate_limited", 429, True


class NotFound(HearthError):
    """There is no such thing, or it is somebody else's."""

    code, status = "not_found", 404


class Conflict(HearthError):
    """Somebody was faster, or the thing is in another state."""

    code, status = "conflict", 409


class NoPairing(Conflict):
    """No pairing is open: nobody shows a code."""

    code = "no_pairing"


class ApprovalMismatch(Conflict):
    """What would be done is not what was approved: arguments, file or content changed since. Nothing was done."""

    code = "approval_mismatch"


class IdempotencyMismatch(Conflict):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_mismatch"


class SettingsError(HearthError):
    """config.toml or the environment holds an option that cannot be used."""

    code = "bad_settings"


class HomeError(HearthError):
    """Hearth's folder cannot be made or written."""

    code = "bad_home"


class PortInUse(HearthError):
    """The wanted port belongs to another program."""

    code = "port_in_use"


class NotLoopback(SettingsError):
    """Hearth was told to listen beyond this machine."""

    code = "not_loopback"


class AlreadyRunning(HearthError):
    """Another backend owns this home."""

    code = "already_running"


class BackendUnavailable(HearthError):
    """No backend answers."""

    code, status, retryable = "backend_unavailable", 503, True


class Overloaded(HearthError):
    """More is asked than can be served; `retry_after` seconds ride along."""

    code, status, retryable = "overloaded", 503, True


class DeadlineExceeded(HearthError):
    """The time set for it is over."""

    code, status, retryable = "deadline_exceeded", 504, True


class Cancelled(HearthError):
    """The person stopped it."""

    code, status = "cancelled", 499


class GaveUp(HearthError):
    """Hearth stopped in the middle of it too many times, so it is set aside."""

    code = "gave_up"


class ReplayMismatch(HearthError):
    """Begun again after a stop, it took another way than before; two histories are not mixed."""

    code = "replay_mismatch"


class BudgetExceeded(HearthError):
    """The task has taken all that it may: steps, tokens, dollars or seconds."""

    code, status = "budget_exceeded", 409


class NoModel(HearthError):
    """No language model is connected for this role."""

    code, status = "no_model", 503


class LocalOnly(HearthError):
    """It must not leave this machine, and nothing on this machine can answer it."""

    code, status = "local_only", 503


class ModelUnavailable(HearthError):
    """The model did not start to answer."""

    code, status, retryable = "model_unavailable", 503, True


class ModelFailed(HearthError):
    """The model broke off while answering."""

    code, status, retryable = "model_failed", 502, True


class IncompleteAnswer(ModelFailed):
    """The stream ended without its end; what came is kept and marked."""

    code = "incomplete_answer"


class EngineCrashed(ModelFailed):
    """The engine's process died; it is started again."""

    code = "engine_crashed"


class BadModelFile(ModelFailed):
    """The model file is not readable as GGUF, truncated, or crashed the engine twice."""

    code, status, retryable = "bad_model_file", 422, False


class DownloadFailed(HearthError):
    """A model file did not come; what came of it is kept, and the next try goes on from there."""

    code, status, retryable = "download_failed", 502, True


class BuildFailed(DownloadFailed):
    """An engine build was not made; the builds there are still serve."""

    code, status, retryable = "build_failed", 500, False


class StorageFault(HearthError):
    """The database refused an operation."""

    code = "storage_fault"


class StorageFull(StorageFault):
    """The disk is full; nothing acknowledged was lost and reads go on."""

    code, status, retryable = "storage_full", 507, True


class NewerDatabase(StorageFault):
    """The database was written by a newer Hearth."""

    code = "newer_database"


class KeyringUnavailable(HearthError):
    """The system's keyring is missing, locked or not one that Hearth trusts."""

    code, status = "keyring_unavailable", 503


class ToolOff(HearthError):
    """The tool cannot be used here; the reason says why, and the fix what would make it."""

    code, status = "tool_off", 503


class ToolFailed(HearthError):
    """The tool was called rightly and did not come to an end: it hung, broke, or was called too often."""

    code, status = "tool_failed", 502


def every_error() -> list[type[HearthError]]:
    """All classes of the tree, for the docs and the wire."""
    found: list[type[HearthError]] = [HearthError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


_FIXED_FIELDS = frozenset({"type", "title", "status", "code", "detail", "fix", "retryable"})


def from_problem(problem: Mapping[str, Any], status: int = 500) -> HearthError:
    """The error a problem was made from. A code of a newer Hearth becomes the widest class of its status."""
    kinds = every_error()
    status = int(problem.get("status", status))
    named = (kind for kind in kinds if kind.code == problem.get("code") and "code" in vars(kind))
    kind = next(named, None) or next((kind for kind in kinds if kind.status == status), HearthError)
    data = {name: value for name, value in problem.items() if name not in _FIXED_FIELDS}
    detail = problem.get("detail") or f"The backend answered with status {status}."
    return kind(str(detail), str(problem.get("fix", "")), **data)


def from_body(status: int, body: bytes) -> HearthError:
    """The error of an answer with this status, whose body should be a problem, or an error in OpenAI's shape."""
    try:
        problem = _object(json.loads(body))
    except ValueError:
        problem = {}
    if said := _object(problem.get("error")):
        problem = {"code": said.get("code"), "detail": said.get("message")}
    return from_problem(problem, status)


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
