"""What taking in spans costs: OTLP sent to a live server, until all of it is stored. One command, a table.

    python -m benchmarks.observe.otlp [--spans 20000] [--json]

A trace here has six spans: an agent, two calls of a model with messages of 400 and 600 characters, a retrieval with
five documents, a tool and a plain function. Requests hold 512 spans, as SDKs send them. What counts are the seconds of
processors of the server and its writer together, so that spans a second are those of one core. `late` sends the agents
when all else is stored: each trace is stored, and then stored anew.
"""

import argparse
import gzip
import json
import os
import platform
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx2
from benchmarks.observe.bench import prose

from regista.core.nouns import Json
from regista.observe.otel.decode import form_of
from regista.observe.otel.nouns import OtlpSpan
from regista.store import connect

BATCH = 512
PATIENCE_S = 120
TICKS = os.sysconf("SC_CLK_TCK")
RESOURCE: Json = {
    "service.name": "bot",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.2",
    "deployment.environment.name": "production",
}
CASES = {
    "protobuf": ("application/x-protobuf", False, False),
    "protobuf, gzip": ("application/x-protobuf", True, False),
    "JSON": ("application/json", False, False),
    "protobuf, late": ("application/x-protobuf", False, True),
}
"""Content type, whether it is packed, and whether the roots come late."""


class Maker:
    """Makes traces, the same in every run but for their ids."""

    def __init__(self) -> None:
        self._prose = prose()
        self._random = random.Random(1)

    def trace(self) -> list[OtlpSpan]:
        trace_id, start = os.urandom(16).hex(), time.time_ns()
        ids = [os.urandom(8).hex() for _ in range(6)]
        return [
            OtlpSpan(
                trace_id,
                ids[number],
                ids[0] if number else "",
                name,
                1 if number else 2,
                start + number * 10**6,
                start + (10**9 if not number else number * 10**8),
                attributes,
                resource=RESOURCE,
                scope="openai",
            )
            for number, (name, attributes) in enumerate(self._spans())
        ]

    def _spans(self) -> Iterator[tuple[str, Json]]:
        yield "invoke_agent bot", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bot"}
        yield "chat gpt-5", self._chat()
        yield (
            "retrieval docs",
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.retrieval.documents": json.dumps(
                    [{"id": f"d{n}", "score": 0.5, "content": self._cut(300)} for n in range(5)]
                ),
            },
        )
        yield (
            "execute_tool table",
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "table",
                "gen_ai.tool.call.arguments": '{"name": "boats"}',
                "gen_ai.tool.call.result": self._cut(200),
            },
        )
        yield "parse", {"code.function.name": "parse", "thread.id": 7}
        yield "chat gpt-5", self._chat()

    def _chat(self) -> Json:
        said = [{"role": "user", "parts": [{"type": "text", "content": self._cut(400)}]}]
        answered = [{"role": "assistant", "parts": [{"type": "text", "content": self._cut(600)}]}]
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.response.model": "gpt-5-2026-08-07",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 800,
            "gen_ai.response.id": "chatcmpl-123",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 212,
            "gen_ai.usage.output_tokens": 96,
            "gen_ai.usage.cache_read.input_tokens": 128,
            "server.address": "api.openai.com",
            "gen_ai.input.messages": json.dumps(said),
            "gen_ai.output.messages": json.dumps(answered),
        }

    def _cut(self, length: int) -> str:
        start = self._random.randrange(len(self._prose) - length)
        return self._prose[start : start + length]


class Figure(NamedTuple):
    """Of one case. Times are those of processors, in microseconds a span."""

    case: str
    spans: int
    bytes: float
    server_us: float
    writer_us: float

    @property
    def spans_a_second(self) -> float:
        return 1e6 / (self.server_us + self.writer_us)


class Server:
    """`regista up` over an empty application."""

    def __init__(self, folder: Path) -> None:
        (folder / "prompts").mkdir(parents=True)
        (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
        (folder / "regista.toml").write_text('[models.default]\nmodel = "echo/mirror"\n')
        self._folder = folder
        command = [sys.executable, "-m", "regista", "up", str(folder), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        note = folder / ".regista" / "server.json"
        while not note.exists():
            if self.process.poll() is not None:
                raise SystemExit("regista up ended: start it by hand to see why.")
            time.sleep(0.05)
        time.sleep(1.0)
        self.url = str(json.loads(note.read_text())["url"])

    def used(self) -> tuple[float, float]:
        """Seconds of processors: the server's, and its writer's."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        writers = [pid for pid in children if b"observe.writer" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(writers) == 1, "one writer is found, or its time is not counted"
        return seconds(self.process.pid), sum(seconds(int(pid)) for pid in writers)

    def stored(self) -> int:
        database = connect(f"sqlite://{self._folder / '.regista' / 'regista.db'}", read_only=True)
        try:
            return int(database.query("SELECT count(*) FROM spans")[0][0])
        finally:
            database.close()

    def settle(self, spans: int) -> None:
        """Wait until so many are stored; asked once in a while, as asking takes time too."""
        end = time.monotonic() + PATIENCE_S
        while (stored := self.stored()) < spans:
            if time.monotonic() > end:
                raise SystemExit(f"{stored} of {spans} spans are stored after {PATIENCE_S} s.")
            time.sleep(0.5)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def seconds(pid: int, *, ended: bool = False) -> float:
    """Seconds of processors of a process; with `ended`, also those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


def requests(traces: Sequence[list[OtlpSpan]], late: bool) -> tuple[list[list[OtlpSpan]], list[list[OtlpSpan]]]:
    """Spans by request: those that are sent first, and those that are sent late."""
    first = [span for trace in traces for span in (trace[1:] if late else trace)]
    last = [trace[0] for trace in traces] if late else []
    return _batches(first), _batches(last)


def _batches(spans: list[OtlpSpan]) -> list[list[OtlpSpan]]:
    return [spans[start : start + BATCH] for start in range(0, len(spans), BATCH)]


def measured(case: str, count: int) -> Figure:
    """One case on a server of its own."""
    media, packed, late = CASES[case]
    maker = Maker()
    with tempfile.TemporaryDirectory() as folder, httpx2.Client(timeout=60) as client:
        server = Server(Path(folder) / "bench")
        headers = {"content-type": media} | ({"content-encoding": "gzip"} if packed else {})

        def send(spans: Sequence[list[OtlpSpan]]) -> int:
            bodies = [form_of(media).write(some) for some in spans]
            bodies = [gzip.compress(body, 6) for body in bodies] if packed else bodies
            for body in bodies:
                while (answer := client.post(url, content=body, headers=headers)).status_code == 503:
                    time.sleep(0.5)
                answer.raise_for_status()
            return sum(map(len, bodies))

        try:
            url = f"{server.url}/v1/otlp/v1/traces"
            warm = [maker.trace() for _ in range(100)]
            send(_batches([span for trace in warm for span in trace]))
            server.settle(600)
            traces = [maker.trace() for _ in range(count // 6)]
            begun = server.used()
            first, last = requests(traces, late)
            size = send(first)
            if late:
                server.settle(600 + 5 * len(traces))
                size += send(last)
            server.settle(600 + 6 * len(traces))
            ended = server.used()
        finally:
            server.stop()
    spans = 6 * len(traces)
    server_s, writer_s = (after - before for before, after in zip(begun, ended, strict=True))
    return Figure(case, spans, size / spans, server_s / spans * 1e6, writer_s / spans * 1e6)


def processor() -> str:
    found = re.search("model name\\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = [measured(case, arguments.spans) for case in CASES]
    if arguments.json:
        print(json.dumps([{**figure._asdict(), "spans_a_second": figure.spans_a_second} for figure in figures]))
        return
    print(f"{platform.python_implementation()} {platform.python_version()}, {processor()}, {arguments.spans} spans\n")
    print("| sent as | bytes a span | server, µs a span | writer, µs a span | spans a second of one core |")
    print("|---|---|---|---|---|")
    for figure in figures:
        print(
            f"| {figure.case} | {figure.bytes:.0f} | {figure.server_us:.0f} | {figure.writer_us:.0f} "
            f"| {figure.spans_a_second:.0f} |"
        )


if __name__ == "__main__":
    main()
