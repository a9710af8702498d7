"""What is remembered through one door is known in the editor with its source, and forgotten everywhere."""

from typing import Any

import pytest

from support.backend import Backend
from support.editor import GHOSTS, editor, span

pytestmark = pytest.mark.editors

URI = "file:///w/deploy.py"
PAGE = "https://ops.example.org/hosts?team=blue#anemone"
FACT = "The staging server Anemone is rebooted on Mondays."


def remember(backend: Backend, text: str, *, source: str, name: str) -> str:
    """What the browser's door keeps of a page."""
    episode = {
        "external_id": name,
        "source": source,
        "session": "page:ops.example.org",
        "occurred_at": "2026-11-24T09:00:00+00:00",
        "text": text,
    }
    answer = backend.door("tray").post("/v1/memory/episodes", json={"episodes": [episode]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ids"][0])


def forget(backend: Backend, *ids: str) -> None:
    assert backend.door("tray").post("/v1/memory/forget", json={"ids": list(ids)}).status_code == 200


async def test_a_fact_from_a_page_is_cited_with_its_address_until_it_is_forgotten(bare: Backend) -> None:
    async with editor(bare.home, options={"answers": "client"}) as one:
        one.open(URI, 'host = "anemone"\n')
        assert await one.hover(URI, 0, 9) == ""
        known = remember(bare, FACT, source=PAGE, name="fact-1")
        shown = await one.hover(URI, 0, 9)  # within one request
        assert "Anemone is rebooted on Mondays" in shown
        assert f"({PAGE})" in shown
        (memory,) = [
            each for each in (await one.command("hearth.recall", "anemone"))["memories"] if each["id"] == known
        ]
        assert memory["url"] == PAGE
        forget(bare, known)
        assert await one.hover(URI, 0, 9) == ""
        recalled = await one.command("hearth.recall", "anemone")
        assert known not in [each["id"] for each in recalled["memories"]]


async def test_an_answer_cites_the_page_too(bare: Backend) -> None:
    known = remember(bare, "The build server Bluebell is cleaned on Fridays.", source=PAGE, name="fact-2")
    async with editor(bare.home, options={"answers": "client"}) as one:
        answer = await one.command("hearth.ask", "When is the build server Bluebell cleaned?")
    assert "Fridays" in answer["text"]
    assert PAGE in [source["url"] for source in answer["sources"]]
    forget(bare, known)


async def test_what_is_forgotten_here_is_gone_everywhere_once_the_person_said_so(bare: Backend) -> None:
    known = remember(bare, "The printer Celandine jams in winter.", source=PAGE, name="fact-3")
    async with editor(bare.home, options={"answers": "client"}) as one:
        assert await one.command("hearth.forget", {"ids": [known]}) == {"forgotten": 0}
        asked = await one.was_asked("window/showMessageRequest")
        assert "Celandine jams" in asked["message"]
        one.answers["window/showMessageRequest"] = lambda said: said["actions"][0]
        assert await one.command("hearth.forget", {"ids": [known]}) == {"forgotten": 1}
        assert (await one.command("hearth.forget", {"ids": [known]}))["problem"]["code"] == "not_found"
    listed = bare.door("tray").get("/v1/memory/episodes").json()["episodes"]
    assert known not in [episode["id"] for episode in listed]


async def test_a_hover_is_quiet_about_everything_else(bare: Backend) -> None:
    known = remember(bare, "Value and name return the data of this file.", source="person", name="fact-4")
    async with editor(bare.home) as one:
        one.open(URI, "return value\nimport os  # 1234\n\n")
        words = [
            await one.hover(URI, line, column) for line, column in ((0, 2), (0, 9), (1, 8), (1, 14), (2, 0), (9, 9))
        ]
    forget(bare, known)
    assert words == [""] * 6


@pytest.mark.parametrize(("formats", "mark"), [(["markdown"], "**"), (["plaintext"], "")])
async def test_a_hover_is_in_a_form_the_editor_shows(formats: list[str], mark: str, bare: Backend) -> None:
    known = remember(bare, "The router Dahlia [hums](x).", source="person", name="fact-5")
    capabilities: dict[str, Any] = {**GHOSTS, "textDocument": {"hover": {"contentFormat": formats}}}
    async with editor(bare.home, capabilities) as one:
        one.open(URI, "dahlia")
        shown = await one.hover(URI, 0, 1)
    forget(bare, known)
    assert shown.startswith(f"{mark}Hearth remembers{mark}")
    assert ("[hums](x)" in shown) is (mark == "")


async def test_hovers_can_be_switched_off(bare: Backend) -> None:
    known = remember(bare, "The lamp Erica glows.", source="person", name="fact-6")
    async with editor(bare.home, options={"hover": {"enabled": False}}) as one:
        one.open(URI, "erica")
        assert await one.hover(URI, 0, 1) == ""
    forget(bare, known)


async def test_what_was_told_comes_before_what_was_only_asked(bare: Backend) -> None:
    asked = remember(bare, "Is the gate Gentian open?", source="person", name="fact-8")
    told = remember(
        bare, "The gate to the yard, Gentian, is open by day and shut at night.", source=PAGE, name="fact-9"
    )
    async with editor(bare.home, options={"answers": "client"}) as one:
        found = await one.command("hearth.recall", "Is the gate Gentian open?")
    ids = [memory["id"] for memory in found["memories"]]
    assert ids.index(told) < ids.index(asked)
    forget(bare, asked, told)


async def test_recall_is_a_document_where_the_editor_opens_one(bare: Backend) -> None:
    known = remember(bare, "The fan Fuchsia whirrs.", source=PAGE, name="fact-7")
    async with editor(bare.home) as one:
        await one.command("hearth.recall", "fuchsia")
        shown = await one.was_asked("window/showDocument")
    forget(bare, known)
    assert "recall" not in shown["uri"]
    assert shown["uri"].endswith("fuchsia.md")


async def test_lines_of_a_file_are_kept_because_the_person_says_so_and_known_from_then_on(bare: Backend) -> None:
    async with editor(bare.home, options={"answers": "client"}) as one:
        one.open(URI, "import os\n\n# The relay Foxglove listens on port 7341.\nport = 7341\n")
        action = next(
            each for each in await one.actions(URI, span(2, 3, 3, 4)) if each["title"] == "Hearth: remember these lines"
        )
        kept = await one.command("hearth.remember", action["command"]["arguments"][0])
        again = await one.command("hearth.remember", {"uri": URI, "range": span(2, 3, 3, 4)})
        assert (kept["new"], again["new"], again["id"]) == (True, False, kept["id"])
        recalled = await one.command("hearth.recall", "On which port does Foxglove listen?")
        (memory,) = [each for each in recalled["memories"] if each["id"] == kept["id"]]
    assert memory["text"] == "# The relay Foxglove listens on port 7341.\nport = 7341"
    assert (memory["source"], memory["trusted"]) == (URI, False)  # a file's words are nobody's order
    found = bare.door().get("/v1/memory/episodes?limit=1").json()["episodes"][0]
    assert (found["origin"], found["door"], found["title"]) == ("file", "editor", "deploy.py:3-4")
    forget(bare, kept["id"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (".env", "KEY=1\n", "holds secrets by its name"),
        ("a.py", "\n\n  \n", "nothing in these lines"),
        ("b.py", "x = 1\n" * 2000, "too long for one memory"),
    ],
)
async def test_what_is_not_to_be_kept_is_said_with_the_fix(bare: Backend, name: str, text: str, said: str) -> None:
    before = len(bare.door().get("/v1/memory/episodes?limit=500").json()["episodes"])
    async with editor(bare.home, options={"answers": "client"}) as one:
        one.open(f"file:///w/{name}", text)
        answer = await one.command("hearth.remember", {"uri": f"file:///w/{name}"})
    assert said in answer["problem"]["detail"]
    assert answer["problem"]["fix"]
    assert len(bare.door().get("/v1/memory/episodes?limit=500").json()["episodes"]) == before
