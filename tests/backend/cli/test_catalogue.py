import json

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration


@pytest.fixture
def known(backend: SmallBackend) -> SmallBackend:
    one = {"name": "small", "source": "a/b:s.gguf", "roles": ["chat"], "bytes": 600_000_000, "licence": "Apache-2.0"}
    one |= {"context": 40960, "fits": "gpu", "detail": "All 29 layers fit.", "here": False}
    models = [one, {**one, "name": "large", "fits": "no"}, {**one, "name": "mine", "here": True}]
    backend.routes["GET", "/v1/model-files/catalogue"] = lambda asked: {"models": models, "offered": "small"}
    return backend


def test_each_tells_what_it_takes_and_whether_it_fits(known: SmallBackend) -> None:
    out = hearth("models", "list", "--catalogue").out
    assert "●  small  chat  0.6 GB  Apache-2.0  40,960   on the GPU\n" in out
    assert "   large  chat  0.6 GB  Apache-2.0  40,960   too large\n" in out
    assert "   mine   chat  0.6 GB  Apache-2.0  40,960   is here\n" in out
    assert "`hearth models pull small` fetches" in out


def test_a_program_gets_all_of_it(known: SmallBackend) -> None:
    assert json.loads(hearth("models", "list", "--catalogue", "--json").out)["offered"] == "small"
