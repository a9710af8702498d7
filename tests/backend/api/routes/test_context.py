import json
from typing import Any

import pytest

from support.backend import Backend, Browser, running

pytestmark = pytest.mark.integration

PAGE = {"surface": "browser", "kind": "page", "title": "Moorings", "url": "https://vell.example/m", "text": "40 euros."}
TEXT = "The harbour of Vell opens forty moorings. A mooring costs 40 euros a night. Dogs are welcome aboard."
_paired: dict[int, Browser] = {}


def browser(backend: Backend) -> Any:
    """A paired browser; one for all, because pairings are limited."""
    if backend.port not in _paired:
        _paired[backend.port] = backend.pair()
    return backend.browser(_paired[backend.port])


def said(client: Any, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a message in a new thread."""
    thread = client.post("/v1/threads", json={}).json()["id"]
    headers = {"Accept": "text/event-stream"}
    with client.stream("POST", f"/v1/threads/{thread}/messages", json=message, headers=headers) as stream:
        assert stream.status_code == 200, stream.read()
        events = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert events[-1]["type"] == "task.finished"
    return events[-1]["data"]["answer"]


def page(url: str, text: str = TEXT, title: str = "Moorings of Vell") -> dict[str, Any]:
    """A message's context: one page."""
    return {"files": [{"name": url, "text": text, "origin": "page", "title": title}]}


def test_what_a_browser_sees_is_seen_by_the_persons_doors(backend: Backend) -> None:
    made = browser(backend).post("/v1/context", json=PAGE)
    assert (made.status_code, made.json()["consent"]) == (201, "ask")
    assert made.json() in backend.door("tray").get("/v1/context").json()["seen"]
    program = backend.token("context")  # type: ignore[arg-type]  # a scope's text is the scope
    assert backend.over_tcp(program.text).get("/v1/context").json() == {"seen": []}


def test_a_question_may_name_what_is_seen(backend: Backend) -> None:
    seen = browser(backend).post("/v1/context", json={**PAGE, "text": TEXT}).json()
    answer = said(backend.door("tray"), {"text": "What does a mooring cost?", "context": {"seen": [seen["id"]]}})
    source = answer["sources"][0]
    assert (source["kind"], source["url"], source["trusted"]) == ("page", "https://vell.example/m", False)
    assert "40 euros a night" in answer["text"]


def test_what_is_held_no_more_is_said(backend: Backend) -> None:
    thread = backend.door().post("/v1/threads", json={}).json()["id"]
    asked = {"text": "?", "context": {"seen": ["seen_gone"]}}
    answer = backend.door().post(f"/v1/threads/{thread}/messages", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_must_not_leave_keeps_the_run_here(backend: Backend) -> None:
    seen = browser(backend).post("/v1/context", json={**PAGE, "sensitivity": "local only"}).json()
    asked = {"goal": "What is this?", "context": {"seen": [seen["id"]]}}
    task = backend.door().post("/v1/agents/assistant/tasks", json=asked).json()["task_id"]
    assert backend.door().get(f"/v1/tasks/{task}").json()["local_only"] is True


def test_without_a_model_a_page_is_asked_about_and_cited_by_its_address(backend: Backend) -> None:
    answer = said(browser(backend), {"text": "What does a mooring cost?", "context": page("https://vell.example/a")})
    assert answer["made_by"]["where"] == "no model"
    assert "Moorings of Vell, https://vell.example/a" in answer["text"]
    assert answer["sources"][0]["url"] == "https://vell.example/a"


def test_a_file_that_bears_a_pages_address_is_a_page(backend: Backend) -> None:
    context = {"files": [{"name": "https://vell.example/b", "text": TEXT}]}
    source = said(browser(backend), {"text": "What does a mooring cost?", "context": context})["sources"][0]
    assert (source["kind"], source["title"], source["trusted"]) == ("page", "vell.example", False)


def test_without_a_model_a_page_is_summed_up_by_its_own_sentences(backend: Backend) -> None:
    answer = said(browser(backend), {"text": "Summarise this page", "context": page("https://vell.example/c")})
    assert answer["text"].startswith("No language model is connected; these are the sentences that carry most of")
    assert "- A mooring costs 40 euros a night. [1]" in answer["text"]
    assert [source["url"] for source in answer["sources"]] == ["https://vell.example/c"]


def test_a_page_without_a_sentence_is_summed_up_honestly(backend: Backend) -> None:
    answer = said(
        browser(backend), {"text": "Summarise this", "context": page("https://vell.example/d", "Home\nAbout")}
    )
    assert "It holds no whole sentences. [1]" in answer["text"]


def test_a_door_decides_for_itself_and_the_tray_for_all(backend: Backend) -> None:
    own = browser(backend).put("/v1/consents", json={"subject": "one.example", "level": "remember"}).json()
    assert (own["door"], own["level"]) == ("browser", "remember")
    body = {"door": "editor", "subject": "/home/x", "level": "off"}
    assert browser(backend).put("/v1/consents", json=body).status_code == 403
    assert backend.door("tray").put("/v1/consents", json=body).json()["door"] == "editor"
    listed = browser(backend).get("/v1/consents").json()["consents"]
    assert {one["door"] for one in listed} == {"browser"}
    assert {one["door"] for one in backend.door("cli").get("/v1/consents").json()["consents"]} >= {"browser", "editor"}
    assert backend.door("cli").get("/v1/consents?subject=a.one.example").json()["level"] == "remember"
    assert browser(backend).get("/v1/consents?subject=nobody.example&door=editor").json()["level"] == "ask"


def test_of_a_site_that_is_off_nothing_is_read_or_kept(backend: Backend) -> None:
    client, url = browser(backend), "https://www.secret.example/diary"
    held = client.post("/v1/context", json={**PAGE, "url": url}).json()
    assert client.put("/v1/consents", json={"subject": "secret.example", "level": "off"}).status_code == 200
    assert held["id"] not in [seen["id"] for seen in client.get("/v1/context").json()["seen"]]
    thread = client.post("/v1/threads", json={}).json()["id"]
    episode = {"external_id": "1", "source": url, "occurred_at": "2026-11-20T12:00:00Z", "text": "My diary."}
    refused = [
        client.post("/v1/context", json={**PAGE, "url": url}),
        client.post("/v1/memory/episodes", json={"episodes": [episode]}),
        client.post(f"/v1/threads/{thread}/messages", json={"text": "What is this?", "context": page(url)}),
        client.post("/v1/agents/assistant/tasks", json={"goal": "Sum up", "context": page(url)}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "no_consent")] * 4
    assert refused[0].json()["subject"] == "www.secret.example"
    assert client.get(f"/v1/threads/{thread}").json()["messages"] == []


def test_what_comes_from_a_page_is_never_trusted(backend: Backend) -> None:
    stored: list[str] = []
    for number, (client, source) in enumerate(
        [
            (browser(backend), "https://vell.example/e"),
            (browser(backend), "person"),
            (backend.door("tray"), "https://vell.example/f"),
        ]
    ):
        text = f"Otters sleep holding paws {number}."
        episode = {"external_id": f"t{number}", "source": source, "title": "Otters", "text": text}
        body = {"episodes": [{**episode, "occurred_at": "2026-11-20T12:00:00Z"}]}
        stored += client.post("/v1/memory/episodes", json=body).json()["ids"]
    found = backend.door().post("/v1/memory/search", json={"query": "otters sleep holding paws", "k": 50}).json()
    hits = {hit["id"]: hit for hit in found["results"]}
    assert [(hits[one]["trusted"], hits[one]["title"]) for one in stored] == [(False, "Otters")] * 3


def test_a_fact_of_a_page_is_cited_with_its_address_in_every_door_and_forgotten_in_all(backend: Backend) -> None:
    url = "https://library.example/hours"
    text = "The Brenning library closes at half past six on Tuesdays."
    episode = {"external_id": "h", "source": url, "title": "Opening hours", "session": "page:library.example"}
    body = {"episodes": [{**episode, "occurred_at": "2026-11-20T12:00:00Z", "text": text}]}
    (made,) = browser(backend).post("/v1/memory/episodes", json=body).json()["ids"]
    question = "When does the Brenning library close on Tuesdays?"
    for client in (browser(backend), backend.door("editor"), backend.door("tray"), backend.door("cli")):
        found = client.post("/v1/memory/search", json={"query": question}).json()["results"]
        (hit,) = (hit for hit in found if hit["id"] == made)
        assert (hit["source"], hit["title"], hit["trusted"]) == (url, "Opening hours", False)
        answer = said(client, {"text": question})
        source = answer["sources"][0]
        assert (source["kind"], source["url"], source["title"]) == ("memory", url, "Opening hours")
        assert f"Opening hours, {url}" in answer["text"]
    assert backend.door("editor").post("/v1/memory/forget", json={"ids": [made]}).status_code == 200
    for client in (browser(backend), backend.door("tray")):
        found = client.post("/v1/memory/search", json={"query": question}).json()["results"]
        assert made not in [hit["id"] for hit in found]
        assert url not in said(client, {"text": question})["text"]
        assert _forgotten(client) == {"ids": [made]}


def _forgotten(client: Any) -> dict[str, Any]:
    """What the first event of forgetting tells."""
    with client.stream("GET", "/v1/events?after_seq=0") as events:
        for line in events.iter_lines():
            if line.startswith("data: ") and (event := json.loads(line[6:]))["type"] == "memory.forgotten":
                return event["data"]
    raise AssertionError("nothing was forgotten")


def test_decisions_outlive_the_backend(tmp_path: Any) -> None:
    with running(tmp_path / "home") as backend:
        backend.door().put("/v1/consents", json={"door": "browser", "subject": "a.example", "level": "off"})
    with running(tmp_path / "home") as backend:
        assert backend.door().get("/v1/consents?subject=a.example").json()["level"] == "off"
