from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.tools.policy import BY_ITSELF, Call, Policy, Rule, parsed, unasked

pytestmark = pytest.mark.unit

WRITE = Call("write_file", "write", {"path": "/home/me/notes/a.md"}, "tray", "assistant")
READ = Call("read_file", "read", {"path": "/home/me/notes/a.md"}, "tray", "assistant")
NOTES = """
[[rule]]
tool = "*_file"
match = { path = "/home/me/notes/*" }
decision = "allow"
"""


def call(**changes: Any) -> Call:
    values: dict[str, Any] = {name: getattr(WRITE, name) for name in Call.__slots__}
    return Call(**(values | changes))


def decided(text: str, one: Call) -> str:
    return parsed(text).judge(one).decision


def test_without_rules_reading_is_allowed_and_everything_else_asks() -> None:
    assert decided("", READ) == "allow"
    assert [decided("", call(effect=effect)) for effect in ("write", "send", "execute")] == ["ask"] * 3


def test_a_rule_allows_what_it_names() -> None:
    assert decided(NOTES, WRITE) == "allow"
    assert decided(NOTES, call(subject={"path": "/home/me/notes2/a.md"})) == "ask"
    assert decided(NOTES, call(subject={})) == "ask"
    assert parsed(NOTES).judge(WRITE).why == "policy.toml line 2 allows it"


def test_the_strictest_rule_wins() -> None:
    asks = NOTES + '\n[[rule]]\ntool = "write_file"\ndecision = "ask"\n'
    assert decided(asks, WRITE) == "ask"
    assert decided(asks + '\n[[rule]]\ntool = "*"\ndecision = "deny"\n', WRITE) == "deny"


def test_a_rule_is_for_a_door_and_an_agent() -> None:
    text = '[[rule]]\ntool = "write_file"\norigin = ["cli"]\nagent = "coder"\ndecision = "allow"\n'
    assert decided(text, WRITE) == "ask"
    assert decided(text, call(origin="cli")) == "ask"
    assert decided(text, call(origin="cli", agent="coder")) == "allow"


def test_what_started_by_itself_is_allowed_nothing_that_does_not_name_it() -> None:
    assert decided(NOTES, call(origin=BY_ITSELF)) == "ask"
    assert decided(NOTES + f'origin = "{BY_ITSELF}"\n', call(origin=BY_ITSELF)) == "allow"


def test_no_rule_allows_what_strangers_may_have_asked_for() -> None:
    assert decided(NOTES, call(tainted=True)) == "ask"
    assert "words of strangers" in parsed(NOTES).judge(call(tainted=True)).why
    assert "your own things" in parsed("").judge(call(tainted=True, private=True, effect="send")).why
    assert decided(NOTES, call(effect="read", tainted=True)) == "allow"
    assert decided(NOTES, call(insists="a program may obey .git")) == "ask"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]]\ntool = \n", "line 2"),
        ('x = 1\n[[rule]]\ntool="a"\ndecision="ask"\n', "line 1: x"),
        ('[[rule]]\ntool = "a"\ndecision = "maybe"\n', "line 3: rule.decision"),
        ('[[rule]]\ntool = "a"\ndecision = "ask"\n\n[[rule]]\ntool = 3\ndecision = "ask"\n', "line 6: rule.tool"),
        ('[[rule]]\ntool = "a"\n', "line 1: rule.decision: Field required"),
        ('[[rule]]\ntool = "a"\ndecision = "ask"\norigin = "moon"\n', "line 1: there is no door 'moon'"),
    ],
)
def test_a_broken_file_names_the_line_and_allows_nothing(text: str, said: str) -> None:
    policy = parsed(text)
    assert said in policy.problem
    assert policy.judge(WRITE).decision == policy.judge(READ).decision == "ask"
    assert policy.mentions("read_file")
    assert not policy.mentions("clock")
    allows = Rule("write_file", "allow", source="a rule accepted before")
    assert policy.judge(WRITE, [allows]).decision == "ask"
    assert policy.judge(WRITE, [Rule("*", "deny", source="a rule")]).decision == "deny"


@given(st.text())
def test_any_text_gives_a_policy_that_allows_no_writing_by_accident(text: str) -> None:
    assert parsed(text).judge(WRITE).decision in ("ask", "deny")


def test_a_profile_says_what_may_be_used_unasked() -> None:
    rules = unasked("coder", ["read_file"], ["write_file"])
    policy = Policy()
    coder = call(agent="coder")
    assert policy.judge(coder, rules).decision == "allow"
    assert policy.judge(call(agent="coder", tool="read_file", effect="read"), rules).decision == "ask"
    assert policy.judge(WRITE, rules).decision == "ask"  # another agent
    assert policy.mentions("read_file", rules)
    assert parsed(NOTES).judge(call(agent="coder"), unasked("coder", [], [])).decision == "allow"
