"""The policies that embed: classes told by examples, and a strong model where it is worth it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.serve.router.conftest import Ask

from regista.core.errors import ConfigurationError
from regista.serve.router.learned import Learned
from regista.serve.router.semantic import Class, Semantic
from regista.serve.routing import HEAD, strength
from regista.serve.routing.strength import Strength
from regista.serve.routing.vectors import Questions

BILLS = ("my invoice is wrong", "send the invoice again", "the invoice has a mistake", "an invoice is missing",
         "correct the invoice please")  # fmt: skip
PARCELS = ("my parcel is late", "where is the parcel", "the parcel never came", "a parcel is lost",
           "track the parcel please")  # fmt: skip
CLASSES = {"billing": Class("small", BILLS), "parcels": Class("large", PARCELS)}


class Kept:
    """Heads in a dictionary."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.bodies.get(key)

    def put(self, key: str, body: bytes) -> None:
        self.bodies[key] = body


async def semantic(questions: Questions, heads: Kept | None = None) -> Semantic:
    policy = Semantic(CLASSES, questions=questions, heads=heads)
    await policy.prepare()
    return policy


async def test_a_question_goes_to_its_classs_model_and_the_next_classs_is_the_runner_up(
    ask: Ask, questions: Questions
) -> None:
    choice = await (await semantic(questions)).choose(ask("please correct my invoice"))
    assert (choice.model, choice.runner_up) == ("small", "large")
    assert choice.reason.startswith("billing") and choice.scores["billing"] > choice.scores["parcels"]


async def test_a_question_like_no_class_is_passed_on(ask: Ask, questions: Questions) -> None:
    choice = await (await semantic(questions)).choose(ask("zebra quagga okapi"))
    assert choice.model == "" and "like no class" in choice.reason


async def test_no_question_is_no_class(ask: Ask, questions: Questions) -> None:
    assert (await (await semantic(questions)).choose(ask(" "))).reason == "there is no question"


async def test_the_same_examples_are_trained_on_once(questions: Questions) -> None:
    heads = Kept()
    first = await semantic(questions, heads)
    (key,) = heads.bodies
    second = await semantic(questions, heads)
    assert second.intents == first.intents
    heads.bodies[key] = b"another version's"
    assert (await semantic(questions, heads)).intents == first.intents


def test_one_example_in_two_classes_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="two classes, 'a' and 'b'"):
        Semantic({"a": Class("x", ("hello",)), "b": Class("y", ("hello",))})


def test_one_class_tells_nothing_apart() -> None:
    with pytest.raises(ConfigurationError, match="two classes at least"):
        Semantic({"a": Class("x", ("hello",))})


async def trained(folder: Path, questions: Questions) -> Strength:
    """A head by which invoices are easy and parcels hard."""
    vectors = np.concatenate([await questions.vector(text) for text in (*BILLS, *PARCELS)])
    easy = np.array([True] * len(BILLS) + [False] * len(PARCELS))
    text, scores = strength.train(vectors, easy, np.arange(len(easy)))
    found = Strength("hashed-384-v1", "large", "small", "", "", 10, 5, text, tuple(sorted(scores.tolist())))
    path = folder / HEAD
    path.parent.mkdir()
    path.write_bytes(msgspec.json.encode(found))
    return found


async def learned(folder: Path, questions: Questions, share: float = 0.5) -> Learned:
    policy = Learned("large", "small", share, questions=questions, folder=folder)
    await policy.prepare()
    return policy


async def test_the_strong_model_gets_what_the_weak_one_is_unlikely_to_answer(
    ask: Ask, questions: Questions, tmp_path: Path
) -> None:
    await trained(tmp_path, questions)
    policy = await learned(tmp_path, questions)
    easy, hard = await policy.choose(ask("an invoice, please")), await policy.choose(ask("the parcel is lost"))
    assert (easy.model, easy.runner_up) == ("small", "large") and (hard.model, hard.runner_up) == ("large", "small")
    assert easy.score is not None and hard.score is not None and easy.score > hard.score


@pytest.mark.parametrize(("share", "model"), [(0.0, "small"), (1.0, "large")])
async def test_the_ends_of_the_share_are_one_model_for_all(
    ask: Ask, questions: Questions, tmp_path: Path, share: float, model: str
) -> None:
    await trained(tmp_path, questions)
    policy = await learned(tmp_path, questions, share)
    assert {(await policy.choose(ask(text))).model for text in (*BILLS, *PARCELS)} == {model}


async def test_where_the_weak_model_cannot_take_it_the_strong_one_answers(
    ask: Ask, questions: Questions, tmp_path: Path
) -> None:
    await trained(tmp_path, questions)
    choice = await (await learned(tmp_path, questions)).choose(ask("an invoice", names=("large",)))
    assert choice.model == "large" and choice.reason == "small cannot take it"


async def test_without_a_head_it_says_how_to_train_one(questions: Questions, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="regista route train"):
        await learned(tmp_path, questions)


async def test_a_head_of_another_embedders_vectors_is_refused(questions: Questions, tmp_path: Path) -> None:
    found = await trained(tmp_path, questions)
    other = msgspec.structs.replace(found, embedder="minilm@00000000")
    (tmp_path / HEAD).write_bytes(msgspec.json.encode(other))
    with pytest.raises(ConfigurationError, match="trained on vectors of minilm@00000000"):
        await learned(tmp_path, questions)


@pytest.mark.parametrize(("strong", "weak"), [("", "small"), ("large", ""), ("small", "small")])
def test_two_models_are_needed(strong: str, weak: str) -> None:
    with pytest.raises(ConfigurationError, match="two models"):
        Learned(strong, weak)


async def test_many_questions_are_embedded_ahead_and_told(questions: Questions) -> None:
    told: list[int] = []
    await questions.prepare(["a", "b", "a", *map(str, range(100))], told.append)
    assert sum(told) == 102
    assert np.array_equal(await questions.vector("a"), await questions.embedding.embed(["a"]))
