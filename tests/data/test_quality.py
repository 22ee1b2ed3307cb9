from hypothesis import given
from hypothesis import strategies as st
from tests.store.test_rollups import trace

from regista.data.dataset import Example, same
from regista.data.from_traces import example_of
from regista.data.quality import BANDS, NEAR, band, quality
from regista.text.words import words

DAY = 86_400 * 10**9
WORDS = st.sampled_from(["parcel", "where", "is", "my", "refund", "late", "order", "12", "the", "?"])


def asked(question: str, n: int = 1, **changes: object) -> Example:
    return example_of(trace(n, n, question=question, answer="Yes.", **changes))


def test_questions_that_say_the_same_are_counted_once_exactly_and_once_nearly() -> None:
    texts = ["Where is my parcel?", "where  IS my parcel?", "Where is my parcel now?", "May I pay by card?"]
    found = quality([asked(text) for text in texts])
    assert (found.examples, found.read, found.exact, found.near) == (4, 4, 1, 1)


def test_examples_are_counted_by_model_status_variant_and_length() -> None:
    found = quality([asked("a" * 100, model="large"), asked("short", model="small", status="error")])
    assert found.counts["model"] == {"large": 1, "small": 1}
    assert found.counts["status"] == {"ok": 1, "error": 1} and found.counts["length"] == {"80-400": 1, "0-80": 1}


def test_age_is_that_of_the_traces() -> None:
    now = 200 * DAY
    found = quality([asked(f"Question {day}?", started_ns=day * DAY) for day in (1, 109, 111, 199)])
    assert [found.older(now, 90), found.older(now, 2), found.older(now, 0)] == [2, 3, 4]


@given(st.integers(0, 10_000))
def test_every_length_has_one_band(length: int) -> None:
    (low, high) = next((low, high) for low, high in BANDS if low <= length and (length < high or not high))
    assert band(length) == f"{low}-{high or ''}"


@given(st.lists(st.lists(WORDS, min_size=1, max_size=7).map(" ".join), max_size=14))
def test_near_duplicates_are_those_that_comparing_each_with_each_finds(texts: list[str]) -> None:
    kept: list[set[str]] = []
    distinct = list(dict.fromkeys(map(same, texts)))
    for text in distinct:
        plain = f" {' '.join(words(text))} "
        own = {plain[at : at + 3] for at in range(len(plain) - 2)} or {plain}
        if not any(len(own & other) / len(own | other) >= NEAR for other in kept):
            kept.append(own)
    found = quality([asked(text) for text in texts])
    assert (found.exact, found.near) == (len(texts) - len(distinct), len(distinct) - len(kept))
