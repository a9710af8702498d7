"""Clients of other projects, as they are, each in a process of its own: text, a forced schema and embeddings from
llama.cpp with small generated models, and a tool's round trip with a scripted model behind the gateway."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import build_vscode
from hearth_shared.protocol.principals import Scope
from support import client_packages, tools
from support.backend import Backend, running
from support.gguf_files import TINY, bert, generated, tiny
from support.provider import Behaviour, tool_call, words
from support.scripted_server import Scripted

pytestmark = [pytest.mark.clients, pytest.mark.timeout(client_packages.LIMIT_S)]

BERT, SCRIPTED = "hearth-test-bert", "desk/m"
CALLED, ANSWER = {"at": "the sky"}, "The sky is blue."
SAYS = words("The sky ", "is blue.")
ROUND_TRIP = (tool_call("look", '{"at":', '"the sky"}'), SAYS)


@dataclass
class House:
    """A backend with a model of its own, and one that does what it is told."""

    backend: Backend
    scripted: Scripted

    def asked_by(self, program: Path, script: str, *does: Behaviour, **environ: str) -> dict[str, Any]:
        """What a client found here."""
        self.scripted.does(*(does or ROUND_TRIP))
        token = self.backend.token(Scope.CHAT, Scope.COMPLETE).text
        return client_packages.run(program, script, self.backend.url, token, TINY, BERT, SCRIPTED, environ=environ)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    tools.need("llama_cpp")
    home: Path = tmp_path_factory.mktemp("unmodified") / "home"
    (home / "models").mkdir(parents=True)
    for name, make in ((TINY, tiny()), (BERT, bert)):
        (home / "models" / f"{name}.gguf").symlink_to(generated(name, make))
    with Scripted() as scripted, running(home, f'[models]\nembed = "{BERT}"\n{scripted.config}') as backend:
        yield House(backend, scripted)


def is_whole(found: dict[str, Any]) -> None:
    """Everything that was asked for came, in its shape."""
    assert found["text"]
    assert found["streamed"]
    assert isinstance(found["schema"]["good"], bool)
    assert found["called"] == CALLED
    assert found["answer"] == ANSWER
    assert len(set(found.get("vectors", [0]))) == 1


def test_langchain_over_openais_and_over_ollamas_door(house: House) -> None:
    found = house.asked_by(client_packages.python(), "python/langchain_client.py", *ROUND_TRIP, *ROUND_TRIP)
    assert set(found) == {"openai", "ollama"}
    for client in found.values():
        is_whole(client)
        assert len(client["vectors"]) == 2


def test_llm(house: House, tmp_path: Path) -> None:
    is_whole(house.asked_by(client_packages.python(), "python/llm_client.py", LLM_USER_PATH=str(tmp_path))["llm"])


def test_pydantic_ai(house: House) -> None:
    found = house.asked_by(client_packages.python(), "python/pydantic_ai_client.py")["pydantic-ai"]
    is_whole(found)
    assert len(found["vectors"]) == 2


def test_openai_agents_over_chat_completions_and_over_responses(house: House) -> None:
    does = (*ROUND_TRIP, SAYS, SAYS, *ROUND_TRIP)
    found = house.asked_by(client_packages.python(), "python/openai_agents_client.py", *does)
    assert set(found) == {"chat", "responses"}
    for client in found.values():
        is_whole(client)


def test_openai_for_javascript(house: House) -> None:
    environ = {"NODE_PATH": str(client_packages.node_modules())}
    found = house.asked_by(build_vscode.node(), "node/openai_client.cjs", **environ)["openai-js"]
    is_whole(found)
    assert found["responses"]
    assert len(found["vectors"]) == 2
