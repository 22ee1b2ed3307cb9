"""Every embedder gives unit vectors that depend on nothing but the text; MiniLM's know meaning."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.core.errors import ConfigurationError
from regista.models.embeddings import Embedder, embedders
from regista.models.minilm_graph import write_float32
from regista.models.weights import MINILM, MODEL_FILE, TOKENIZER_FILE

NAMES = embedders.names()
TEXTS = [
    "The holding midfielder wins the ball back in front of his defence.",
    "A defensive midfield player recovers possession ahead of the back line.",
    "Bake the dough in a hot oven for forty minutes.",
    "Wing flow over a slender body at supersonic speed.",
    "hi",
    "",
]


@cache
def built(name: str) -> Embedder:
    return embedders.build(name)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("name", NAMES)
def test_vectors_have_the_shape_and_length_that_are_promised(name: str):
    embedder = embedders.build(name)
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.name
    assert embedder.embed([]).shape == (0, embedder.dimensions)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(max_size=200), others=st.lists(st.sampled_from(TEXTS), max_size=3))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_vector_is_the_same_bits_whatever_stands_beside_its_text(name: str, text: str, others: list[str]):
    embedder = built(name)
    alone = embedder.embed([text])[0]
    beside = embedder.embed([*others, text])[-1]
    assert np.array_equal(alone, beside)


def test_hashed_vectors_are_the_same_in_every_process():
    code = (
        "import sys; from regista.models.embeddings import embedders;"
        "sys.stdout.buffer.write(embedders.build('hashed').embed(['Jonjo Shelvey']).tobytes())"
    )
    runs = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}
    assert runs == {built("hashed").embed(["Jonjo Shelvey"]).tobytes()}


def test_hashed_vectors_bring_misspelt_names_together():
    right, wrong, other = embedders.build("hashed").embed(["Wijnaldum", "Wijnaldun", "Shelvey"])
    assert right @ wrong > 0.5 > right @ other


def test_minilm_tells_a_paraphrase_from_another_subject(models: Path):
    holding, paraphrase, baking, flow = embedders.build("minilm", folder=str(models)).embed(TEXTS[:4])
    assert holding @ paraphrase > 0.6
    assert max(holding @ baking, holding @ flow) < 0.2


def test_int8_vectors_are_close_to_those_of_the_original_weights(models: Path, weights: Path, tmp_path: Path):
    folder = tmp_path / MINILM
    folder.mkdir()
    write_float32(weights / "model.safetensors", folder / MODEL_FILE)
    (folder / TOKENIZER_FILE).write_bytes((weights / TOKENIZER_FILE).read_bytes())
    exact = embedders.build("minilm", folder=str(tmp_path)).embed(TEXTS[:4])
    small = embedders.build("minilm", folder=str(models)).embed(TEXTS[:4])
    assert (exact * small).sum(axis=1).min() > 0.98


def test_minilm_reads_no_more_than_its_tokens(models: Path):
    minilm = embedders.build("minilm", folder=str(models))
    head = "word " * 300
    assert np.array_equal(minilm.embed([head]), minilm.embed([head + "another ending " * 100_000]))


def test_a_model_that_is_not_there_says_how_to_make_it(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"python -m regista\.models\.prepare"):
        embedders.build("minilm", folder=str(tmp_path))


def test_a_broken_model_file_says_how_to_make_it_again(tmp_path: Path):
    (tmp_path / MINILM).mkdir()
    for file in (MODEL_FILE, TOKENIZER_FILE):
        (tmp_path / MINILM / file).write_bytes(b"cut")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        embedders.build("minilm", folder=str(tmp_path))
