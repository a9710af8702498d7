import inspect

import pytest

from hearth_backend.cli.verb import Verb
from hearth_backend.cli.verbs import GROUPS, VERBS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_is_done(verb: Verb) -> None:
    assert list(inspect.signature(verb.load()).parameters) == ["desk", "options"]


def test_every_group_has_verbs_and_every_name_is_there_once() -> None:
    assert {verb.name.split()[0] for verb in VERBS if " " in verb.name} == set(GROUPS)
    assert len({verb.name for verb in VERBS}) == len(VERBS)
