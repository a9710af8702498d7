from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_backend.memory import facts_store, records
from hearth_backend.memory.facts_store import Claim
from hearth_backend.memory.importing import Giver
from hearth_backend.memory.records import Format
from hearth_shared.errors import BadRequest, NotFound, StorageFull
from hearth_shared.protocol.memory import EpisodeBatch
from hearth_shared.protocol.transfer import Imported, ImportRequest
from support.rooms_of_memory import MAIN, Room, room, turns
from support.small_disk import small_disk

pytestmark = pytest.mark.integration
FORMATS: tuple[Format, ...] = ("jsonl", "markdown")
PERSON = Giver(MAIN, "cli", whole=True, sees_all=True)
PROGRAM = Giver(MAIN, "http", whole=False, sees_all=False)
HARD = (
    "plain",
    "two\nlines\n",
    "\r\n\t ends with space ",
    "~~~~\n~~~~~~\nfence",
    "<!-- hearth {} -->",
    "--> \u2028 \u202e אבג \x00 \x1b[2J",
    "🚀👩‍👩‍👧",
    "# heading",
    '{"kind": "end"}',
    "x" * 200_000,
)


async def exported(one: Room, format: Format = "jsonl", spaces: Sequence[str] = ("main", "work")) -> str:
    return "".join([piece async for piece in one.memory.exporting.pieces(format, spaces, private=True)])


def body(text: str) -> list[str]:
    """All but the line that tells the time."""
    return [line for line in text.split("\n") if '"made_at"' not in line]


async def take(one: Room, text: str, giver: Giver = PERSON, size: int = 150_000, **more: Any) -> Imported:
    """In parts, as the command line sends it."""
    parts = [text[start : start + size] for start in range(0, len(text), size)] or [""]
    id: str | None = None
    for part in parts[:-1]:
        id = (await one.memory.importing.take(ImportRequest(text=part, import_id=id, last=False), giver)).import_id
    return await one.memory.importing.take(ImportRequest(text=parts[-1], import_id=id, **more), giver)


async def fill(one: Room, texts: Sequence[str] = HARD) -> None:
    """Episodes of two spaces, what they say, other names, a summary and a block."""
    batch = EpisodeBatch(episodes=turns(*texts, session="s", speaker="Ann", project="dam", sensitivity="local only"))
    stored = await one.memory.remember(batch, spaces=MAIN, thread_id="thread_1", door="tray")
    await one.keep("of work", space="work", source="https://example.org/a", origin="page", title="A page")

    def more(connection: Any) -> None:
        row = connection.execute("select rowid from episode where id = ?", (stored.ids[0],)).fetchone()[0]
        for value, at in (("Halle", 10.0), ("Leipzig", 20.5)):
            facts_store.put(connection, Claim("main", "me", "lives_in", value, at, 30.0, row, (0, 5)))
        connection.execute(
            "insert into alias(space, canonical, entity, name) select 'main', 'hal', rowid, 'Hal' from entity "
            "where name = 'Halle'"
        )
        connection.executescript(
            "insert into summary(rowid, id, space, level, key, first_at, last_at, made_at, maker) "
            "values (1, 'sum_1', 'main', 'session', 's', 1, 2, 3, 'extractive');"
            "insert into summary_line(rowid, summary, place, text) values (1, 1, 0, 'A plain line.');"
            f"insert into summary_source(line, episode) values (1, {row});"
            "insert into block values ('main', 'style', 'Short.', 100, 2, 5, 'tray');"
            "insert into block_history values ('main', 'style', 1, 'Long.', 100, 4, 'cli'), "
            "('main', 'style', 2, 'Short.', 100, 5, 'tray');"
        )

    await one.database.alone(more)


@pytest.mark.parametrize("format", FORMATS)
async def test_what_is_exported_and_imported_is_exported_alike(tmp_path: Path, format: Format) -> None:
    async with room(tmp_path) as one:
        await fill(one)
        first = await exported(one, format)
        facts = await one.database.fetch("select predicate, value, valid_from, valid_to from fact order by valid_from")
    (tmp_path / "other").mkdir()
    async with room(tmp_path / "other") as other:
        done = await take(other, first)
        assert (done.new, done.known, done.facts, done.summaries, done.blocks) == (len(HARD) + 1, 0, 2, 1, 1)
        assert body(await exported(other, format)) == body(first)
        sql = "select predicate, value, valid_from, valid_to from fact order by valid_from"
        assert list(map(tuple, await other.database.fetch(sql))) == list(map(tuple, facts))
        again = await take(other, first)
        assert (again.new, again.known, again.summaries, again.blocks) == (0, len(HARD) + 1, 0, 0)
        assert body(await exported(other, format)) == body(first)
        assert (await other.find("heading"))[0].text == "# heading"


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=6, unique=True), st.sampled_from(FORMATS))
@settings(max_examples=80, deadline=None)
def test_any_text_comes_through_either_form(texts: list[str], format: Format) -> None:
    episode = {"kind": "episode", "id": "epi_1", "speaker": "", "title": "", "source": "s", "occurred_at": "2025"}
    given = [{**episode, "recorded_at": "2025", "text": text, "trusted": True} for text in texts]
    head: dict[str, Any] = {"kind": "hearth", "version": 1}
    said = "".join(records.written(record, format) for record in [head, *given])
    lines = said.encode("utf-8", "surrogatepass").split(b"\n")
    found = [placed.record for placed in records.read(line.decode("utf-8", "surrogatepass") for line in lines)]
    assert found == [head, *given]


@pytest.mark.parametrize("format", FORMATS)
async def test_a_damaged_file_is_refused_by_its_line_and_nothing_is_kept(tmp_path: Path, format: Format) -> None:
    async with room(tmp_path) as one:
        await fill(one, ["alpha", "beta", "gamma"])
        text = await exported(one, format)
    (tmp_path / "other").mkdir()
    async with room(tmp_path / "other") as other:
        place = next(n for n, line in enumerate(text.split("\n"), 1) if "beta" in line)
        damages = {
            text.replace("beta", "bet4"): r"Line \d+ cannot be used: it was changed",
            text.replace("\n", "\n{", 3): "Line",
            text[: len(text) // 2]: "Line",
            text.rsplit("\n", 2)[0] + "\n": "it was cut off",
            "\n".join(line for n, line in enumerate(text.split("\n"), 1) if n != place): "Line",
            text + text: "Line",
            "": "the file is empty",
            "hello": "no export",
            "{}": "Line 1 cannot be used",
            "{" * 100_000: "Line 1 cannot be used",
        }
        for damaged, why in damages.items():
            with pytest.raises(BadRequest, match=why):
                await take(other, damaged)
        assert (await other.memory.counts())["episodes"] == 0
        assert (await other.database.fetch("select count(*) from fact"))[0][0] == 0
        assert (await take(other, text)).new == 4


def lined(*given: dict[str, Any]) -> str:
    """A file with right check sums, whatever it says."""
    counts: dict[str, int] = {}
    for record in given:
        counts[record["kind"]] = counts.get(record["kind"], 0) + 1
    whole = [{"kind": "hearth", "version": 1}, *given, {"kind": "end", "counts": counts}]
    return "".join(records.written(record, "jsonl") for record in whole)


EPISODE: dict[str, Any] = {
    **{"kind": "episode", "id": "epi_1", "space": "main", "source": "person", "title": "", "external_id": "x"},
    **{"thread_id": None, "session": "", "speaker": "", "occurred_at": "2025-01-01T00:00:00+00:00"},
    **{"recorded_at": "2025-01-01T00:00:00+00:00", "text": "hi", "trusted": True, "door": "cli", "origin": "note"},
    **{"project": "", "sensitivity": "normal"},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": 5},
        {"space": "a b"},
        {"space": "hearth-docs"},
        {"id": "../../etc"},
        {"occurred_at": "yesterday"},
        {"trusted": "yes"},
        {"sensitivity": "secret"},
        {"more": 1},
        {"kind": "spell"},
    ],
)
async def test_a_record_that_says_nonsense_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with room(tmp_path) as one:
        with pytest.raises(BadRequest, match="Line 3 cannot be used"):
            await take(one, lined(EPISODE, {**EPISODE, "id": "epi_2", "external_id": "y", **wrong}))
        assert (await one.memory.counts())["episodes"] == 0


async def test_a_dry_run_only_looks(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        done = await take(one, lined(EPISODE), dry_run=True)
        assert (done.done, done.records, done.new) == (True, 1, 0)
        assert (await one.memory.counts())["episodes"] == 0


async def test_what_a_program_imports_is_not_trusted_and_pins_nothing(tmp_path: Path) -> None:
    block = {
        **{"kind": "block", "space": "main", "label": "style", "text": "Obey.", "token_limit": 9, "version": 1},
        **{"changed_at": 1.0, "changed_by": "tray", "history": list[Any]()},
    }
    async with room(tmp_path) as one:
        await take(one, lined(EPISODE, block), PROGRAM)
        hit = (await one.find("hi"))[0]
        assert (hit.trusted, hit.door) == (False, "http")
        assert (await one.database.fetch("select count(*) from block"))[0][0] == 0
        with pytest.raises(BadRequest, match="no space `work`"):
            await take(one, lined({**EPISODE, "space": "work"}), PROGRAM)


async def test_an_id_that_is_taken_and_a_key_that_is_there_are_kept_apart(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await take(one, lined(EPISODE))
        done = await take(one, lined({**EPISODE, "external_id": "other"}, {**EPISODE, "id": "epi_9"}))
        assert (done.new, done.known) == (1, 1)
        assert len({episode.id for episode in (await one.memory.list("main", MAIN)).episodes}) == 2


async def test_parts_of_an_import_belong_to_who_began_it(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        begun = await one.memory.importing.take(ImportRequest(text="{", last=False), PERSON)
        with pytest.raises(NotFound):
            await one.memory.importing.take(ImportRequest(text="}", import_id=begun.import_id), PROGRAM)
        assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(("hearth", "no-help"))] == []


@pytest.mark.logs("hearth_backend.storage")
async def test_a_full_disk_leaves_nothing_half_imported(tmp_path: Path) -> None:
    text = lined(*({**EPISODE, "id": f"epi_{n}", "external_id": str(n), "text": f"{n} " * 2000} for n in range(99)))
    with small_disk(tmp_path / "disk") as disk:
        async with room(disk.path) as one:
            await one.keep("kept")
            disk.fill()
            with pytest.raises(StorageFull):
                await take(one, text)
            assert [hit.text for hit in await one.find("kept")] == ["kept"]
            assert (await one.memory.counts())["episodes"] == 1
            disk.free()
            await one.keep("again")
