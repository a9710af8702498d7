"""Makes small GGUF files with random weights, so that real llama.cpp can be tested without a download.

The tokenizer is real (byte-level BPE trained on Python's standard library), as are the chat template and the
fill-in-the-middle tokens; the weights are seeded noise, so what such a model writes is nonsense. Each file says that
it is a test model: in its name, and by the key `hearth.test_model`.

    python packaging/make_gguf.py FOLDER [--only tiny,small,bert]
"""

import argparse
import functools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gguf
import numpy as np
from gguf import GGUFWriter, TokenType
from gguf.quants import quantize
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

QT = gguf.GGMLQuantizationType
TEST_KEY = "hearth.test_model"
# Must be the split that llama.cpp applies for tokenizer.ggml.pre = "qwen2".
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FIM = {
    "<|fim_prefix|>": gguf.Keys.Tokenizer.FIM_PRE_ID,
    "<|fim_suffix|>": gguf.Keys.Tokenizer.FIM_SUF_ID,
    "<|fim_middle|>": gguf.Keys.Tokenizer.FIM_MID_ID,
    "<|fim_pad|>": gguf.Keys.Tokenizer.FIM_PAD_ID,
    "<|repo_name|>": gguf.Keys.Tokenizer.FIM_REP_ID,
    "<|file_sep|>": gguf.Keys.Tokenizer.FIM_SEP_ID,
}
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *FIM)
USER_DEFINED = ("<tool_call>", "</tool_call>")
TEMPLATE = """\
{%- if tools %}<|im_start|>system
You can call these tools. Answer with <tool_call>{"name": ..., "arguments": {...}}</tool_call> to call one.
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or "" }}
{%- for call in message.tool_calls or [] %}
<tool_call>{{ call.function | tojson }}</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a llama model."""

    vocabulary: int
    corpus: int
    embedding: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    context: int
    seed: int


TINY = Shape(2048, 1_000_000, 96, 4, 6, 2, 256, 4096, 1)
SMALL = Shape(16_000, 8_000_000, 640, 12, 10, 2, 1728, 8192, 2)


def make_llama(
    path: Path, shape: Shape, *, q8: bool = False, template: str | None = TEMPLATE, fim: bool = True
) -> None:
    """Write a llama model. Without `template` or `fim` it lacks what a plain or an older model lacks."""
    words, merges = _train_bpe(shape.vocabulary, shape.corpus)
    vocabulary = _Vocabulary(words, fim)
    writer = _writer(path, "llama", path.stem)
    _llama_keys(writer, shape, len(vocabulary.tokens), q8)
    _bpe_keys(writer, vocabulary, merges, fim)
    if template is not None:
        writer.add_chat_template(template)
    _llama_tensors(_Tensors(writer, shape.seed, q8), shape, vocabulary)
    _finish(writer)


def make_bert(path: Path, *, embedding: int = 64, layers: int = 2, context: int = 512, seed: int = 7) -> None:
    """Write an embedding model: a model file that writes no text."""
    tokens = _train_wordpiece(2000, 500_000)
    writer = _writer(path, "bert", path.stem)
    writer.add_context_length(context)
    writer.add_embedding_length(embedding)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(4 * embedding)
    writer.add_head_count(4)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.CLS)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _wordpiece_keys(writer, tokens)
    _bert_tensors(_Tensors(writer, seed, q8=False), len(tokens), embedding, layers, context)
    _finish(writer)


# -- what every file has


def _writer(path: Path, architecture: str, name: str) -> GGUFWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(str(path), architecture)
    writer.add_name(name)
    writer.add_description("Random weights for Hearth's tests: what it writes is nonsense.")
    writer.add_bool(TEST_KEY, True)
    return writer


def _finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class _Tensors:
    """Seeded noise under tensor names."""

    def __init__(self, writer: GGUFWriter, seed: int, q8: bool) -> None:
        self._writer = writer
        self._noise = np.random.default_rng(seed)
        self._q8 = q8

    def matrix(self, name: str, rows: int, columns: int, scale: float, zero_rows: Sequence[int] = ()) -> None:
        values = self._noise.standard_normal((rows, columns), dtype=np.float32) * np.float32(scale)
        values[list(zero_rows)] = 0
        if self._q8:
            self._writer.add_tensor(name, quantize(values, QT.Q8_0), raw_dtype=QT.Q8_0)
        else:
            self._writer.add_tensor(name, values.astype(np.float16))

    def full(self, name: str, value: float, *shape: int) -> None:
        self._writer.add_tensor(name, np.full(shape, value, np.float32))

    def floats(self, name: str, rows: int, columns: int, scale: float) -> None:
        self._writer.add_tensor(name, (self._noise.standard_normal((rows, columns)) * scale).astype(np.float32))


# -- the llama model


class _Vocabulary:
    """Words, then special tokens, filled up to a multiple of 32."""

    def __init__(self, words: Sequence[str], fim: bool) -> None:
        control = [token for token in CONTROL if fim or token not in FIM]
        self.tokens = [*words, *control, *USER_DEFINED]
        self.types = [TokenType.NORMAL] * len(words) + [TokenType.CONTROL] * len(control)
        self.types += [TokenType.USER_DEFINED] * len(USER_DEFINED)
        while len(self.tokens) % 32:
            self.tokens.append(f"<|unused_{len(self.tokens)}|>")
            self.types.append(TokenType.UNUSED)
        self.ids = {token: at for at, token in enumerate(self.tokens)}
        self.special = range(len(words), len(self.tokens))


def _llama_keys(writer: GGUFWriter, shape: Shape, vocabulary: int, q8: bool) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.embedding)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.embedding // shape.heads)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if q8 else gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(2)


def _bpe_keys(writer: GGUFWriter, vocabulary: _Vocabulary, merges: Sequence[str], fim: bool) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(list(merges))
    writer.add_bos_token_id(vocabulary.ids["<|endoftext|>"])
    writer.add_eos_token_id(vocabulary.ids["<|im_end|>"])
    writer.add_eot_token_id(vocabulary.ids["<|im_end|>"])
    writer.add_pad_token_id(vocabulary.ids["<|endoftext|>"])
    writer.add_add_bos_token(False)
    for token, key in FIM.items() if fim else ():
        writer.add_uint32(key, vocabulary.ids[token])


def _llama_tensors(tensors: _Tensors, shape: Shape, vocabulary: _Vocabulary) -> None:
    width, wide = shape.embedding, shape.feed_forward
    keys = shape.kv_heads * (width // shape.heads)
    scale = width**-0.5
    tensors.matrix("token_embd.weight", len(vocabulary.tokens), width, 1.0)
    tensors.full("output_norm.weight", 1, width)
    # Zero rows for special tokens: their logit is 0, so greedy text does not end by chance.
    tensors.matrix("output.weight", len(vocabulary.tokens), width, 3 * scale, vocabulary.special)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        tensors.full(block + "attn_norm.weight", 1, width)
        tensors.full(block + "ffn_norm.weight", 1, width)
        tensors.matrix(block + "attn_q.weight", width, width, 1.5 * scale)
        tensors.matrix(block + "attn_k.weight", keys, width, 1.5 * scale)
        tensors.matrix(block + "attn_v.weight", keys, width, scale)
        tensors.matrix(block + "attn_output.weight", width, width, scale)
        tensors.matrix(block + "ffn_gate.weight", wide, width, scale)
        tensors.matrix(block + "ffn_up.weight", wide, width, scale)
        tensors.matrix(block + "ffn_down.weight", width, wide, wide**-0.5)


# -- the embedding model


def _wordpiece_keys(writer: GGUFWriter, tokens: Sequence[str]) -> None:
    ids = {token: at for at, token in enumerate(tokens)}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list(list(tokens))
    writer.add_token_types([TokenType.CONTROL if token in _WORDPIECE_SPECIAL else TokenType.NORMAL for token in tokens])
    writer.add_token_type_count(2)
    writer.add_unk_token_id(ids["[UNK]"])
    writer.add_sep_token_id(ids["[SEP]"])
    writer.add_pad_token_id(ids["[PAD]"])
    writer.add_mask_token_id(ids["[MASK]"])
    writer.add_bos_token_id(ids["[CLS]"])
    writer.add_eos_token_id(ids["[SEP]"])


def _bert_tensors(tensors: _Tensors, vocabulary: int, width: int, layers: int, context: int) -> None:
    scale = width**-0.5
    tensors.matrix("token_embd.weight", vocabulary, width, scale)
    tensors.full("token_types.weight", 0, 2, width)
    tensors.floats("position_embd.weight", context, width, 0.02)
    tensors.full("token_embd_norm.weight", 1, width)
    tensors.full("token_embd_norm.bias", 0, width)
    for layer in range(layers):
        block = f"blk.{layer}."
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors.matrix(block + part + ".weight", width, width, scale)
            tensors.full(block + part + ".bias", 0, width)
        for part in ("attn_output_norm", "layer_output_norm"):
            tensors.full(block + part + ".weight", 1, width)
            tensors.full(block + part + ".bias", 0, width)
        tensors.matrix(block + "ffn_up.weight", 4 * width, width, scale)
        tensors.full(block + "ffn_up.bias", 0, 4 * width)
        tensors.matrix(block + "ffn_down.weight", width, 4 * width, scale / 2)
        tensors.full(block + "ffn_down.bias", 0, width)


# -- tokenizers

_WORDPIECE_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def _corpus(limit: int) -> Iterator[str]:
    """About `limit` characters of the standard library's own source."""
    root = Path(json.__file__).parent.parent
    for path in sorted(root.glob("**/*.py")):
        if limit <= 0:
            return
        if "site-packages" not in path.parts and "test" not in path.parts:
            text = path.read_text("utf-8", "ignore")
            limit -= len(text)
            yield text


@functools.cache
def _train_bpe(size: int, limit: int) -> tuple[list[str], list[str]]:
    """Byte-level BPE: (tokens by id, merges)."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated")
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_corpus(limit), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = cast("Iterable[str | Sequence[str]]", model["merges"])
    return _by_id(model["vocab"]), [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def _train_wordpiece(size: int, limit: int) -> list[str]:
    """llama.cpp marks the start of a word with U+2581, where BERT marks what goes on with ##."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special: list[Any] = list(_WORDPIECE_SPECIAL)
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(_corpus(limit), trainer)
    return [
        word if word in _WORDPIECE_SPECIAL else word[2:] if word.startswith("##") else "▁" + word
        for word in _by_id(tokenizer.get_vocab())
    ]


def _by_id(vocabulary: Mapping[str, int]) -> list[str]:
    return sorted(vocabulary, key=lambda token: vocabulary[token])


def main() -> None:
    """Write the chosen files into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="tiny,small,bert", help="which of tiny, small, bert (commas)")
    options = parser.parse_args()
    for name in options.only.split(","):
        begun = time.perf_counter()
        path = options.folder / f"hearth-test-{name}.gguf"
        if name == "bert":
            make_bert(path)
        else:
            make_llama(path, {"tiny": TINY, "small": SMALL}[name], q8=name == "small")
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB in {time.perf_counter() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
