"""all-MiniLM-L6-v2 as an ONNX graph, node by node, without torch; and its int8 form.

It does not know where weights come from or where models are kept.

The network is the BERT encoder (Devlin et al. 2019, https://arxiv.org/abs/1810.04805) with 6 layers,
384 hidden units and 12 heads. Inputs and output have the names and shapes of the ONNX file that the
model's own repository publishes, so either file serves: `input_ids`, `attention_mask` and
`token_type_ids`, int64 (texts, tokens), give `last_hidden_state`, float32 (texts, tokens, 384).
"""

# The signatures of onnx, onnxruntime and safetensors are typed in part only.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.core.errors import MissingExtraError

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from safetensors.numpy import load_file
except ImportError as error:
    raise MissingExtraError("Preparing the embedding model", error.name or "onnx", "rag,models") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

LAYERS, HIDDEN, HEADS = 6, 384, 12
EPSILON = 1e-12
OPSET, IR = 20, 9
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def write_float32(weights: Path, file: Path) -> None:
    """Write the float32 graph of the weights in a safetensors file."""
    onnx.save(build(load_file(weights)), file)


def quantise(float32: Path, file: Path) -> None:
    """Write the graph of `float32` with int8 weights, a quarter of its size.

    One scale per output channel: one per tensor costs .04 of cosine to the float32 vectors, this .006.
    """
    quantize_dynamic(float32, file, per_channel=True, weight_type=QuantType.QInt8)


def build(weights: "Weights") -> onnx.ModelProto:
    """The float32 graph of `weights`, which bear the names of Hugging Face's `BertModel`. Raises KeyError."""
    graph = _Graph(weights)
    hidden = _embeddings(graph)
    bias = _padding_bias(graph)
    for layer in range(LAYERS):
        hidden = _layer(graph, f"encoder.layer.{layer}", hidden, bias)
    graph.add("Identity", hidden, output="last_hidden_state")
    return graph.model()


def _embeddings(graph: "_Graph") -> str:
    words = graph.add("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    kinds = graph.add("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    length = graph.add("Shape", "input_ids", start=1)
    places = graph.add("Slice", graph.weight("embeddings.position_embeddings.weight"), graph.integers([0]), length)
    return graph.normalised(graph.add("Add", graph.add("Add", words, kinds), places), "embeddings.LayerNorm")


def _padding_bias(graph: "_Graph") -> str:
    """What is added to attention scores, (texts, 1, 1, tokens): 0 for a token, -1e9 for padding."""
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    padding = graph.add("Sub", graph.constant(np.float32(1)), mask)
    bias = graph.add("Mul", padding, graph.constant(np.float32(-1e9)))
    return graph.add("Unsqueeze", bias, graph.integers([1, 2]))


def _layer(graph: "_Graph", name: str, hidden: str, bias: str) -> str:
    attended = graph.dense(_attention(graph, f"{name}.attention.self", hidden, bias), f"{name}.attention.output.dense")
    hidden = graph.normalised(graph.add("Add", attended, hidden), f"{name}.attention.output.LayerNorm")
    wide = graph.add("Gelu", graph.dense(hidden, f"{name}.intermediate.dense"))
    narrow = graph.dense(wide, f"{name}.output.dense")
    return graph.normalised(graph.add("Add", narrow, hidden), f"{name}.output.LayerNorm")


def _attention(graph: "_Graph", name: str, hidden: str, bias: str) -> str:
    """Queries, keys and values are one product, and the scale of the scores is folded into the queries."""
    scale = np.float32((HIDDEN / HEADS) ** -0.5)
    parts = [(graph.weights[f"{name}.{p}.weight"].T, graph.weights[f"{name}.{p}.bias"]) for p in _QKV]
    parts[0] = (parts[0][0] * scale, parts[0][1] * scale)
    product = graph.add("MatMul", hidden, graph.constant(np.concatenate([w for w, _ in parts], 1), f"{name}.qkv"))
    product = graph.add("Add", product, graph.constant(np.concatenate([b for _, b in parts])))
    query, key, value = graph.split(product, 3)
    scores = graph.add("MatMul", _heads(graph, query, (0, 2, 1, 3)), _heads(graph, key, (0, 2, 3, 1)))
    shares = graph.add("Softmax", graph.add("Add", scores, bias), axis=-1)
    mixed = graph.add("MatMul", shares, _heads(graph, value, (0, 2, 1, 3)))
    return graph.add("Reshape", graph.add("Transpose", mixed, perm=(0, 2, 1, 3)), graph.integers([0, 0, HIDDEN]))


_QKV = ("query", "key", "value")


def _heads(graph: "_Graph", tensor: str, order: tuple[int, ...]) -> str:
    """(texts, tokens, 384) as (texts, tokens, heads, 32), its axes put in `order`."""
    return graph.add(
        "Transpose", graph.add("Reshape", tensor, graph.integers([0, 0, HEADS, HIDDEN // HEADS])), perm=order
    )


class _Graph:
    """Nodes and constants in the making; every method returns the name of the tensor it adds."""

    def __init__(self, weights: "Weights") -> None:
        self.weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def split(self, tensor: str, parts: int) -> list[str]:
        outputs = [f"Split_{len(self._nodes)}_{part}" for part in range(parts)]
        self._nodes.append(helper.make_node("Split", [tensor], outputs, axis=-1, num_outputs=parts))
        return outputs

    def dense(self, tensor: str, name: str) -> str:
        """A linear layer; PyTorch keeps its weight as (out, in)."""
        product = self.add("MatMul", tensor, self.constant(self.weights[f"{name}.weight"].T, f"{name}.weight"))
        return self.add("Add", product, self.weight(f"{name}.bias"))

    def normalised(self, tensor: str, name: str) -> str:
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", tensor, scale, shift, axis=-1, epsilon=EPSILON)

    def weight(self, name: str) -> str:
        return self.constant(self.weights[name], name)

    def integers(self, value: list[int]) -> str:
        return self.constant(np.array(value, np.int64), f"integers_{value}")

    def constant(self, value: "np.generic | NDArray[Any]", name: str = "") -> str:
        name = name or f"constant_{len(self._constants)}"
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def model(self) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ("texts", "tokens")) for name in INPUTS]
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ("texts", "tokens", HIDDEN))
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", inputs, [output], list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        onnx.checker.check_model(model)
        return model
