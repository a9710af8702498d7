from pathlib import Path

import pytest

from hearth_backend.agent.profiles import Profiles, shipped, shipped_text

pytestmark = pytest.mark.unit
WRONG = 'title = "Mine"\ndescription = "x"\ninstructions = "y"\ntools = 5\n'


def folder_of(tmp_path: Path, **texts: str) -> Profiles:
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)
    profiles = Profiles(tmp_path)
    profiles.look()
    return profiles


def test_every_shipped_profile_goes_by_its_id_and_asks_for_whatever_changes_something() -> None:
    assert list(shipped()) == ["assistant", "coder", "librarian"]
    for id, profile in shipped().items():
        assert profile.id == id
        assert not {"write_file", "edit_file", "shell", "python"} & set(profile.unasked)


def test_the_wire_shows_profiles_without_their_instructions() -> None:
    agent = Profiles().listed().agents[0]
    assert (agent.id, agent.tools, agent.budget.steps) == ("assistant", ["recall", "clock"], 24)
    assert "data to read" not in agent.model_dump_json()


def test_the_shipped_files_are_laid_out_and_a_changed_one_stays(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "profiles")
    profiles.write_shipped()
    coder = tmp_path / "profiles" / "coder.toml"
    coder.write_text(coder.read_text().replace('"Coder"', '"My coder"'))
    profiles.write_shipped()
    profiles.look()
    assert profiles["coder"].title == "My coder"
    assert profiles["assistant"] == shipped()["assistant"]


def test_an_older_shipped_file_that_nobody_touched_is_brought_up_to_date(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    profiles.write_shipped()
    path = tmp_path / "coder.toml"
    old = shipped_text("coder").replace("Coder", "Older coder")

    def older(name: str) -> str:
        return old

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hearth_backend.agent.profiles.shipped_text", older)
        path.unlink()
        Profiles(tmp_path).write_shipped()
    assert "Older coder" in path.read_text()
    profiles.write_shipped()
    assert "Older coder" not in path.read_text()


def test_a_file_is_a_profile_and_is_read_again_when_it_changes(tmp_path: Path) -> None:
    mine = 'title = "Mine"\ndescription = "x"\ninstructions = "y"\n'
    profiles = folder_of(tmp_path, mine=mine)
    assert profiles["mine"].title == "Mine"
    (tmp_path / "mine.toml").write_text(mine.replace("Mine", "Mine, again"))
    profiles.look()
    assert profiles["mine"].title == "Mine, again"


@pytest.mark.logs("hearth_backend.agent.profiles")
def test_a_broken_file_is_named_with_its_line_and_the_shipped_one_stands_in(tmp_path: Path) -> None:
    profiles = folder_of(tmp_path, assistant=WRONG, mine=WRONG)
    assert profiles["assistant"].tools == ("recall", "clock")
    assert "assistant.toml, line 4: `tools`" in profiles["assistant"].problem
    assert "mine" not in profiles
    assert [problem.partition(":")[0] for problem in profiles.listed().problems] == [
        "assistant.toml, line 4",
        "mine.toml, line 4",
    ]


@pytest.mark.logs("hearth_backend.agent.profiles")
@pytest.mark.parametrize("data", [b"\xff\xfe", b"# \n" * 40_000])
def test_what_is_no_text_or_no_end_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "mine.toml").write_bytes(data)
    assert "mine.toml" in folder_of(tmp_path).listed().problems[0]


def test_names_that_mean_something_else_are_left_alone(tmp_path: Path) -> None:
    profiles = folder_of(tmp_path, auto=WRONG, **{".hidden": WRONG, "Über": WRONG})
    assert list(profiles) == list(shipped())
