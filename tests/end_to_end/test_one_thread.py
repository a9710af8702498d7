"""One thread everywhere: begun in one door it is listed and continued in the others, who see each turn being made."""

import json
import queue
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support import tools
from support.backend import Backend

pytestmark = pytest.mark.engine

LIMIT_S = 60


@contextmanager
def window(client: httpx2.Client) -> Generator["queue.Queue[dict[str, Any]]"]:
    """An open window of a door: every event that it is told, from now on."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    ready, leaving = threading.Event(), threading.Event()

    def read() -> None:
        with client.stream("GET", "/v1/events") as events:
            for line in events.iter_lines():
                ready.set()
                if line.startswith("data: "):
                    told.put(json.loads(line[6:]))
                if leaving.is_set():
                    return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert ready.wait(LIMIT_S)
    try:
        yield told
    finally:
        leaving.set()


def until(told: "queue.Queue[dict[str, Any]]", kind: str) -> list[dict[str, Any]]:
    """The events up to the first of this kind."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != kind:
        found.append(told.get(timeout=LIMIT_S))
    return found


def say(client: httpx2.Client, thread: str, text: str, **context: Any) -> dict[str, Any]:
    """A message and its whole answer."""
    body = {"text": text, "context": context}
    headers = {"Accept": "text/event-stream"}
    with client.stream("POST", f"/v1/threads/{thread}/messages", json=body, headers=headers) as stream:
        events = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert events[-1]["type"] == "task.finished", events[-1]
    return events[-1]["data"]["answer"]


def test_a_thread_begun_in_the_editor_goes_on_in_tray_and_browser(house: Backend) -> None:
    editor, tray, browser = house.door("editor"), house.door("tray"), house.browser(house.pair())
    thread = editor.post("/v1/threads", json={}).json()["id"]
    with window(house.over_socket(house.key("tray"))) as seen_in_tray:
        say(editor, thread, "Remember that the release is on Thursday.")
        turn = until(seen_in_tray, "task.finished")
    assert {event["thread_id"] for event in turn if event["type"].startswith(("task.", "text."))} == {thread}
    assert turn[0]["type"] == "task.queued"
    assert (turn[0]["door"], turn[0]["data"]["goal"]) == ("editor", "Remember that the release is on Thursday.")
    assert "".join(event["data"]["text"] for event in turn if event["type"] == "text.delta").startswith("I will")
    for client in (tray, browser, house.door("cli")):
        listed = client.get("/v1/threads").json()["threads"]
        assert [(one["id"], one["title"], one["door"]) for one in listed] == [
            (thread, "Remember that the release is on Thursday.", "editor")
        ]
    answer = say(browser, thread, "When is the release?")
    assert "Thursday" in answer["text"]
    assert answer["sources"][0]["thread_id"] == thread  # where a door opens what was said
    say(tray, thread, "And what else?")
    said = [turn["text"] for turn in editor.get(f"/v1/threads/{thread}").json()["messages"] if turn["role"] == "user"]
    assert said == ["Remember that the release is on Thursday.", "When is the release?", "And what else?"]


def test_a_turn_of_a_browser_is_stopped_from_the_tray(house: Backend) -> None:
    browser = house.browser(house.pair())
    thread = browser.post("/v1/threads", json={}).json()["id"]
    task = browser.post(f"/v1/threads/{thread}/messages", json={"text": "hello"}).json()["task_id"]
    assert house.door("tray").delete(f"/v1/tasks/{task}").status_code == 200
    with house.door("editor").stream("GET", f"/v1/tasks/{task}/events") as events:
        events.read()  # to its end
    assert house.door("editor").get(f"/v1/tasks/{task}").json()["status"] in ("cancelled", "finished")


def test_a_thread_about_a_page_bears_its_name(house: Backend) -> None:
    browser = house.browser(house.pair())
    thread = browser.post("/v1/threads", json={}).json()["id"]
    page = {
        "name": "https://vell.example/m",
        "title": "Moorings of Vell",
        "origin": "page",
        "text": "It costs 40 euros.",
    }
    say(browser, thread, "Summarise this page", files=[page])
    say(browser, thread, "And tomorrow?", files=[page])
    (listed,) = house.door("tray").get("/v1/threads").json()["threads"]
    assert listed["title"] == "Moorings of Vell: Summarise this page"
    assert house.door("tray").get(f"/v1/threads/{thread}").json()["messages"][0]["text"] == "Summarise this page"


def test_a_program_sees_none_of_it(house: Backend) -> None:
    thread = house.door("editor").post("/v1/threads", json={}).json()["id"]
    program = house.program("chat", "tasks")  # type: ignore[arg-type]  # a scope's text is the scope
    assert program.get("/v1/threads").json()["threads"] == []
    assert program.get(f"/v1/threads/{thread}").status_code == 404


def test_an_editor_completes_asks_and_edits_with_a_model(house: Backend, tiny_gguf: Path) -> None:
    tools.need("llama_cpp")
    shutil.copyfile(tiny_gguf, house.home.models / tiny_gguf.name)
    editor = house.door("editor")
    place = {
        "document": "1/file:///a.py",
        "version": 3,
        "prefix": "def f():\n    ",
        "suffix": "\n",
        "language": "python",
    }
    body = {**place, "context": [{"name": "b.py", "text": "x = 1"}], "max_tokens": 8}
    completed = editor.post("/v1/complete", json=body)
    assert completed.status_code == 200, completed.text
    assert completed.json()["made_by"]["where"] == "this machine"
    messages = [{"role": "system", "content": "Write code."}, {"role": "user", "content": "x"}]
    asked = {"model": "auto", "messages": messages, "temperature": 0, "stream": False, "max_tokens": 8}
    edited = editor.post("/v1/chat/completions", json=asked)
    assert edited.status_code == 200, edited.text
    assert edited.json()["choices"][0]["message"]["content"]
    thread = editor.post("/v1/threads", json={"title": "a.py"}).json()["id"]
    file = {"name": "a.py", "text": "def f(): return 1"}
    assert say(editor, thread, "Explain this.", files=[file])["made_by"]["test_model"] is True
    assert editor.get("/v1/usage").status_code == 403
    rows = house.door("tray").get("/v1/usage").json()["rows"]
    assert {row["door"] for row in rows} == {"editor"}


def test_without_a_model_an_editor_hears_what_to_do(house: Backend) -> None:
    editor = house.door("editor")
    asked = {"model": "auto", "messages": [{"role": "user", "content": "x"}]}
    refused = editor.post("/v1/chat/completions", json=asked)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_model")
    completed = editor.post("/v1/complete", json={"document": "a", "prefix": "x"})
    assert (completed.status_code, completed.json()["code"]) == (503, "no_model")
    assert completed.json()["fix"]
