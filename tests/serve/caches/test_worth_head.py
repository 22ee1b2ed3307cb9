"""The head beside the rules: what it was measured for, and that it says nothing of other models' vectors."""

import numpy as np
import pytest

from regista.models.embeddings import embedders
from regista.models.weights import MINILM, is_complete, models_folder
from regista.serve.caches.worth import worth_of
from regista.serve.caches.worth_head import depends

needs_model = pytest.mark.skipif(
    not is_complete(models_folder("") / MINILM), reason="needs the model: python -m regista.models.prepare"
)


@needs_model
def test_it_tells_what_the_rules_do_not() -> None:
    embedder = embedders.build("minilm")
    alone = ["Has flight LH400 landed?", "Which teacher does Ann have?", "Will there be frost overnight?"]
    for_all = ["What is the capital of Mongolia?", "How do I reverse a list in Python?", "Why do cows lie down?"]
    assert {worth_of(question).cause for question in alone} == {""}
    told = [depends(embedder.name, vector) for vector in embedder.embed([*alone, *for_all])]
    assert told == [True] * len(alone) + [False] * len(for_all)


def test_it_says_nothing_of_another_models_vectors() -> None:
    large = np.ones(384, np.float32)
    told = {depends(name, sign * large) for name in ("hashed-384-v1", "other@1") for sign in (-9, 9)}
    assert told == {False}
    assert len({depends(f"{MINILM}@any", sign * large) for sign in (-9, 9)}) == 2
