from pathlib import Path

import pytest

from hearth_backend.memory.gone import Gone
from hearth_backend.memory.places import InSight, Papers, States
from hearth_backend.memory.working import Working
from hearth_shared.protocol.context import SeenRequest

pytestmark = pytest.mark.unit
PAGE = "https://example.org/a"
GONE = Gone(frozenset({"epi_1"}), ("the key lies under the mat",), sources=frozenset({PAGE}))


async def test_kept_beginnings_of_prompts_go() -> None:
    asked: list[int] = []

    async def forget() -> int:
        asked.append(1)
        return 3

    assert (await States(forget).quoting(GONE), await States(forget).erase(GONE), asked) == (0, True, [1])


async def test_a_forgotten_page_is_no_longer_in_sight() -> None:
    working = Working()
    try:
        for number, url in enumerate((PAGE, "https://example.org/b")):
            seen = SeenRequest(surface="browser", kind="page", url=url, text="x")
            working.put("person", f"browser {number}", "browser", seen, "ask")
        assert await InSight(working).erase(GONE)
        assert [seen.url for seen in working.list("person").seen] == ["https://example.org/b"]
    finally:
        working.close()


async def test_a_paper_that_quotes_it_goes(tmp_path: Path) -> None:
    (tmp_path / "1.md").write_text("You said that the key lies under it.", "utf-8")
    (tmp_path / "2.md").write_text("A key and a mat.", "utf-8")
    (tmp_path / "3.bin").write_bytes(b"\xff\xfe")
    assert await Papers(tmp_path).erase(GONE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.md", "3.bin"]
    assert await Papers(tmp_path / "none").erase(GONE)
