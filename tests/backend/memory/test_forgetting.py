import asyncio
import os
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_backend.memory.text import words
from hearth_backend.storage.backups import SCHEMA_KEPT_S
from hearth_shared.errors import BadRequest, NotFound, StorageFull
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import Episode, EpisodeBatch, ForgetRequest, RestoreRequest
from support.clock import Clock
from support.embedders import WordEmbedder
from support.rooms_of_memory import MAIN, START, Room, room, turns
from support.small_disk import small_disk

pytestmark = pytest.mark.integration
NIGHT = "Zanzibar herons: xylograph"


def trace_of(folder: Path) -> bytes:
    """Everything in the folder, as bytes."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def everything(one: Room, spaces: Collection[str] = MAIN) -> list[Episode]:
    found: list[Episode] = []
    for space in sorted(spaces):
        found += (await one.memory.list(space, set(spaces), limit=500)).episodes
    return found


async def fill(one: Room) -> None:
    """A site with its parts, a project, a thread, and the rest."""
    pages = (
        ("https://example.org/a", "alpha"),
        ("https://docs.example.org/b", "beta"),
        ("https://example.com/", "gamma"),
    )
    for source, word in pages:
        await one.keep(f"The page about {word}.", source=source)
    await one.keep("The delta plan.", project="dam", source="editor")
    batch = EpisodeBatch(episodes=turns("The epsilon talk.", start=START + timedelta(days=400), origin="turn"))
    await one.memory.remember(batch, spaces=MAIN, thread_id="thread_1")
    await one.memory.settled()


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        ({"site": "example.org"}, {"alpha", "beta"}),
        ({"site": "https://Docs.Example.org/whatever"}, {"beta"}),
        ({"site": "example.org", "before": START - timedelta(days=1)}, set[str]()),
        ({"source": "https://example.com/"}, {"gamma"}),
        ({"project": "dam"}, {"delta"}),
        ({"thread_id": "thread_1"}, {"epsilon"}),
        ({"after": START + timedelta(days=1)}, {"epsilon"}),
        ({"before": START + timedelta(days=1)}, {"alpha", "beta", "gamma", "delta"}),
        ({"space": "main", "project": "nothing"}, set[str]()),
    ],
)
async def test_each_selector_means_its_own_and_a_dry_run_says_so(
    tmp_path: Path, wanted: dict[str, Any], gone: set[str]
) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        await fill(one)
        before = await everything(one)
        would = await one.memory.forget(ForgetRequest(**wanted, dry_run=True), MAIN)
        assert await everything(one) == before
        did = await one.memory.forget(ForgetRequest(**wanted), MAIN)
        assert (would.count, would.vectors) == (did.count, did.vectors) == (len(gone), 2 * len(gone))
        left = [episode for episode in before if not gone.intersection(words(episode.text))]
        assert await everything(one) == left
        assert {text for word in gone for text in await one.texts(word)} <= {episode.text for episode in left}


async def test_a_dry_run_names_the_last_copy_that_may_still_hold_it_and_when_that_goes(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep("alpha")
        none = await one.memory.forget(ForgetRequest(ids=ids, dry_run=True), MAIN)
        assert (none.backups, none.backups_until) == (0, None)
        folder = tmp_path / "backups"
        folder.mkdir(exist_ok=True)
        for number, made in ((1, 1000.0), (2, 2000.0)):
            copy = folder / f"hearth-before-schema-{number}.db"
            copy.write_bytes(b"alpha")
            os.utime(copy, (made, made))
        would = await one.memory.forget(ForgetRequest(ids=ids, dry_run=True), MAIN)
        assert (would.backups, would.backups_until) == (2, 2000.0 + SCHEMA_KEPT_S)


async def test_what_is_forgotten_comes_back_as_it_was(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder()) as one:
        await fill(one)
        await one.keep("Bo keeps swans.", NIGHT, "Bo sings.", session="s", speaker="Bo", sensitivity="local only")
        before = await everything(one)
        windows = await one.database.fetch("select id, window, thread_id, trusted from episode order by id")
        told = await one.memory.forget(ForgetRequest(before=START + timedelta(days=999)), MAIN)
        assert await everything(one) == []
        assert [undo.undo_id for undo in (await one.memory.forgetting.list(MAIN)).forgotten] == [told.undo_id]
        back = await one.memory.forgetting.restore(RestoreRequest(), MAIN)
        await one.memory.settled()
        assert sorted(back.ids) == sorted(episode.id for episode in before)
        assert await everything(one) == before
        assert await one.database.fetch("select id, window, thread_id, trusted from episode order by id") == windows
        assert (await one.texts("xylograph"))[0] == NIGHT
        assert (await one.memory.forgetting.list(MAIN)).forgotten == []


async def test_what_was_stored_anew_meanwhile_counts_once(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep(NIGHT)
        told = await one.memory.forget(ForgetRequest(source="person"), MAIN)
        await one.keep(NIGHT)
        back = await one.memory.forgetting.restore(RestoreRequest(undo_id=told.undo_id), MAIN)
        assert (back.already, len(await everything(one))) == (1, 1)


async def test_after_the_window_it_is_gone_from_every_file(tmp_path: Path) -> None:
    clock = Clock()
    async with room(tmp_path, WordEmbedder(), clock=clock) as one:
        await one.keep("Bo keeps swans.", NIGHT, "Bo sings.", session="s")
        await one.texts("zanzibar")
        told = await one.memory.forget(ForgetRequest(site="example.org", source="x", dry_run=True), MAIN)
        told = await one.memory.forget(ForgetRequest(ids=[(await one.find("zanzibar"))[0].id]), MAIN)
        assert told.undo_until == clock.now + 600
        assert b"xylograph" in trace_of(tmp_path)
        clock.pass_(601)
        with pytest.raises(NotFound):
            await one.memory.forgetting.restore(RestoreRequest(undo_id=told.undo_id), MAIN)
        await one.memory.forgetting.bin.look()
        await one.memory.settled()
        left = trace_of(tmp_path)
        assert b"swans" in left
        for trace in (b"Zanzibar", b"zanzibar", b"xylograph", b"herons", b"heron"):
            assert trace not in left


async def test_for_good_leaves_nothing_to_bring_back(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep(NIGHT)
        told = await one.memory.forget(ForgetRequest(ids=ids, for_good=True), MAIN)
        await one.memory.settled()
        assert (told.undo_id, told.undo_until, told.count) == ("", None, 1)
        assert b"xylograph" not in trace_of(tmp_path)
        with pytest.raises(NotFound, match="nothing to bring back"):
            await one.memory.forgetting.restore(RestoreRequest(), MAIN)


async def test_an_unknown_id_forgets_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep("kept")
        for dry in (True, False):
            with pytest.raises(NotFound, match="nothing was forgotten"):
                await one.memory.forget(ForgetRequest(ids=[*ids, "epi_none"], dry_run=dry), MAIN)
        assert len(await everything(one)) == 1


async def test_naming_nothing_forgets_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("kept")
        for request in (ForgetRequest(), ForgetRequest(space="main")):
            with pytest.raises(BadRequest, match="nothing was forgotten"):
                await one.memory.forget(request, MAIN)
        with pytest.raises(NotFound, match="no thread"):
            await one.memory.forget(ForgetRequest(thread_id="thread_none"), MAIN)


async def test_what_one_may_not_see_one_may_neither_forget_nor_bring_back(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep(NIGHT, space="secret")
        await one.memory.forget(ForgetRequest(before=START + timedelta(days=1)), MAIN)
        with pytest.raises(NotFound):
            await one.memory.forget(ForgetRequest(space="secret", source="person"), MAIN)
        assert len(await everything(one, {"secret"})) == 1
        await one.memory.forget(ForgetRequest(source="person"), {"main", "secret"})
        assert (await one.memory.forgetting.list(MAIN)).forgotten == []
        with pytest.raises(NotFound):
            await one.memory.forgetting.restore(RestoreRequest(), MAIN)


async def test_help_cannot_be_forgotten(tmp_path: Path) -> None:
    pages = tmp_path / "help"
    pages.mkdir()
    (pages / "a.md").write_text("# A\n\nText.", "utf-8")
    async with room(tmp_path, help=pages) as one:
        every = {"main", "hearth-docs"}
        told = await one.memory.forget(ForgetRequest(before=START + timedelta(days=9999)), every)
        assert told.count == 0


async def test_events_name_ids_alone(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        ids = await one.keep(NIGHT)
        await one.memory.forget(ForgetRequest(ids=ids), MAIN)
        assert one.heard.events[-1] == (EventType.MEMORY_FORGOTTEN, {"ids": ids})


@pytest.mark.logs("hearth_backend.storage", "hearth_backend.memory")
async def test_a_full_disk_forgets_nothing_by_halves_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        async with room(disk.path) as one:
            await one.keep(*(f"{number} {'long ' * 300}" for number in range(20)))
            disk.fill()
            with pytest.raises(StorageFull):
                await one.memory.forget(ForgetRequest(source="person"), MAIN)
            assert (await one.memory.counts())["episodes"] == 20
            disk.free()
            assert (await one.memory.forget(ForgetRequest(source="person", for_good=True), MAIN)).erased
            assert await everything(one) == []


WORDS = ("amaranth", "bergamot", "cardamom", "dandelion", "elderberry", "fennel", "galangal", "horehound")
SOURCES = ("person", "https://a.example.org/x", "https://example.org/y", "program")
parts = st.fixed_dictionaries(
    {
        "source": st.sampled_from(SOURCES),
        "project": st.sampled_from(["", "dam"]),
        "session": st.sampled_from(["", "s"]),
    }
)
selectors = st.one_of(
    st.fixed_dictionaries({"ids": st.sets(st.integers(0, 7), min_size=1)}),
    st.fixed_dictionaries({"source": st.sampled_from(SOURCES)}),
    st.fixed_dictionaries({"site": st.sampled_from(["example.org", "a.example.org"])}),
    st.fixed_dictionaries({"project": st.just("dam")}),
    st.fixed_dictionaries({"after": st.integers(0, 8), "before": st.integers(0, 8)}),
)


def request_of(selector: dict[str, Any], ids: Sequence[str], now: Any) -> ForgetRequest:
    known = {**selector}
    if "ids" in known:
        known["ids"] = [ids[place % len(ids)] for place in sorted(known["ids"])]
    for name in ("after", "before"):
        if name in known:
            known[name] = now + timedelta(minutes=known[name])
    return ForgetRequest(**known, for_good=True)


@given(st.lists(parts, min_size=8, max_size=8), st.lists(selectors, min_size=1, max_size=2))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_nothing_of_any_choice_is_left_and_all_else_is_untouched(
    tmp_path_factory: pytest.TempPathFactory, given_parts: list[dict[str, str]], chosen: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("any")

    async def live() -> None:
        async with room(folder, WordEmbedder()) as one:
            ids = [
                (await one.keep(f"Told of {word}.", start=START + timedelta(minutes=place), **part))[0]
                for place, (word, part) in enumerate(zip(WORDS, given_parts, strict=True))
            ]
            before, gone = await everything(one), set[str]()
            for selector in chosen:
                request = request_of(selector, [id for id in ids if id not in gone] or ids, START)
                if set(request.ids) <= {*ids} - gone:
                    told = await one.memory.forget(request, MAIN)
                    gone |= {episode.id for episode in told.episodes}
            await one.memory.settled()
            left = trace_of(folder).lower()
            assert await everything(one) == [episode for episode in before if episode.id not in gone]
            for id, word in zip(ids, WORDS, strict=True):
                assert (word.encode() in left) == (id not in gone)
                assert (f"Told of {word}." in await one.texts(word)) == (id not in gone)

    asyncio.run(live())
