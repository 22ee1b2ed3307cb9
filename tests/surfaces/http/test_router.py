"""The router through a running gateway: which model answers a client, its shadow, and a saved change."""

import time
from collections.abc import Callable

import httpx2
import openai
import pytest
from tests.surfaces.http.conftest import Live, Start, write
from tests.surfaces.http.test_serving import trace_of, until

from regista.core.nouns import Trace
from regista.store import connect, traces

ROUTED = """
[app]
model = "small"
[models.small]
model = "scripted/small"
answers = ["small says so"]
chunk = 3
[models.large]
model = "scripted/large"
answers = ["large says so"]
chunk = 3
[models.sees]
model = "scripted/sees"
answers = ["I see"]
[models.down]
model = "scripted/down"
fail = "error"
retries = 0
fallbacks = ["large"]
[router]
policies = ["rules"]
names = ["smart"]
shadow = "large"
shadow_share = 1.0
[router.rules.when.smart]
asked = "smart"
model = "large"
[router.rules.when.images]
carries = "images"
model = "sees"
[router.rules.when.down]
metadata = { try = "down" }
model = "down"
[router.rules.when.tools]
carries = "tools"
model = "large"
"""
IMAGE = "data:image/png;base64,AAAA"


@pytest.fixture
def shop(start: Start) -> Live:
    return start(ROUTED)


@pytest.fixture
def client(shop: Live) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{shop.url}/v1", api_key="unused", max_retries=0)


def said(answer: httpx2.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


def test_clients_get_the_model_their_request_calls_for(shop: Live, client: openai.OpenAI) -> None:
    assert said(shop.ask("shop")) == "small says so"
    assert said(shop.ask("smart")) == "large says so"
    picture = {"type": "image_url", "image_url": {"url": IMAGE}}
    parts = [{"type": "text", "text": "What is it?"}, picture]
    seen = client.chat.completions.create(model="shop", messages=[{"role": "user", "content": parts}])  # pyright: ignore
    assert seen.choices[0].message.content == "I see"
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert said(shop.ask("shop", tools=[tool])) == "large says so"
    assert said(shop.ask("shop", metadata={"try": "down"})) == "large says so"
    names = [model.id for model in client.models.list()]
    assert "shop" in names and "smart" in names


def test_a_stream_is_routed_like_any_answer_and_its_trace_tells_why(shop: Live, client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="smart", messages=[{"role": "user", "content": "go"}], stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "large says so"
    trace = trace_of(shop, shop.ask("smart"))
    span = next(span for span in trace.spans if span.stage == "route")
    assert span.decision == "large" and "rules: smart: asked for smart" in span.reason
    assert span.attributes["runner_up"] == "small"


def shadow_of(shop: Live, trace_id: str) -> Trace | None:
    database = connect(f"sqlite://{shop.folder / '.regista' / 'regista.db'}")
    found = traces.shadow_of(database, trace_id)
    database.close()
    return found


def test_a_shadow_is_asked_behind_the_clients_back_and_its_cost_is_no_part_of_the_answers(shop: Live) -> None:
    answer = shop.ask("shop")
    trace = trace_of(shop, answer)
    until(lambda: shadow_of(shop, trace.id), "no shadow")
    shadow = shadow_of(shop, trace.id)
    assert shadow is not None and shadow.answer == "large says so"
    assert {call.cause for call in trace.calls} == {"answer"} and {call.cause for call in shadow.calls} == {"shadow"}


def test_a_saved_rule_holds_for_the_next_request_and_a_broken_one_does_not(shop: Live) -> None:
    def saved(configuration: str, check: Callable[[], bool], what: str) -> None:
        # A save in the same tick as the last one may look like none to the file system.
        time.sleep(0.05)
        write(shop.folder, configuration)
        until(check, what)

    other = ROUTED.replace('asked = "smart"\nmodel = "large"', 'asked = "smart"\nmodel = "sees"')
    saved(other, lambda: said(shop.ask("smart")) == "I see", "the rule that was saved does not hold")
    broken = other.replace('model = "sees"\n[router.rules.when.down]', 'model = "seas"\n[router.rules.when.down]')
    saved(
        broken,
        lambda: "no model 'seas'" in str(httpx2.get(f"{shop.url}/healthz").json()),
        "a rule that names no model is not told",
    )
    assert said(shop.ask("smart")) == "I see"
