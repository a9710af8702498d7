"""Fetching model files, over real HTTP from a hub on loopback: whole, broken, wrong, refused, interrupted."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.engine.hub import RESERVE, Hub
from hearth_shared.errors import BadRequest, Conflict
from hearth_shared.protocol.models import Download
from support import tools
from support.gguf_files import tiny_gguf
from support.hub import FakeHub
from support.small_disk import small_disk

__all__ = ["tiny_gguf"]
pytestmark = pytest.mark.integration
REPO, FILE = "maker/tiny-GGUF", "tiny-Q8_0.gguf"


@pytest.fixture
def fake(tiny_gguf: Path) -> Iterator[FakeHub]:
    """A hub with one model of two megabytes."""
    tools.need("huggingface_hub")
    with FakeHub() as hub:
        hub.put(REPO, FILE, tiny_gguf.read_bytes())
        yield hub


class Told(list[Mapping[str, Any]]):
    """The events, and a way to wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Condition()

    async def __call__(self, data: Mapping[str, Any]) -> int:
        async with self._more:
            self.append(data)
            self._more.notify_all()
        return len(self)

    async def until_some_came(self) -> None:
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: self and self[-1]["done"] > 0)

    async def until(self, *states: str) -> Mapping[str, Any]:
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: self and self[-1]["state"] in states)
        return self[-1]


@asynccontextmanager
async def hub_at(
    folder: Path, endpoint: str, token: str | None = None, reserve: int = RESERVE
) -> AsyncGenerator[tuple[Hub, Told]]:
    folder.mkdir(exist_ok=True)
    told = Told()

    async def given() -> str | None:
        return token

    async with Hub(folder, told, given, endpoint=endpoint, reserve=reserve) as hub:
        yield hub, told


async def ended(folder: Path, endpoint: str, source: str = REPO, **options: Any) -> Mapping[str, Any]:
    """How a pull ends."""
    async with hub_at(folder, endpoint, **options) as (hub, told):
        await hub.pull(source)
        return await told.until("done", "failed")


async def test_a_file_comes_whole_and_is_told_step_by_step(fake: FakeHub, tmp_path: Path, tiny_gguf: Path) -> None:
    async with hub_at(tmp_path / "models", fake.url) as (hub, told):
        begun = await hub.pull(REPO)
        assert (begun.state, begun.source, begun.seq) == ("looking", REPO, 1)
        end = await told.until("done", "failed")
        assert not hub.busy or end["state"] == "done"
    size = tiny_gguf.stat().st_size
    assert (end["state"], end["model"], end["licence"]) == ("done", "tiny-Q8_0", "apache-2.0")
    assert [one["state"] for one in told if one["state"] != "fetching"] == ["looking", "checking", "done"]
    assert (end["done"], end["total"]) == (size, size)
    assert (tmp_path / "models" / FILE).read_bytes() == tiny_gguf.read_bytes()
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [".downloads", FILE]
    assert not list((tmp_path / "models" / ".downloads").iterdir())


async def test_nothing_is_told_to_the_hub_that_it_need_not_know(fake: FakeHub, tmp_path: Path) -> None:
    await ended(tmp_path / "models", fake.url)
    assert all("authorization" not in seen.headers for seen in fake.seen)
    assert {seen.method for seen in fake.seen} == {"GET"}
    assert [seen.path.partition("?")[0].split("/")[1] for seen in fake.seen] == ["api", "maker"]


async def test_a_line_that_breaks_is_taken_up_where_it_broke(fake: FakeHub, tmp_path: Path) -> None:
    fake.break_after = [300_000, 300_000]
    assert (await ended(tmp_path / "models", fake.url))["state"] == "done"
    ranges = [seen.headers.get("range", "") for seen in fake.transfers]
    begins = [int(text.removeprefix("bytes=").removesuffix("-") or 0) for text in ranges]
    assert len(begins) == 3
    assert 0 == begins[0] < begins[1] < begins[2]


async def test_a_backend_that_ends_leaves_what_came_and_the_next_one_goes_on(fake: FakeHub, tmp_path: Path) -> None:
    fake.hold_at = 1_000_000
    async with hub_at(tmp_path / "models", fake.url) as (hub, told):
        await hub.pull(REPO)
        await told.until_some_came()
    (part,) = (tmp_path / "models" / ".downloads").glob("*/*.gguf")
    assert not (tmp_path / "models" / FILE).exists()
    fake.go.set()
    async with hub_at(tmp_path / "models", fake.url) as (hub, told):
        assert [one.state for one in hub.all()] == ["looking"] or hub.busy
        assert (await told.until("done", "failed"))["state"] == "done"
    resumed = int(fake.transfers[-1].headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < resumed <= 1_000_000 + 16_384
    assert not part.exists()


async def test_what_was_cancelled_leaves_nothing(fake: FakeHub, tmp_path: Path) -> None:
    fake.hold_at = 500_000
    async with hub_at(tmp_path / "models", fake.url) as (hub, _):
        begun = await hub.pull(REPO)
        assert (await hub.pull(REPO)).id == begun.id
        await asyncio.to_thread(fake.held.wait, 60)
        over = await hub.cancel(begun.id)
        assert (over.state, hub.busy) == ("cancelled", False)
        assert not list((tmp_path / "models" / ".downloads").iterdir())
    async with hub_at(tmp_path / "models", fake.url) as (hub, _):
        assert hub.all() == []


async def test_bytes_that_are_not_the_ones_named_are_thrown_away(fake: FakeHub, tmp_path: Path) -> None:
    fake.put(REPO, FILE, fake.repositories[REPO][FILE].content, sha256="ab" * 32)
    end = await ended(tmp_path / "models", fake.url)
    assert (end["state"], end["code"]) == ("failed", "download_failed")
    assert "SHA-256" in end["detail"]
    assert not list((tmp_path / "models").rglob("*.gguf"))


async def test_a_file_that_is_no_model_never_reaches_the_models_folder(fake: FakeHub, tmp_path: Path) -> None:
    fake.put("maker/noise", "noise.gguf", b"hello" * 100_000)
    end = await ended(tmp_path / "models", fake.url, "maker/noise")
    assert (end["code"], end["detail"]) == ("bad_model_file", "noise.gguf cannot be used: it is not a GGUF file.")
    assert not list((tmp_path / "models").rglob("*.gguf"))


@pytest.mark.parametrize(
    ("status", "headers", "code", "words"),
    [
        (401, {}, "forbidden", "status 401"),
        (401, {"X-Error-Code": "RepoNotFound"}, "not_found", "no repository"),
        (403, {"X-Error-Code": "GatedRepo"}, "forbidden", "accepted its terms"),
        (404, {"X-Error-Code": "RepoNotFound"}, "not_found", "no repository"),
        (500, {}, "download_failed", "status 500"),
    ],
)
async def test_a_hub_that_refuses_is_told_with_what_to_do(
    fake: FakeHub, tmp_path: Path, status: int, headers: dict[str, str], code: str, words: str
) -> None:
    fake.refuse[REPO] = (status, headers)
    end = await ended(tmp_path / "models", fake.url)
    assert (end["state"], end["code"]) == ("failed", code)
    assert words in end["detail"]
    assert end["fix"]


async def test_a_repository_nobody_has_says_so(fake: FakeHub, tmp_path: Path) -> None:
    end = await ended(tmp_path / "models", fake.url, "nobody/nothing")
    assert (end["code"], end["detail"]) == (
        "not_found",
        "The hub has no repository nobody/nothing, or it is not for everybody.",
    )


async def test_a_file_that_is_gone_meanwhile_says_so(fake: FakeHub, tmp_path: Path) -> None:
    fake.broken_file_status = 404
    assert "changed while" in (await ended(tmp_path / "models", fake.url))["detail"]


async def test_a_portal_in_between_is_no_hub(fake: FakeHub, tmp_path: Path) -> None:
    fake.page = b"<html>please log in</html>"
    end = await ended(tmp_path / "models", fake.url)
    assert "cannot be understood" in end["detail"]
    assert "models.hub_url" in end["fix"]


async def test_without_a_network_it_says_so_and_goes_on_later(fake: FakeHub, tmp_path: Path) -> None:
    end = await ended(tmp_path / "models", "http://127.0.0.1:9")
    assert end["code"] == "download_failed"
    assert "cannot be reached" in end["detail"]
    async with hub_at(tmp_path / "models", fake.url) as (hub, told):
        assert [(one.state, hub.busy) for one in hub.all()] == [("failed", False)]
        await hub.pull(REPO)
        assert (await told.until("done", "failed"))["state"] == "done"


async def test_a_disk_without_room_is_refused_before_a_byte_is_fetched(fake: FakeHub, tmp_path: Path) -> None:
    with small_disk(tmp_path / "models", megabytes=1) as disk:
        end = await ended(disk.path, fake.url, reserve=0)
    assert end["code"] == "storage_full"
    assert "more on the disk" in end["detail"]
    assert fake.transfers == []


async def test_a_disk_that_fills_up_meanwhile_keeps_what_came(fake: FakeHub, tmp_path: Path) -> None:
    fake.hold_at = 500_000
    with small_disk(tmp_path / "models", megabytes=4) as disk:
        async with hub_at(disk.path, fake.url, reserve=0) as (hub, told):
            await hub.pull(REPO)
            await told.until_some_came()
            disk.fill()
            fake.go.set()
            end = await told.until("done", "failed")
            assert (end["state"], end["code"]) == ("failed", "storage_full")
            disk.free()
            await hub.pull(REPO)
            assert (await told.until("done", "failed"))["detail"] == f"{FILE} is here."
    assert "range" in fake.transfers[-1].headers


async def test_a_token_goes_to_the_hub_alone(
    fake: FakeHub, tmp_path: Path, caplog: pytest.LogCaptureFixture, tiny_gguf: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeHub() as storage:
        storage.put(REPO, FILE, tiny_gguf.read_bytes())
        fake.storage = storage
        fake.break_after = storage.break_after = [100_000]
        async with hub_at(tmp_path / "models", fake.url, token="hf_secretsecret") as (hub, told):
            await hub.pull(REPO)
            end = await told.until("done", "failed")
        assert all("authorization" not in seen.headers for seen in storage.seen)
    assert end["state"] == "done"
    assert fake.seen[0].headers["authorization"] == "Bearer hf_secretsecret"
    assert "hf_secret" not in caplog.text
    assert "hf_secret" not in str(list(told))


async def test_all_parts_of_a_model_come_or_none(fake: FakeHub, tmp_path: Path, tiny_gguf: Path) -> None:
    for part in (1, 2):
        fake.put("maker/parts", f"Q8/big-Q8_0-0000{part}-of-00002.gguf", tiny_gguf.read_bytes())
    end = await ended(tmp_path / "models", fake.url, "maker/parts:Q8_0")
    assert (end["state"], end["model"]) == ("done", "big-Q8_0")
    assert len(list((tmp_path / "models").glob("*.gguf"))) == 2


async def test_a_file_of_the_same_name_is_not_overwritten(fake: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / FILE).write_bytes(b"mine")
    end = await ended(tmp_path / "models", fake.url)
    assert (end["code"], (tmp_path / "models" / FILE).read_bytes()) == ("conflict", b"mine")


@pytest.mark.parametrize(
    "source",
    ["", "name", "a/../b", "a/b:../../x.gguf", "a/b:x\n.gguf", "a/b:", "a/b\n", "-a/b", "https://x/y", "a/b/c"],
)
async def test_what_is_no_source_is_refused_at_once(tmp_path: Path, source: str) -> None:
    async with hub_at(tmp_path / "models", "http://127.0.0.1:9") as (hub, told):
        with pytest.raises(BadRequest) as refusal:
            await hub.pull(source)
        assert refusal.value.fix
        assert told == []


async def test_names_of_the_hub_that_lead_elsewhere_are_not_files(fake: FakeHub, tmp_path: Path) -> None:
    content = fake.repositories[REPO][FILE].content
    for name in ("../evil-Q8_0.gguf", "a/../../evil-Q8_0.gguf", "evil\n-Q8_0.gguf", ".evil-Q8_0.gguf", "/e-Q8_0.gguf"):
        fake.put("maker/evil", name, content)
    end = await ended(tmp_path / "models", fake.url, "maker/evil")
    assert (end["code"], end["detail"]) == ("not_found", "maker/evil holds no GGUF file.")


async def test_a_download_that_is_done_cannot_be_cancelled(fake: FakeHub, tmp_path: Path) -> None:
    async with hub_at(tmp_path / "models", fake.url) as (hub, told):
        begun: Download = await hub.pull(REPO)
        await told.until("done", "failed")
        with pytest.raises(Conflict):
            await hub.cancel(begun.id)
