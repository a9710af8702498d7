import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from hearth_backend.memory import index_child
from hearth_backend.memory.index_folder import IndexFolder
from hearth_shared.protocol.memory import ForgetRequest, SearchRequest
from support.damages import MAIN, House, episodes, house
from support.small_disk import small_disk

pytestmark = pytest.mark.integration
ASKED = ["thing3 matter5", "thing20 matter7", "place4 thing11"]
needs_chroma = pytest.mark.skipif(not index_child.is_installed(), reason="needs chromadb")


async def way(one: House, query: str = "thing3 matter5") -> str:
    return (await one.memory.search(SearchRequest(query=query), MAIN)).answered_by


def collection(folder: Path) -> Path:
    return IndexFolder(folder / "index").of("words.1")


@needs_chroma
async def test_its_whole_life(tmp_path: Path) -> None:
    """One process for many questions, because starting it costs more than all of them."""
    async with house(tmp_path) as one:
        index = one.index
        assert index is not None
        await one.store(episodes(0, 120))
        assert index.progress.state == "ready"
        assert (await one.answers(ASKED))[1] == {"index"}

        # what is stored later is fed, and what is forgotten leaves it
        await one.store(episodes(120, 30))
        assert await index.examine() == (150, 1.0)
        kept = await one.memory.list("main", MAIN, limit=10)
        await one.memory.forget(ForgetRequest(ids=[episode.id for episode in kept.episodes]), MAIN)
        await one.settled()
        found = await index.examine()
        assert found is not None
        assert found == (140, 1.0)

        # nothing but keys and vectors is in its folder, which is the owner's alone
        text = b"".join(path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file())
        assert b"matter" not in text
        assert (tmp_path / "index").stat().st_mode & 0o77 == 0

        # its environment is cleared, and an interrupt is not for it
        child = psutil.Process(index.pid)
        cleared = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ANONYMIZED_TELEMETRY", "LC_CTYPE"}
        assert set(child.environ()) <= cleared
        child.send_signal(signal.SIGINT)

        # killed, it is started again; answers are the same before, meanwhile and afterwards
        assert index.pid is not None
        before = (await one.answers(ASKED))[0]
        os.kill(index.pid, signal.SIGKILL)
        assert (await one.answers(ASKED))[0] == before
        await one.settled()
        after, ways = await one.answers(ASKED)
        assert (after, ways) == (before, {"index"})
        pid = index.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)
    async with house(tmp_path, with_index=False) as one:
        assert (await one.answers(ASKED))[0] == before


@needs_chroma
@pytest.mark.logs("hearth_backend.memory.index")
async def test_left_in_order_it_is_found_in_order_and_damaged_it_is_made_anew(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        await one.store(episodes(0, 60))
        expected = (await one.answers(ASKED))[0]
    async with house(tmp_path) as one:
        assert one.index is not None
        assert (await one.answers(ASKED)) == (expected, {"exact"})
        await one.settled()
        assert (await one.answers(ASKED)) == (expected, {"index"})
        assert "damaged" not in str(one.told)
    os.truncate(collection(tmp_path) / "chroma.sqlite3", 5000)
    async with house(tmp_path) as one:
        assert (await one.answers(ASKED)) == (expected, {"exact"})
        await one.settled()
        assert (await one.answers(ASKED)) == (expected, {"index"})
        assert "not as they were left" in str(one.told)
        assert not (tmp_path / "index" / "damaged").exists()


@needs_chroma
async def test_on_a_full_disk_search_is_exact_and_the_index_comes_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "index", 16) as disk:
        disk.fill()
        async with house(tmp_path) as one:
            assert one.index is not None
            await one.store(episodes(0, 60))
            expected, ways = await one.answers(ASKED)
            await one.settled()
            assert ways == {"exact"}
            assert "no room" in one.index.progress.detail
            await one.answers(ASKED)
            await one.settled()
            assert str(one.told).count("no room") == 1
            disk.free()
            await one.answers(ASKED)
            await one.settled()
            assert await one.answers(ASKED) == (expected, {"index"})


async def test_a_few_memories_start_no_process(tmp_path: Path) -> None:
    async with house(tmp_path, exact_below=100) as one:
        assert one.index is not None
        await one.store(episodes(0, 70))
        assert await way(one) == "exact"
        await one.settled()
        assert one.index.pid is None
        assert not collection(tmp_path).exists()


async def test_without_chroma_search_is_exact_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_child, "is_installed", lambda: False)
    async with house(tmp_path) as one:
        assert one.index is not None
        await one.store(episodes(0, 30))
        for _ in range(3):
            assert await way(one) == "exact"
        await one.settled()
        assert one.index.progress.state == "absent"
        assert one.index.rebuild().state == "absent"
        assert str(one.told).count("Chroma is not installed") == 1


async def test_a_process_that_cannot_start_leaves_search_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "python"
    worker.write_text("#!/bin/sh\nexec true\n", "utf-8")
    worker.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(worker))
    async with house(tmp_path) as one:
        assert one.index is not None
        await one.store(episodes(0, 30))
        assert await way(one) == "exact"
        await one.settled()
        assert one.index.progress.state == "unwell"
        assert "Search is exact meanwhile" in one.index.progress.detail
        assert "reindex" in one.index.progress.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_leaves_search_exact(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir(0o500)
    async with house(tmp_path) as one:
        await one.store(episodes(0, 30))
        assert await way(one) == "exact"


async def test_a_model_that_is_not_there_leaves_nothing_to_index(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        assert one.index is not None
        one.index.search_with("")
        progress = one.index.rebuild()
        assert (progress.state, "no embedding model" in progress.detail) == ("resting", True)


async def test_closing_at_once_ends_everything(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    async with house(tmp_path) as one:
        assert one.index is not None
        await one.memory.settled()
        one.index.rebuild()
        await asyncio.sleep(0)
        assert one.index.progress.state == "building"
    assert set(psutil.Process().children()) <= before
