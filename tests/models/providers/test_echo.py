"""The `echo` provider."""

import json

from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Delta, Message, Request, Tool, Usage
from regista.models.providers.echo import Echo


async def collect(provider: Echo, request: Request) -> list[Delta]:
    return [delta async for delta in provider.generate(request)]


async def test_it_says_the_last_user_message_back() -> None:
    messages = (Message("user", "first"), Message("assistant", "a"), Message("user", "the last one"))
    deltas = await collect(Echo(), Request("m", messages))
    assert [(delta.text, delta.finish) for delta in deltas] == [("the last one", "stop")]
    assert deltas[0].usage == Usage(5, 3)


async def test_it_answers_even_when_nobody_asked() -> None:
    assert [(delta.text, delta.finish) for delta in await collect(Echo(), Request("m", ()))] == [("", "stop")]


async def test_it_can_show_all_it_received() -> None:
    request = Request("m", (Message("user", "hi"),), tools=(Tool("t", "d", {}),), rest={"seed": 7})
    received = json.loads((await collect(Echo(received=True), request))[0].text)
    assert received["messages"][0]["content"] == "hi"
    assert received["tools"][0]["name"] == "t"
    assert received["rest"] == {"seed": 7}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9))
async def test_the_pieces_of_a_stream_join_to_the_question(question: str, chunk: int) -> None:
    deltas = await collect(Echo(chunk=chunk), Request("m", (Message("user", question),), stream=True))
    assert "".join(delta.text for delta in deltas) == question
    assert [delta.finish for delta in deltas] == [None] * (len(deltas) - 1) + ["stop"]
