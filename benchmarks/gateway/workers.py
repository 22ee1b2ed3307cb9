"""Answers a second of one worker on one core, and of N workers on N cores.

    python -m benchmarks.gateway.workers                        # 1 and 2 workers, JSON and streams
    python -m benchmarks.gateway.workers --workers 1,2,4 --limited

The provider and the load are the C programs of the kit (`--kit`). They have cores of their own where the most workers
leave one; else they share the workers' cores, one as N, and go first, so that all of it runs on one core, and then on
N. As root, and where the kernel shares time among sessions, it goes before whatever else runs on the machine.
CPU time is that of the whole process tree, supervisor and trace writers included, divided by the answers: where it
does not grow with the workers, they do not stand in each other's way. `uneven` is the busiest worker's share over an
even one. Runs take turns, so that a disturbance hits all; figures are medians.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from regista.store import connect, keys

ROOT = Path(__file__).parents[2]
KIT = ROOT.parent / "shared" / "bench" / "gateway"
PROVIDER_PORT, WARM_S = 9431, 1.0
FIRST = ("chrt", "-r", "1")
"""Provider and load go before the workers they share a core with: they never are what is waited for. Needs root."""
CONFIGURATION = f"""
[app]
name = "shop"
[models.default]
model = "openai/mock"
base_url = "http://127.0.0.1:{PROVIDER_PORT}/v1"
[prices."openai/mock"]
input = "0.15"
output = "0.60"
"""
PROMPT = '{{role "system"}}\nAnswer in a few words.\n{{role "user"}}\n{{question}}\n'
LIMITS = ("1000000000 requests/day", "1000000000000 tokens/day")

Figures = dict[str, float]


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2", help="numbers of workers, the first of them the measure")
    parser.add_argument("--model", default="openai/mock", help="openai/mock is passed on raw; shop is the application")
    parser.add_argument("--limited", action="store_true", help="ask with a key that has limits")
    parser.add_argument("--conns", type=int, default=64, help="connections for each worker")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--kit", type=Path, default=KIT)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    counts = [int(count) for count in options.workers.split(",")]
    runs: dict[tuple[str, int], list[Figures]] = {}
    with tempfile.TemporaryDirectory() as scratch, programs(options.kit, Path(scratch)) as kit:
        for _ in range(options.tries):
            for count in counts:
                for mode in ("json", "sse"):
                    found = measure(Path(tempfile.mkdtemp(dir=scratch)), kit, count, mode, options)
                    runs.setdefault((mode, count), []).append(found)
                    print(f"{mode}, {count} workers: {found}", file=sys.stderr, flush=True)
    figures = {
        key: {name: statistics.median(run[name] for run in tries) for name in tries[0]} for key, tries in runs.items()
    }
    if options.json:
        print(json.dumps({f"{mode} {count}": found for (mode, count), found in figures.items()}, indent=2))
        return
    show(figures, counts[0])


def show(figures: dict[tuple[str, int], Figures], measure_of: int) -> None:
    """A table of all runs."""
    table = Table("load", "workers", "answers/s", f"× {measure_of}", "CPU µs each", "MB", "uneven", "errors")
    for (mode, count), found in sorted(figures.items()):
        times = found["answers_s"] / figures[mode, measure_of]["answers_s"]
        cells = (found["answers_s"], times, found["cpu_us"], found["mb"], found["uneven"], found["errors"])
        table.add_row(
            mode, str(count), *(f"{cell:,.{places}f}" for cell, places in zip(cells, (0, 2, 0, 0, 2, 0), strict=True))
        )
    Console().print(table)


@contextlib.contextmanager
def programs(kit: Path, folder: Path) -> Generator[Path]:
    """The kit's provider and load, built in a folder of our own."""
    for name in ("mock", "load"):
        subprocess.run(["cc", "-O2", "-o", str(folder / name), str(kit / "src" / f"{name}.c"), "-lm"], check=True)
    yield folder


def measure(folder: Path, kit: Path, count: int, mode: str, options: argparse.Namespace) -> Figures:
    """One run of one load."""
    cores = sorted(os.sched_getaffinity(0))
    if count > len(cores):
        sys.exit(f"{count} workers need as many cores; here are {len(cores)}.")
    most = max(int(number) for number in options.workers.split(","))
    theirs = cores[most:] or cores[:count]
    asked_by = pinned(theirs, *FIRST)
    with (
        running(*asked_by, str(kit / "mock"), "--port", str(PROVIDER_PORT)),
        gateway(folder, cores[:count], count, options) as (url, pid, key),
    ):
        load = (
            *asked_by,
            str(kit / "load"),
            "--url",
            f"{url}/v1/chat/completions",
            "--mode",
            mode,
            "--model",
            options.model,
        )
        header = ("--header", f"Authorization: Bearer {key}") if key else ()
        load = (*load, *header, "--conns", str(options.conns * count), "--timeout", "20")
        put_first(tree(pid))
        ask(load, WARM_S)
        before = {pid: spent(pid) for pid in tree(pid)}
        began = time.monotonic()
        said = ask(load, options.seconds)
        wall = time.monotonic() - began
        took = {pid: spent(pid) - before.get(pid, 0.0) for pid in tree(pid)}
        workers = [took[pid] for pid in took if "_worker" in command(pid)] or [1.0]
        return {
            "answers_s": said["rps"],
            # The load's own clock leaves out its warm-up; its processes do not.
            "cpu_us": sum(took.values()) / (said["rps"] * wall) * 1e6,
            "mb": sum(pss_mb(pid) for pid in took),
            "uneven": max(workers) / statistics.mean(workers),
            "errors": sum(number for name, number in said["errors"].items() if name != "last_status"),
        }


@contextlib.contextmanager
def gateway(folder: Path, cores: list[int], count: int, options: argparse.Namespace) -> Generator[tuple[str, int, str]]:
    """A server of so many workers: its URL, its process, and a key where one is asked for."""
    application = folder / "shop"
    (application / "prompts").mkdir(parents=True)
    (application / "regista.toml").write_text(CONFIGURATION)
    (application / "prompts" / "answer.prompt").write_text(PROMPT)
    key = ""
    if options.limited:
        with contextlib.closing(connect(f"sqlite://{application}/.regista/regista.db")) as database:
            key = keys.add(database, "bench", limits=LIMITS)
    regista = (sys.executable, "-m", "regista", "up", str(application), "--port", "0", "--no-reload")
    note = application / ".regista" / "server.json"
    with running(*pinned(cores), *regista, "--workers", str(count), env={"OPENAI_API_KEY": "none"}) as process:
        while not note.exists():
            if process.poll() is not None:
                sys.exit("The gateway did not start.")
            time.sleep(0.05)
        yield str(json.loads(note.read_text())["url"]), process.pid, key


@contextlib.contextmanager
def running(*words: str, env: dict[str, str] | None = None) -> Generator["subprocess.Popen[bytes]"]:
    """A program while it is needed."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet, stdin=quiet, env={**os.environ, **(env or {})}) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def pinned(cores: list[int], *prefix: str) -> tuple[str, ...]:
    return ("taskset", "-c", ",".join(map(str, cores)), *prefix)


def ask(load: tuple[str, ...], seconds: float) -> Any:
    """What the load found."""
    found = subprocess.run(
        [*load, "--duration", str(seconds), "--warmup", str(WARM_S)], capture_output=True, check=True
    )
    return json.loads(found.stdout)


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            parent = Path(f"/proc/{int(name)}/stat").read_text().rpartition(")")[2].split()[1]
            parents.setdefault(int(parent), []).append(int(name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def put_first(pids: list[int]) -> None:
    """Let the sessions of processes go before others: man 7 sched, "The autogroup feature"."""
    for pid in pids:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text("-20")


def spent(pid: int) -> float:
    """Seconds of CPU time of all threads of a process."""
    with contextlib.suppress(OSError):
        return sum(int((t / "schedstat").read_text().split()[0]) for t in Path(f"/proc/{pid}/task").iterdir()) / 1e9
    return 0.0


def pss_mb(pid: int) -> float:
    """Its PSS, as `benchmarks.gateway.bench` counts it."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0]) / 1024
    return 0.0


def command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


if __name__ == "__main__":
    main()
