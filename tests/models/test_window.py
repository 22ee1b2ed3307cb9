"""What surely does not fit is refused; what may fit is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import RequestError
from regista.core.nouns import Message, Request
from regista.models.window import check, may_exceed


def asking(*texts: str) -> Request:
    return Request("m", tuple(Message("user", text) for text in texts))


async def test_more_words_than_tokens_in_the_window_are_refused_with_counts() -> None:
    request = asking("word " * 900, "word " * 200)
    assert may_exceed(request, 1000)
    with pytest.raises(RequestError, match=r"about 1,3\d\d tokens, and the window of openai/m has 1,000") as caught:
        await check(request, 1000, "openai/m")
    assert caught.value.code == "context_length_exceeded"


async def test_as_many_words_as_the_window_may_fit() -> None:
    await check(asking("word " * 1000), 1000, "openai/m")
    await check(asking("a" * 16_000), 1000, "openai/m")


async def test_one_word_without_an_end_is_refused_too() -> None:
    with pytest.raises(RequestError):
        await check(asking("a" * 16_016), 1000, "openai/m")


async def test_pictures_are_not_counted_by_their_bytes() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    request = Request("m", (Message("user", [{"type": "text", "text": "What is this?"}, picture]),))
    assert not may_exceed(request, 1000)


@given(st.lists(st.text(), max_size=5), st.integers(1, 40))
async def test_what_is_not_looked_at_would_have_passed(texts: list[str], window: int) -> None:
    request = asking(*texts)
    if not may_exceed(request, window):
        await check(request, window, "m")
