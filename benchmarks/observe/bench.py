"""What a trace costs: recording, appending and counting it in the server, storing it in the writer, keeping it on disk,
listing it, opening it, finding it by its words.

    python benchmarks/observe/bench.py [--traces 100000] [--rate 0] [--json] [--store postgresql://…]

A trace here is a question of 400 characters, an answer of 600, two citations, and six spans of which
one holds eight hits. Texts are cut at random out of the docstrings of Python's own library: they compress
better than prose that does not repeat. `--rate 0` is as fast as the writer takes them. What is searched
for is a word, two words, or three in a row of a text that is there, and now and then of none. `--store` is an empty
database of PostgreSQL: what its server uses is not in the writer's CPU. At the end a fourteenth of the traces is
forgotten, as of two weeks a day is.
"""

import argparse
import asyncio
import importlib
import json
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from unittest.mock import patch

from regista.core.nouns import Citation, Trace, Usage
from regista.observe.log import TraceLog
from regista.observe.metrics import Metrics
from regista.observe.recorder import Recorder
from regista.store import bodies_files, connect
from regista.store.forgetting import forget
from regista.store.traces import find, recent, search, write
from regista.text.words import words

STAGES = ("guard request", "cache", "retrieve", "prompt", "generate", "cite")
READY = 20_000
"""Traces made before the clock runs; so many are what the server's share is measured on."""
SOURCES = ("argparse", "asyncio", "collections", "datetime", "decimal", "email", "logging", "pathlib", "statistics")


def prose() -> str:
    """Docstrings of the standard library, one after the other."""
    texts: list[str] = []
    for name in SOURCES:
        module = importlib.import_module(name)
        texts += [doc for thing in vars(module).values() if isinstance(doc := getattr(thing, "__doc__", None), str)]
    return "\n".join(texts)


class Maker:
    """Makes traces as the request path does."""

    def __init__(self) -> None:
        self._prose = prose()
        self._random = random.Random(1)  # the same texts in every run

    def _cut(self, length: int) -> str:
        start = self._random.randrange(len(self._prose) - length)
        return self._prose[start : start + length]

    def traces(self, count: int) -> Iterator[Trace]:
        return (self.finish(self.record()) for _ in range(count))

    def queries(self, count: int) -> list[str]:
        """Words as texts have them, by turns one, two, three in a row, and one that none has."""
        made: list[str] = []
        for at in range(count):
            some = words(self._cut(200))[1:-1]
            word = self._random.randrange(len(some) - 3)
            nearby = some[word : word + 3]
            made.append((nearby[0], " ".join(nearby[:2]), f'"{" ".join(nearby)}"', "nobodysaysthis")[at % 4])
        return made

    def record(self) -> Recorder:
        recorder = Recorder("club", "9c0ffee1d2a34b56", "embedded/reader", "default")
        for stage in STAGES:
            with recorder.span(stage, "x") as span:
                span.decide("pass", "nothing found")
                if stage == "retrieve":
                    span.set(
                        hits=[
                            {"document": "roles/six.md", "start": i, "end": i + 700, "score": 1 / (i + 60)}
                            for i in range(8)
                        ]
                    )
        return recorder

    def finish(self, recorder: Recorder) -> Trace:
        answer = self._cut(600)
        cited = (
            Citation("roles/six.md", 10, 90, answer[10:90], 1),
            Citation("roles/eight.md", 0, 80, answer[100:180], 2),
        )
        usage = Usage(812, 96, 40, 0)
        return recorder.finish("ok", "", "miss", usage, 12_345, "2026-11", self._cut(400), answer, cited)


def microseconds(work: float, count: int) -> float:
    return work / count * 1e6


def recording(maker: Maker, rounds: int = 2_000) -> float:
    """Microseconds of a span, with its decision; a recorder's own cost is shared among its spans."""
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(rounds):
            recorder = Recorder("club", "9c0ffee1d2a34b56", "embedded/reader", "default", "0" * 32)
            for stage in STAGES:
                with recorder.span(stage, "x") as span:
                    span.decide("pass", "nothing found")
        best = min(best, time.process_time() - started)
    return microseconds(best, rounds * len(STAGES))


def counting(maker: Maker, rounds: int = 5_000) -> float:
    """Microseconds of `Metrics.observe_trace`."""
    metrics, trace = Metrics(), maker.finish(maker.record())
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(rounds):
            metrics.observe_trace(trace)
        best = min(best, time.process_time() - started)
    return microseconds(best, rounds)


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def drained(log: TraceLog, depth: int) -> None:
    while log.depth > depth:  # noqa: ASYNC110 - the log tells nobody: nothing in the server waits for it
        await asyncio.sleep(0.001)


async def storing(url: str, maker: Maker, count: int, rate: float) -> dict[str, float]:
    """Append so many; figures of both processes."""
    ready = list(maker.traces(min(count, READY)))
    log = TraceLog(url)
    before = children()
    await log.start()
    await asyncio.sleep(0.5)  # the writer's start is not what is measured
    started, used, deepest, slowest = time.perf_counter(), time.process_time(), 0, 0.0
    for number in range(count):
        if number == len(ready):
            used = time.process_time() - used
        log.append(ready[number] if number < len(ready) else next(maker.traces(1)))
        if number % 20 == 19:
            due = started + number / rate if rate else 0.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await drained(log, 5_000)
            deepest, slowest = max(deepest, log.depth), max(slowest, log.lag_ms)
    await drained(log, 0)
    wall = time.perf_counter() - started
    if count == len(ready):
        used = time.process_time() - used
    await log.close()
    if log.written != count or log.dropped:
        raise SystemExit(f"stored {log.written} of {count}, dropped {log.dropped}: {log.last_error}")
    return {
        "traces_per_s": count / wall,
        "server_us": microseconds(used, len(ready)),
        "writer_cpu_s": children() - before,
        "deepest": deepest,
        "lag_ms": slowest,
    }


def unindexed(texts: Sequence[str]) -> str:
    return ""


def indexing(folder: str, maker: Maker, count: int = 10_000) -> float:
    """Microseconds of a trace in the index: what storing costs more than without any words, the best of three."""
    traces, costs = list(maker.traces(count)), dict[Callable[[Sequence[str]], str], float]()
    for turn in range(3):
        for name, words_of in (("with", bodies_files.indexed), ("without", unindexed)):
            database, used = connect(f"sqlite://{folder}/{name}{turn}.db"), time.process_time()
            with patch.object(bodies_files, "indexed", words_of):
                for start in range(0, count, 200):
                    with database.transaction() as transaction:
                        write(transaction, traces[start : start + 200])
            costs[words_of] = min(costs.get(words_of, 9e9), time.process_time() - used)
            database.close()
    return microseconds(costs[bodies_files.indexed] - costs[unindexed], count)


def timed(calls: list[Callable[[], object]]) -> list[float]:
    """Milliseconds of calls, the quickest first."""
    times: list[float] = []
    for call in calls:
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times)


def reading(url: str, maker: Maker) -> dict[str, float]:
    """Milliseconds of the list of the last hundred, of one trace, and of a search for twenty."""
    database = connect(url, read_only=True)
    ids = [row[0].hex() for row in database.query("SELECT id FROM traces ORDER BY id LIMIT 100")]
    listed = timed([lambda: recent(database, "club", 100)] * 50)
    opened = timed([lambda id=id: find(database, id) for id in ids])
    found = timed([lambda text=text: search(database, text) for text in maker.queries(400)])
    database.close()
    return {
        "list_p95_ms": listed[-3],
        "detail_p95_ms": opened[94],
        "search_p50_ms": found[199],
        "search_p95_ms": found[379],
    }


def forgetting(url: str, count: int) -> dict[str, float]:
    """Seconds in which a fourteenth is forgotten, and how long at most other writers wait for it."""
    database, waits = connect(url), list[float]()
    before = database.query("SELECT started_ns FROM traces ORDER BY started_ns LIMIT 1 OFFSET ?", (count // 14,))[0][0]
    started = turn = time.perf_counter()

    def rest() -> None:
        nonlocal turn
        now = time.perf_counter()
        waits.append(now - turn)
        turn = now

    forgotten = forget(database, before, rest)
    database.close()
    if forgotten != count // 14:
        raise SystemExit(f"{forgotten} were forgotten instead of {count // 14}")
    return {"forget_s": turn - started, "forget_wait_ms": max(waits) * 1000}


def on_disk(url: str) -> int:
    """Bytes of a store."""
    database = connect(url)
    try:
        if url.startswith("sqlite:"):
            return sum(file.stat().st_size for file in database.files())
        return int(database.query("SELECT pg_database_size(current_database())")[0][0])
    finally:
        database.close()


def measure(count: int, rate: float, store: str) -> dict[str, float]:
    maker = Maker()
    with tempfile.TemporaryDirectory() as folder:
        url = store or f"sqlite://{folder}/regista.db"
        idle = asyncio.run(storing(f"sqlite://{folder}/idle.db", maker, 1, 0))["writer_cpu_s"]
        before = on_disk(url)
        figures = asyncio.run(storing(url, maker, count, rate))
        figures["writer_us"] = microseconds(figures.pop("writer_cpu_s") - idle, count)
        figures["bytes_per_trace"] = (on_disk(url) - before) / count
        figures["index_us"] = indexing(folder, maker)
        if store:
            with closing(connect(url)) as database, database.transaction() as transaction:
                transaction.execute("ANALYZE")  # as the server does by itself, within a minute or two
        figures |= reading(url, maker) | forgetting(url, count)
    return {"span_us": recording(maker), "metrics_us": counting(maker), **figures}


ROWS = (
    ("span_us", "a span, recorded", "µs CPU", 1.2),
    ("metrics_us", "metrics of a trace", "µs CPU", 8),
    ("server_us", "append and send, in the server", "µs CPU", 20),
    ("writer_us", "store, in the writer", "µs CPU", 95),
    ("index_us", "of that, the index of SQLite", "µs CPU", None),
    ("bytes_per_trace", "on disk", "bytes", 3_000),
    ("list_p95_ms", "list of the last 100, p95", "ms", 10),
    ("detail_p95_ms", "one trace, whole, p95", "ms", 5),
    ("search_p50_ms", "search, the newest 20, p50", "ms", None),
    ("search_p95_ms", "search, the newest 20, p95", "ms", 30),
    ("traces_per_s", "stored", "traces/s", None),
    ("deepest", "deepest queue", "traces", None),
    ("lag_ms", "longest lag", "ms", None),
    ("forget_s", "a fourteenth is forgotten in", "s", None),
    ("forget_wait_ms", "of that, a writer waits for at most", "ms", None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=0, help="traces a second; 0: as fast as they are taken")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--store", default="", help="an empty database; a SQLite file otherwise")
    options = parser.parse_args()
    figures = measure(options.traces, options.rate, options.store)
    if options.json:
        print(json.dumps({"traces": options.traces, "rate": options.rate, **figures}))
        return
    print(f"{options.traces} traces, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for key, name, unit, budget in ROWS:
        print(f"{name:36}{figures[key]:12,.1f} {unit:9}{f'budget {budget:,}' if budget else ''}")


if __name__ == "__main__":
    main()
