"""The `scripted` provider."""

import asyncio
import json

import pytest

from regista.core.errors import ConfigurationError, ProviderError, StreamCutError
from regista.core.nouns import Delta, Message, Request, Usage
from regista.models.providers.scripted import Scripted


def ask(question: str = "Who leads?", *more: Message, stream: bool = True) -> Request:
    return Request("any", (Message("system", "be brief"), Message("user", question), *more), stream)


async def collect(provider: Scripted, request: Request) -> list[Delta]:
    return [delta async for delta in provider.generate(request)]


async def say(provider: Scripted, request: Request) -> str:
    return "".join(delta.text for delta in await collect(provider, request))


async def test_answers_come_in_turn() -> None:
    provider = Scripted(("one", "two"))
    assert [await say(provider, ask()) for _ in range(3)] == ["one", "two", "one"]


async def test_an_answer_is_chosen_by_what_the_question_contains() -> None:
    provider = Scripted(("Leaders are A.", "Ask about the table."), ("LEADS", ""))
    assert await say(provider, ask("Who leads?")) == "Leaders are A."
    assert await say(provider, ask("What else?")) == "Ask about the table."


async def test_a_question_without_an_answer_is_an_error_that_names_it() -> None:
    with pytest.raises(ProviderError, match="no answer to 'What else"):
        await say(Scripted(("a",), ("leads",)), ask("What else?"))


async def test_a_stream_comes_in_pieces_and_a_whole_answer_in_one() -> None:
    provider = Scripted(("twelve chars",), chunk=5)
    assert [delta.text for delta in await collect(provider, ask())] == ["twelv", "e cha", "rs"]
    assert [delta.text for delta in await collect(provider, ask(stream=False))] == ["twelve chars"]


async def test_usage_counts_words() -> None:
    last = (await collect(Scripted(("three more words",)), ask("Who leads?")))[-1]
    assert (last.finish, last.usage) == ("stop", Usage(4, 3))


@pytest.mark.parametrize("stream", [True, False])
async def test_tools_are_called_step_by_step_and_then_it_answers(stream: bool) -> None:
    provider = Scripted(("done",), calls=('table {"round": 3}', "now"))
    results: list[Message] = []
    for name, arguments in (("table", {"round": 3}), ("now", {})):
        deltas = await collect(provider, ask("Who leads?", *results, stream=stream))
        parts = [part for delta in deltas for part in delta.tool_calls]
        assert "".join(part.name for part in parts) == name
        assert json.loads("".join(part.arguments for part in parts)) == arguments
        assert deltas[-1].finish == "tool_calls"
        results.append(Message("tool", "rows", {"tool_call_id": parts[0].id}))
    assert await say(provider, ask("Who leads?", *results)) == "done"
    assert (await collect(provider, ask("Who leads?", *results, Message("user", "Again?"))))[-1].finish == "tool_calls"


async def test_it_fails_before_the_first_piece() -> None:
    with pytest.raises(ProviderError, match="as its option says"):
        await anext(Scripted(fail="error").generate(ask()))


@pytest.mark.parametrize(("chunk", "said"), [(0, ""), (2, "ab")])
async def test_it_breaks_off_half_way(chunk: int, said: str) -> None:
    got: list[Delta] = []
    with pytest.raises(StreamCutError):
        async for delta in Scripted(("abcd",), chunk=chunk, fail="cut").generate(ask()):
            got.append(delta)
    assert "".join(delta.text for delta in got) == said
    assert all(delta.finish is None for delta in got)


async def test_a_silent_one_can_be_cancelled() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(Scripted(fail="slow").generate(ask()))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"fail": "slwo"}, "Did you mean 'slow'"),
        ({"contains": ("a", "b")}, "1 answers and 2 contains"),
        ({"answers": ()}, "at least one"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Scripted(**options)  # pyright: ignore[reportArgumentType]: wrong values are the point
