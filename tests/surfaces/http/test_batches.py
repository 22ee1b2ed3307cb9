"""Files and batches through the official SDK, unmodified, against a live server."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Batch
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start, sdk, write

from regista.store import Database, connect
from regista.store.keys import add, revoke

ECHO = """
[app]
name = "shop"
[models.default]
model = "echo/it"
[guardrails]
request = ["secrets"]
[guardrails.secrets]
action = "block"
"""
ENDED = ("completed", "failed", "expired", "cancelled")
Row = dict[str, Any]


def row(n: int, model: str = "shop", text: str = "", **changes: Any) -> Row:
    """One line of a batch."""
    body: Row = {"model": model, "messages": [{"role": "user", "content": text or f"Question {n}"}]}
    return {"custom_id": f"c{n}", "method": "POST", "url": "/v1/chat/completions", "body": body} | changes


def jsonl(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def begun(client: openai.OpenAI, content: bytes, **more: Any) -> Batch:
    """A batch of this content, just made."""
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    endpoint = more.pop("endpoint", "/v1/chat/completions")
    return client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more)


def ended(client: openai.OpenAI, batch: Batch) -> Batch:
    """The batch when it has ended."""
    end = time.monotonic() + 60
    while batch.status not in ENDED:
        assert time.monotonic() < end, batch
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    return batch


def rows_of(client: openai.OpenAI, file: str | None) -> list[Row]:
    assert file is not None
    return [json.loads(line) for line in client.files.content(file).text.splitlines()]


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server whose models say questions back."""
    server = Live(write(tmp_path_factory.mktemp("batches") / "shop", ECHO))
    yield server
    server.stop()


@pytest.fixture
def client(echo: Live) -> openai.OpenAI:
    return sdk(echo)


def test_a_batch_answers_every_line_in_the_order_of_its_input(client: openai.OpenAI) -> None:
    made = begun(client, jsonl([row(n) for n in range(300)]), metadata={"for": "test"})
    assert made.status == "validating" and made.output_file_id is None
    batch = ended(client, made)
    assert (batch.status, batch.metadata, batch.errors, batch.error_file_id) == (
        "completed",
        {"for": "test"},
        None,
        None,
    )
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (300, 300, 0)
    answers = rows_of(client, batch.output_file_id)
    assert [answer["custom_id"] for answer in answers] == [f"c{n}" for n in range(300)]
    said = [answer["response"]["body"]["choices"][0]["message"]["content"] for answer in answers]
    assert said == [f"Question {n}" for n in range(300)]
    assert {answer["response"]["status_code"] for answer in answers} == {200}
    assert all(answer["error"] is None and answer["response"]["request_id"] for answer in answers)


def test_a_batch_tells_its_usage_and_its_model(client: openai.OpenAI) -> None:
    batch = ended(client, begun(client, jsonl([row(n, "echo/any") for n in range(10)])))
    assert batch.model == "echo/any" and batch.usage is not None
    assert (batch.usage.input_tokens, batch.usage.output_tokens, batch.usage.total_tokens) == (20, 20, 40)


def test_a_line_that_fails_is_in_the_error_file_and_the_others_are_answered(client: openai.OpenAI) -> None:
    rows = [row(0), row(1, "nobody/at-home"), row(2, text="My key is AKIAQ3EGR5T7YUHJ2KLM"), row(3)]
    batch = ended(client, begun(client, jsonl(rows)))
    assert batch.status == "completed" and batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 2)
    assert [answer["custom_id"] for answer in rows_of(client, batch.output_file_id)] == ["c0", "c3"]
    failed = {answer["custom_id"]: answer["response"] for answer in rows_of(client, batch.error_file_id)}
    assert failed["c1"]["status_code"] == 404 and failed["c1"]["body"]["error"]["code"] == "model_not_found"
    assert failed["c2"]["status_code"] == 403, "Guardrails hold in batches too."


def test_embeddings_come_in_batches_too(client: openai.OpenAI) -> None:
    body = {"model": "embedded/default", "input": ["a player"]}
    made = begun(client, jsonl([row(0, url="/v1/embeddings", body=body)]), endpoint="/v1/embeddings")
    (answer,) = rows_of(client, ended(client, made).output_file_id)
    assert len(answer["response"]["body"]["data"][0]["embedding"]) > 8


WRONG = [
    (b"{", "invalid_json_line", None),
    (b"[1]", "invalid_json_line", None),
    (b'\xff\xfe{"custom_id"', "invalid_json_line", None),
    (jsonl([{k: v for k, v in row(0).items() if k != "custom_id"}]), "missing_required_parameter", "custom_id"),
    (jsonl([row(0, custom_id="")]), "missing_required_parameter", "custom_id"),
    (jsonl([row(0, custom_id=7)]), "invalid_type", "custom_id"),
    (jsonl([row(0, method="GET")]), "invalid_method", "method"),
    (jsonl([row(0, url="/v1/embeddings")]), "mismatched_url", "url"),
    (jsonl([row(0, body=[])]), "invalid_type", "body"),
    (jsonl([row(0, body={})]), "missing_required_parameter", "body.model"),
    (jsonl([row(0, body={"model": "shop", "stream": True})]), "stream_not_supported", "body.stream"),
    (jsonl([row(9)]), "duplicate_custom_id", None),
]


@pytest.mark.parametrize(("line", "code", "param"), WRONG)
def test_a_wrong_line_is_told_with_its_number_and_nothing_is_run(
    client: openai.OpenAI, line: bytes, code: str, param: str | None
) -> None:
    batch = ended(client, begun(client, jsonl([row(9)]) + b"\n" + line.rstrip(b"\n") + b"\r\n" + jsonl([row(1)])))
    assert batch.status == "failed" and batch.errors is not None and batch.errors.data is not None
    (error,) = batch.errors.data
    assert (error.line, error.code, error.param) == (3, code, param)
    assert error.message and error.message.endswith(".")
    assert batch.output_file_id is None and batch.failed_at is not None


def test_a_hundred_mistakes_are_told_of_one_file(client: openai.OpenAI) -> None:
    batch = ended(client, begun(client, b"no\n" * 250))
    assert batch.errors is not None and [error.line for error in batch.errors.data or ()] == list(range(1, 101))


def test_an_empty_file_is_no_batch(client: openai.OpenAI) -> None:
    batch = ended(client, begun(client, b"\n\n"))
    assert batch.errors is not None and batch.errors.data is not None and batch.errors.data[0].code == "empty_file"


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "/v1/images"},
        {"completion_window": "1h"},
        {"input_file_id": "file-none"},
        {"metadata": {"a": "b" * 513}},
        {"output_expires_after": {"anchor": "created_at", "seconds": 1}},
    ],
)
def test_what_is_no_batch_is_refused_by_the_field_that_is_wrong(client: openai.OpenAI, wrong: Row) -> None:
    file = client.files.create(file=("in.jsonl", jsonl([row(0)])), purpose="batch")
    right: Row = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    with pytest.raises(openai.APIStatusError, match=next(iter(wrong)).removesuffix("_id").removeprefix("input_")):
        client.batches.create(**right | wrong)


def test_batches_are_listed_the_newest_first_page_by_page(client: openai.OpenAI) -> None:
    made = [begun(client, jsonl([row(0)])).id for _ in range(5)]
    page = client.batches.list(limit=2)
    assert [batch.id for batch in page.data] == made[:2:-1] and page.has_more
    assert [batch.id for batch in client.batches.list(limit=2)][:5] == made[::-1]


def test_a_cancelled_batch_has_every_line_in_one_of_its_files(start: Start, upstream: Upstream) -> None:
    client = sdk(start(slow(upstream)))
    made = begun(client, jsonl([row(n) for n in range(200)]))
    running(client, made)
    assert client.batches.cancel(made.id).status in ("cancelling", "cancelled")
    batch = ended(client, made)
    assert batch.status == "cancelled" and batch.request_counts is not None
    answered = rows_of(client, batch.output_file_id)
    left = rows_of(client, batch.error_file_id)
    assert {line["error"]["code"] for line in left} == {"batch_cancelled"}
    assert sorted(line["custom_id"] for line in answered + left) == sorted(f"c{n}" for n in range(200))
    assert len(upstream.requests) == len(answered) == batch.request_counts.completed
    with pytest.raises(openai.ConflictError, match="nothing to cancel"):
        client.batches.cancel(made.id)


def test_another_tenant_sees_neither_files_nor_batches(start: Start, upstream: Upstream) -> None:
    live = start(slow(upstream))
    mine, same, other = keyed(live, {"a": "t", "b": "t", "c": "u"})
    batch = begun(mine, jsonl([row(0)]))
    assert same.batches.retrieve(batch.id).id == batch.id and same.files.retrieve(batch.input_file_id)
    assert list(other.batches.list()) == [] and list(other.files.list()) == []
    attempts = [
        lambda: other.batches.retrieve(batch.id),
        lambda: other.batches.cancel(batch.id),
        lambda: other.files.retrieve(batch.input_file_id),
        lambda: other.files.content(batch.input_file_id),
        lambda: other.files.delete(batch.input_file_id),
        lambda: other.batches.create(
            input_file_id=batch.input_file_id, endpoint="/v1/chat/completions", completion_window="24h"
        ),
    ]
    for attempt in attempts:
        with pytest.raises(openai.NotFoundError):
            attempt()
    output = ended(mine, batch).output_file_id
    assert rows_of(same, output)
    with pytest.raises(openai.NotFoundError):
        other.files.content(output or "")


def test_a_batch_ends_with_its_key(start: Start, upstream: Upstream) -> None:
    live = start(slow(upstream))
    client, onlooker = keyed(live, {"maker": "t", "other": "t"})
    made = begun(client, jsonl([row(n) for n in range(5000)]))
    running(client, made)
    with closing(store_of(live)) as database:
        revoke(database, "maker")
    batch = ended(onlooker, made)
    assert batch.status == "failed" and batch.errors is not None and batch.errors.data is not None
    assert batch.errors.data[0].code == "revoked_api_key" and "maker" in (batch.errors.data[0].message or "")
    assert len(upstream.requests) < 5000


def test_calls_of_a_batch_are_in_the_ledger_as_such(start: Start) -> None:
    live = start(ECHO)
    client = sdk(live)
    ended(client, begun(client, jsonl([row(n) for n in range(30)])))
    live.ask("shop")
    live.stop()
    with closing(store_of(live)) as database:
        causes = database.query("SELECT cause, count(*), sum(input_tokens) FROM ledger GROUP BY cause ORDER BY cause")
    assert causes == [("answer", 1, 3), ("batch", 30, 120)]


def slow(upstream: Upstream) -> str:
    """An application whose model takes a while."""
    model = f'[models.default]\nmodel = "openai/m"\nbase_url = "{upstream.url("/slow")}"\n'
    return f'[app]\nname = "shop"\n{model}[batch]\nconcurrency = 4\n'


def running(client: openai.OpenAI, batch: Batch, done: int = 5) -> Batch:
    """The batch once a few of its lines are done."""
    end = time.monotonic() + 60
    while (counts := batch.request_counts) is None or counts.completed + counts.failed < done:
        assert batch.status in ("validating", "in_progress") and time.monotonic() < end, batch
        time.sleep(0.02)
        batch = client.batches.retrieve(batch.id)
    return batch


def store_of(live: Live) -> Database:
    """The server's own store, as another process has it."""
    return connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")


def keyed(live: Live, keys: dict[str, str]) -> list[openai.OpenAI]:
    """A client for each of these keys, by name and tenant, once the server asks for one."""
    with closing(store_of(live)) as database:
        clients = [sdk(live, add(database, name, tenant)) for name, tenant in keys.items()]
    while httpx2.get(f"{live.url}/v1/models").status_code != 401:
        time.sleep(0.05)
    return clients


PRICED = """
[app]
name = "shop"
[models.default]
model = "openai/m"
base_url = "{url}"
[prices."openai/m"]
input = "10.00"
output = "20.00"
cached_input = "10.00"
"""


def test_a_batch_whose_key_has_no_money_left_stops_and_says_so(start: Start, upstream: Upstream) -> None:
    live = start(PRICED.format(url=upstream.url()))
    with closing(store_of(live)) as database:
        client = sdk(live, add(database, "poor", limits=["$0.005/month"]))
    while httpx2.get(f"{live.url}/v1/models").status_code != 401:
        time.sleep(0.05)
    body = {"model": "openai/m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 10}
    batch = ended(client, begun(client, jsonl([row(n, body=body) for n in range(100)])))
    assert batch.status == "failed" and batch.errors is not None and batch.errors.data is not None
    (error,) = batch.errors.data
    assert error.code == "budget_exceeded" and "regista batch resume" in (error.message or "")
    assert len(rows_of(client, batch.output_file_id)) == len(upstream.requests) > 5
    live.stop()
    with closing(store_of(live)) as database:
        ((spent,),) = database.query("SELECT sum(cost_nano) FROM ledger")
    assert spent <= 5_000_000, "No more was spent than the key had."
