import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_shared.errors import ApprovalMismatch, BadRequest, Forbidden, HearthError, NotFound, TooLarge
from support.places import CONTEXT, Place, granted

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with granted(tmp_path) as place:
        yield place


async def test_a_file_is_read_by_lines(place: Place) -> None:
    assert await place.done(place.read, path="a.txt") == "one\ntwo\nthree\n"
    assert await place.done(place.read, path=str(place.folder / "good")) == "one\ntwo\nthree\n"
    part = await place.done(place.read, path="sub/../a.txt", first_line=2, lines=1)
    assert part == "two\n[2 more lines; read on from line 3]"


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret",
        "out",
        "up/outside/secret",
        "sub/../../outside/secret",
        "/etc/passwd",
        "~/x",
        "a\0b",
        "\ud800",
    ],
)
async def test_nothing_outside_is_read(place: Place, path: str) -> None:
    with pytest.raises(HearthError) as raised:
        await place.done(place.read, path=path)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("path", ["hearth/run/cli.key", "hearth/policy.toml", "hearth/../hearth/policy.toml"])
async def test_hearths_own_folder_stays_shut(place: Place, path: str) -> None:
    with pytest.raises(Forbidden, match="Hearth's own folder"):
        await place.done(place.read, path=path)
    for text in ("x", ""):
        with pytest.raises(Forbidden, match="Hearth's own folder"):
            await place.done(place.write, path=path, text=text)
    with pytest.raises(Forbidden, match="Hearth's own folder"):
        await place.done(place.write, path="hearth/new/deep/file", text="x")
    assert not (place.closed / "new").exists()


async def test_a_folder_is_listed_and_searched(place: Place) -> None:
    listed = await place.done(place.list, path=".")
    assert "a.txt (14 bytes)" in listed
    assert "out (link)" in listed
    assert await place.done(place.search, text="HERON", ignore_case=True) == "sub/b.md:1: a heron"
    assert await place.done(place.search, text="heron", names="*.txt") == "Nothing was found."
    assert "SECRET" not in await place.done(place.search, text="T", names="out")


async def test_what_is_no_text_is_said(place: Place) -> None:
    (place.folder / "x.bin").write_bytes(b"\xff\xfe")
    with pytest.raises(BadRequest, match="is no text"):
        await place.done(place.read, path="x.bin")
    os.mkfifo(place.folder / "pipe")
    with pytest.raises(BadRequest, match="no plain file"):
        await place.done(place.read, path="pipe")


async def test_a_new_file_is_written_with_its_folders(place: Place) -> None:
    await place.done(place.write, path="x/y/z.txt", text="new")
    assert (place.folder / "x/y/z.txt").read_text() == "new"


@pytest.mark.parametrize("path", ["out", "up/outside/secret", "hard", "good", "sub", ".", "up/x", "../x"])
async def test_nothing_is_written_through_a_link_or_outside(place: Place, path: str) -> None:
    before = place.tree()
    with pytest.raises(HearthError):
        await place.done(place.write, path=path, text="x")
    assert place.tree() == before
    assert (place.outside / "secret").read_text() == "TOP SECRET"


async def test_a_plan_shows_what_would_change_and_what_undo_would_do(place: Place) -> None:
    patch = "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    plan = await place.edit.plan(place.edit.read({"path": "a.txt", "patch": patch}), CONTEXT)
    assert "-two\n+2" in plan.preview
    assert plan.paths == (str(place.folder / "a.txt"),)
    assert "Puts the file back" in plan.undo
    assert await place.done(place.edit, path="a.txt", patch=patch) == f"Wrote {place.folder}/a.txt (12 bytes)."
    assert (place.folder / "a.txt").read_text() == "one\n2\nthree\n"


async def test_line_ends_stay_as_they_are(place: Place) -> None:
    (place.folder / "w.txt").write_bytes(b"one\r\ntwo\r\n")
    await place.done(place.edit, path="w.txt", patch="@@ -1,2 +1,2 @@\n one\n-two\n+2\n")
    assert (place.folder / "w.txt").read_bytes() == b"one\r\n2\r\n"


@pytest.mark.parametrize("path", [".git/hooks/x", ".VSCODE/settings.json", ".bashrc", "sub/AGENTS.md", ".env.local"])
async def test_what_programs_obey_always_asks(place: Place, path: str) -> None:
    plan = await place.write.plan(place.write.read({"path": path, "text": "x"}), CONTEXT)
    assert plan.insists.startswith("a program may obey")


async def test_a_file_too_large_is_refused_and_left_as_it_was(place: Place) -> None:
    read = place.write.read({"path": "a.txt", "text": "x"})
    large = read.model_copy(update={"text": "x" * (5 << 20)})
    seen = replace(CONTEXT, plan=await place.write.plan(read, CONTEXT))
    with pytest.raises(TooLarge):
        await place.write.call(large, seen)
    assert (place.folder / "a.txt").read_text() == "one\ntwo\nthree\n"


async def test_what_was_swapped_since_it_was_seen_is_not_written(place: Place) -> None:
    read = place.write.read({"path": "a.txt", "text": "mine"})
    seen = replace(CONTEXT, plan=await place.write.plan(read, CONTEXT))
    (place.folder / "a.txt").write_text("theirs")
    with pytest.raises(ApprovalMismatch):
        await place.write.call(read, seen)
    assert (place.folder / "a.txt").read_text() == "theirs"
    with pytest.raises(ApprovalMismatch):
        await place.write.call(read, CONTEXT)  # nobody looked at all


async def test_without_a_granted_folder_it_says_how_to_grant_one(place: Place) -> None:
    place.roots.__init__("")
    with pytest.raises(Forbidden, match=r"config set tools\.roots"):
        await place.done(place.list)


async def test_a_granted_folder_that_is_gone_is_said(place: Place) -> None:
    place.roots.__init__(str(place.folder / "gone"))
    with pytest.raises(NotFound):
        await place.done(place.list)
