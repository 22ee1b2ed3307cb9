"""Answers the same batch in one process and on Ray: lines a second, and CPU a line.

    python -m benchmarks.batch.bench                            # one process
    python -m benchmarks.batch.bench --ray FOLDER/bin/python    # and a Python that has regista[ray], for a local Ray

Two models: `echo`, which costs nothing, so that what is measured is the rest; and one behind HTTP on the loopback
interface that answers after 5 ms. Every line is kept in SQLite as it is done, with its trace and its ledger row.
CPU time is that of the whole process tree, start-up included, sampled every 0.2 s; lines a second are taken twice:
from the command's start to its end, and from the first line's beginning to the last one's end.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.evaluation.bench import URL, endpoint
from regista.store import connect

MODELS = {
    "echo": 'model = "echo/it"',
    "5 ms": f'model = "openai/mock"\nbase_url = "{URL}"',
}
SAMPLE_S = 0.2
TICK = os.sysconf("SC_CLK_TCK")


class Figures(NamedTuple):
    """What one run took."""

    wall_s: float
    batch_s: float
    cpu_s: float


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--ray", help="a Python that has regista[ray]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pools = {"one process": (sys.executable, "")} | ({"local Ray": (options.ray, "local")} if options.ray else {})
    runs: dict[tuple[str, str], list[Figures]] = {}
    with tempfile.TemporaryDirectory() as folder, endpoint():
        for attempt in range(options.tries):
            for model in MODELS:
                for name, (python, ray) in pools.items():
                    place = Path(folder) / f"{model}-{name}-{attempt}".replace(" ", "-")
                    print(f"{name}, {model}, {attempt + 1}/{options.tries} …", file=sys.stderr)
                    figures = timed(place, python, ray, model, options.lines, options.concurrency)
                    runs.setdefault((name, model), []).append(figures)
    medians = {
        key: Figures(*(statistics.median(values) for values in zip(*found, strict=True))) for key, found in runs.items()
    }
    if options.json:
        rows = [{"pool": pool, "model": model, **found._asdict()} for (pool, model), found in medians.items()]
        print(json.dumps({"cores": os.cpu_count(), "python": platform.python_version(), "runs": rows}))
    else:
        print(table(medians, options.lines))


def timed(place: Path, python: str, ray: str, model: str, lines: int, concurrency: int) -> Figures:
    """One run's figures; a run that does not answer every line ends the benchmark."""
    prepare(place, model, lines)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTA_")}
    command = [python, "-m", "regista", "batch", "run", "in.jsonl", "--app", "app", "--json"]
    started = time.perf_counter()
    with (place / "out.json").open("w") as out, (place / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--concurrency", str(concurrency)],
            cwd=place,
            env=environment | ({"REGISTA_RAY": ray} if ray else {}),
            stdout=out,
            stderr=log,
        )
        spent: dict[int, float] = {}
        while process.poll() is None:
            for pid, seconds in tree(process.pid):
                spent[pid] = seconds
            time.sleep(SAMPLE_S)
    wall = time.perf_counter() - started
    text = (place / "out.json").read_text()
    assert process.returncode == 0, (place / "log").read_text()[-3000:]
    batch = json.loads(text[text.index("{") :])
    assert batch["request_counts"]["completed"] == lines, batch
    return Figures(wall, took(place), sum(spent.values()))


def took(place: Path) -> float:
    """Seconds from the first line's beginning to the last one's end, by the ledger."""
    database = connect(f"sqlite://{place / 'app' / '.regista' / 'regista.db'}")
    ((first, last),) = database.query("SELECT min(started_ns), max(ended_ns) FROM ledger WHERE cause = 'batch'")
    database.close()
    return (last - first) / 1e9


def prepare(place: Path, model: str, lines: int) -> None:
    """A folder with an application and a batch."""
    (place / "app" / "prompts").mkdir(parents=True)
    (place / "app" / "regista.toml").write_text(f'[app]\nname = "app"\n[models.default]\n{MODELS[model]}\n')
    (place / "app" / "prompts" / "answer.prompt").write_text("{{question}}\n")
    with (place / "in.jsonl").open("w") as file:
        for n in range(lines):
            body = {"model": "app", "messages": [{"role": "user", "content": f"What is {n} + {n * 7 % 1000}?"}]}
            line = {"custom_id": f"c{n}", "method": "POST", "url": "/v1/chat/completions", "body": body}
            file.write(json.dumps(line) + "\n")


def tree(pid: int) -> Iterator[tuple[int, float]]:
    """The processes of a tree with their CPU seconds so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # Of every thread: a child may be of any.
        files = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [child for file in files for child in file.read_text().split()]
    except OSError:
        return
    yield pid, (int(fields[11]) + int(fields[12])) / TICK
    for child in children:
        yield from tree(int(child))


def table(medians: dict[tuple[str, str], Figures], lines: int) -> str:
    """A Markdown table."""
    rows = ["| pool | model | lines/s, batch alone | lines/s, with start-up | ms CPU a line |", "|---|---|---|---|---|"]
    for (pool, model), run in medians.items():
        speeds = f"{lines / run.batch_s:,.0f} | {lines / run.wall_s:,.0f}"
        rows.append(f"| {pool} | {model} | {speeds} | {run.cpu_s / lines * 1e3:.2f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
