"""The embedding process: it is replaced when it dies, answers queries before bulk, and ends with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
import uvloop

from regista.core.errors import ConfigurationError, OverloadedError, ProviderError
from regista.models.embeddings import embedders
from regista.models.weights import MINILM
from regista.models.worker import BATCH, WAITING_QUERIES, EmbeddingWorker, open_embedder


@pytest.fixture
async def worker() -> AsyncIterator[EmbeddingWorker]:
    worker = EmbeddingWorker("hashed")
    yield worker
    await worker.close()


async def test_vectors_are_those_of_the_embedder_in_the_order_of_the_texts(worker: EmbeddingWorker):
    texts = [f"passage {number}" for number in range(3 * BATCH + 1)]
    assert worker.pid is None
    vectors = await worker.embed(texts)
    assert np.array_equal(vectors, embedders.build("hashed").embed(texts))
    assert (worker.name, worker.dimensions) == ("hashed-384-v1", 384)


async def test_many_callers_at_once_get_their_own_vectors(worker: EmbeddingWorker):
    texts = [f"question {number}" for number in range(40)]
    answers = await asyncio.gather(*(worker.embed([text]) for text in texts))
    assert np.array_equal(np.concatenate(answers), embedders.build("hashed").embed(texts))


async def test_no_texts_are_no_vectors_and_no_text_is_too_odd(worker: EmbeddingWorker):
    assert (await worker.embed([])).shape == (0, 384)
    assert (await worker.embed(["", "\ud800", "a\0b"])).shape == (3, 384)


async def test_a_query_waits_for_one_batch_of_bulk_at_most(worker: EmbeddingWorker):
    order: list[str] = []

    async def embed(name: str, texts: list[str], bulk: bool) -> None:
        await worker.embed(texts, bulk=bulk)
        order.append(name)

    await worker.start()
    ingestion = [embed(f"bulk {number}", ["a passage"] * BATCH, True) for number in range(5)]
    work = [asyncio.create_task(job) for job in ingestion]
    await asyncio.sleep(0)
    await asyncio.gather(embed("query", ["a question"], False), *work)
    assert order.index("query") <= 1
    assert len(order) == 6


async def test_a_killed_process_is_replaced_before_the_next_answer(worker: EmbeddingWorker):
    before = await worker.embed(["text"])
    killed = worker.pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    assert np.array_equal(await worker.embed(["text"]), before)
    assert worker.pid != killed


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_process_that_ended_while_it_had_nothing_to_do_is_replaced(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def main() -> None:
        worker = EmbeddingWorker("hashed")
        await worker.start()
        ended = worker.pid
        assert ended
        os.kill(ended, signal.SIGKILL)
        await asyncio.sleep(0.5)  # so that it has been noticed
        assert (await worker.embed(["text"])).shape == (1, 384)
        assert worker.pid != ended
        await worker.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def test_a_process_killed_at_work_loses_nothing(worker: EmbeddingWorker):
    texts = [f"passage {number} " * 50 for number in range(40 * BATCH)]
    await worker.start()
    work = asyncio.create_task(worker.embed(texts, bulk=True))
    await asyncio.sleep(0.005)
    if worker.pid:
        os.kill(worker.pid, signal.SIGKILL)
    assert np.array_equal(await work, embedders.build("hashed").embed(texts))


async def test_a_hung_process_is_replaced():
    worker = EmbeddingWorker("hashed", timeout=2)
    await worker.start()
    hung = worker.pid
    assert hung
    os.kill(hung, signal.SIGSTOP)
    assert (await worker.embed(["text"])).shape == (1, 384)
    assert worker.pid != hung
    await worker.close()


async def test_a_process_that_dies_twice_is_an_error_that_says_so(worker: EmbeddingWorker):
    work = asyncio.create_task(worker.embed(["text " * 200_000] * BATCH))
    killed: set[int] = set()
    while not work.done():
        if worker.pid and worker.pid not in killed:
            killed.add(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)
        await asyncio.sleep(0)
    with pytest.raises(ProviderError, match=r"failed twice .* was killed by signal 9, and its successor"):
        await work
    assert (await worker.embed(["next"])).shape == (1, 384)


async def test_a_caller_who_leaves_does_not_stop_the_others(worker: EmbeddingWorker):
    leaving = asyncio.create_task(worker.embed(["one"]))
    staying = asyncio.create_task(worker.embed(["two"]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).shape == (1, 384)


async def test_too_many_waiting_queries_are_refused_and_the_others_answered(worker: EmbeddingWorker):
    await worker.start()
    queries = (worker.embed(["text"]) for _ in range(WAITING_QUERIES + 10))
    answers = await asyncio.gather(*queries, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, OverloadedError)]
    assert len(refused) == 10
    assert len([answer for answer in answers if isinstance(answer, np.ndarray)]) == WAITING_QUERIES


async def test_closing_answers_those_who_wait_and_those_who_come_later(worker: EmbeddingWorker):
    waiting = asyncio.create_task(worker.embed(["text"] * 100 * BATCH))
    await worker.start()
    await worker.close()
    with pytest.raises(ProviderError):
        await waiting
    with pytest.raises(ProviderError, match="is closed"):
        await worker.embed(["text"])


async def test_closing_while_the_process_starts_leaves_none_behind():
    worker = EmbeddingWorker("hashed")
    starting = asyncio.create_task(worker.start())
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(ProviderError, match="is closed"):
        await starting
    assert worker.pid is None


async def test_what_is_left_of_a_call_that_failed_is_not_made(worker: EmbeddingWorker):
    await worker.start()
    worker.timeout = 0.0
    with pytest.raises(ProviderError, match="failed twice"):
        await worker.embed(["text"] * 20 * BATCH, bulk=True)
    worker.timeout = 60.0
    left = [piece.answer for piece in worker._bulk]  # pyright: ignore[reportPrivateUsage]
    assert left and all(answer.cancelled() for answer in left)
    assert (await worker.embed(["next"])).shape == (1, 384)


async def test_an_embedder_that_cannot_be_had_says_why(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"There is no embedder 'hasched'\. Did you mean 'hashed'"):
        await EmbeddingWorker("hasched").start()
    absent = await open_embedder("minilm", tmp_path)
    with pytest.raises(ConfigurationError, match=r"python -m regista\.models\.prepare"):
        await absent.embed(["text"])


async def test_auto_takes_what_is_there_and_says_why(tmp_path: Path):
    absent = await open_embedder("auto", tmp_path)
    assert (absent.embedder, absent.reason.startswith("there is no model at")) == ("hashed", True)
    (tmp_path / MINILM).mkdir()
    for file in ("model.onnx", "tokenizer.json"):
        (tmp_path / MINILM / file).touch()
    present = await open_embedder("auto", tmp_path)
    assert (present.embedder, present.reason) == ("minilm", f"its model is at {tmp_path / MINILM}")


async def test_the_prepared_model_embeds_in_its_process(models: Path):
    worker = await open_embedder("auto", models)
    texts = ["The six drops between the centre-backs."]
    vectors = await worker.embed(texts)
    assert worker.name.startswith(f"{MINILM}@")
    assert np.array_equal(vectors, embedders.build("minilm", folder=str(models)).embed(texts))
    await worker.close()


def test_the_process_ends_with_its_parent():
    parent = (
        "import asyncio, os, sys\n"
        "from regista.models.worker import EmbeddingWorker\n"
        "async def main():\n"
        "    worker = EmbeddingWorker('hashed')\n"
        "    await worker.start()\n"
        "    print(worker.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    # The child holds the writing end of the error pipe: reading that to its end waits for the child's.
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (-signal.SIGKILL, b"")
    assert int(out) != process.pid
