import random
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_backend.memory import entity_store, facts_store, store
from hearth_backend.memory.facts_store import Claim, Put
from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import migrate
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.memory import NewEpisode
from support.histories import Told, expected, history

pytestmark = pytest.mark.integration
START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Connection]:
    path = tmp_path_factory.mktemp("facts") / "hearth.db"
    with closing(driver.connect(path, synchronous="OFF")) as connection:
        migrate(connection, path, MIGRATIONS)
        yield connection


@pytest.fixture
def connection(shared: Connection) -> Connection:
    clean(shared)
    return shared


def clean(connection: Connection) -> None:
    for table in ("fact_source", "fact", "alias", "entity", "episode", "outbox"):
        connection.execute(f"delete from {table}")


def episode(connection: Connection, text: str, space: str = "main") -> int:
    new = NewEpisode(external_id=text, occurred_at=START, text=text)
    return store.add(connection, space, [new], None, True, 0.0).touched[0]


def say(
    connection: Connection, value: str, at: float, now: float, said: int, predicate: str = "lives_in", **more: Any
) -> Put:
    claim = Claim("main", more.pop("subject", "me"), predicate, value, at, now, said, **more)
    return facts_store.put(connection, claim)


def values(connection: Connection, at: float, known_at: float | None = None, predicate: str = "lives_in") -> list[str]:
    me = entity_store.find(connection, "main", "me")
    if me is None:
        return []
    held = facts_store.held(connection, "main", at=at, known_at=known_at, subject=me, predicate=predicate)
    return [facts_store.shown(connection, one.fact)["object_name"] for one in held]


def forget(connection: Connection, *rowids: int) -> store.Removed:
    marks = ",".join("?" * len(rowids))
    return store.remove(
        connection, connection.execute(f"select rowid, * from episode where rowid in ({marks})", rowids).fetchall()
    )


def dump(connection: Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(
        "select e.name, f.predicate, f.canonical, f.valid_from, f.valid_to, n.canonical, f.recorded_at, f.retracted_at "
        "from fact f join entity e on e.rowid = f.subject left join fact n on n.rowid = f.superseded_by"
    )
    return sorted((tuple(row) for row in rows), key=repr)


def test_a_new_value_closes_the_old_one_and_a_late_one_displaces_nothing(connection: Connection) -> None:
    one, two, three = (episode(connection, text) for text in ("one", "two", "three"))
    assert say(connection, "Paris", 10, 11, one).outcome == "added"
    assert say(connection, "Berlin", 20, 21, two).outcome == "updated"
    assert say(connection, "berlin ", 25, 26, three).outcome == "confirmed"
    assert say(connection, "Rome", 5, 30, three).outcome == "backfilled"
    assert say(connection, "Lyon", 15, 31, three).outcome == "backfilled"
    assert [values(connection, at) for at in (3, 7, 12, 17, 22)] == [[], ["Rome"], ["Paris"], ["Lyon"], ["Berlin"]]
    assert values(connection, 17, known_at=25) == ["Paris"], "before Lyon was known, Paris held until Berlin"
    assert values(connection, 22, known_at=15) == ["Paris"], "before Berlin was known, Paris was still current"


def test_a_late_value_does_not_displace_what_was_confirmed_after_it(connection: Connection) -> None:
    said = [episode(connection, str(n)) for n in range(3)]
    say(connection, "Paris", 10, 1, said[0])
    say(connection, "Paris", 30, 2, said[1])
    say(connection, "Berlin", 20, 3, said[2])
    assert [values(connection, at) for at in (15, 25, 35)] == [["Paris"], ["Berlin"], ["Paris"]]


def test_two_current_values_of_a_single_valued_predicate_cannot_be(connection: Connection) -> None:
    say(connection, "Paris", 10, 11, episode(connection, "one"))
    row = facts_store.by_row(connection, connection.execute("select rowid from fact").fetchone()[0])
    with pytest.raises(Exception, match="UNIQUE"):
        connection.execute(
            "insert into fact(id, space, subject, predicate, value, canonical, cardinality, trusted, valid_from, "
            "recorded_at, confidence, extractor) values ('x', 'main', ?, 'lives_in', 'Oslo', 'oslo', "
            "'one', 1, 1, 1, 1, 'x')",
            (row["subject"],),
        )


def test_a_fact_without_a_source_cannot_be_kept(connection: Connection) -> None:
    with pytest.raises(Exception, match="CHECK"):
        facts_store.put(connection, Claim("main", "me", "likes", "tea", 1, 1, None))


def test_what_is_many_stands_beside_each_other_and_never_twice(connection: Connection) -> None:
    one, two = episode(connection, "one"), episode(connection, "two")
    for value, said in (("jazz", one), ("Jazz", two), ("rye bread", one), ("jazz", one)):
        say(connection, value, 10, 11, said, "likes")
    assert sorted(values(connection, 50, predicate="likes")) == ["jazz", "rye bread"]


def test_ended_closes_and_retracted_hides_with_what_was_known_kept(connection: Connection) -> None:
    one, two = episode(connection, "one"), episode(connection, "two")
    home = say(connection, "Paris", 10, 11, one).fact
    assert say(connection, "Paris", 20, 21, two, role="ends").outcome == "ended"
    assert [values(connection, at) for at in (15, 25)] == [["Paris"], []]
    like = say(connection, "tea", 10, 11, one, "likes", extractor="rules").fact
    facts_store.retract(connection, like, 60)
    assert values(connection, 50, predicate="likes") == []
    assert values(connection, 50, known_at=55, predicate="likes") == ["tea"]
    say(connection, "tea", 10, 70, one, "likes", extractor="rules")
    assert values(connection, 80, predicate="likes") == [], "reading an episode again brings nothing back"
    say(connection, "tea", 10, 71, one, "likes")
    assert values(connection, 80, predicate="likes") == ["tea"], "but the person's own word does"
    facts_store.end(connection, home, 12, 90)
    assert values(connection, 15) == []


def test_a_retracted_value_had_closed_nothing(connection: Connection) -> None:
    say(connection, "Paris", 10, 11, episode(connection, "one"))
    wrong = say(connection, "Oslo", 20, 21, episode(connection, "two")).fact
    facts_store.retract(connection, wrong, 30)
    assert values(connection, 40) == ["Paris"]
    assert values(connection, 40, known_at=25) == ["Oslo"]


def test_an_end_that_is_told_before_its_beginning_is_kept(connection: Connection) -> None:
    say(connection, "Paris", 20, 21, episode(connection, "one"), role="ends")
    assert values(connection, 20) == []
    say(connection, "Paris", 10, 31, episode(connection, "two"))
    assert [values(connection, at) for at in (15, 25)] == [["Paris"], []]


def test_what_is_not_trusted_closes_nothing_that_is(connection: Connection) -> None:
    say(connection, "Paris", 10, 11, episode(connection, "one"))
    say(connection, "Oslo", 20, 21, episode(connection, "a page"), trusted=False)
    assert sorted(values(connection, 30)) == ["Oslo", "Paris"]
    assert connection.execute("select count(*) from fact where valid_to is null").fetchone()[0] == 2


def test_forgetting_opens_again_what_the_forgotten_had_closed(connection: Connection) -> None:
    one, two = episode(connection, "one"), episode(connection, "two")
    say(connection, "Paris", 10, 11, one)
    say(connection, "Berlin", 20, 21, two)
    assert len(facts_store.facts_of(connection, [two])) == 1
    assert forget(connection, two).facts == 1
    assert values(connection, 30) == ["Paris"]
    assert [row["name"] for row in connection.execute("select name from entity order by rowid")] == ["me", "Paris"]


def test_two_names_of_one_become_one(connection: Connection) -> None:
    one, two = episode(connection, "one"), episode(connection, "two")
    for said, name in ((one, "Bob"), (two, "Robert")):
        say(connection, "Volvo", 10, 11, said, "works_at", subject=name, subject_kind="person")
    keep, gone = (entity_store.find(connection, "main", name, "person") for name in ("Robert", "Bob"))
    assert keep is not None
    assert gone not in (None, keep)
    assert gone is not None
    facts_store.merge(connection, keep, gone)
    assert entity_store.find(connection, "main", "bob") == keep
    assert connection.execute("select count(*) from fact").fetchone()[0] == 1
    assert len(facts_store.sources(connection, connection.execute("select rowid from fact").fetchone()[0])) == 2


def test_facts_are_found_by_their_words(connection: Connection) -> None:
    one = episode(connection, "one")
    home = say(connection, "Paris", 10, 11, one).fact
    say(connection, "tea", 10, 11, one, "likes")
    assert facts_store.with_terms(connection, "main", ["Where do I live?", "Paris"])[home] == 2
    assert facts_store.with_terms(connection, "main", ["tea"]).keys().isdisjoint({home})
    assert facts_store.with_terms(connection, "other", ["paris"]) == {}


def play(connection: Connection, told: list[Told], predicate: str) -> None:
    """The history as the room would write it, a second to a step."""
    facts: dict[int, int] = {}
    for step in told:
        now = float(step.known + 1)
        if step.undoes >= 0:
            source = connection.execute(
                "select fact from fact_source where episode = ?", (facts[step.undoes],)
            ).fetchone()
            row = facts_store.by_row(connection, source["fact"])
            if row["retracted_at"] is None:
                facts_store.retract(connection, source["fact"], now)
            continue
        facts[step.known] = episode(connection, f"step {step.known}")
        say(connection, step.value, step.at, now, facts[step.known], predicate, role="ends" if step.ends else "says")


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 10**6))
def test_both_clocks_answer_as_point_by_point_reckoning_does(shared: Connection, seed: int) -> None:
    clean(shared)
    luck = random.Random(seed)
    told, predicate = history(luck, 8), luck.choice(("lives_in", "likes"))
    play(shared, told, predicate)
    for at in range(0, 41, 3):
        right = expected(told, at, 99, one=predicate == "lives_in")
        assert set(values(shared, at, predicate=predicate)) == right
        known = luck.randrange(8)
        then = expected(told, at, known, one=predicate == "lives_in")
        assert set(values(shared, at, known + 1.5, predicate)) == then
    assert shared.execute("pragma foreign_key_check").fetchall() == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 10**6))
def test_forgetting_leaves_what_was_never_told(shared: Connection, seed: int) -> None:
    luck = random.Random(seed)
    told = [step for step in history(luck, 8) if step.undoes < 0]
    gone = luck.sample(told, k=min(3, len(told)))
    clean(shared)
    play(shared, [step for step in told if step not in gone], "lives_in")
    never = dump(shared)
    clean(shared)
    play(shared, told, "lives_in")
    whole = dump(shared)
    rowids = [
        shared.execute("select rowid from episode where text = ?", (f"step {step.known}",)).fetchone()[0]
        for step in gone
    ]
    kept = [claim for _, claim in facts_store.claims_of(shared, rowids)]
    forget(shared, *rowids)
    assert dump(shared) == never
    for step in gone:
        episode(shared, f"step {step.known}")
    for claim in kept:
        text = f"step {int(claim.recorded_at) - 1}"
        row = shared.execute("select rowid from episode where text = ?", (text,)).fetchone()
        facts_store.put(shared, replace(claim, episode=row["rowid"]))
    assert dump(shared) == whole
