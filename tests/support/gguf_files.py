"""Model files for tests: small GGUFs with random weights, generated once and kept until their generator changes."""

import functools
import hashlib
import importlib.util
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import tools

ROOT = Path(__file__).parents[2]
GENERATOR = ROOT / "packaging" / "make_gguf.py"
TINY = "hearth-test-tiny"


@functools.cache
def generator() -> Any:
    """The project's generator, as a module."""
    spec = importlib.util.spec_from_file_location("make_gguf", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def generated(name: str, make: Callable[[Path], None]) -> Path:
    """A file in the cache, made by `make` when it is not there; whole or not at all."""
    key = hashlib.sha256(GENERATOR.read_bytes() + sys.version.encode()).hexdigest()[:16]
    path = ROOT / ".cache" / "gguf" / key / f"{name}.gguf"
    if not path.exists():
        beside = path.parent / uuid.uuid4().hex / path.name  # the file's name becomes the model's
        make(beside)
        os.replace(beside, path)
        beside.parent.rmdir()
    return path


def tiny(**options: Any) -> Callable[[Path], None]:
    """Makes the tiny model; `template` and `fim` as the generator takes them."""
    return lambda path: generator().make_llama(path, generator().TINY, **options)


def bert(path: Path) -> None:
    """Makes the tiny embedding model."""
    generator().make_bert(path)


def pooled(path: Path) -> None:
    """Makes a language model that was trained to embed: the vector of its last token is the text's."""
    made = generator()
    finish = made._finish

    def with_pooling(writer: Any) -> None:
        writer.add_pooling_type(made.gguf.PoolingType.LAST)
        finish(writer)

    made._finish = with_pooling
    try:
        made.make_llama(path, made.TINY)
    finally:
        made._finish = finish


@pytest.fixture(scope="session")
def tiny_gguf() -> Path:
    """A model of 0.8 million parameters with tokenizer, chat template and fill-in-the-middle tokens."""
    return generated(TINY, tiny())


@pytest.fixture
def models(tmp_path: Path, tiny_gguf: Path) -> Path:
    """A models folder that holds the tiny model; needs llama.cpp."""
    tools.need("llama_cpp")
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / tiny_gguf.name).symlink_to(tiny_gguf)
    return folder


def patched(source: bytes, key: str, value: int) -> bytes:
    """The file with another number under `key` (which holds a u32)."""
    at = source.index(key.encode()) + len(key) + 4  # the value's kind stands between them
    return source[:at] + value.to_bytes(4, "little") + source[at + 4 :]
