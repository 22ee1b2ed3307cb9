"""What a trace costs: recording, appending and counting it in the server, storing it in the writer, keeping it on disk.

    python benchmarks/observe/bench.py [--traces 20000] [--rate 0] [--json]

A trace here is a question of 400 characters, an answer of 600, two citations, and six spans of which
one holds eight hits. Texts are cut at random out of the docstrings of Python's own library, so that
they compress as prose does. `--rate 0` is as fast as the writer takes them.
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
from pathlib import Path

from regista.core.nouns import Citation, Trace, Usage
from regista.observe.log import TraceLog
from regista.observe.metrics import Metrics
from regista.observe.recorder import Recorder
from regista.store import connect
from regista.store.traces import recent

STAGES = ("guard request", "cache", "retrieve", "prompt", "generate", "cite")
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


async def storing(url: str, traces: list[Trace], rate: float) -> dict[str, float]:
    """Append all; figures of both processes."""
    log = TraceLog(url)
    before = children()
    await log.start()
    await asyncio.sleep(0.5)  # the writer's start is not what is measured
    started, used, deepest, slowest = time.perf_counter(), time.process_time(), 0, 0.0
    for number, trace in enumerate(traces):
        log.append(trace)
        if number % 20 == 19:
            due = started + number / rate if rate else 0.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await drained(log, 5_000)
            deepest, slowest = max(deepest, log.depth), max(slowest, log.lag_ms)
    await drained(log, 0)
    wall, used = time.perf_counter() - started, time.process_time() - used
    await log.close()
    if log.written != len(traces) or log.dropped:
        raise SystemExit(f"stored {log.written} of {len(traces)}, dropped {log.dropped}: {log.last_error}")
    return {
        "traces_per_s": len(traces) / wall,
        "server_us": microseconds(used, len(traces)),
        "writer_cpu_s": children() - before,
        "deepest": deepest,
        "lag_ms": slowest,
    }


def listing(path: Path) -> float:
    """Milliseconds of the list of the last hundred, the slowest of fifty but two."""
    database, times = connect(f"sqlite://{path}", read_only=True), list[float]()
    for _ in range(50):
        started = time.perf_counter()
        recent(database, "club", 100)
        times.append(time.perf_counter() - started)
    database.close()
    return sorted(times)[-3] * 1000


def measure(count: int, rate: float) -> dict[str, float]:
    maker = Maker()
    traces = [maker.finish(maker.record()) for _ in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "regista.db"
        idle = asyncio.run(storing(f"sqlite://{folder}/idle.db", traces[:1], 0))["writer_cpu_s"]
        figures = asyncio.run(storing(f"sqlite://{path}", traces, rate))
        figures["writer_us"] = microseconds(figures.pop("writer_cpu_s") - idle, count)
        figures["bytes_per_trace"] = path.stat().st_size / count
        figures["list_p95_ms"] = listing(path)
    return {"span_us": recording(maker), "metrics_us": counting(maker), **figures}


ROWS = (
    ("span_us", "a span, recorded", "µs CPU", 1.2),
    ("metrics_us", "metrics of a trace", "µs CPU", 8),
    ("server_us", "append and send, in the server", "µs CPU", 40),
    ("writer_us", "store, in the writer", "µs CPU", 40),
    ("bytes_per_trace", "on disk", "bytes", 3_000),
    ("list_p95_ms", "list of the last 100, p95", "ms", 10),
    ("traces_per_s", "stored", "traces/s", None),
    ("deepest", "deepest queue", "traces", None),
    ("lag_ms", "longest lag", "ms", None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=0, help="traces a second; 0: as fast as they are taken")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.traces, options.rate)
    if options.json:
        print(json.dumps({"traces": options.traces, "rate": options.rate, **figures}))
        return
    print(f"{options.traces} traces, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for key, name, unit, budget in ROWS:
        print(f"{name:32}{figures[key]:12,.1f} {unit:9}{f'budget {budget:,}' if budget else ''}")


if __name__ == "__main__":
    main()
