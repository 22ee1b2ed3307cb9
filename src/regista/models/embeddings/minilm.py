"""all-MiniLM-L6-v2 as int8 ONNX on onnxruntime: meaning in 384 numbers, on one CPU thread, without torch.

The file is made by `python -m regista.models.prepare`; the one that the model's own repository
publishes has the same inputs and output and serves as well. The model reads English best, and of a
text only its first 256 tokens (about 190 words).

Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), after Wang et al.
2020, https://arxiv.org/abs/2002.10957.
"""

# onnxruntime ships no types: what is used of it is typed here as `_Session`.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from regista.core.digest import digest_bytes
from regista.core.errors import ConfigurationError, MissingExtraError
from regista.core.registry import option
from regista.models.embeddings import embedders
from regista.models.weights import MINILM, MODEL_FILE, TOKENIZER_FILE, is_complete, models_folder

try:
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer
except ImportError as error:
    raise MissingExtraError("The embedder 'minilm'", error.name or "onnxruntime", "rag") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from regista.models.embeddings import Vectors

ONLY_ERRORS = 3
LETTERS_A_TOKEN = 64
"""More than a token has, spaces included: spares the tokenizer what would be cut off anyway."""


@embedders.add
@dataclass
class MiniLM:
    """Embeds by the mean of the last layer's tokens. `name` ends in the digest of the model file used."""

    folder: str = option("", "Folder of embedding models. Empty: the setting `models`.")
    threads: int = option(1, "Threads of one inference. More shorten a long batch at some cost in CPU time.")
    max_tokens: int = option(256, "Tokens of a text that are read; the model was trained with 128, it takes 512.")
    name: str = field(init=False)
    dimensions: int = field(init=False, default=384)

    def __post_init__(self) -> None:
        model = models_folder(self.folder) / MINILM
        if not is_complete(model):
            raise ConfigurationError(
                f"The embedding model is not at {model}. Type: python -m regista.models.prepare"
                " (or choose the embedder 'hashed', which needs no model)."
            )
        graph = (model / MODEL_FILE).read_bytes()
        self.name = f"{MINILM}@{digest_bytes(graph)[:8]}"
        try:
            self._session = _session(graph, self.threads)
            self._tokenizer = _tokenizer(str(model / TOKENIZER_FILE), self.max_tokens)
        except Exception as error:
            raise ConfigurationError(
                f"The embedding model at {model} cannot be read ({error})."
                " Delete that folder and type: python -m regista.models.prepare"
            ) from error
        self._inputs = [tensor.name for tensor in self._session.get_inputs()]

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of shape (texts, 384), each of unit length, the same bits whatever stands beside a text.

        Each text is inferred alone. Dynamic quantisation takes its scale from the whole batch, so in a
        batch a text's vector would move with its neighbours: by as much as cosine 0.97 for short texts.
        On one thread a batch saves little: 15 % for sentences, nothing for passages, which it pads.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        heads = [text[: self.max_tokens * LETTERS_A_TOKEN] for text in texts]
        for row, encoding in enumerate(self._tokenizer.encode_batch(heads)):
            vectors[row] = self._infer(encoding.ids)
        return vectors

    def _infer(self, tokens: list[int]) -> "NDArray[np.float32]":
        """The direction of the mean of the tokens' last layer, shape (384,)."""
        ids = np.array([tokens], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        outputs = self._session.run(None, {name: feed[name] for name in self._inputs})
        total = outputs[0][0].sum(axis=0)
        return total / np.linalg.norm(total)


class _Input(Protocol):
    name: str


class _Session(Protocol):
    def get_inputs(self) -> Sequence[_Input]: ...

    def run(
        self, outputs: Sequence[str] | None, feed: "Mapping[str, NDArray[np.int64]]"
    ) -> "Sequence[NDArray[np.float32]]": ...


def _session(graph: bytes, threads: int) -> _Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ONLY_ERRORS
    return cast("_Session", onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]))


def _tokenizer(path: str, max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
