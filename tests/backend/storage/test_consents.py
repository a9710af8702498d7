from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.storage.consents import Consents
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.errors import NoConsent

pytestmark = pytest.mark.integration


@pytest.fixture
async def consents(tmp_path: Path) -> AsyncIterator[Consents]:
    database = Database(tmp_path / "hearth.db", hearth.MIGRATIONS)
    yield Consents(database, clock=lambda: 5.0)
    await database.close()


async def test_of_an_unknown_site_the_person_is_asked(consents: Consents) -> None:
    assert consents.level("browser", "example.org") == "ask"
    consents.check("browser", ["https://example.org/"])


async def test_a_later_decision_replaces_an_earlier_one(consents: Consents) -> None:
    await consents.put("browser", "example.org", "off")
    decided = await consents.put("browser", "Example.org.", "remember")
    assert (decided.subject, decided.changed_at) == ("example.org", 5.0)
    assert (await consents.list("browser", "example.org")).level == "remember"
    assert (await consents.list("browser")).consents == [decided]


async def test_a_part_of_a_site_follows_it_unless_it_has_its_own(consents: Consents) -> None:
    await consents.put("browser", "example.org", "off")
    await consents.put("browser", "docs.example.org", "remember")
    assert consents.level("browser", "mail.example.org") == "off"
    assert consents.level("browser", "docs.example.org") == "remember"
    assert consents.level("browser", "a.docs.example.org") == "remember"
    assert consents.level("browser", "notexample.org") == "ask"
    assert consents.level("browser", "example.org.evil.example") == "ask"


async def test_a_door_decides_for_itself(consents: Consents) -> None:
    await consents.put("editor", "example.org", "off")
    assert consents.level("browser", "example.org") == "ask"
    assert [one.door for one in (await consents.list(None)).consents] == ["editor"]
    assert (await consents.list("browser")).consents == []


@pytest.mark.parametrize(
    "address",
    ["https://example.org/x", "HTTP://WWW.Example.Org:8080", "http://u:p@example.org./", "https://example.org"],
)
async def test_a_page_of_a_site_that_is_off_is_refused_however_it_is_written(consents: Consents, address: str) -> None:
    await consents.put("browser", "example.org", "off")
    with pytest.raises(NoConsent, match=r"nothing of .*example\.org is read or kept") as refused:
        consents.check("browser", ["https://other.example/", address])
    assert refused.value.data["subject"].endswith("example.org")


@pytest.mark.parametrize("subject", ["[::1]", "::1"])
async def test_an_address_in_brackets_is_the_same_site(consents: Consents, subject: str) -> None:
    await consents.put("browser", subject, "off")
    with pytest.raises(NoConsent):
        consents.check("browser", ["http://[::1]:8080/x"])


async def test_what_is_no_page_needs_no_consent(consents: Consents) -> None:
    await consents.put("browser", "person", "off")
    consents.check("browser", ["person", "notes.md", "", "file:///x"])
