import pytest

from hearth_backend.cli import usage
from hearth_backend.cli.verb import JSON, Verb, option

pytestmark = pytest.mark.unit


def test_an_action_is_found_by_its_name() -> None:
    assert Verb("usage", "", "", "usage:usage").load() is usage.usage


def test_an_option_is_kept_as_argparse_takes_it() -> None:
    assert option("-m", "--message", metavar="TEXT") == (("-m", "--message"), {"metavar": "TEXT"})
    assert JSON.flags == ("--json",)
