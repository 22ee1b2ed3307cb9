"""How long the console's pages take on a full store: asked one after another over loopback, from a server of its own.

    python -m benchmarks.console.pages [--traces 100000] [--rounds 60] [--days 14] [--json]

Times are from a request to the last byte of its answer. What is asked for varies from round to round, so that no page
is asked for twice in a row.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from regista.core.nouns import Call, Citation, Span, Trace, Usage
from regista.store import Database, connect
from regista.store.traces import write

MODELS = ("openai/small", "openai/large", "groq/fast", "anthropic/careful")
STEP = 200
"""Traces in a transaction, as the writer has it: a search looks through those that are not in the index yet."""
MS = 10**6
DAY_NS = 86_400 * 10**9
CONFIGURATION = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/mirror"\n'
PROMPT = '{{role "user"}}\n{{question}}\n'


def traces(count: int, days: float) -> Iterator[Trace]:
    """As many over as many days until now, in the order they began; 3 of 100 fail."""
    chance = random.Random(1)
    now = time.time_ns()
    for begun in sorted(now - int(chance.random() * days * DAY_NS) for _ in range(count)):
        yield _trace(chance, begun)


def _trace(chance: random.Random, begun: int) -> Trace:
    model = chance.choice(MODELS)
    biller, _, name = model.partition("/")
    took = int(chance.lognormvariate(6.5, 0.6)) * MS
    usage = Usage(chance.randrange(200, 3_000), chance.randrange(20, 600))
    failed = chance.random() < 0.03
    status = "error" if failed else "ok"
    words = " ".join(f"word{chance.randrange(20_000)}" for _ in range(60))
    spans = (
        *(Span(stage, "", -1, n * MS, MS, "pass") for n, stage in enumerate(("guard request", "cache", "route"))),
        Span("retrieve", "", -1, 4 * MS, 9 * MS, "8 hits", "hybrid"),
        Span("generate", "default", -1, 14 * MS, took, "stop"),
    )
    call = Call(biller, name, "answer", status, usage, True, 400_000, begun, took, took // 4)
    return Trace(
        *(f"{chance.getrandbits(128):032x}", "shop", "a3f81c9b", model, "default", begun, took + 15 * MS, took // 4),
        *(status, "The provider answered 503." if failed else "", "miss", usage, 400_000, "2026-11-01"),
        *(f"How is {words[:200]}?", words, (Citation("help.md", 0, 20, words[:20], 1),), spans, (call,)),
    )


def fill(database: Database, count: int, days: float) -> list[str]:
    """Store them; the ids of some."""
    ids: list[str] = []
    some: list[Trace] = []
    for trace in traces(count, days):
        some.append(trace)
        if len(some) == STEP:
            _keep(database, some)
            ids += [one.id for one in some[::500]]
            some = []
    _keep(database, some)
    return ids or [trace.id for trace in some]


def _keep(database: Database, some: list[Trace]) -> None:
    with database.transaction() as transaction:
        write(transaction, some)


def paths(ids: list[str], number: int) -> dict[str, str]:
    """What is asked for in a round, by what it is called."""
    model = MODELS[number % len(MODELS)]
    return {
        "traces": "/console/traces",
        "traces of a model": f"/console/traces?model={model}&range=24h",
        "traces that failed": "/console/traces?status=error",
        "traces by words": f"/console/traces?text=word{number * 37}",
        "trace": f"/console/traces/{ids[number % len(ids)]}",
        "overview, 24 hours": "/console",
        "overview, 7 days": "/console?range=7d",
        "overview, 30 days": "/console?range=30d",
        "models, 7 days": "/console/models",
        "conversations": "/console/conversations",
        "guardrails, 7 days": "/console/guardrails",
        "prompt, 7 days": "/console/prompts/answer",
        "review, an item": "/console/review/answers?by=ann",
    }


def measure(url: str, ids: list[str], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each answer, by what was asked for."""
    times: dict[str, list[float]] = {}
    with httpx2.Client(base_url=url.partition("/console")[0], timeout=60) as client:
        client.get(url)
        for number in range(rounds + 3):
            for name, path in paths(ids, number).items():
                begun = time.perf_counter()
                client.get(path).raise_for_status()
                if number >= 3:
                    times.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
    return times


def served(folder: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server of the folder, and the address that opens its console."""
    with log.open("wb") as told:
        command = [sys.executable, "-m", "regista", "up", str(folder), "--port", "0"]
        process = subprocess.Popen(command, stdout=told, stderr=told)
    while not (found := re.search(r"in a browser: (\S+)", log.read_text())):
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        time.sleep(0.1)
    return process, found[1]


def main() -> None:
    """Fill a store, ask for the pages, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "shop"
        (folder / "prompts").mkdir(parents=True)
        (folder / "prompts" / "answer.prompt").write_text(PROMPT)
        (folder / "regista.toml").write_text(CONFIGURATION)
        database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
        ids = fill(database, asked.traces, asked.days)
        database.close()
        process, url = served(folder, Path(temporary) / "log")
        try:
            times = measure(url, ids, asked.rounds)
        finally:
            process.terminate()
            process.wait(30)
    found = {name: {"p50_ms": at(all_of, 0.5), "p95_ms": at(all_of, 0.95)} for name, all_of in times.items()}
    if asked.json:
        print(json.dumps({"traces": asked.traces, "pages": found}, indent=2))
        return
    print(f"{asked.traces:,} traces over {asked.days:g} days; {asked.rounds} rounds; load {os.getloadavg()[0]:.1f}\n")
    print(f"{'page':<22}{'p50':>10}{'p95':>10}")
    for name, one in found.items():
        print(f"{name:<22}{one['p50_ms']:>7.1f} ms{one['p95_ms']:>7.1f} ms")


def at(times: list[float], share: float) -> float:
    """The time that so many are below."""
    return round(sorted(times)[min(len(times) - 1, int(share * len(times)))], 2)


if __name__ == "__main__":
    main()
