"""The steps of the guide, made from what was found. Pure."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from hearth_desktop.guide.machine import Machine, size
from hearth_shared.display import display
from hearth_shared.offer import offer
from hearth_shared.wire import KeyState, ModelFileInfo, ModelInfo

_SERVERS: Final = {
    "ollama": "Ollama",
    "lmstudio": "LM Studio",
    "llama-server": "llama-server",
    "llama-server-8012": "llama-server",
}
_EDITOR: Final = "hearth pair editor"
_LISTED: Final = 3
_CONNECTING: Final = ("model", "editor", "browser")


class Does(Enum):
    """What accepting a step does."""

    GO_ON = "go on"
    USE_MODEL = "use a model"
    OPEN_MODELS = "open the models folder"
    OPEN_KEYS = "open the keys"
    COPY = "copy"
    PAIR = "pair"
    ASK = "ask"


class Found(NamedTuple):
    """What the backend and the system say."""

    machine: Machine
    models: Sequence[ModelInfo] = ()
    files: Sequence[ModelFileInfo] = ()
    keys: Sequence[KeyState] = ()
    values: dict[str, Any] = {}  # noqa: RUF012
    browsers: Sequence[str] = ()


class Step(NamedTuple):
    """One card. `accept` names what its one key does; `with_` is what it does it with."""

    name: str
    title: str
    text: str
    lines: tuple[str, ...]
    accept: str
    does: Does
    with_: str = ""
    is_done: bool = False
    """There is nothing left to do here."""


def steps(found: Found) -> list[Step]:
    """All of them, in the order in which a person meets them."""
    return [_welcome(found), _model(found), _editor(found), _browser(found), _ask(found)]


def left(all_steps: Sequence[Step], passed: Sequence[str]) -> list[Step]:
    """Those that were not taken."""
    return [step for step in all_steps if step.name not in passed and not step.is_done]


def is_complete(passed: Sequence[str]) -> bool:
    """Whether nothing is left that the menu should remind of."""
    return set(_CONNECTING) <= set(passed)


def answering(found: Found) -> ModelInfo | None:
    """The model that answers when nobody names one."""
    chosen = found.values.get("models.chat", "auto")
    chat = [model for model in found.models if "chat" in model["roles"]]
    named = next((model for model in chat if model["id"] == chosen), None)
    return named or next((model for model in chat if not is_only_found(model, found)), None)


def is_only_found(model: ModelInfo, found: Found) -> bool:
    """Whether its server was seen on this machine, but nobody connected it: then it is never asked unasked."""
    name = model["provider"]
    return name in _SERVERS and f"providers.{name}.url" not in found.values


def _welcome(found: Found) -> Step:
    return Step(
        "welcome",
        "Hearth is running",
        "It keeps everything on this machine. This is what it found here:",
        tuple(_findings(found)),
        "Go on",
        Does.GO_ON,
    )


def _findings(found: Found) -> list[str]:
    memory = f"{size(found.machine.memory)} of memory" if found.machine.memory else "Memory: the system does not tell"
    graphics = ", ".join(found.machine.gpus) or "no graphics card that speeds up a model; models run on the processor"
    lines = [f"{memory}; {graphics}"]
    lines += [_file_line(file) for file in found.files[:_LISTED]]
    servers = dict.fromkeys(_SERVERS[model["provider"]] for model in found.models if model["provider"] in _SERVERS)
    lines += [f"{name} runs on this machine" for name in servers]
    lines += [f"A key for {display(key['provider'], keep='')}" for key in found.keys if key["present"]]
    if len(lines) == 1:
        lines.append("No model file, no model server, no key: that is fine, Hearth answers with quotations")
    return lines


def _file_line(file: ModelFileInfo) -> str:
    name = display(file["name"], keep="")
    return f"{name}, {size(file['bytes'])}" if file["readable"] else f"{name} cannot be used: {display(file['detail'])}"


def _model(found: Found) -> Step:
    if (model := answering(found)) is not None:
        return _model_answers(model)
    if (seen := next((model for model in found.models if "chat" in model["roles"]), None)) is not None:
        return _model_seen(seen)
    return _no_model(found)


def _model_answers(model: ModelInfo) -> Step:
    text = f"{display(model['id'], keep='')} answers your questions, on {_place(model['where'])}."
    if model["test_model"]:
        text += " It is a test model: it shows that everything works, and knows nothing."
    return Step("model", "A model answers", text, (), "Go on", Does.GO_ON, is_done=not model["test_model"])


def _place(where: str) -> str:
    return "the cloud" if where == "cloud" else where


def _model_seen(model: ModelInfo) -> Step:
    name, server = display(model["id"], keep=""), _SERVERS.get(model["provider"], model["provider"])
    return Step(
        "model",
        "A model is here already",
        f"{server} runs on this machine and has {name}. Hearth asks it only when you say so.",
        ("Hearth starts again for it, which takes a few seconds.",),
        f"Let {name} answer",
        Does.USE_MODEL,
        model["id"],
    )


def _no_model(found: Found) -> Step:
    offered = offer(found.machine.memory)
    lines = ["Start Ollama or LM Studio, and look again"]
    if offered is not None:
        lines.append(f"Or put a model file into the models folder. For this machine: {offered.words()}")
    lines.append("Or keep a key of a cloud model under Settings → Keys; it is asked when nothing here can answer")
    return Step(
        "model",
        "No language model yet",
        "Hearth works without one: it remembers, searches, and answers with quotations. Any of these connects one:",
        tuple(lines),
        "Open the models folder",
        Does.OPEN_MODELS,
    )


def _editor(found: Found) -> Step:
    editors = found.machine.editors
    here = f"{_joined(editors)} {'is' if len(editors) == 1 else 'are'} on this machine." if editors else ""
    return Step(
        "editor",
        "In your editor",
        f"{here} Hearth completes what you write there, explains, and recalls.".strip(),
        ("This command prints the few lines that your editor needs:", _EDITOR),
        "Copy the command",
        Does.COPY,
        _EDITOR,
    )


def _browser(found: Found) -> Step:
    if found.browsers:
        names = _joined([display(name, keep="") for name in found.browsers])
        return Step("browser", "In your browser", f"{names}: paired.", (), "Go on", Does.GO_ON, is_done=True)
    return Step(
        "browser",
        "In your browser",
        "With its extension, Hearth answers about the page you read and remembers it when you say so.",
        ("Install the extension first; the documentation says how (docs/browser.md).",),
        "Pair a browser",
        Does.PAIR,
    )


def _ask(found: Found) -> Step:
    text = "Ask something. Every answer says where it was made and what it was made from."
    return Step("ask", "That is all", text, (), "Ask something", Does.ASK)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
