import pytest

from hearth_lsp.document import Change
from hearth_lsp.documents import Documents, path_of

pytestmark = pytest.mark.unit


def test_a_file_is_called_by_its_path_from_the_folder() -> None:
    documents = Documents()
    documents.set_folders(["file:///w", "file:///w/deep/er"])
    assert documents.name("file:///w/a%20b.py") == "a b.py"
    assert documents.name("file:///w/deep/er/x.py") == "x.py"
    assert documents.name("file:///elsewhere/x.py") == "x.py"
    assert documents.name("untitled:Untitled-1") == "Untitled-1"
    assert documents.name("") == ""


def test_a_file_belongs_to_the_innermost_folder_that_holds_it() -> None:
    documents = Documents()
    documents.set_folders(["file:///w", "file:///w/deep/er/"])
    assert documents.project("file:///w/a.py") == "w"
    assert documents.project("file:///w/deep/er/x.py") == "er"
    assert documents.project("file:///elsewhere/x.py") == ""


def test_the_last_used_comes_first() -> None:
    documents = Documents()
    for name in "abc":
        documents.open(f"file:///{name}", name, 1, "")
    documents.touch("file:///a")
    documents.change("file:///b", [Change("B")], 2)
    assert [document.uri[-1] for document in documents.others("file:///c")] == ["b", "a"]


def test_an_unknown_file_is_nobody() -> None:
    documents = Documents()
    documents.change("file:///x", [Change("y")], 1)
    documents.close("file:///x")
    documents.touch("file:///x")
    assert documents.get("file:///x") is None


@pytest.mark.parametrize("uri", ["", "::", "file://[", "http://[::1", "a b", "\ud83d"])
def test_no_uri_breaks_it(uri: str) -> None:
    assert isinstance(path_of(uri), str)
