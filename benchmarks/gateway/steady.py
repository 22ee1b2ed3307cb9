"""Whether memory stays flat: so many requests to one server, everything on, with its memory as they come.

    python -m benchmarks.gateway.steady                      # a million, JSON
    python -m benchmarks.gateway.steady --requests 100000 --mode sse

Every question is another one, so that no cache answers it and whatever is kept for each request would be seen. Memory
is the whole process tree's PSS, as in `bench`. `slope` is a line's through the second half, in MB for 100,000 requests.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.gateway.bench import ROOT, cpu_seconds, memory_mb, running, url, wait_for_answer
from benchmarks.gateway.gateways import PROVIDER_PORT, ours

Step = dict[str, float]


def main() -> None:
    """Ask, and print a line as each part is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20, help="length of a part, after which memory is read")
    parser.add_argument("--mode", choices=("json", "sse"), default="json")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = ask(Path(folder), options.requests, options.seconds, options.mode)
    told = {"steps": steps, "slope_mb_100k": slope(steps[len(steps) // 2 :])}
    print(json.dumps(told) if options.json else f"slope {told['slope_mb_100k']:+.2f} MB for 100,000 requests")


def ask(folder: Path, requests: int, seconds: float, mode: str) -> list[Step]:
    """The server with guardrails, limits, router, cache and resilience, asked part by part."""
    gateway = ours(folder)[-1]
    provider = [sys.executable, "-m", "benchmarks.gateway.upstream", str(PROVIDER_PORT), "0"]
    steps: list[Step] = []
    with running(provider, 1, PROVIDER_PORT), running(gateway.command, 0, gateway.port) as pid:
        wait_for_answer(gateway)
        load = [sys.executable, "-m", "benchmarks.gateway.load", url(gateway), gateway.model, gateway.key, mode, "0"]
        asked, failed = 0.0, 0.0
        while asked < requests:
            before = cpu_seconds(pid)
            part = ["taskset", "-c", "1", *load, "32", str(seconds)]
            found = json.loads(subprocess.run(part, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
            asked += found["asked"]
            failed += found["errors"]
            cpu_us = (cpu_seconds(pid) - before) / found["asked"] * 1e6
            steps.append(
                {"asked": asked, "mb": memory_mb(pid), "errors": failed, "cpu_us": cpu_us, "rps": found["rps"]}
            )
            print(
                f"{asked:>10,.0f} requests  {steps[-1]['mb']:6.1f} MB  {failed:.0f} errors  {cpu_us:.0f} µs CPU each",
                file=sys.stderr,
                flush=True,
            )
    return steps


def slope(steps: list[Step]) -> float:
    """MB for 100,000 requests, by least squares."""
    if len(steps) < 2:
        return 0.0
    middle, mean = (sum(step[name] for step in steps) / len(steps) for name in ("asked", "mb"))
    over = sum((step["asked"] - middle) ** 2 for step in steps)
    return sum((step["asked"] - middle) * (step["mb"] - mean) for step in steps) / over * 1e5


if __name__ == "__main__":
    main()
