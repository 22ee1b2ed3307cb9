"""`/v1/embeddings` with the official SDK, unmodified, against a live server."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import openai
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live
from tests.surfaces.http.test_serving import store, trace_of


@pytest.fixture
def client(live: Live, upstream: Upstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("form", ["float", "base64"])
def test_texts_become_vectors_in_this_process(client: openai.OpenAI, form: Any) -> None:
    answer = client.embeddings.create(model="embedded/default", input=["a player", "a match"], encoding_format=form)
    assert [row.index for row in answer.data] == [0, 1] and answer.usage.prompt_tokens == 4
    if form == "float":
        assert abs(sum(x * x for x in answer.data[0].embedding) - 1) < 1e-3


def test_both_forms_hold_the_same_numbers(client: openai.OpenAI) -> None:
    packed = client.embeddings.create(model="embedded/default", input="a player").data[0].embedding
    plain = client.embeddings.create(model="embedded/default", input="a player", encoding_format="float")
    assert packed == pytest.approx(plain.data[0].embedding, abs=1e-6)  # pyright: ignore[reportUnknownMemberType]


def test_a_providers_vectors_come_as_they_are(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.embeddings.create(
        model="openai/good", input=["one", "three"], encoding_format="float", dimensions=3, user="u"
    )
    assert [row.embedding for row in answer.data] == [[3.0, 1.0, 1.0], [5.0, 1.0, 1.0]]
    sent = upstream.requests[-1].json
    assert sent == {
        "model": "good",
        "input": ["one", "three"],
        "encoding_format": "float",
        "dimensions": 3,
        "user": "u",
    }


@pytest.mark.parametrize(("given", "sent"), [([1, 2, 3], [[1, 2, 3]]), ([[1, 2], [3]], [[1, 2], [3]])])
def test_tokens_reach_their_provider(client: openai.OpenAI, upstream: Upstream, given: Any, sent: Any) -> None:
    client.embeddings.create(model="openai/good", input=given, encoding_format="float")
    assert upstream.requests[-1].json["input"] == sent


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"input": []}, "1 to 2048"),
        ({"input": ""}, "1 to 2048"),
        ({"input": ["x", ""]}, "1 to 2048"),
        ({"input": ["x"] * 2049}, "1 to 2048"),
        ({"input": ["x", [1]]}, "1 to 2048"),
        ({"input": [-1]}, "input"),
        ({"input": {"a": 1}}, "input"),
        ({"input": [1, 2]}, "check_embedding_ctx_length"),
        ({"input": "x", "dimensions": 7}, "vectors of 384 numbers"),
        ({"input": "x", "dimensions": 0}, "dimensions"),
        ({"input": "x", "encoding_format": "int8"}, "encoding_format"),
    ],
)
def test_what_cannot_be_embedded_is_refused_with_what_is_wrong(
    client: openai.OpenAI, fields: dict[str, Any], part: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=part):
        client.post("/embeddings", cast_to=object, body={"model": "embedded/default"} | fields)


@pytest.mark.parametrize("model", ["embedded/nope", "anthropic/claude", "nobody/x", "shop", "echo/any"])
def test_a_model_that_makes_no_vectors_is_not_found(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model=model, input="x")


@pytest.mark.parametrize("model", ["openai/good", "embedded/default"])
def test_vectors_are_traced_and_entered_in_the_ledger(live: Live, upstream: Upstream, model: str) -> None:
    answer = httpx2.post(f"{live.url}/v1/embeddings", json={"model": model, "input": ["one", "two words"]})
    trace = trace_of(live, answer)
    (call,) = trace.calls
    assert trace.status == "ok" and call.exact and call.usage.output_tokens == 0
    assert call.usage.input_tokens == answer.json()["usage"]["prompt_tokens"]
    with closing(store(live)) as database:
        rows = database.query("SELECT count(*) FROM ledger WHERE model = ?", (model.partition("/")[2],))
    assert rows[0][0] >= 1


@pytest.mark.parametrize(("fault", "status"), [("s429", 429), ("s500", 502), ("html", 502), ("silent", 504)])
def test_a_provider_that_fails_is_told_of(live: Live, upstream: Upstream, fault: str, status: int) -> None:
    answer = httpx2.post(f"{live.url}/v1/embeddings", json={"model": f"openai/{fault}", "input": "x"}, timeout=30)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"] and answer.headers["x-request-id"]
