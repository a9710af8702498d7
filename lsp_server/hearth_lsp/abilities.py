"""What an editor can do, read from what it says of itself. Nothing an editor says can make this fail."""

from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Abilities:
    """Each is false unless the editor claims it."""

    inline_completion: bool = False
    progress: bool = False
    show_document: bool = False
    apply_edit: bool = False
    versioned_edits: bool = False
    action_literals: bool = False
    disabled_actions: bool = False
    markdown: bool = False
    lens_refresh: bool = False


def read(capabilities: object) -> Abilities:
    """From the capabilities of `initialize`."""
    return Abilities(
        inline_completion=_at(capabilities, "textDocument", "inlineCompletion") is not None,
        progress=_at(capabilities, "window", "workDoneProgress") is True,
        show_document=_at(capabilities, "window", "showDocument", "support") is True,
        apply_edit=_at(capabilities, "workspace", "applyEdit") is True,
        versioned_edits=_at(capabilities, "workspace", "workspaceEdit", "documentChanges") is True,
        action_literals=_at(capabilities, "textDocument", "codeAction", "codeActionLiteralSupport") is not None,
        disabled_actions=_at(capabilities, "textDocument", "codeAction", "disabledSupport") is True,
        lens_refresh=_at(capabilities, "workspace", "codeLens", "refreshSupport") is True,
        markdown="markdown" in _list(_at(capabilities, "textDocument", "hover", "contentFormat")),
    )


def kept(capabilities: object) -> dict[str, Any]:
    """The part that pygls itself looks at; the rest is not taken apart, which costs a start a tenth of a second."""
    encodings = [one for one in _list(_at(capabilities, "general", "positionEncodings")) if isinstance(one, str)]
    return {"general": {"positionEncodings": encodings}} if encodings else {}


def _at(value: object, *path: str) -> object:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(name)
    return value


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
