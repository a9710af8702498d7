"""Reading model files with suspicion."""

import random
import struct
from pathlib import Path

import pytest
from gguf.constants import GGML_QUANT_SIZES

from hearth_backend.engine import gguf
from hearth_backend.engine.client import Engine
from hearth_backend.engine.gguf import Facts, read_facts
from hearth_backend.engine.sampling import Sampling
from hearth_shared.errors import BadModelFile, HearthError
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, end_of, heard, user
from support.gguf_files import TINY, bert, generated, patched, pooled, tiny

pytestmark = pytest.mark.engine


def written(folder: Path, content: bytes) -> Path:
    path = folder / "some.gguf"
    path.write_bytes(content)
    return path


def test_a_file_says_what_it_is(tiny_gguf: Path) -> None:
    facts = read_facts(tiny_gguf)
    assert facts == Facts(
        name=TINY,
        architecture="llama",
        context=4096,
        layers=4,
        vocabulary=2080,
        size=tiny_gguf.stat().st_size,
        chat_template=True,
        fim=True,
        writes=True,
        test_model=True,
        shape=facts.shape,
    )


def test_a_file_without_template_and_fim_tokens_says_so() -> None:
    facts = read_facts(generated("hearth-test-plain", tiny(fim=False)))
    assert not facts.fim
    assert not read_facts(generated("hearth-test-bare", tiny(template=None))).chat_template


def test_an_embedding_model_writes_no_text() -> None:
    for facts in (read_facts(generated("hearth-test-bert", bert)), read_facts(generated("hearth-test-pooled", pooled))):
        assert (facts.embeds, facts.writes) == (True, False)
    assert not read_facts(generated(TINY, tiny())).embeds


def test_block_sizes_are_those_of_the_reference_implementation() -> None:
    table = gguf._BLOCKS  # pyright: ignore[reportPrivateUsage]
    assert {int(kind): tuple(size) for kind, size in GGML_QUANT_SIZES.items() if kind in table} == table


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, tiny_gguf: Path, share: float) -> None:
    content = tiny_gguf.read_bytes()
    with pytest.raises(BadModelFile) as refusal:
        read_facts(written(tmp_path, content[: int(len(content) * share)]))
    assert "some.gguf" in refusal.value.detail
    assert refusal.value.fix


def test_how_much_is_missing_is_said(tmp_path: Path, tiny_gguf: Path) -> None:
    with pytest.raises(BadModelFile, match="1,000 of its"):
        read_facts(written(tmp_path, tiny_gguf.read_bytes()[:-1000]))


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "ends in the middle"),
        (b"hello" * 1000, "not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 1), "version is 1"),
        (b"GGUF" + struct.pack(">I", 3), "version is"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "claims to hold"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), "claims to hold"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "names no architecture"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 50) + bytes(64), "a key of"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<I", 99) + bytes(64), "unknown kind 99"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IQ", 8, 1 << 40) + bytes(64), "a length"),
        (
            b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 8, 1 << 60) + bytes(64),
            "a length",
        ),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 9, 1) + bytes(64), "array"),
    ],
)
def test_a_broken_header_is_refused_with_the_cause(tmp_path: Path, content: bytes, cause: str) -> None:
    with pytest.raises(BadModelFile, match=cause):
        read_facts(written(tmp_path, content))


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match="cannot be read"):
        read_facts(tmp_path)


@pytest.mark.logs("hearth_backend.engine.loader", "hearth_backend.engine.supervisor")
async def test_a_mutated_header_never_harms_more_than_the_engine_child(
    models: Path, tmp_path: Path, tiny_gguf: Path
) -> None:
    engine = Engine(EngineSettings(context=512), models, Announced())
    content = tiny_gguf.read_bytes()
    chance = random.Random(4)
    told: list[str] = []
    for _ in range(20):
        mutated = bytearray(content)
        for _ in range(chance.choice((1, 2, 8))):
            mutated[chance.choice((chance.randrange(1100), chance.randrange(59_000, 63_000)))] = chance.randrange(256)
        path = written(tmp_path, bytes(mutated))
        try:
            await heard(engine.chat(str(path), user("hello"), Sampling(max_tokens=2)))
        except HearthError as error:
            told.append(error.detail)
    assert all(told)
    assert len(told) > 5
    assert end_of(await heard(engine.chat(TINY, user("hello"), Sampling(max_tokens=2)))).output_tokens == 2
    await engine.close()


def test_a_number_can_be_patched(tmp_path: Path, tiny_gguf: Path) -> None:
    path = written(tmp_path, patched(tiny_gguf.read_bytes(), "llama.block_count", 3))
    assert read_facts(path).layers == 3
