import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.agent.profile_file import parse
from hearth_shared.errors import SettingsError

pytestmark = pytest.mark.unit
GOOD = """\
title = "Mine"
description = "Does things."
tools = ["recall"]
unasked = ["recall"]
instructions = \"\"\"
Be brief.
\"\"\"

[budget]
steps = 3
dollars = 0.5

[models]
chat = "tiny"

[route]
words = ["thing"]
"""


def test_a_profile_is_what_its_file_says() -> None:
    profile = parse(GOOD, "mine.toml")
    assert (profile.title, profile.instructions, profile.tools) == ("Mine", "Be brief.", ("recall",))
    assert (profile.budget.steps, profile.budget.dollars, profile.budget.tokens) == (3, 0.5, None)
    assert (profile.models.chat, profile.route.words) == ("tiny", ("thing",))


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ('"Mine"', '"Mine', 1, "no TOML"),
        ("steps = 3", "steps = 0", 10, "budget.steps"),
        ("steps = 3", 'steps = "many"', 10, "budget.steps"),
        ("[models]", "[modles]", 13, "modles"),
        ('unasked = ["recall"]', 'unasked = ["shell"]', 4, "shell, which is not among"),
        ("description", "descripton", 1, "description"),
        ('chat = "tiny"', "chat = 1", 14, "models.chat"),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, line: int, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        parse(GOOD.replace(old, new), "mine.toml")
    assert caught.value.data["line"] == line  # what is missing stands nowhere


@given(st.text(max_size=300))
def test_any_text_that_is_no_profile_says_what_is_wrong(text: str) -> None:
    with pytest.raises(SettingsError, match=r"mine\.toml, line \d+: "):
        parse(text, "mine.toml")
