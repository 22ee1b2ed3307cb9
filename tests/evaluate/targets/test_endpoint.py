import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests._upstream.server import Upstream
from tests.evaluate.conftest import Place

from regista.core.evaluation import Case, Output, input_of
from regista.core.nouns import Message
from regista.egress.client import Client
from regista.evaluate.run import Plan, run_suite
from regista.evaluate.suite import build_scorers
from regista.evaluate.targets.endpoint import Endpoint
from regista.models.providers import providers
from regista.store import evaluations

CASE = Case("a", input_of("Which?"))
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop"}
MakeEndpoint = Callable[..., Endpoint]


@pytest.fixture
async def endpoint() -> AsyncIterator[MakeEndpoint]:
    """Makes endpoints at base URLs, with the request's parameters."""
    client = Client([])

    def make(url: str, **parameters: Any) -> Endpoint:
        client.allow(url)
        return Endpoint(providers.build("openai", {"transport": client}, base_url=url), "small", url, parameters)

    yield make
    await client.close()


@pytest.fixture
async def says() -> AsyncIterator[Callable[[dict[str, Any]], Any]]:
    """Starts a server that gives one body to every request; the result is its base URL."""
    servers: list[asyncio.Server] = []

    async def start(choice: dict[str, Any]) -> str:
        body = json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.readuntil(b"\r\n\r\n")
            length = int(asked.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(head + body)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/v1"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_it_sends_the_case_s_messages_and_parameters_and_nothing_else(
    endpoint: MakeEndpoint, upstream: Upstream
) -> None:
    case = Case("a", (Message("system", "Be short."), Message("user", "Which?")))
    target = endpoint(upstream.url("/v1"), temperature=0, logprobs=True)
    output = await target.answer(case, 0)
    (request,) = upstream.requests
    assert request.json == {
        "model": "small",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Which?"}],
        "temperature": 0,
        "logprobs": True,
    }
    assert (output.text, output.finish, output.error) == (upstream.answer, "stop", "")
    assert output.usage is not None and output.usage.output_tokens == 7
    assert (output.duration_ns > 0, output.cost_nano) == (True, None)
    assert "".join(token.text for token in output.tokens) == upstream.answer


async def test_tool_calls_are_part_of_the_output(endpoint: MakeEndpoint, upstream: Upstream) -> None:
    tool: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    output = await endpoint(upstream.url("/v1"), tools=[tool]).answer(CASE, 0)
    (call,) = output.tool_calls
    assert (call.name, json.loads(call.arguments), output.finish) == (
        "weather",
        {"city": "Zürich", "days": 2},
        "tool_calls",
    )


def test_what_it_depends_on_is_place_model_and_parameters(endpoint: MakeEndpoint) -> None:
    one = endpoint("http://127.0.0.1:9/v1", temperature=0)
    assert one.name == "small at http://127.0.0.1:9/v1"
    assert one.digest == endpoint("http://127.0.0.1:9/v1", temperature=0).digest
    others = {endpoint("http://127.0.0.1:8/v1", temperature=0).digest, endpoint("http://127.0.0.1:9/v1").digest}
    assert len({one.digest, *others}) == 3


LOGPROBS = {
    "content": [
        {"token": "Y", "logprob": -0.5, "bytes": [89], "top_logprobs": [{"token": "Y", "logprob": -0.5}]},
        {"token": "es", "logprob": -1.25, "top_logprobs": None},
        {"token": "", "logprob": 0},
    ],
    "refusal": None,
}


async def test_log_probabilities_are_read_where_they_are_asked_for(endpoint: MakeEndpoint, says: Any) -> None:
    url = await says(CHOICE | {"logprobs": LOGPROBS})
    output = await endpoint(url, logprobs=True, top_logprobs=1).answer(CASE, 0)
    assert output.text == "Yes"
    assert output.tokens == (("Y", -0.5, (-0.5,)), ("es", -1.25, ()), ("", 0.0, ()))
    assert (await endpoint(url).answer(CASE, 0)).tokens == ()


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, {"content": [{"token": "Y"}]}, ["no"], 3])
async def test_log_probabilities_that_are_none_leave_the_answer(
    logprobs: Any, endpoint: MakeEndpoint, says: Any
) -> None:
    output = await endpoint(await says(CHOICE | {"logprobs": logprobs}), logprobs=True).answer(CASE, 0)
    assert (output.text, output.tokens) == ("Yes", ())


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/s500", "upstream says 500"),
        ("/s429", "upstream says 429"),
        ("/s400", "upstream says 400"),
        ("/html", "not a chat completion"),
        ("/empty", "not a chat completion"),
        ("/notjson", "not a chat completion"),
        ("/cut", ""),
    ],
)
async def test_whatever_goes_wrong_is_an_output_with_its_error_and_stays_in_the_denominator(
    path: str, said: str, endpoint: MakeEndpoint, upstream: Upstream, place: Place
) -> None:
    suite = place.suite([{"id": f"c{n}", "input": f"{n}", "answer": "x"} for n in range(3)])
    plan = Plan(suite, endpoint(upstream.url(path)), build_scorers(suite, {}), "app", "m")
    report = await run_suite(place.database, plan)
    estimate = report.estimate("exact")
    assert (estimate.cases, estimate.ok, estimate.error, estimate.worst, estimate.best) == (3, 0, 3, 0.0, 1.0)
    keys = [line.output for page in evaluations.results(place.database, report.run) for line in page]
    found = evaluations.any_output(place.database, keys)
    assert len(found) == 3
    assert all(output.error and said in output.error for output in found.values())


async def test_an_endpoint_that_recovers_is_asked_again_only_where_it_failed(
    endpoint: MakeEndpoint, upstream: Upstream, place: Place
) -> None:
    upstream.answer = "x"
    suite = place.suite([{"id": f"c{n}", "input": f"{n}", "answer": "x"} for n in range(5)])
    plan = Plan(suite, endpoint(upstream.url("/flaky")), build_scorers(suite, {}), "app", "m", concurrency=1)
    first = (await run_suite(place.database, plan)).estimate("exact")
    assert (first.ok, first.error) == (4, 1)
    second = (await run_suite(place.database, plan)).estimate("exact")
    assert (second.ok, second.error, second.mean) == (5, 0, 1.0)
    assert len(upstream.requests) == 6


async def test_the_text_of_nothing_is_empty(endpoint: MakeEndpoint, says: Any) -> None:
    silent = CHOICE | {"message": {"role": "assistant", "content": None}, "finish_reason": "length"}
    output = await endpoint(await says(silent)).answer(CASE, 0)
    assert output == Output(finish="length", duration_ns=output.duration_ns)
