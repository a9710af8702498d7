import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from hearth_backend import ids

pytestmark = pytest.mark.unit


def some(count: int) -> list[str]:
    return [ids.new("run") for _ in range(count)]


def test_an_id_tells_what_it_names_and_when_it_was_made() -> None:
    made = some(3)
    assert all(re.fullmatch(r"run_[0-9a-f]{31}", one) for one in made)
    assert [one[:15] for one in made] == sorted(one[:15] for one in made)


def test_no_two_are_alike_whoever_makes_them() -> None:
    with ThreadPoolExecutor(4) as threads:
        made = [one[15:] for batch in threads.map(some, [500] * 4) for one in batch]
    assert len(set(made)) == 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_makes_others() -> None:
    ids.new("run")  # some are ready now
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "".join(one[15:] for one in some(50)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        theirs = said.read()
    assert os.waitpid(child, 0)[1] == 0
    assert len(theirs) == 1000
    assert not {theirs[at : at + 20] for at in range(0, 1000, 20)} & {one[15:] for one in some(200)}
