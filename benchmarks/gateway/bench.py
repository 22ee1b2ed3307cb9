"""Runs the gateways one after another on one core, with the provider and the load on the other.

    python -m benchmarks.gateway.bench                     # a raw model, all of the gateway, guardrails too
    python -m benchmarks.gateway.bench --litellm PATH/bin --tensorzero PATH/bin --nginx nginx   # beside peers

LiteLLM's proxy (`litellm[proxy]`) and TensorZero's embedded server (`tensorzero openai`) are in venvs of their own.

CPU time is that of the gateway's whole process tree (the trace writer included) divided by its answers. "Added"
is the latency less that of the same load straight at the provider. Gateways take turns, so that a disturbance hits all.

Memory is the sum of the tree's proportional set sizes (PSS, man 5 proc_pid_smaps): a page that several processes map is
counted once, each having its part. Resident sizes would count the interpreter and its libraries again for each process,
which the machine does not give again. A page that a program outside of the tree maps too counts in part.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.drawing import drawing
from benchmarks.gateway.gateways import PROVIDER_PORT, Gateway, ours, peers

ROOT = Path(__file__).parents[2]
SETTLE_S, WARM_S = 8.0, 2.0
"""After the first answer, and of load: what a server does once, or with its first requests, belongs to no request."""


@dataclass
class Load:
    """How it is asked: seconds a run, rates beside the fastest, runs of each."""

    seconds: float
    rates: list[int]
    tries: int


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litellm", type=Path, help="the bin folder of a venv with litellm[proxy]")
    parser.add_argument("--tensorzero", type=Path, help="the bin folder of a venv with tensorzero and openai")
    parser.add_argument("--nginx", help="nginx, the floor: it passes bytes on and reads none")
    parser.add_argument("--cadence", type=float, default=0, help="milliseconds between the pieces of a stream")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rates", default="200,1000")
    parser.add_argument("--tries", type=int, default=3, help="turns of all gateways; figures are medians over them")
    parser.add_argument("--svg", type=Path, help="write a picture of the figures here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = [int(rate) for rate in options.rates.split(",")]
        gateways = [*ours(Path(folder)), *peers(Path(folder), options.litellm, options.tensorzero, options.nginx)]
        results = measure(gateways, Load(options.seconds, rates, options.tries), options.cadence)
    if options.svg:
        options.svg.write_text(drawing(results), "utf-8")
    machine = {"python": platform.python_version(), "cpu": cpu_name(), "cores": os.cpu_count()}
    print(json.dumps({"machine": machine, "results": results}) if options.json else table(results))


def measure(gateways: list[Gateway], load: Load, cadence: float) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by gateway and kind of load."""
    provider = [sys.executable, "-m", "benchmarks.gateway.upstream", str(PROVIDER_PORT), str(cadence)]
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    alone = Gateway("provider alone", "mock", port=PROVIDER_PORT)
    with running(provider, 1, PROVIDER_PORT):
        for turn in range(load.tries):
            for gateway in [alone, *gateways]:
                print(f"measuring {gateway.name}, turn {turn + 1} …", file=sys.stderr)
                with running(gateway.command, 0, gateway.port) as pid:
                    wait_for_answer(gateway)
                    time.sleep(SETTLE_S if pid else 0)
                    one(gateway, pid, "json", 0, WARM_S)
                    runs = found.setdefault(gateway.name, {})
                    for mode, rate in loads(gateway, load, cadence):
                        label = f"{mode} {f'{rate}/s' if rate else 'max'}"
                        runs.setdefault(label, []).append(one(gateway, pid, mode, rate, load.seconds))
    return {name: {label: median(turns) for label, turns in runs.items()} for name, runs in found.items()}


def loads(gateway: Gateway, load: Load, cadence: float) -> list[tuple[str, int]]:
    """Kinds of load and their rates, 0 for as fast as it goes. LiteLLM is not asked for more than it can do."""
    most = 100 if gateway.name.startswith("litellm") else max(load.rates)
    modes, rates = (("sse",), load.rates) if cadence else (("json", "sse"), [0, *load.rates])
    return [(mode, rate) for mode in modes for rate in rates if rate <= most]


@contextlib.contextmanager
def running(command: list[str], core: int, port: int) -> Generator[int]:
    """A program on one core, until the block ends; 0 for none."""
    if not command:
        yield 0
        return
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for_answer(gateway: Gateway, seconds: float = 120) -> None:
    """Until a request is answered well."""
    body = json.dumps({"model": gateway.model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {gateway.key}"}
    end = time.monotonic() + seconds
    while True:
        try:
            if gateway.port_file is not None:
                gateway.port = int(gateway.port_file.read_text())
            with urllib.request.urlopen(urllib.request.Request(url(gateway), body, headers), timeout=5) as answer:
                if b"choices" in answer.read():
                    return
        except (OSError, ValueError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def one(gateway: Gateway, pid: int, mode: str, rate: int, seconds: float) -> dict[str, float]:
    """One load against one gateway."""
    before = cpu_seconds(pid)
    load = [sys.executable, "-m", "benchmarks.gateway.load", url(gateway), gateway.model, gateway.key, mode]
    load += [str(rate), "32" if not rate else "1024", str(seconds)]
    out = subprocess.run(["taskset", "-c", "1", *load], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(out)
    time.sleep(0.5)  # what is still being written belongs to these requests
    result["cpu_us"] = (cpu_seconds(pid) - before) / max(1, result.pop("asked")) * 1e6
    result["pss_mb"] = memory_mb(pid)
    return result


def url(gateway: Gateway) -> str:
    return f"http://127.0.0.1:{gateway.port}{gateway.path}"


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                children.setdefault(int(stat[stat.rfind(")") + 2 :].split()[1]), []).append(int(entry.name))
    found, todo = list[int](), [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        todo += children.get(current, [])
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process tree."""
    total = 0
    for process in tree(pid) if pid else []:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_mb(pid: int) -> float:
    """What the machine gives a process tree, each page once, in MiB."""
    total = 0
    for process in tree(pid) if pid else []:
        with contextlib.suppress(OSError):
            maps = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += sum(int(line.split()[1]) for line in maps.splitlines() if line.startswith("Pss:"))
    return total / 1024


def cpu_name() -> str:
    """The processor, as Linux calls it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """A Markdown table."""
    direct = results["provider alone"]
    lines = [
        "| gateway | load | answers/s | errors | p50 ms | p99 ms | added p50 / p99 ms | gap p99 ms | CPU µs | PSS MB |",
        "|" + "---|" * 10,
    ]
    for name, runs in results.items():
        for label, run in runs.items():
            base = direct.get(label, {})
            added = (
                f"{(run['p50'] - base['p50']) / 1e3:.2f} / {(run['p99'] - base['p99']) / 1e3:.2f}"
                if base and "max" not in label
                else ""
            )
            cells = [
                name,
                label,
                f"{run['rps']:,.0f}",
                f"{run['errors']:.0f}",
                f"{run['p50'] / 1e3:.2f}",
                f"{run['p99'] / 1e3:.2f}",
            ]
            gap = f"{run['gap_p99'] / 1e3:.2f}" if label.startswith("sse") else ""
            lines.append("| " + " | ".join([*cells, added, gap, f"{run['cpu_us']:.0f}", f"{run['pss_mb']:.0f}"]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if not shutil.which("taskset"):
        sys.exit("This needs taskset (util-linux).")
    main()
