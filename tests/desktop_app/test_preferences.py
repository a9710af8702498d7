import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop.preferences import Choices, Preferences, parse, read
from hearth_shared.errors import HomeError
from hearth_shared.paths import Home
from support.qt_waits import Heard

pytestmark = pytest.mark.desktop
CHOSEN = Choices(close_to_tray=False, local_only=True, guide_seen=True, scheme="dark", passed=("welcome",))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def test_what_was_chosen_is_there_the_next_time(home: Home) -> None:
    preferences = Preferences(home)
    changed = Heard(preferences.changed)
    preferences.choose(CHOSEN)
    preferences.choose(CHOSEN)
    assert len(changed.values) == 1
    assert Preferences(home).choices == CHOSEN
    assert [path.name for path in home.root.iterdir() if "desktop" in path.name] == ["desktop.json"]


@pytest.mark.parametrize(
    "said", [b"", b"[", b"[]", b"\xff", b'{"close_to_tray": "no", "scheme": "pink"}', b"[" * 100_000]
)
def test_a_file_that_cannot_be_used_counts_as_none(home: Home, said: bytes) -> None:
    (home.root / "desktop.json").write_bytes(said)
    assert read(home.root / "desktop.json") == Choices()


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)))
def test_anything_parses_to_choices(said: Any) -> None:
    assert isinstance(parse(said), Choices)


def test_a_field_of_another_version_is_passed_over(home: Home) -> None:
    (home.root / "desktop.json").write_text(json.dumps({"local_only": True, "new": 1, "passed": ["a", 2]}))
    assert read(home.root / "desktop.json") == Choices(local_only=True, passed=("a",))


def test_a_choice_that_cannot_be_stored_holds_and_says_so(home: Home) -> None:
    preferences = Preferences(home)
    (home.root / "desktop.json").mkdir()
    with pytest.raises(HomeError) as refused:
        preferences.choose(CHOSEN)
    assert preferences.choices == CHOSEN
    assert refused.value.fix
