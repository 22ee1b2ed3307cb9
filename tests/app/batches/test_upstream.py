"""Batches that the model's provider runs: at its price, once, whoever waits for them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests._upstream.answers import CACHED, INPUT, OUTPUT
from tests._upstream.batches import BatchUpstream
from tests.app.batches.leases import taken_from_the_dead

from regista.app.batches import upstream as pool
from regista.app.batches.pool import LocalPool
from regista.app.batches.run import Run
from regista.app.batches.upstream import UpstreamPool
from regista.app.platform import ANYONE, Platform
from regista.core.errors import OverLimitError
from regista.core.nouns import Estimate, Usage
from regista.core.settings import settings
from regista.store import batches, files, keys
from regista.store.batches import Batch, LeaseLostError, Order
from regista.store.keys import Key
from regista.surfaces.http.inside import asking, request_of

APPLICATION = """
[app]
name = "shop"
[models.default]
model = "openai/m"
base_url = "{openai}"
[models.claude]
model = "anthropic/c"
base_url = "{anthropic}"
[prices."openai/m"]
input = "10.00"
output = "20.00"
cached_input = "1.00"
batch = "0.5"
[prices."anthropic/c"]
input = "10.00"
output = "20.00"
cached_input = "1.00"
cache_write = "10.00"
batch = "0.5"
[batch]
upstream = {upstream}
"""
HALF_NANO = ((INPUT - CACHED) * 10_000 + CACHED * 1_000 + OUTPUT * 20_000) // 2
"""Half of what one answer costs one by one."""
MODELS = ["openai/m", "anthropic/c"]


@pytest.fixture(scope="module")
def running() -> Iterator[BatchUpstream]:
    with BatchUpstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(running: BatchUpstream, monkeypatch: pytest.MonkeyPatch) -> BatchUpstream:
    running.forget()
    monkeypatch.setattr(pool, "LOOK_S", (0.01,))
    return running


def written(folder: Path, upstream: BatchUpstream, wanted: bool = True) -> Path:
    text = APPLICATION.format(
        openai=upstream.url("openai/v1"), anthropic=upstream.url("anthropic"), upstream=str(wanted).lower()
    )
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "answer.prompt").write_text("{{question}}")
    (folder / "regista.toml").write_text(text)
    return folder


@pytest.fixture
async def platform(tmp_path: Path, upstream: BatchUpstream) -> AsyncIterator[Platform]:
    opened = await Platform.open(written(tmp_path / "shop", upstream), settings(flush_ms=5))
    yield opened
    await opened.close()


def line(name: str, model: str, text: str, **changes: Any) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 10} | changes
    url = "/v1/chat/completions"
    return json.dumps({"custom_id": name, "method": "POST", "url": url, "body": body}).encode() + b"\n"


def made(platform: Platform, lines: list[bytes], key: Key = ANYONE, endpoint: str = "/v1/chat/completions") -> Batch:
    database = platform.database
    file = files.begin(database, "default", "f", "batch")
    files.append(database, file, 0, b"".join(lines))
    files.finish(database, file, "batch", "f", None)
    return batches.create(database, Order("shop", "default", key.prefix, "gateway", endpoint, file), "me")


def life(platform: Platform, batch: Batch, key: Key = ANYONE) -> Run:
    return Run(platform.database, batch, key, 1 << 20)


def pool_of(platform: Platform) -> UpstreamPool:
    ask = asking(platform)
    return UpstreamPool(platform, ask, request_of, LocalPool(ask, asyncio.Semaphore(4), 4))


async def run(platform: Platform, batch: Batch, key: Key = ANYONE) -> Batch:
    return await life(platform, batch, key).through(pool_of(platform))


def rows(platform: Platform, file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for _, line in files.lines(platform.database, file, 1 << 20)] if file else []


async def ledger(platform: Platform) -> list[tuple[Any, ...]]:
    """Calls of the ledger: cause, status, whether exact, cost; with how many there are of each."""
    await platform.log.stored()
    return platform.database.query(
        "SELECT cause, status, exact, cost_nano, count(*) FROM ledger GROUP BY cause, status, exact, cost_nano "
        "ORDER BY cost_nano"
    )


@pytest.mark.parametrize("model", MODELS)
async def test_the_provider_runs_it_at_half_the_price(platform: Platform, upstream: BatchUpstream, model: str) -> None:
    batch = await run(platform, made(platform, [line(f"c{n}", model, f"Question {n}") for n in range(20)]))
    assert (batch.status, batch.completed, batch.failed) == ("completed", 20, 0)
    answers = rows(platform, batch.output_file)
    assert [row["custom_id"] for row in answers] == [f"c{n}" for n in range(20)]
    said = [row["response"]["body"]["choices"][0]["message"]["content"] for row in answers]
    assert all(text.endswith(f"Question {n}") for n, text in enumerate(said))
    assert len(upstream.batches) == 1 and not [path for path in upstream.paths if path.endswith("/completions")]
    assert await ledger(platform) == [("batch", "ok", 1, HALF_NANO, 20)]
    assert (batch.usage.input_tokens, batch.usage.output_tokens) == (20 * INPUT, 20 * OUTPUT)


@pytest.mark.parametrize("model", MODELS)
async def test_what_the_provider_refuses_or_does_not_run_is_told_line_by_line(
    platform: Platform, upstream: BatchUpstream, model: str
) -> None:
    texts = ["good", "this will fail", "too late", "good"]
    batch = await run(platform, made(platform, [line(f"c{n}", model, text) for n, text in enumerate(texts)]))
    assert (batch.status, batch.completed, batch.failed) == ("completed", 2, 2)
    failed, late = rows(platform, batch.error_file)
    assert failed["response"]["status_code"] == 400 and "not allowed" in str(failed["response"]["body"])
    assert late["response"] is None and late["error"]["code"] == "upstream_not_run"
    assert [row[:3] + row[4:] for row in await ledger(platform)] == [("batch", "error", 1, 1), ("batch", "ok", 1, 2)]


async def test_responses_are_handed_over_in_the_providers_words(platform: Platform, upstream: BatchUpstream) -> None:
    row = {"custom_id": "c0", "method": "POST", "url": "/v1/responses", "body": {"model": "openai/m", "input": "Hi"}}
    batch = await run(platform, made(platform, [json.dumps(row).encode()], endpoint="/v1/responses"))
    (answer,) = rows(platform, batch.output_file)
    assert answer["response"]["body"]["object"] == "response"
    assert upstream.batches["batch_0"]["endpoint"] == "/v1/chat/completions"


@pytest.mark.parametrize(
    ("first", "second"), [("openai/m", "anthropic/c"), ("shop", "shop")], ids=["two models", "an application"]
)
async def test_what_no_provider_could_run_whole_is_answered_line_by_line(
    platform: Platform, upstream: BatchUpstream, first: str, second: str
) -> None:
    await run(platform, made(platform, [line("a", first, "one"), line("b", second, "two")]))
    assert not upstream.batches
    assert [path for path in upstream.paths if path.endswith(("/chat/completions", "/messages"))]


async def test_without_being_asked_to_no_provider_runs_a_batch(tmp_path: Path, upstream: BatchUpstream) -> None:
    platform = await Platform.open(written(tmp_path / "shop", upstream, wanted=False), settings())
    await run(platform, made(platform, [line("a", "openai/m", "one")]))
    assert not upstream.batches
    await platform.close()


async def test_a_provider_without_batches_answers_line_by_line(platform: Platform, upstream: BatchUpstream) -> None:
    upstream.statuses = [404]
    await run(platform, made(platform, [line("a", "openai/m", "one")]))
    assert not upstream.batches and "POST /openai/v1/chat/completions" in upstream.paths


async def test_lines_that_are_too_many_for_one_are_handed_over_in_several(
    platform: Platform, upstream: BatchUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PART", 7)
    batch = await run(platform, made(platform, [line(f"c{n}", "openai/m", f"Question {n}") for n in range(20)]))
    assert batch.completed == 20 and [len(one["_names"]) for one in upstream.batches.values()] == [7, 7, 6]


@pytest.mark.parametrize("model", MODELS)
async def test_whoever_comes_next_waits_for_the_same_batch_and_pays_nothing_twice(
    platform: Platform, upstream: BatchUpstream, model: str
) -> None:
    upstream.looks = 0
    batch = made(platform, [line(f"c{n}", model, f"Question {n}") for n in range(12)])
    first = asyncio.create_task(run(platform, batch))
    await until(lambda: any(one["_looks"] >= 2 for one in list(upstream.batches.values())))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    upstream.looks = 10**6
    name = next(iter(upstream.batches))
    upstream.batches[name]["_looks"] = upstream.looks - 2
    again = await run(platform, taken(platform, batch))
    assert (again.status, again.completed, len(upstream.batches)) == ("completed", 12, 1)
    assert await ledger(platform) == [("batch", "ok", 1, HALF_NANO, 12)]


@pytest.mark.parametrize("model", MODELS)
async def test_killed_while_it_fetches_it_counts_and_keeps_every_answer_once(
    platform: Platform, upstream: BatchUpstream, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made(platform, [line(f"c{n}", model, f"Question {n}") for n in range(60)])
    kept = 0
    for after in (10, 25, 10**9):
        run_ = life(platform, taken(platform, batch))
        keep = run_.keeper.keep
        count = 0

        async def counting(result: Any, keep: Any = keep, after: int = after) -> None:
            nonlocal count
            count += 1
            if count == after:  # its trace is told, and it is not kept
                await platform.log.stored()
                raise asyncio.CancelledError
            await keep(result)

        monkeypatch.setattr(run_.keeper, "keep", counting)
        await asyncio.gather(run_.through(pool_of(platform)), return_exceptions=True)
        kept = len(batches.done(platform.database, batches.find(platform.database, "default", batch.id)))
    assert kept == 60 and len(upstream.batches) == 1
    assert await ledger(platform) == [("batch", "ok", 1, HALF_NANO, 60)]


async def test_a_submission_that_was_not_answered_is_looked_for_before_it_is_made_again(
    platform: Platform, upstream: BatchUpstream
) -> None:
    def lose(path: str) -> None:
        if path == "POST /openai/v1/batches":
            upstream.after = lambda path: None
            raise ConnectionError  # the batch is made, and its maker never hears of it

    upstream.after = lose
    batch = await run(platform, made(platform, [line(f"c{n}", "openai/m", "?") for n in range(3)]))
    assert (batch.completed, len(upstream.batches)) == (3, 1)


async def test_killed_while_it_hands_over_it_finds_what_is_there(platform: Platform, upstream: BatchUpstream) -> None:
    batch = made(platform, [line(f"c{n}", "openai/m", "?") for n in range(3)])
    lives: list[asyncio.Task[Batch]] = []
    loop = asyncio.get_running_loop()

    def kill(path: str) -> None:
        if path == "POST /openai/v1/batches":
            upstream.after = lambda path: None
            loop.call_soon_threadsafe(lives[0].cancel)
            raise ConnectionError

    upstream.after = kill
    lives.append(asyncio.create_task(run(platform, batch)))
    await asyncio.gather(*lives, return_exceptions=True)
    assert json.loads(batches.find(platform.database, "default", batch.id).upstream) == [
        {"first": 1, "last": 3, "id": "", "fetched": False}
    ]
    again = await run(platform, taken(platform, batch))
    assert (again.completed, len(upstream.batches)) == (3, 1)


async def test_where_it_cannot_be_known_whether_the_provider_has_it_the_batch_says_so(
    platform: Platform, upstream: BatchUpstream
) -> None:
    def lose(path: str) -> None:
        if path == "POST /anthropic/v1/messages/batches":
            upstream.after = lambda path: None
            raise ConnectionError

    upstream.after = lose
    batch = await run(platform, made(platform, [line("a", "anthropic/c", "?")]))
    assert batch.status == "failed" and batch.errors[0].code == "upstream_unknown"
    again = await run(platform, batches.reopen(platform.database, batch, "me"))
    assert again.completed == 1 and len(upstream.batches) == 2, "Only a person could know that it was lost."


async def test_a_cancelled_batch_is_cancelled_at_the_provider_and_keeps_what_was_answered(
    platform: Platform, upstream: BatchUpstream
) -> None:
    upstream.looks = 0
    batch = made(platform, [line(f"c{n}", "openai/m", "?") for n in range(10)])
    task = asyncio.create_task(run(platform, batch))
    await until(lambda: bool(upstream.batches))
    batches.cancel(platform.database, "default", batch.id)
    ended = await task
    assert (ended.status, ended.completed, ended.failed) == ("cancelled", 5, 5)
    assert upstream.batches["batch_0"]["status"] == "cancelled"
    assert await ledger(platform) == [("batch", "ok", 1, HALF_NANO, 5)]


async def test_a_batch_the_provider_refuses_has_failed_with_its_reason(
    platform: Platform, upstream: BatchUpstream
) -> None:
    upstream.refusal = "There is no money on this account."
    batch = await run(platform, made(platform, [line("a", "openai/m", "?")]))
    assert batch.status == "failed" and "no money on this account" in batch.errors[0].message
    upstream.refusal = ""
    again = await run(platform, batches.reopen(platform.database, batch, "me"))
    assert (again.status, again.completed) == ("completed", 1)


async def test_the_provider_is_asked_again_while_it_fails(platform: Platform, upstream: BatchUpstream) -> None:
    upstream.statuses = [503, 0, 429, 0, 500, 0, 502]
    batch = await run(platform, made(platform, [line("a", "openai/m", "?")]))
    assert (batch.status, batch.completed, len(upstream.batches)) == ("completed", 1, 1)


async def test_a_key_without_money_hands_nothing_over(platform: Platform, upstream: BatchUpstream) -> None:
    keys.add(platform.database, "poor", limits=["$0.001/month"])
    (key,) = keys.listing(platform.database)
    batch = await run(platform, made(platform, [line(f"c{n}", "openai/m", "?") for n in range(100)], key), key)
    assert (batch.status, batch.errors[0].code) == ("failed", "over_limit") and not upstream.batches


async def test_what_is_handed_over_is_reserved_and_settled_at_what_it_cost(
    platform: Platform, upstream: BatchUpstream
) -> None:
    keys.add(platform.database, "key", limits=["$1/month"])
    (key,) = keys.listing(platform.database)
    batch = made(platform, [line(f"c{n}", "openai/m", "?") for n in range(50)], key)
    assert (await run(platform, batch, key)).completed == 50
    await platform.limits.settled()
    whole = 10**9 - 50 * HALF_NANO
    allowance = platform.limits.of(key)
    assert allowance is not None
    with pytest.raises(OverLimitError):
        await allowance.hold(Estimate("openai/m", Usage(), whole + 1, time.time_ns()))
    await allowance.hold(Estimate("openai/m", Usage(), whole, time.time_ns()))


async def until(happened: Callable[[], bool]) -> None:
    """Wait for what is bound to happen."""
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - another thread makes it happen
            await asyncio.sleep(0.01)


def taken(platform: Platform, batch: Batch) -> Batch:
    """The batch as whoever comes next has it, its runner having died."""
    found = taken_from_the_dead(platform.database, batch)
    assert found is not None
    return found


async def test_cancelled_while_nobody_runs_it_it_is_cancelled_at_the_provider_by_whoever_comes_next(
    platform: Platform, upstream: BatchUpstream
) -> None:
    batch = await left_at_the_provider(platform, upstream)
    batches.cancel(platform.database, "default", batch.id)
    ended = await run(platform, taken(platform, batch))
    assert (ended.status, ended.completed, ended.failed) == ("cancelled", 5, 5)
    assert upstream.batches["batch_0"]["status"] == "cancelled"


async def test_what_the_provider_answered_is_fetched_though_the_window_is_over(
    platform: Platform, upstream: BatchUpstream
) -> None:
    batch = await left_at_the_provider(platform, upstream)
    with platform.database.transaction() as transaction:
        transaction.execute("UPDATE batches SET expires_ns = 1 WHERE id = ?", (batch.id,))
    upstream.looks = upstream.batches["batch_0"]["_looks"] + 1
    ended = await run(platform, taken(platform, batch))
    assert ended.status == "expired" and ended.completed >= 5, "These have been paid for."
    assert ended.completed + ended.failed == 10


async def left_at_the_provider(platform: Platform, upstream: BatchUpstream) -> Batch:
    """A batch of ten lines that a provider has, and whose runner has left."""
    upstream.looks = 0
    life_ = life(platform, made(platform, [line(f"c{n}", "openai/m", "?") for n in range(10)]))
    task = asyncio.create_task(life_.through(pool_of(platform)))
    await until(lambda: any(one["_looks"] for one in list(upstream.batches.values())))
    life_.keeper.stop("left")
    return await task


async def test_a_provider_that_lists_the_same_page_again_and_again_is_not_asked_for_ever(
    platform: Platform, upstream: BatchUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PART", 1)
    await run(platform, made(platform, [line(f"c{n}", "openai/m", "?") for n in range(2)]))
    upstream.deaf = True
    upstream.statuses = [0, 500]  # it may have taken them, and cannot be asked
    batch = await run(platform, made(platform, [line("a", "openai/m", "?")]))
    assert (batch.status, batch.errors[0].code) == ("failed", "upstream_unknown")


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_what_the_provider_said_it_did_not_take_is_handed_over_again(
    platform: Platform, upstream: BatchUpstream, status: int
) -> None:
    upstream.statuses = [status]
    batch = await run(platform, made(platform, [line("a", "anthropic/c", "?")]))
    assert (batch.status, batch.completed, len(upstream.batches)) == ("completed", 1, 1)


async def test_answers_that_are_cut_while_they_are_fetched_are_fetched_again(
    platform: Platform, upstream: BatchUpstream
) -> None:
    cuts = 3

    def cut(path: str) -> None:
        nonlocal cuts
        if path.endswith("/content") and cuts:
            cuts -= 1
            raise ConnectionError

    upstream.after = cut
    batch = await run(platform, made(platform, [line(f"c{n}", "openai/m", "?") for n in range(3)]))
    assert (batch.status, batch.completed, cuts) == ("completed", 3, 0)
    assert await ledger(platform) == [("batch", "ok", 1, HALF_NANO, 3)]


async def test_money_reserved_for_what_was_not_handed_over_is_given_back(
    platform: Platform, upstream: BatchUpstream
) -> None:
    keys.add(platform.database, "key", limits=["$1/month"])
    (key,) = keys.listing(platform.database)
    batch = made(platform, [line(f"c{n}", "openai/m", "?") for n in range(50)], key)
    batch = batches.start(platform.database, batch, 50, "openai/m")
    upstream.statuses = [400]
    assert (await run(platform, batch, key)).status == "failed"
    with pytest.raises(LeaseLostError):
        await run(platform, batch, key)  # it has an owner no more, which it learns when it has reserved
    await platform.limits.settled()
    allowance = platform.limits.of(key)
    assert allowance is not None
    await allowance.hold(Estimate("openai/m", Usage(), 10**9, time.time_ns()))
