import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.hub_source import RemoteFile, Source, choose, parse, without_shard
from hearth_shared.errors import BadRequest, NotFound

pytestmark = pytest.mark.unit


def files(*names: str) -> list[RemoteFile]:
    return [RemoteFile(name, 1_000_000_000, "") for name in names]


def chosen(source: str, *names: str) -> list[str]:
    return [file.name for file in choose(parse(source), files(*names))]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Qwen/Qwen3-4B-GGUF", Source("Qwen/Qwen3-4B-GGUF")),
        ("a/b:Q4_K_M", Source("a/b", "Q4_K_M")),
        ("a/b:sub/x-Q8_0.gguf", Source("a/b", "sub/x-Q8_0.gguf")),
    ],
)
def test_a_source_is_a_repository_and_perhaps_a_file(text: str, source: Source) -> None:
    assert parse(text) == source
    assert str(source) == text


@given(st.text(max_size=80))
def test_whatever_is_typed_names_a_repository_or_is_refused_with_a_fix(text: str) -> None:
    source = refused = None
    try:
        source = parse(text)
    except BadRequest as error:
        refused = error
    if source is None:
        assert refused is not None
        assert refused.fix
        return
    assert set(source.repo) <= {*string.ascii_letters, *string.digits, *"._-/"}
    assert ".." not in source.repo.split("/")


@pytest.mark.parametrize(
    ("source", "names", "expected"),
    [
        ("a/b", ["x-Q8_0.gguf", "x-Q4_K_M.gguf", "x-F16.gguf"], ["x-Q4_K_M.gguf"]),
        ("a/b", ["only.gguf", "README.md"], ["only.gguf"]),
        ("a/b", ["mmproj-F16.gguf", "x-Q8_0.gguf"], ["x-Q8_0.gguf"]),
        ("a/b:q8_0", ["x.Q8_0.gguf", "x-Q4_K_M.gguf"], ["x.Q8_0.gguf"]),
        ("a/b:x-F16.gguf", ["sub/x-F16.gguf", "x-Q4_K_M.gguf"], ["sub/x-F16.gguf"]),
        (
            "a/b:F16",
            ["x-F16-00002-of-00002.gguf", "x-F16-00001-of-00002.gguf", "x-Q8_0.gguf"],
            ["x-F16-00002-of-00002.gguf", "x-F16-00001-of-00002.gguf"],
        ),
    ],
)
def test_the_file_that_is_meant_is_chosen(source: str, names: list[str], expected: list[str]) -> None:
    assert chosen(source, *names) == expected


@pytest.mark.parametrize(
    ("source", "names", "words"),
    [
        ("a/b", [], "holds no GGUF file"),
        ("a/b", ["model.safetensors"], "holds no GGUF file"),
        ("a/b", ["one.gguf", "two.gguf"], "several files"),
        ("a/b:Q2_K", ["x-Q8_0.gguf"], "no file 'Q2_K'"),
        ("a/b:y.gguf", ["x-Q8_0.gguf"], "no file 'y.gguf'"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(source: str, names: list[str], words: str) -> None:
    with pytest.raises(NotFound, match=words) as refusal:
        chosen(source, *names)
    assert "GGUF" in refusal.value.fix or "1.0 GB" in refusal.value.fix


@given(st.lists(st.text(max_size=30).map(lambda text: text + ".gguf"), max_size=5))
def test_no_name_of_a_repository_leads_out_of_the_folder(names: list[str]) -> None:
    try:
        found = choose(Source("a/b"), files(*names))
    except NotFound:
        return
    for file in found:
        assert "/" not in file.local_name
        assert file.local_name.isprintable()
        assert file.local_name[0] not in ".-~"


def test_parts_of_a_model_share_its_name() -> None:
    assert without_shard("x-F16-00001-of-00002.gguf") == "x-F16.gguf"
