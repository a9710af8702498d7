"""The first things a new person does, on a whole backend: with no model, with a model file, with another server."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from hearth_shared.protocol.principals import Scope
from support import tools
from support.backend import Backend, running
from support.command import hearth
from support.provider import model_server, words

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("question", "page"),
    [("what can you do?", "hearth.md#what-can-hearth-do"), ("How do I connect VS Code?", "editors.md")],
)
def test_hearths_own_questions_are_answered_from_its_help(house: Backend, question: str, page: str) -> None:
    said = hearth(house, "ask", question, "--json")
    answer = json.loads(said.out)["answer"]
    assert said.status == 0
    assert answer["made_by"]["where"] == "no model"
    assert page in answer["sources"][0]["location"]
    assert answer["sources"][0]["quote"].split("\n")[0][:40] in answer["text"]


def test_without_a_model_the_label_and_the_way_to_one_are_shown(house: Backend) -> None:
    said = hearth(house, "ask", "what can you do?")
    assert said.status == 0
    assert "no language model is connected" in said.out.lower()
    assert "hearth models list" in said.out + said.err


def test_a_fact_told_in_the_terminal_is_recalled_with_its_source_over_http(house: Backend) -> None:
    assert hearth(house, "ask", "Remember that my dentist is Dr. Ito.").status == 0
    program = house.program(Scope.CHAT, Scope.MEMORY_READ)
    found = program.post("/v1/memory/search", json={"query": "who is my dentist?"}).json()
    assert found["results"][0]["text"] == "Remember that my dentist is Dr. Ito."
    assert found["results"][0]["speaker"] == "me"
    assert found["results"][0]["source"] == "person"


def test_an_earlier_question_is_no_evidence_for_its_answer(house: Backend) -> None:
    hearth(house, "ask", "Remember that my dentist is Dr. Ito.")
    hearth(house, "ask", "Who is my dentist?")
    answer = json.loads(hearth(house, "ask", "Who is my dentist?", "--json").out)["answer"]
    assert [source["quote"] for source in answer["sources"]] == ["Remember that my dentist is Dr. Ito."]


def test_a_file_is_quoted_with_its_line(house: Backend, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("# Trip\n\nWe leave on Friday.\n\n# Boat\n\nThe mooring fee is 40 euros a night.\n", "utf-8")
    said = hearth(house, "ask", "What is the mooring fee?", "--file", str(notes), "--json")
    source = json.loads(said.out)["answer"]["sources"][0]
    assert source["kind"] == "file"
    assert source["location"].endswith(("notes.md:5", "notes.md:7"))
    assert "40 euros" in source["quote"]


def test_a_generated_model_file_streams_its_words(house: Backend, tiny_gguf: Path) -> None:
    tools.need("llama_cpp")
    shutil.copyfile(tiny_gguf, house.home.models / tiny_gguf.name)
    program = house.program(Scope.CHAT)
    asked = {"model": "auto", "stream": True, "max_tokens": 8, "messages": [{"role": "user", "content": "hello"}]}
    with program.stream("POST", "/v1/chat/completions", json=asked) as stream:
        pieces = [line for line in stream.iter_lines() if line.startswith("data: {")]
    assert len(pieces) >= 8
    listed = program.get("/v1/models").json()["data"]
    assert any(model["id"].startswith("hearth-test") for model in listed)


def test_an_answer_of_a_test_model_is_labelled(house: Backend, tiny_gguf: Path) -> None:
    tools.need("llama_cpp")
    shutil.copyfile(tiny_gguf, house.home.models / tiny_gguf.name)
    said = hearth(house, "ask", "hello")
    assert said.status == 0
    assert "test model" in said.out + said.err


async def test_another_server_on_this_machine_answers(tmp_path: Path) -> None:
    async with model_server(words("Paris ", "it is.")) as server:
        config = f'[providers.desk]\nurl = "{server.url}"\nwhere = "this machine"\n'
        with running(tmp_path / "home", config) as backend:
            said = await asyncio.to_thread(hearth, backend, "ask", "What is the capital of France?", "--json")
            answer = json.loads(said.out)["answer"]
    assert answer["text"] == "Paris it is."
    assert answer["made_by"]["model"] == "m"
    assert answer["made_by"]["where"] == "this machine"


async def test_a_server_that_breaks_off_is_never_taken_for_whole(tmp_path: Path) -> None:
    from support.provider import cut_off

    async with model_server(cut_off("Paris ", orderly=True)) as server:
        config = f'[providers.desk]\nurl = "{server.url}"\nwhere = "this machine"\n'
        with running(tmp_path / "home", config) as backend:
            said = await asyncio.to_thread(hearth, backend, "ask", "What is the capital of France?", "--json")
            answer = json.loads(said.out)["answer"]
    assert answer["complete"] is False or answer["made_by"]["where"] == "no model"
