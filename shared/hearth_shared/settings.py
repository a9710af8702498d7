"""Every option, declared once: type, default, help. Docs, `hearth config` and `/v1/settings` derive from here.

Order: environment (`HEARTH_<SECTION>__<OPTION>`), then config.toml, then the default.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hearth_shared.errors import SettingsError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(_Section):
    """The doors."""

    host: str = Field(default="127.0.0.1", description="Address of the HTTP door; loopback only.")
    port: int = Field(default=4747, ge=0, le=65535, description="Port of the HTTP door; 0 takes a free one.")
    linger_s: float = Field(default=600, ge=0, description="Seconds the backend lives on with nobody connected.")
    max_body: int = Field(default=1_048_576, ge=1024, description="Largest request body, in bytes.")
    third_party_per_minute: int = Field(default=100, ge=1, description="Requests a minute of a third-party token.")
    third_party_burst: int = Field(default=200, ge=1, description="Requests at once of a third-party token.")
    completions_per_second: int = Field(default=20, ge=1, description="Completion calls a second of a token.")
    first_party_per_second: int = Field(default=2000, ge=1, description="Requests a second of a first-party door.")
    first_party_burst: int = Field(default=4000, ge=1, description="Requests at once of a first-party door.")
    model_requests: int = Field(default=100, ge=1, description="Model requests at once; more are answered with 503.")
    plain_timeout_s: float = Field(default=30, gt=0, description="Longest call without a model, in seconds.")
    model_timeout_s: float = Field(default=600, gt=0, description="Longest call with a model, in seconds.")


class Bridge(_Section):
    """The way to paired browsers; it is there while one is paired."""

    port: int = Field(
        default=4748, ge=0, le=65535, description="Port where the browser extension finds Hearth; 0 takes a free one."
    )


class Models(_Section):
    """Which models answer."""

    chat: str = Field(default="auto", description="Model for conversations: an id from `hearth models list`, or auto.")
    complete: str = Field(default="auto", description="Model for inline completion, or auto.")
    embed: str = Field(default="auto", description="Model for embeddings; auto is the built-in MiniLM.")
    cloud: Literal["never", "fallback", "allowed"] = Field(
        default="fallback",
        description=(
            "never: cloud models are not asked; fallback: when nothing on this machine can; allowed: also when named."
        ),
    )
    broken_off: Literal["restart", "continue", "stop"] = Field(
        default="restart",
        description=(
            "When a model breaks off in its answer: restart takes back what it said and asks another; continue lets "
            "the other go on from there, with a visible seam (never where tools are called); stop ends it there."
        ),
    )
    hub_url: str = Field(
        default="", description="Where model files are fetched from; empty: HF_ENDPOINT, else the public hub."
    )
    look_around: bool = Field(default=True, description="Look for Ollama, LM Studio and llama-server on this machine.")


class Provider(_Section):
    """A server with models. Its key is kept in the keyring: `hearth keys set NAME`."""

    url: str = Field(description="Base URL, ending in /v1 (Google's in /v1beta).")
    kind: Literal["openai", "anthropic", "google"] = Field(
        default="openai", description="The dialect it speaks; nearly all servers speak OpenAI's."
    )
    where: Literal["this machine", "another machine", "cloud"] = Field(
        default="cloud", description="Where it runs: decides what may be sent there."
    )
    model: str = Field(default="", description="The model to ask for when none is named; empty: the first it lists.")
    complete: bool = Field(default=False, description="Whether it takes fill-in-the-middle completions.")
    pool: str = Field(
        default="",
        description="Name of a group of equal servers, which take turns; `NAME/model` asks whichever is next.",
    )
    first_byte_s: float | None = Field(
        default=None, gt=0, description="Seconds to wait for the first word: 30 for a cloud, else 300."
    )
    idle_gap_s: float | None = Field(
        default=None, gt=0, description="Seconds of silence in the middle of an answer: 60 for a cloud, else 120."
    )
    per_minute: int = Field(default=0, ge=0, description="Most calls a minute that Hearth makes to it; 0: no limit.")
    at_once: int = Field(default=0, ge=0, description="Most calls at once that Hearth makes to it; 0: no limit.")
    input_price: float | None = Field(default=None, ge=0, description="US dollars per million tokens read.")
    output_price: float | None = Field(default=None, ge=0, description="US dollars per million tokens written.")


class Budget(_Section):
    """What cloud models may cost, in US dollars, as far as their prices are known."""

    day: float = Field(default=0, ge=0, description="US dollars a day, beyond which no cloud is asked; 0: no limit.")
    background_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of the day's budget after which work that nobody waits for stops."
    )
    agent_day: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={}, description="US dollars a day of an agent, by its name."
    )
    call: float = Field(default=0, ge=0, description="US dollars of one call, estimated before it; 0: no limit.")


class Engine(_Section):
    """llama.cpp on this machine."""

    model_file: str = Field(default="", description="GGUF file to load; empty: the newest in the models folder.")
    context: int = Field(
        default=8192, ge=256, le=1_048_576, description="Context length in tokens, cut to the model's."
    )
    backend: Literal["auto", "cpu", "vulkan", "cuda", "metal", "rocm"] = Field(
        default="auto", description="Build of llama.cpp to use; auto tries those there are, those for a GPU first."
    )
    wheels_url: str = Field(
        default="", description="Index of prebuilt llama-cpp-python wheels, a folder per backend; empty: builds them."
    )
    gpu_layers: int = Field(default=-1, ge=-1, description="Layers on the GPU; -1: as many as fit.")
    embed_file: str = Field(
        default="", description="GGUF embedding model outside the models folder; `models.embed` chooses who embeds."
    )
    embed_tokens: int = Field(
        default=512, ge=16, le=32_768, description="Tokens that a GGUF embedding model reads of a text; more is slower."
    )
    threads: int = Field(default=0, ge=0, description="Threads while writing; 0: physical cores - 1.")
    idle_s: float = Field(default=600, ge=0, description="Seconds without use after which the model is unloaded.")
    pinned: str = Field(
        default="", description="Models that stay loaded once they are, by their ids with commas between."
    )


class Memory(_Section):
    """What is remembered and how it is found."""

    enabled: bool = Field(default=True, description="Remember what is said in threads.")
    exact_below: int = Field(
        default=2000, ge=0, description="Memories in a space from which on an index answers; below, search is exact."
    )
    embedder_idle_s: float = Field(
        default=300, ge=0, description="Seconds without use after which embedder and index are unloaded."
    )
    embedder_variant: Literal["fp32", "int8"] = Field(default="fp32", description="Precision of the built-in embedder.")
    model_facts: bool = Field(
        default=False, description="Let a model on this machine read memories for facts too; rules always do."
    )
    recall_tokens: int = Field(default=1200, ge=100, le=16_000, description="Tokens of memory laid before the model.")
    undo_minutes: float = Field(
        default=10, ge=0, le=1440, description="Minutes during which what was forgotten can be brought back."
    )
    keep_days: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default={},
        description="Days that memories stay, by kind (turn, note, page, file, event), site or source; else for good.",
    )


class Runs(_Section):
    """Work that outlives a crash."""

    workers: int = Field(default=4, ge=0, le=64, description="Runs at once; 0 stores tasks without doing them.")
    attempts: int = Field(default=3, ge=1, le=20, description="Attempts before a run is set aside as dead.")
    keep_days: float = Field(default=90, gt=0, description="Days that events of finished runs are kept.")
    deadline_s: float = Field(default=600, gt=0, description="Time for a run that names none, in seconds.")
    approval_days: float = Field(default=7, gt=0, description="Days after which an unanswered approval is denied.")


class Tools(_Section):
    """What agents may use. What they may do with it unasked stands in policy.toml."""

    roots: str = Field(
        default="", description="Folders that tools may read, and write once you approve; separated by colons."
    )
    shell: bool = Field(default=True, description="Offer shell and Python, in a sandbox, where one holds.")


class Webhooks(_Section):
    """Word of a task's end, sent to an address that came with the task."""

    allow: list[str] = Field(
        default=[], description="Places on this machine or network that webhooks may go to, as HOST or HOST:PORT."
    )
    attempts: int = Field(default=8, ge=1, le=20, description="Times a webhook is told before it is a dead letter.")


class Backups(_Section):
    """Copies of everything that Hearth keeps, beside its data."""

    every_hours: float = Field(
        default=1, ge=0, le=168, description="Hours after which a change is backed up; 0 leaves backups to you."
    )


class Observe(_Section):
    """What Hearth notes about itself; it stays on this machine unless otlp_url is set."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    otlp_url: str = Field(default="", description="OpenTelemetry collector that gets a copy of the traces.")
    sample: float = Field(
        default=0.05, ge=0, le=1, description="Share of plain requests traced; model calls always are."
    )
    keep_days: float = Field(default=14, gt=0, description="Days that spans and usage rows are kept.")


class Settings(_Section):
    """Hearth's options."""

    server: Server = Server()
    bridge: Bridge = Bridge()
    models: Models = Models()
    budget: Budget = Budget()
    providers: dict[str, Provider] = Field(default={}, description="OpenAI-compatible servers by name.")
    engine: Engine = Engine()
    memory: Memory = Memory()
    runs: Runs = Runs()
    tools: Tools = Tools()
    webhooks: Webhooks = Webhooks()
    observe: Observe = Observe()
    backups: Backups = Backups()


def load(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `path` (it may be absent) and the environment. Raises SettingsError naming option and fix."""
    values = read(path)
    for section, option, text in _from_environment(os.environ if environ is None else environ):
        values.setdefault(section, {})[option] = text
    return validated(values, path)


def validated(values: Mapping[str, Any], path: Path) -> Settings:
    """Settings from what stands in `path`. Raises SettingsError naming option and fix."""
    try:
        return Settings.model_validate(values, strict=False)
    except ValidationError as error:
        raise _explained(error, path) from error


def read(path: Path) -> dict[str, Any]:
    """What stands in the file, unchecked; nothing when there is none."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}.", "Correct that line, or move the file away."
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", "Make it readable.") from error


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for name, text in environ.items():
        section, separator, option = name.removeprefix("HEARTH_").lower().partition("__")
        if name.startswith("HEARTH_") and separator:
            found.append((section, option, text))
    return found


def _explained(error: ValidationError, path: Path) -> SettingsError:
    first = error.errors()[0]
    option = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"There is no option `{option}` (in {path} or the environment).", "`hearth config docs` lists them all."
        )
    return SettingsError(
        f"The option `{option}` cannot be {first['input']!r}: {first['msg']}.",
        "`hearth config docs` tells what it takes.",
    )
