"""The semantic cache: serves what is near, the same, calibrated and alive; learns from what is answered afresh."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.errors import OverloadedError
from regista.core.nouns import Response
from regista.models.embeddings import embedders
from regista.serve.caches import semantic
from regista.serve.caches.keys import question_key
from regista.serve.caches.semantic import Look, SemanticCache
from regista.store.caches import Calibration

HASHED = embedders.build("hashed")
PLACE, OTHER = b"p" * 16, b"o" * 16
YES = Response("Canberra.", finish="stop")
ASKED, AGAIN = "What is the capital of Australia?", "Which is the capital of Australia?"


async def embed(texts: Sequence[str]) -> Any:
    return HASHED.embed(texts)


async def same_text(question: str, fresh: Response, kept: Response) -> bool:
    return fresh.text == kept.text


def made(threshold: float | None = 0.7, **changes: Any) -> Calibration:
    return replace(Calibration("hashed", threshold, 0.01, 0.05, 300, 0, "sample", 1), **changes)


def cache(calibration: Calibration | None = None, **options: Any) -> SemanticCache:
    options = {"entries": 100, "ttl_s": 60.0, "share": 0.0, **options}
    opened = SemanticCache(embed, "hashed", same_text, **options)
    opened.calibration = calibration
    return opened


async def asked(cache: SemanticCache, question: str, place: bytes = PLACE, draw: float = 0.5) -> Look:
    return await cache.look(place, question, draw)


async def keep(cache: SemanticCache, question: str = ASKED, response: Response = YES, place: bytes = PLACE) -> None:
    cache.keep(await asked(cache, question, place), response)


async def test_the_same_question_in_other_words_is_a_hit_that_says_for_what_it_was_kept() -> None:
    opened = cache(made())
    await keep(opened)
    look = await asked(opened, AGAIN)
    assert look.decision == "hit" and look.kept is not None
    assert (look.kept.row.question, look.kept.response) == (ASKED, YES)
    assert 0.7 <= look.likeness <= 1


async def test_nothing_is_served_before_it_is_calibrated_nor_after_it_was_ended() -> None:
    for calibration in (None, made(None), made(off="too many false hits")):
        opened = cache(calibration)
        await keep(opened)
        look = await asked(opened, AGAIN)
        assert (look.decision, look.reason) == ("sample", "not calibrated")


async def test_below_the_threshold_is_a_miss() -> None:
    opened = cache(made(0.99))
    await keep(opened)
    look = await asked(opened, AGAIN)
    assert (look.decision, look.reason) == ("miss", "below the threshold")


async def test_a_share_of_what_lies_near_is_answered_afresh_whatever_the_threshold() -> None:
    for threshold in (0.7, 0.99):
        opened = cache(made(threshold), share=0.05)
        await keep(opened)
        assert (await asked(opened, AGAIN, draw=0.04)).decision == "sample"
        assert (await asked(opened, AGAIN, draw=0.05)).decision != "sample"


async def test_what_the_rules_tell_apart_is_a_miss_that_says_why() -> None:
    opened = cache(made())
    await keep(opened, "What are the top 5 sights in Vienna?")
    look = await asked(opened, "What are the top 10 sights in Vienna?")
    assert look.decision == "miss" and look.reason == "another number in another question"


async def test_a_likelier_one_further_off_is_served_before_a_nearer_one_that_differs() -> None:
    opened = cache(made())
    await keep(opened, "What are the top 10 sights in Vienna?", Response("ten"))
    await keep(opened, "Which are the top five sights of Vienna?", Response("five"))
    look = await asked(opened, "What are the top 5 sights in Vienna?")
    assert look.decision == "hit" and look.kept is not None and look.kept.response.text == "five"


async def test_another_place_shares_nothing() -> None:
    opened = cache(made())
    await keep(opened)
    assert (await asked(opened, ASKED, OTHER)).reason == "nothing near"


async def test_another_epoch_shares_nothing() -> None:
    opened = cache(made())
    await keep(opened)
    opened.begin(1)
    assert len(opened) == 0 and (await asked(opened, ASKED)).decision == "miss"
    assert opened.taken()[0] == []


@given(st.integers(-2_000, 2_000))
def test_what_has_expired_is_never_served(milliseconds: int) -> None:
    async def run() -> None:
        opened = cache(made(), ttl_s=milliseconds / 1_000)
        await keep(opened)
        before = time.time_ns()
        look = await asked(opened, AGAIN)
        if look.kept is not None:
            assert look.kept.row.expires_ns > before

    asyncio.run(run())


async def test_the_oldest_go_where_there_is_no_room() -> None:
    opened = cache(made(), entries=2)
    questions = ["How do I open an account?", "How do I boil an egg?", "Who painted the Mona Lisa?"]
    for question in questions:
        await keep(opened, question)
    found = [(await asked(opened, question)).decision for question in questions]
    assert (len(opened), found) == (2, ["miss", "hit", "hit"])


async def test_a_question_asked_again_takes_the_place_of_its_answer() -> None:
    opened = cache(made())
    await keep(opened, response=Response("old"))
    await keep(opened, response=Response("new"))
    look = await asked(opened, AGAIN)
    assert len(opened) == 1 and look.kept is not None and look.kept.response.text == "new"


@pytest.mark.parametrize(
    ("fresh", "same"), [(YES, True), (Response("Sydney.", finish="stop"), False)], ids=["the same", "another"]
)
async def test_a_fresh_answer_is_compared_and_the_label_kept(fresh: Response, same: bool) -> None:
    opened = cache()
    await keep(opened)
    look = await asked(opened, AGAIN)
    opened.learn(look, fresh)
    await opened.settled()
    (label,) = opened.taken()[1]
    assert (label.same, label.asked, label.kept, label.embedder) == (same, AGAIN, ASKED, "hashed")
    assert label.likeness == look.likeness and opened.taken() == ([], [])


async def test_what_could_not_be_stored_is_given_back() -> None:
    opened = cache()
    await keep(opened)
    answers, labels = opened.taken()
    await keep(opened, "How do I boil an egg?")
    opened.give_back(answers, labels)
    assert [row.question for row in opened.taken()[0]] == [ASKED, "How do I boil an egg?"]


async def test_what_others_kept_is_served_and_ones_own_is_not_taken_twice() -> None:
    one, other = cache(made()), cache(made())
    await keep(one)
    rows, _ = one.taken()
    other.absorb(rows)
    one.absorb(rows)
    look = await asked(other, AGAIN)
    assert look.decision == "hit" and look.kept is not None and look.kept.response == YES
    assert (len(one), len(other)) == (1, 1) and rows[0].id == question_key(PLACE, ASKED)


async def test_an_embedder_that_fails_or_hangs_is_a_miss_that_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(texts: Sequence[str]) -> Any:
        raise OverloadedError("2048 texts wait to be embedded.")

    async def hang(texts: Sequence[str]) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(semantic, "PATIENCE_S", 0.01)
    for embedding in (refuse, hang):
        opened = cache(made())
        opened._embed = embedding  # pyright: ignore[reportPrivateUsage]
        look = await asked(opened, ASKED)
        opened.keep(look, YES)
        assert look.decision == "miss" and look.reason.startswith("no vector")
        assert opened.problems == 1 and len(opened) == 0


async def test_a_question_that_cannot_be_taken_apart_is_neither_served_nor_kept() -> None:
    opened = cache(made())
    look = await asked(opened, "Was ist die Hauptstadt von Australien?")
    opened.keep(look, YES)
    assert look.decision == "miss" and len(opened) == 0
