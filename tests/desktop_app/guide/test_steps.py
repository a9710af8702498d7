from typing import Any

import pytest

from hearth_desktop.guide.machine import Machine
from hearth_desktop.guide.steps import Does, Found, Step, is_complete, left, steps
from hearth_shared.wire import ModelFileInfo, ModelInfo

pytestmark = pytest.mark.unit
MACHINE = Machine(16_000_000_000, (), ("Neovim", "Emacs"))


def model(**changes: Any) -> ModelInfo:
    made: ModelInfo = {
        "id": "qwen",
        "provider": "llama.cpp",
        "where": "this machine",
        "roles": ["chat"],
        "context": 8192,
        "test_model": False,
    }
    made.update(changes)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return made


def file(**changes: Any) -> ModelFileInfo:
    made: ModelFileInfo = {
        "name": "qwen.gguf",
        "path": "p",
        "bytes": 2_500_000_000,
        "readable": True,
        "detail": "",
        "fix": "",
        "model": "qwen",
        "context": 8192,
        "test_model": False,
    }
    made.update(changes)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return made


def step(name: str, found: Found) -> Step:
    return next(one for one in steps(found) if one.name == name)


def test_it_begins_with_what_was_found() -> None:
    keys = [{"provider": "openai", "present": True, "kept_in": "keyring"}]
    ollama = model(id="ollama/llama", provider="ollama")
    bad = file(name="bad.gguf", readable=False, detail="It ends too early.")
    found = Found(MACHINE._replace(gpus=("NVIDIA RTX",)), [ollama], [file(), bad], keys)  # pyright: ignore[reportArgumentType]
    said = "\n".join(step("welcome", found).lines)
    for part in (
        "16 GB of memory",
        "NVIDIA RTX",
        "qwen.gguf, 2.5 GB",
        "bad.gguf cannot be used",
        "Ollama runs",
        "openai",
    ):
        assert part in said


def test_nothing_found_is_said_to_be_fine() -> None:
    said = "\n".join(step("welcome", Found(MACHINE)).lines)
    assert "that is fine" in said
    assert "no graphics card" in said


def test_a_server_that_was_seen_is_offered_and_never_taken_for_granted() -> None:
    offered = step("model", Found(MACHINE, [model(id="ollama/llama", provider="ollama")]))
    assert (offered.does, offered.with_, offered.is_done) == (Does.USE_MODEL, "ollama/llama", False)
    assert "only when you say so" in offered.text


def test_a_server_that_was_connected_or_chosen_answers() -> None:
    ollama = model(id="ollama/llama", provider="ollama")
    for values in ({"providers.ollama.url": "http://127.0.0.1:11434/v1"}, {"models.chat": "ollama/llama"}):
        assert step("model", Found(MACHINE, [ollama], values=values)).is_done


def test_a_test_model_is_said_to_be_one() -> None:
    found = step("model", Found(MACHINE, [model(test_model=True)]))
    assert "test model" in found.text
    assert not found.is_done


def test_without_a_model_every_way_to_one_is_offered() -> None:
    offered = step("model", Found(MACHINE))
    said = "\n".join(offered.lines)
    for part in ("Ollama", "Qwen3", "Keys"):
        assert part in said
    assert offered.does is Does.OPEN_MODELS
    assert "works without one" in offered.text


def test_a_small_machine_is_offered_no_file() -> None:
    assert "Qwen3" not in "\n".join(step("model", Found(Machine(1, (), ()))).lines)


def test_the_editors_of_this_machine_are_named() -> None:
    assert step("editor", Found(MACHINE)).text.startswith("Neovim and Emacs are on this machine.")
    assert step("editor", Found(MACHINE._replace(editors=()))).text.startswith("Hearth completes")


def test_a_paired_browser_needs_no_step() -> None:
    assert step("browser", Found(MACHINE, browsers=["Firefox\u202e"])).text == "Firefox⟦U+202E⟧: paired."
    assert step("browser", Found(MACHINE)).does is Does.PAIR


def test_what_was_taken_or_is_there_is_not_shown_again() -> None:
    all_steps = steps(Found(MACHINE, [model()]))
    names = [one.name for one in left(all_steps, ("welcome", "editor"))]
    assert names == ["browser", "ask"]
    assert is_complete(("model", "editor", "browser"))
    assert not is_complete(("welcome", "model", "browser"))
