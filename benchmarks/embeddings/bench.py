"""What an embedding costs: texts per CPU-second, time of a query, and of one behind an ingestion.

    python benchmarks/embeddings/bench.py

Needs the prepared model (`python -m regista.models.prepare`). The figures are of one thread; rates
are the best of five rounds, because other work on the machine only ever makes a round slower.
"""

import asyncio
import os
import platform
import statistics
import time

from regista.models.embeddings import Embedder, embedders
from regista.models.worker import EmbeddingWorker, open_embedder

ROUNDS = 5
SENTENCE = (
    "The midfielder offers himself behind the first line of pressure and turns play towards"
    " the far side with his first touch {}."
)
"""22 words."""


def texts(count: int, sentences: int) -> list[str]:
    return [" ".join(SENTENCE.format(at * sentences + n) for n in range(sentences)) for at in range(count)]


def rate(embedder: Embedder, batch: list[str]) -> float:
    """Texts per CPU-second, best of the rounds."""
    rates: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        embedder.embed(batch)
        rates.append(len(batch) / (time.process_time() - began))
    return max(rates)


async def latencies(worker: EmbeddingWorker, count: int) -> list[float]:
    """Milliseconds of single queries through the process, one after another, sorted."""
    times: list[float] = []
    for query in texts(count, 1):
        began = time.perf_counter()
        await worker.embed([query])
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


async def through_the_worker(name: str) -> None:
    worker = await open_embedder(name)
    began = time.perf_counter()
    await worker.start()
    print(f"  process ready after            {(time.perf_counter() - began) * 1000:8.0f} ms")
    quiet = await latencies(worker, 100)
    print(f"  query through the process      {statistics.median(quiet):8.2f} ms median, {quiet[98]:.2f} ms p99")
    ingestion = asyncio.create_task(worker.embed(texts(2_000, 9), bulk=True))
    busy = await latencies(worker, 20)
    print(f"  query during an ingestion      {statistics.median(busy):8.2f} ms median, {busy[-1]:.2f} ms worst")
    ingestion.cancel()
    await worker.close()


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}")
    for name in embedders.names():
        embedder = embedders.build(name)
        embedder.embed(texts(8, 1))
        print(f"{embedder.name}")
        print(f"  sentences of 22 words          {rate(embedder, texts(200, 1)):8.0f} per CPU-second")
        print(f"  passages of 198 words          {rate(embedder, texts(40, 9)):8.0f} per CPU-second")
        asyncio.run(through_the_worker(name))


if __name__ == "__main__":
    main()
