"""The loopback batch API is what the official SDKs take it for: what tests that use it rest on."""

import json
from collections.abc import Iterator

import anthropic
import openai
import pytest
from tests._upstream.batches import BatchUpstream


@pytest.fixture(scope="module")
def running() -> Iterator[BatchUpstream]:
    with BatchUpstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(running: BatchUpstream) -> BatchUpstream:
    running.forget()
    return running


@pytest.fixture
def client(upstream: BatchUpstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=upstream.url("openai/v1"), api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(upstream: BatchUpstream) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=upstream.url("anthropic"), api_key="k", max_retries=0) as client:
        yield client


def test_the_openai_client_runs_a_batch_on_it(client: openai.OpenAI) -> None:
    rows = [
        {
            "custom_id": text,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "m", "messages": [{"role": "user", "content": text}]},
        }
        for text in ("one", "fail", "late")
    ]
    file = client.files.create(file="\n".join(json.dumps(row) for row in rows).encode(), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"}
    )
    assert [client.batches.retrieve(batch.id).status for _ in range(2)] == ["in_progress", "completed"]
    batch = client.batches.retrieve(batch.id)
    assert [one.id for one in client.batches.list()] == [batch.id] and batch.metadata == {"a": "b"}
    (good,) = client.files.content(batch.output_file_id or "").text.splitlines()
    bad = client.files.content(batch.error_file_id or "").text.splitlines()
    assert json.loads(good)["response"]["body"]["choices"][0]["message"]["content"].endswith("one")
    assert [json.loads(line)["custom_id"] for line in bad] == ["fail", "late"]


def test_the_anthropic_client_runs_a_batch_on_it(claude: anthropic.Anthropic) -> None:
    batch = claude.messages.batches.create(
        requests=[
            {
                "custom_id": text,
                "params": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}]},
            }
            for text in ("one", "fail", "late")
        ]
    )
    looks = [claude.messages.batches.retrieve(batch.id).processing_status for _ in range(2)]
    assert looks == ["in_progress", "ended"]
