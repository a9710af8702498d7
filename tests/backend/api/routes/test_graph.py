import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration
CSV = "name,email,company,manager\nLena,l@x.example,Volvo,Sven\nSven,s@x.example,Volvo,\n"


def test_a_file_becomes_a_graph_that_is_walked(backend: Backend) -> None:
    tray = backend.door()
    file = {"space": "people", "name": "people.csv", "text": CSV}
    assert tray.post("/v1/memory/graph/files", json=file).json() == {"entries": 2, "facts": 5, "skipped": []}
    assert tray.post("/v1/memory/graph/files", json=file).json()["facts"] == 0
    around = tray.get("/v1/memory/graph?space=people&name=Lena&depth=1").json()
    assert {one["name"] for one in around["entities"]} == {"Lena", "Volvo", "Sven"}
    way = tray.get("/v1/memory/graph/path?space=people&start=Lena&goal=Sven").json()
    assert [one["name"] for one in way["entities"]] == ["Lena", "Sven"]
    steps = [
        {"subject": "?one", "predicate": "works_at", "value": "Volvo"},
        {"subject": "?one", "predicate": "manager", "value": "?boss"},
    ]
    found = tray.post("/v1/memory/graph/pattern", json={"space": "people", "steps": steps}).json()
    assert found["matches"] == [{"?one": "Lena", "?boss": "Sven"}]
    middle = tray.get("/v1/memory/graph/central?space=people").json()["entities"]
    assert sum(one["weight"] for one in middle) == pytest.approx(1, abs=0.001)
    assert tray.get("/v1/memory/graph?space=people&name=Nobody").status_code == 404
    bad = tray.post("/v1/memory/graph/files", json={"space": "people", "name": "a.json", "text": "{"})
    assert (bad.status_code, bool(bad.json()["fix"])) == (400, True)


def test_those_who_belong_together_are_one_group(backend: Backend) -> None:
    tray = backend.door()
    rows = [f"{name},{company}" for company in ("Volvo", "Ikea") for name in (f"{company} A", f"{company} B")]
    file = {"space": "firms", "name": "people.csv", "text": "\n".join(["name,company", *rows])}
    assert tray.post("/v1/memory/graph/files", json=file).json()["facts"] == 4
    middle = tray.get("/v1/memory/graph/central?space=firms").json()["entities"]
    groups: dict[int, set[str]] = {}
    for one in middle:
        groups.setdefault(one["community"], set()).add(one["name"])
    assert sorted(map(sorted, groups.values())) == [["Ikea", "Ikea A", "Ikea B"], ["Volvo", "Volvo A", "Volvo B"]]
    assert {one["name"] for one in middle[:2]} == {"Volvo", "Ikea"}
    early = tray.get("/v1/memory/graph/central?space=firms&at=2001-01-01T00:00:00Z").json()
    assert early["entities"] == []


def test_only_the_person_pins_and_joins(backend: Backend) -> None:
    tray, program = backend.door(), backend.program(Scope.MEMORY_READ, Scope.MEMORY_WRITE)
    block = {"text": "I am Jo.", "version": 0}
    assert program.put("/v1/memory/blocks/routes", json=block).status_code == 403
    assert tray.put("/v1/memory/blocks/routes", json=block).json()["version"] == 1
    assert tray.put("/v1/memory/blocks/routes", json=block).status_code == 409
    assert tray.put("/v1/memory/blocks/routes", json={"text": "x" * 9000, "token_limit": 100}).status_code == 400
    assert tray.put("/v1/memory/blocks/a%20b", json=block).status_code == 400
    assert program.get("/v1/memory/blocks?label=routes").json()["blocks"][0]["text"] == "I am Jo."
    assert program.delete("/v1/memory/blocks/routes").status_code == 403
    assert program.post("/v1/memory/graph/merge", json={"keep": "a", "gone": "b"}).status_code == 403
    assert tray.delete("/v1/memory/blocks/routes").status_code == 200
    assert tray.delete("/v1/memory/blocks/routes").status_code == 404
