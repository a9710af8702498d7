"""What a decision is bound to: tool, arguments, and the state of the world that they were decided on. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hearth_backend.tools.tool import Plan


def digest(tool: str, args: Mapping[str, Any], plan: Plan | None = None) -> str:
    """The same for the same action on the same state, and for nothing else."""
    bound: dict[str, Any] = {"args": args, "tool": tool}
    if plan is not None:
        bound |= {"paths": list(plan.paths), "state": plan.state}
    return hashlib.sha256(canonical(bound).encode()).hexdigest()


def canonical(value: object) -> str:
    """The same JSON for the same value, whatever order its keys came in."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
