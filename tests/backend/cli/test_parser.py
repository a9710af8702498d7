import pytest

from hearth_backend.cli.parser import parser
from hearth_backend.cli.verb import Verb
from hearth_backend.cli.verbs import VERBS
from support.shell import hearth

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_help_with_an_example(verb: Verb) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*verb.name.split(), "--help"])
    assert ended.value.code == 0
    assert verb.example.startswith(f"hearth {verb.name}")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_small_parser_of_a_verb_says_what_the_whole_one_says(
    verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    for made in (parser(), parser(verb.name.split()[0])):
        with pytest.raises(SystemExit):
            made.parse_args([*verb.name.split(), "--help"])
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["ask"], ["ask", "x", "--nonsense"], ["memory"], ["memory", "nonsense"], ["up", "--port", "x"],
     ["approvals", "list", "--status", "odd"], ["status", "--js"]],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_says_what_was_wrong(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert hearth(*arguments).status == 2
    assert "usage: hearth" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert hearth("--version").status == 0
    assert capsys.readouterr().out.startswith("hearth 0.")
