"""The two heads over vectors: classes told by examples, and when a weak model suffices."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import ConfigurationError
from regista.models.embeddings import embedders
from regista.models.weights import MINILM, is_complete, models_folder
from regista.serve.routing import intents, strength
from regista.serve.routing.strength import Strength, threshold

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors

FILE = Path(__file__).parents[3] / "benchmarks" / "router" / "intents.toml"
needs_minilm = pytest.mark.skipif(
    not is_complete(models_folder("") / MINILM), reason="needs the model: python -m regista.models.prepare"
)


def labelled() -> tuple[list[str], list[str], list[int], list[str]]:
    """Classes, examples, the class of each, and questions that are of none."""
    table: dict[str, Any] = tomllib.loads(FILE.read_text("utf-8"))
    classes = list(table["intents"])
    pairs = [(at, text) for at, name in enumerate(classes) for text in table["intents"][name]]
    return classes, [text for _, text in pairs], [at for at, _ in pairs], table["other"]["questions"]


@needs_minilm
def test_intents_of_the_labelled_set_are_told_and_strangers_are_often_passed_on() -> None:
    classes, examples, of, others = labelled()
    embedder = embedders.build("minilm")
    found = intents.train(embedder.embed(examples), classes, of)
    right = sum(found.trial.right) / len(of)
    assert len(classes) >= 8 and min(of.count(at) for at in set(of)) >= 25
    assert right >= 0.8, "the figures of benchmarks/router are about .84"
    reader, least = found.reader(), found.threshold(0.1)
    strangers = [reader.find(vector[None]).likeness < least for vector in embedder.embed(others)]
    assert sum(strangers) / len(strangers) >= 0.4
    assert sum(alike < least for alike in found.trial.likeness) / len(of) == pytest.approx(0.1, abs=0.01)


def clouds(seed: int, of: list[int], dimensions: int = 16) -> "Vectors":
    random = np.random.default_rng(seed)
    centres = 3 * random.normal(size=(max(of) + 1, dimensions))
    vectors = centres[of] + random.normal(size=(len(of), dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_head_survives_being_written_and_read() -> None:
    of = [0, 1, 2] * 6
    vectors = clouds(0, of)
    found = intents.train(vectors, ["a", "b", "c"], of)
    again = intents.decode(intents.encode(found))
    assert again == found and again is not None
    assert again.reader().find(vectors[:1]) == found.reader().find(vectors[:1])
    assert intents.decode(b"\x93\x01\x02\x03") is None


def test_a_question_is_taken_for_the_class_it_is_like_and_the_next_is_told() -> None:
    of = [0, 1, 2] * 6
    vectors = clouds(1, of)
    reader = intents.train(vectors, ["a", "b", "c"], of).reader()
    found = reader.find(vectors[1:2])
    assert found.name == "b" and found.second in ("a", "c") and sum(found.shares.values()) == pytest.approx(1)


def test_the_confusion_counts_every_example_once() -> None:
    of = [0, 1, 2] * 10
    trial = intents.train(clouds(2, of, 3), ["a", "b", "c"], of).trial
    assert [sum(row) for row in trial.confusion] == [10, 10, 10]
    assert sum(trial.confusion[at][at] for at in range(3)) == sum(trial.right)


@pytest.mark.parametrize(("of", "message"), [([0] * 9, "two classes"), ([0] * 9 + [1] * 3, "'b' has 3 examples")])
def test_too_few_classes_or_examples_are_refused(of: list[int], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        intents.train(clouds(3, of), ["a", "b"][: max(of) + 1], of)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200, unique=True), st.floats(0, 1))
def test_a_threshold_gives_the_share_that_is_wanted_on_what_it_was_calibrated_on(
    scores: list[float], share: float
) -> None:
    ascending = sorted(round(score, 6) for score in scores)
    strong = sum(score < threshold(ascending, share) for score in ascending) / len(ascending)
    ties = max(ascending.count(score) for score in ascending)
    assert abs(strong - share) <= (0.5 + ties) / len(ascending) + 1e-9


def test_no_share_calls_nobody_and_the_whole_share_everybody() -> None:
    scores = (0.0, 0.2, 1.0)
    assert not any(score < threshold(scores, 0.0) for score in scores)
    assert all(score < threshold(scores, 1.0) for score in scores)


def test_a_trained_head_tells_what_it_can_and_holds_cases_out_with_their_cluster() -> None:
    random = np.random.default_rng(0)
    vectors = clouds(4, [0] * 300)
    suffices = vectors[:, 0] + 0.01 * random.normal(size=300) > np.median(vectors[:, 0])
    text, scores = strength.train(vectors, suffices, np.arange(300))
    assert np.mean((scores > 0.5) == suffices) > 0.8
    found = Strength("e", "s", "w", "x", "y", 300, int(suffices.sum()), text, tuple(sorted(scores.tolist())))
    assert np.mean((found.head().probabilities(vectors)[:, 1] > 0.5) == suffices) > 0.8
    # Where a cluster's cases are one vector, a head that saw one of them would know the others by heart.
    doubled = np.repeat(clouds(5, [0] * 40), 2, axis=0)
    by_chance = np.repeat(random.integers(0, 2, 40).astype(bool), 2)
    _, held = strength.train(doubled, by_chance, np.repeat(np.arange(40), 2))
    assert np.mean((held > 0.5) == by_chance) < 0.75


@pytest.mark.parametrize(("suffices", "message"), [([True] * 6, "nothing to learn"), ([False] * 6, "never sufficed")])
def test_one_kind_of_case_teaches_nothing(suffices: list[bool], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        strength.train(clouds(6, [0] * 6), np.array(suffices), np.arange(6))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"embedder": 1}', b"\xff", b"[" * 10_000])
def test_a_file_that_is_no_head_says_so(body: bytes) -> None:
    with pytest.raises(ConfigurationError, match="no trained head"):
        strength.read(body)
