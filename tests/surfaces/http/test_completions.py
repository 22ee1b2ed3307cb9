"""`/v1/completions` with the official SDK, unmodified, against a live server."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import httpx2
import openai
import pytest
from tests._upstream import answers
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live
from tests.surfaces.http.test_serving import until

from regista.store import connect, traces

MODELS = ["shop", "openai/good", "anthropic/claude", "echo/any"]


@pytest.fixture
def client(live: Live, upstream: Upstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_what_the_whole_answer_says(client: openai.OpenAI, model: str) -> None:
    whole = client.completions.create(model=model, prompt="hello")
    chunks = list(client.completions.create(model=model, prompt="hello", stream=True))
    assert whole.choices[0].text and whole.choices[0].finish_reason == "stop"
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text
    assert chunks[-1].choices[0].finish_reason == "stop" or model == "shop"
    assert whole.usage is not None and whole.usage.total_tokens > 0


def test_usage_ends_a_stream_when_it_is_asked_for(client: openai.OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.completions.create(model="openai/good", prompt="x", stream=True, stream_options=options))
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == answers.OUTPUT


@pytest.mark.parametrize("stream", [False, True])
def test_every_prompt_and_every_choice_is_an_answer(client: openai.OpenAI, upstream: Upstream, stream: bool) -> None:
    answer: Any = client.completions.create(model="echo/any", prompt=["one", "two"], n=2, stream=stream)
    chunks = list(answer) if stream else [answer]
    texts: dict[int, str] = {}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        texts[choice.index] = texts.get(choice.index, "") + choice.text
    assert texts == {0: "one", 1: "one", 2: "two", 3: "two"}


def test_a_choice_of_a_stream_begins_when_the_one_before_has_ended(
    live: Live, client: openai.OpenAI, upstream: Upstream
) -> None:
    list(client.completions.create(model="openai/slow", prompt=["one", "two", "three"], stream=True))
    with closing(connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")) as database:
        until(lambda: len(traces.recent(database, model="openai/slow")) == 3, "All are stored.")
        found = traces.recent(database, model="openai/slow")[::-1]
    for before, after in pairwise(found):
        assert after.started_ns >= before.started_ns + before.duration_ns // 2, "Their times are their own."


def test_the_usage_is_that_of_all_choices(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.completions.create(model="openai/good", prompt=["one", "two"], n=2)
    assert answer.usage is not None and answer.usage.completion_tokens == 4 * answers.OUTPUT
    assert len(upstream.requests) == 4


def test_the_prompt_is_said_too_when_it_is_asked_for(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "openai/good", "prompt": "Which city? ", "echo": True}
    create: Any = client.completions.create
    whole = create(**asked).choices[0].text
    assert whole == "Which city? " + answers.ANSWER
    assert "".join(chunk.choices[0].text for chunk in create(**asked, stream=True)) == whole


def test_log_probabilities_come_as_lists(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "openai/good", "prompt": "x", "logprobs": 2}
    create: Any = client.completions.create
    whole = create(**asked).choices[0].logprobs
    assert whole is not None and whole.tokens is not None and whole.text_offset is not None
    assert "".join(whole.tokens) == answers.ANSWER
    assert [answers.ANSWER[at:].startswith(t) for at, t in zip(whole.text_offset, whole.tokens, strict=True)] == [
        True
    ] * len(whole.tokens)
    assert [len(others) for others in whole.top_logprobs or ()] == [2] * len(whole.tokens)
    chunks = create(**asked, stream=True)
    places = [at for c in chunks if c.choices[0].logprobs for at in c.choices[0].logprobs.text_offset or ()]
    assert places == whole.text_offset


def test_fields_become_those_of_a_chat(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model="echo/mirror", prompt="x", max_tokens=5, stop=["END"], seed=1, extra_body={"future": 1}
    )
    sent = json.loads(answer.choices[0].text)
    assert sent["messages"] == [{"role": "user", "content": "x", "rest": {}}]
    assert sent["rest"] == {"max_completion_tokens": 5, "stop": ["END"], "seed": 1, "future": 1}


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"prompt": [1, 2, 3]}, "Lists of tokens"),
        ({"prompt": []}, "none of them empty"),
        ({"prompt": ["x"] * 129}, "128 choices"),
        ({"n": 0}, "n"),
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"messages": []}, "/v1/chat/completions"),
        ({"model": "shop", "n": 2}, "one answer"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_what_to_do(
    client: openai.OpenAI, fields: dict[str, Any], part: str
) -> None:
    body = {"model": "openai/good", "prompt": "x"} | fields
    with pytest.raises(openai.BadRequestError, match=part):
        client.post("/completions", cast_to=object, body=body)


def test_errors_are_the_sdks_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError):
        client.completions.create(model="openai/s429", prompt=["one", "two"])
    with pytest.raises(openai.APIError, match=r"before its answer was whole|not whole"):
        list(client.completions.create(model="openai/cut", prompt="x", stream=True))


async def test_when_the_client_leaves_the_provider_is_told(live: Live, upstream: Upstream) -> None:
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.ReadTimeout):
            body = {"model": "openai/silent", "prompt": ["one", "two"]}
            await client.post(f"{live.url}/v1/completions", json=body, timeout=0.2)
    await upstream.disconnected()
