"""Generates backend/hearth_backend/engine/minilm/*.onnx: graphs over the untouched all-MiniLM-L6-v2 weights.

A graph's initialisers point by offset and length into files beside it (ONNX external data), so a few kB are all
that Hearth ships: no torch, no converted weights. `--check` proves the shipped files fresh. Needs onnx and the
weights' package (the `models` group).
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hearth_backend.engine import minilm_int8, minilm_weights
from hearth_backend.engine.minilm_int8 import LAYERS, Array, Safetensors

HEADS, DIM, EPSILON = 12, 384, 1e-12
MICROSOFT = "com.microsoft"
TARGET = Path(__file__).parent.parent / "backend" / "hearth_backend" / "engine" / "minilm"
_KINDS = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8}


class Graph:
    """Collects nodes and initialisers; each method returns the name of the tensor it made."""

    def __init__(self, weights: Safetensors) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: dict[str, onnx.TensorProto] = {}

    def outputs(self, kind: str, *inputs: str, count: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"t{len(self._nodes)}_{position}" for position in range(count)]
        self._nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.outputs(kind, *inputs, domain=domain, **attributes)[0]

    def const(self, name: str, value: Any) -> str:
        if name not in self._initialisers:
            self._initialisers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def ints(self, name: str, *values: int) -> str:
        return self.const(name, np.array(values, np.int64))

    def weight(self, name: str) -> str:
        """A tensor that lives in the safetensors file itself."""
        first, last = self._weights.table[name]["data_offsets"]
        shape = self._weights.table[name]["shape"]
        place = (minilm_weights.WEIGHTS, self._weights.start + first, last - first)
        return self.external(name, TensorProto.FLOAT, shape, *place)

    def external(self, name: str, kind: int, shape: list[int], file: str, offset: int, length: int) -> str:
        if name not in self._initialisers:
            tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
            for key, value in (("location", file), ("offset", offset), ("length", length)):
                tensor.external_data.add(key=key, value=str(value))
            self._initialisers[name] = tensor
        return name

    def finish(self, last: str, mask: str, domains: list[str]) -> bytes:
        """Mean over the attended tokens, L2 norm, serialise."""
        one = self.ints("axis1", 1)
        attended = self.op("Mul", last, self.op("Unsqueeze", mask, self.ints("axis-1", -1)))
        count = self.op("Max", self.op("ReduceSum", mask, one, keepdims=1), self.const("eps_n", np.float32(1e-9)))
        mean = self.op("Div", self.op("ReduceSum", attended, one, keepdims=0), count)
        square = self.op("ReduceSum", self.op("Mul", mean, mean), one, keepdims=1)
        norm = self.op("Max", self.op("Sqrt", square), self.const("eps_l2", np.float32(1e-12)))
        self._nodes.append(helper.make_node("Div", [mean, norm], ["embedding"]))
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self._nodes,
            "minilm",
            [info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")],
            [info("embedding", TensorProto.FLOAT, ["batch", DIM])],
            list(self._initialisers.values()),
        )
        opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in domains)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="hearth")
        return model.SerializeToString(deterministic=True)


class Plain:
    """The float32 network in operators of opset 17 alone."""

    def __init__(self, weights: Safetensors) -> None:
        self.g = Graph(weights)

    def build(self) -> bytes:
        g = self.g
        x = self._norm(self._embedded(), "embeddings.LayerNorm")
        mask = g.op("Cast", "attention_mask", to=TensorProto.FLOAT)
        hidden = g.op("Sub", g.const("one", np.float32(1)), g.op("Unsqueeze", mask, g.ints("axis12", 1, 2)))
        bias = g.op("Mul", hidden, g.const("minus_big", np.float32(-1e9)))
        for layer in range(LAYERS):
            prefix = f"encoder.layer.{layer}."
            attended = self._linear(self._attention(x, bias, prefix), prefix + "attention.output.dense")
            x = self._norm(g.op("Add", x, attended), prefix + "attention.output.LayerNorm")
            fed = self._linear(self._gelu(self._linear(x, prefix + "intermediate.dense")), prefix + "output.dense")
            x = self._norm(g.op("Add", x, fed), prefix + "output.LayerNorm")
        return g.finish(x, mask, [])

    def _embedded(self) -> str:
        g, prefix = self.g, "embeddings."
        zero, one, two = g.ints("axis0", 0), g.ints("axis1", 1), g.ints("axis2", 2)
        length = g.op("Slice", g.op("Shape", "input_ids"), one, two)
        words = g.op("Gather", g.weight(prefix + "word_embeddings.weight"), "input_ids")
        places = g.op("Slice", g.weight(prefix + "position_embeddings.weight"), zero, length, zero)
        kinds = g.op("Slice", g.weight(prefix + "token_type_embeddings.weight"), zero, one, zero)
        return g.op("Add", g.op("Add", words, places), kinds)

    def _attention(self, x: str, bias: str, prefix: str) -> str:
        g = self.g
        query = self._heads(x, prefix + "attention.self.query", [0, 2, 1, 3])
        key = self._heads(x, prefix + "attention.self.key", [0, 2, 3, 1])
        value = self._heads(x, prefix + "attention.self.value", [0, 2, 1, 3])
        scaled = g.op("Mul", g.op("MatMul", query, key), g.const("scale", np.float32(1 / math.sqrt(DIM // HEADS))))
        share = g.op("Softmax", g.op("Add", scaled, bias), axis=-1)
        joined = g.op("Transpose", g.op("MatMul", share, value), perm=[0, 2, 1, 3])
        return g.op("Reshape", joined, g.ints("merge_heads", 0, 0, DIM))

    def _heads(self, x: str, name: str, order: list[int]) -> str:
        split = self.g.ints("split_heads", 0, 0, HEADS, DIM // HEADS)
        return self.g.op("Transpose", self.g.op("Reshape", self._linear(x, name), split), perm=order)

    def _norm(self, x: str, name: str) -> str:
        g = self.g
        return g.op(
            "LayerNormalization", x, g.weight(name + ".weight"), g.weight(name + ".bias"), axis=-1, epsilon=EPSILON
        )

    def _linear(self, x: str, name: str) -> str:
        g = self.g
        turned = g.op("Transpose", g.weight(name + ".weight"), perm=[1, 0])  # folded once when a session is made
        return g.op("Add", g.op("MatMul", x, turned), g.weight(name + ".bias"))

    def _gelu(self, x: str) -> str:
        g = self.g
        scaled = g.op("Mul", x, g.const("rsqrt2", np.float32(1 / math.sqrt(2))))
        risen = g.op("Add", g.const("one", np.float32(1)), g.op("Erf", scaled))
        return g.op("Mul", g.op("Mul", x, g.const("half", np.float32(0.5))), risen)


class Quantised:
    """The int8 network in onnxruntime's fused operators; its matrices lie in `minilm.int8.bin`."""

    def __init__(self, weights: Safetensors) -> None:
        self.g = Graph(weights)
        for name, value, offset in minilm_int8.layout(weights):
            self._derived(name, value, offset)

    def _derived(self, name: str, value: Array, offset: int) -> None:
        kind = _KINDS[value.dtype.name]
        self.g.external(name, kind, list(value.shape), minilm_int8.FILE, offset, value.nbytes)
        if name.endswith(".s"):
            self.g.const(name.removesuffix(".s") + ".z", np.zeros(len(value), np.int8))

    def build(self) -> bytes:
        g = self.g
        mask = g.op("Cast", "attention_mask", to=TensorProto.INT32)
        x = self._embedded(mask)
        for layer in range(LAYERS):
            prefix = f"encoder.layer.{layer}."
            quantised, scale, zero = g.outputs("DynamicQuantizeLinear", x, count=3)
            qkv = [f"{prefix}qkv.{part}" for part in ("q", "bias", "s", "z")]
            inputs = (quantised, qkv[0], qkv[1], scale, qkv[2], mask, zero, qkv[3])
            attended = g.op("QAttention", *inputs, domain=MICROSOFT, num_heads=HEADS)
            x = self._joined(attended, x, prefix + "attention.output.")
            fed = g.weight(prefix + "intermediate.dense.bias")
            fed = g.op("BiasGelu", self._linear(x, prefix + "intermediate.dense"), fed, domain=MICROSOFT)
            x = self._joined(fed, x, prefix + "output.")
        return g.finish(x, g.op("Cast", "attention_mask", to=TensorProto.FLOAT), [MICROSOFT])

    def _embedded(self, mask: str) -> str:
        g, prefix = self.g, "embeddings."
        ids = g.op("Cast", "input_ids", to=TensorProto.INT32)
        words = g.weight(prefix + "word_embeddings.weight")
        norm = (g.weight(prefix + "LayerNorm.weight"), g.weight(prefix + "LayerNorm.bias"))
        inputs = (ids, "", words, "position", "", *norm, mask)
        return g.outputs("EmbedLayerNormalization", *inputs, count=2, domain=MICROSOFT, epsilon=EPSILON)[0]

    def _linear(self, x: str, name: str) -> str:
        return self.g.op("DynamicQuantizeMatMul", x, *(f"{name}.{part}" for part in "qsz"), domain=MICROSOFT)

    def _joined(self, x: str, skip: str, prefix: str) -> str:
        g = self.g
        norm = (g.weight(prefix + "LayerNorm.weight"), g.weight(prefix + "LayerNorm.bias"))
        inputs = (self._linear(x, prefix + "dense"), skip, *norm, g.weight(prefix + "dense.bias"))
        return g.op("SkipLayerNormalization", *inputs, domain=MICROSOFT, epsilon=EPSILON)


def graphs() -> dict[str, bytes]:
    """Every shipped graph by file name."""
    source = minilm_weights.installed()
    if source is None:
        sys.exit(f"The package {minilm_weights.PACKAGE} is missing: {minilm_weights.FIX}")
    weights = Safetensors(source / minilm_weights.WEIGHTS)
    return {
        minilm_weights.GRAPHS["fp32"]: Plain(weights).build(),
        minilm_weights.GRAPHS["int8"]: Quantised(weights).build(),
    }


def main() -> None:
    """Write the graphs, or with --check compare them with the shipped ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a shipped graph is stale")
    check = parser.parse_args().check
    stale = [name for name, graph in graphs().items() if not _shipped(name, graph)]
    if check and stale:
        sys.exit(f"Stale: {', '.join(stale)}. Run `python packaging/build_minilm_graph.py`.")
    for name in stale:
        (TARGET / name).write_bytes(graphs()[name])
        print(f"wrote {name}")


def _shipped(name: str, graph: bytes) -> bool:
    path = TARGET / name
    return path.is_file() and path.read_bytes() == graph


if __name__ == "__main__":
    main()
