"""`hearth models`: what can answer, and which of it does."""

from argparse import Namespace
from pathlib import Path

from hearth_backend.cli.catalogue import catalogue
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.following import download_words
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, Terminal, size
from hearth_shared import wire
from hearth_shared.client import BackendClient
from hearth_shared.discovery import ensure_backend, stop_backend
from hearth_shared.errors import BadModelFile, NotFound
from hearth_shared.offer import memory_here, offer

_WHAT = {"chat": "the model", "complete": "the model that completes", "embed": "the model that embeds"}
_DOES = {"chat": "answers", "complete": "completes what you type", "embed": "embeds"}
_CAN = {"chat": "hold a conversation", "complete": "complete what is typed", "embed": "embed"}


def show(desk: Desk, options: Namespace) -> int:
    """What can be asked now, and the files there are, also those that cannot be used."""
    client = desk.backend()
    if options.catalogue:
        return catalogue(desk, client, as_json=options.json)
    models: list[wire.ModelInfo] = client.request("GET", route("status"))["models"]
    chosen = client.request("GET", route("settings"))["values"]["models.chat"]
    files = _files(client)
    downloads: list[wire.Download] = client.request("GET", route("model-files", "downloads"))["downloads"]
    if options.json:
        desk.terminal.json({"chosen": chosen, "models": models, "files": files, "downloads": downloads})
        return 0
    _show(desk.terminal, models, chosen)
    _show_downloads(desk.terminal, downloads)
    desk.terminal.say("")
    if files:
        desk.terminal.say((f"Files in {desk.home.models}", "strong"))
        _show_files(desk.terminal, files)
    else:
        desk.terminal.say((f"No model file in {desk.home.models}", "muted"))
    return 0


def use(desk: Desk, options: Namespace) -> int:
    """The backend is started again when it has to be: the choice counts from the next question on."""
    client, role = desk.backend(), options.role or "chat"
    changes = _choice(client, role, options.model)
    if (name := changes[f"models.{role}"]) != "auto":
        changes |= _pins(client, name, options.pin)
    found = client.request("PUT", route("settings"), {"values": changes})
    if any(name in found["needs_restart"] for name in changes):
        desk.terminal.status("Hearth starts again…")
        stop_backend(desk.home)
        ensure_backend(desk.home)
    desk.terminal.say(f"Hearth chooses {_WHAT[role]}." if name == "auto" else f"{name} {_DOES[role]} from now on.")
    if options.pin and name != "auto":
        desk.terminal.say(f"Once it is loaded it stays loaded. `hearth models use {role} {name} --no-pin` ends that.")
    return 0


def _pins(client: BackendClient, name: str, pin: bool | None) -> dict[str, str]:
    """The option to set so that a model is pinned, or no longer; none when nothing is said of it."""
    if pin is None:
        return {}
    now: str = client.request("GET", route("settings"))["values"]["engine.pinned"]
    ids = [one for one in (part.strip() for part in now.split(",")) if one and one != name]
    return {"engine.pinned": ", ".join([*ids, name] if pin else ids)}


def _choice(client: BackendClient, role: str, name: str) -> dict[str, str]:
    """The options to set. Raises what keeps this model from doing it."""
    if name == "auto":
        return {f"models.{role}": name}
    path = Path(name).expanduser()
    if path.suffix.lower() == ".gguf" and path.is_file():
        file: wire.ModelFileDetail = client.request("GET", route("model-files", str(path.absolute())))
        if role not in file["roles"]:
            raise BadModelFile(f"{path.name} cannot {_CAN[role]}.", "`hearth models list` shows what each can do.")
        option = "engine.embed_file" if role == "embed" else "engine.model_file"
        return {option: str(path.absolute()), f"models.{role}": file["file"]["model"]}
    _check(client, role, name)
    return {f"models.{role}": name}


def _show(terminal: Terminal, models: list[wire.ModelInfo], chosen: str) -> None:
    rows = [_row(model, chosen) for model in models]
    if rows:
        head = tuple((name, "muted") for name in ("", "model", "where", "can", "context"))
        terminal.table([head, *rows])
    if not any("chat" in model["roles"] for model in models):
        terminal.say(("No language model is connected.", "info"), " Any of these connects one:")
        terminal.say("  start Ollama, LM Studio or llama-server on this machine, then `hearth models list`")
        if (offered := offer(memory_here())) is not None:
            terminal.say(f"  `hearth models pull {offered.page}:{offered.file}`")
            terminal.fold((f"    for this machine's memory: {offered.words()}", "muted"), hanging=6)
        terminal.say("  `hearth models list --catalogue` shows others, or put a GGUF file into the models folder")
        terminal.say("  `hearth keys set openai` for a cloud model")
    elif chosen == "auto":
        terminal.say(("Hearth chooses; `hearth models use ID` to choose yourself.", "muted"))


def _show_downloads(terminal: Terminal, downloads: list[wire.Download]) -> None:
    """Those under way, and those that failed: `hearth models pull` goes on with them."""
    shown = [one for one in downloads if one["state"] not in ("done", "cancelled")]
    if shown:
        terminal.say("")
        terminal.say(("Downloads", "strong"))
    for one in shown:
        failed = one["state"] == "failed"
        words = f"{one['source']}: {one['detail']} {one['fix']}" if failed else download_words(one)
        terminal.fold((f"  {words}", "warn" if failed else "muted"), hanging=2)


def _row(model: wire.ModelInfo, chosen: str) -> tuple[Part, ...]:
    name = f"{model['id']} (test model)" if model["test_model"] else model["id"]
    mark = ("●", "accent") if model["id"] == chosen else " "
    return mark, name, model["where"], ", ".join(model["roles"]), f"{model['context']:,}" if model["context"] else ""


def _files(client: BackendClient) -> list[wire.ModelFileInfo]:
    return client.request("GET", route("model-files"))["files"]


def _show_files(terminal: Terminal, files: list[wire.ModelFileInfo]) -> None:
    widest = max(len(file["name"]) for file in files)
    for file in files:
        problem = file["detail"].removeprefix(f"{file['name']} ")
        about: list[Part] = [(f"  {problem} {file['fix']}".rstrip(), "muted" if file["readable"] else "warn")]
        terminal.fold(f"  {file['name']:{widest}}  {size(file['bytes'])}", *(about if problem else ()), hanging=2)


def _check(client: BackendClient, role: str, name: str) -> None:
    """Raises what keeps this model from doing it."""
    models: list[wire.ModelInfo] = client.request("GET", route("status"))["models"]
    if any(model["id"] == name and role in model["roles"] for model in models):
        return
    for file in _files(client):
        if name in (file["model"], file["name"], file["path"]) and not file["readable"]:
            raise BadModelFile(file["detail"], file["fix"])
    raise NotFound(f"No model called {name} can {_CAN[role]} now.", "`hearth models list` shows those that can.")
