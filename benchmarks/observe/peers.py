"""What taking in spans costs here, in Phoenix and in MLflow: the same requests to each in turn. One command, a table.

    python -m venv /tmp/peers/phoenix && /tmp/peers/phoenix/bin/pip install arize-phoenix
    python -m venv /tmp/peers/mlflow && /tmp/peers/mlflow/bin/pip install mlflow
    python -m benchmarks.observe.peers --phoenix /tmp/peers/phoenix/bin --mlflow /tmp/peers/mlflow/bin

Traces are those of `benchmarks.observe.otlp`, in protobuf, 512 spans a request, as SDKs send them; each server has a
fresh SQLite database and its defaults, and is asked by one client at a time. What counts are the seconds of processors
of the server with all its processes, from the first request until every span is counted in its database, less what it
uses in as long a time when nobody asks. A span that was acknowledged and is not in the database in the end is an error.
"""

import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx2
from benchmarks.observe.otlp import BATCH, Maker, Server, processor, seconds

from regista.observe.otel.decode import form_of

MEDIA = "application/x-protobuf"
PORT = 9461
START_S, PATIENCE_S = 180, 900
IDLE_S = 10.0
WARM = 100
"""Traces sent before the clock runs."""


class Peer(NamedTuple):
    """A server: how it is started, where it takes spans, and where it keeps them."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    path: str
    headers: dict[str, str]
    database: str


def phoenix(bin: Path, folder: Path) -> Peer:
    places = {"PHOENIX_WORKING_DIR": str(folder), "PHOENIX_PORT": str(PORT), "PHOENIX_GRPC_PORT": str(PORT + 1)}
    quiet = {"PHOENIX_HOST": "127.0.0.1", "PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_LOGGING_LEVEL": "warning"}
    command = (str(bin / "phoenix"), "serve")
    return Peer(_named(bin, "arize-phoenix"), command, places | quiet, "/v1/traces", {}, "phoenix.db")


def mlflow(bin: Path, folder: Path) -> Peer:
    store = ("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--default-artifact-root", str(folder / "a"))
    command = (str(bin / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(PORT), "--workers", "1", *store)
    return Peer(_named(bin, "mlflow"), command, {}, "/v1/traces", {"x-mlflow-experiment-id": "0"}, "mlflow.db")


PEERS: dict[str, Callable[[Path, Path], Peer]] = {"phoenix": phoenix, "mlflow": mlflow}


class Figure(NamedTuple):
    """Of one server: seconds of processors and of the clock for so many spans, and bytes on disk a span."""

    name: str
    spans: int
    cpu_s: float
    idle_s: float
    wall_s: float
    bytes: float

    @property
    def spans_a_second(self) -> float:
        """Of one processor."""
        return self.spans / (self.cpu_s - self.idle_s)


def _named(bin: Path, package: str) -> str:
    told = f"from importlib.metadata import version; print(version({package!r}))"
    found = subprocess.run([str(bin / "python"), "-c", told], capture_output=True, text=True, check=True)
    return f"{package} {found.stdout.strip()}"


def used(pid: int) -> float:
    """Seconds of processors of a process, its children and theirs, those that have ended too."""
    total = seconds(pid, ended=True)
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            total += used(int(child))
    return total


def stored(database: Path) -> int:
    """How many spans a database has; each of these servers has them in a table of that name."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def settle(database: Path, spans: int) -> None:
    """Wait until so many are stored."""
    end = time.monotonic() + PATIENCE_S
    while (there := stored(database)) < spans:
        if time.monotonic() > end:
            raise SystemExit(f"{there} of {spans} spans are in {database} after {PATIENCE_S} s.")
        time.sleep(0.5)


def bodies(traces: int) -> list[bytes]:
    """Requests with so many traces."""
    maker = Maker()
    spans = [span for _ in range(traces) for span in maker.trace()]
    return [form_of(MEDIA).write(spans[start : start + BATCH]) for start in range(0, len(spans), BATCH)]


def measured(name: str, pid: int, url: str, headers: dict[str, str], database: Path, requests: list[bytes]) -> Figure:
    """One server that runs, sent the requests of 600 spans first, and then the others."""
    with httpx2.Client(timeout=120) as client:

        def send(some: Sequence[bytes]) -> None:
            for body in some:
                while (
                    answer := client.post(url, content=body, headers={"content-type": MEDIA, **headers})
                ).status_code in (
                    429,
                    503,
                ):
                    time.sleep(0.5)
                answer.raise_for_status()

        warm, spans = bodies(WARM), 6 * WARM
        send(warm)
        settle(database, spans)
        time.sleep(2)
        rested = used(pid)
        time.sleep(IDLE_S)
        idle = (used(pid) - rested) / IDLE_S
        before, size, started = used(pid), _size(database), time.monotonic()
        send(requests)
        added = _spans(requests)
        settle(database, spans + added)
        wall = time.monotonic() - started
        return Figure(name, added, used(pid) - before, idle * wall, wall, (_size(database) - size) / added)


def _spans(requests: list[bytes]) -> int:
    return sum(len(form_of(MEDIA).read(body).spans) for body in requests)


def _size(database: Path) -> int:
    return sum(file.stat().st_size for file in database.parent.rglob("*") if file.is_file())


def ours(requests: list[bytes]) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "bench")
        try:
            database = Path(folder) / "bench" / ".regista" / "regista.db"
            return measured("regista", server.process.pid, f"{server.url}/v1/otlp/v1/traces", {}, database, requests)
        finally:
            server.stop()


def theirs(make: Callable[[Path, Path], Peer], bin: Path, requests: list[bytes]) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        peer = make(bin, Path(folder))
        log = Path(folder) / "log"
        with log.open("wb") as out:
            environment = os.environ | peer.environment
            process = subprocess.Popen(
                peer.command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True
            )
        try:
            _ready(process, log)
            url = f"http://127.0.0.1:{PORT}{peer.path}"
            return measured(peer.name, process.pid, url, peer.headers, Path(folder) / peer.database, requests)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until it answers at all, and has done what it does at its start."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx2.get(f"http://127.0.0.1:{PORT}/health", timeout=5)
        except httpx2.HTTPError:
            time.sleep(0.5)
        else:
            time.sleep(10)
            return
    raise SystemExit(f"{log} says: {log.read_text(errors='replace')[-2_000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=5_000)
    for name in PEERS:
        parser.add_argument(f"--{name}", type=Path, help="the folder of its programs")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    requests = bodies(arguments.spans // 6)
    figures = [ours(requests)]
    for name, make in PEERS.items():
        if (bin := getattr(arguments, name)) is not None:
            figures.append(theirs(make, bin.absolute(), requests))
    if arguments.json:
        print(json.dumps([{**figure._asdict(), "spans_a_second": figure.spans_a_second} for figure in figures]))
        return
    size = sum(map(len, requests)) / figures[0].spans
    print(f"{figures[0].spans} spans of {size:.0f} bytes, Python {platform.python_version()}, {processor()}\n")
    print(
        "| | spans a second of one core | µs a span | at rest, of a core | spans a second by the clock | bytes a span |"
    )
    print("|---|---|---|---|---|---|")
    for one in figures:
        print(
            f"| {one.name} | {one.spans_a_second:,.0f} | {1e6 / one.spans_a_second:,.0f} "
            f"| {one.idle_s / one.wall_s:.1%} | {one.spans / one.wall_s:,.0f} | {one.bytes:,.0f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
