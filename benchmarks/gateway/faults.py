"""What clients see, and what the ledger has, when a provider fails on the wire: a table of faults.

    python -m benchmarks.gateway.faults

Each fault is asked for as JSON and as a stream, of a model alone and of one with a retry and a fallback. Verdicts:
`full` (the whole right answer), `error` (one the client can see), SILENT (a short answer that looks whole), `hang`.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec
from rich.console import Console
from rich.table import Table
from tests._upstream.faulty import FAULTS, STREAM_FAULTS, TEXT, Billed, Faulty

from regista.core.errors import NotFoundError
from regista.core.nouns import Call
from regista.store import connect
from regista.store.traces import find

HANG_S = 15.0
PATIENCE = "connect_s = 1.0\nfirst_s = 0.6\nbetween_s = 0.6\n"
ALONE = "retries = 0\n"
COVERED = 'fallbacks = ["good"]\nretries = 1\n'


@dataclass(frozen=True)
class Seen:
    """What a client saw: `verdict`, more about it, seconds until the end, and the id of the trace."""

    verdict: str
    detail: str
    seconds: float
    trace: str


@dataclass(frozen=True)
class Outcome:
    """One fault asked for once: what the client saw, what the ledger has, and what the provider billed for it."""

    seen: Seen
    calls: tuple[Call, ...]
    billed: Billed

    @property
    def ledger(self) -> str:
        """`exact` where the ledger has what the provider billed, `estimated` where it says that it guesses."""
        spent = (
            sum(call.usage.input_tokens for call in self.calls),
            sum(call.usage.output_tokens for call in self.calls),
        )
        if not all(call.exact for call in self.calls):
            return "estimated"
        return "exact" if spent == (self.billed.input, self.billed.output) else "WRONG"


def configuration(faulty: Faulty) -> str:
    """An application whose models lead to the faults, each once alone and once with a fallback."""
    parts = ['[app]\nname = "faults"\nmodel = "good"\n']
    prices = '[prices."openai/{}"]\ninput = "1.00"\noutput = "2.00"\n'
    for fault in STREAM_FAULTS | FAULTS:
        models = {fault: "" if fault == "good" else ALONE, f"{fault}-covered": COVERED}
        for model, keys in models.items():
            if model == "good-covered":
                continue
            url = faulty.url(fault)
            parts.append(f'[models."{model}"]\nmodel = "openai/{model}"\nbase_url = "{url}"\n{PATIENCE}{keys}')
            parts.append(prices.format(model))
    return "\n".join(parts)


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """`regista up` over a folder, as a user starts it; its URL."""
    command = [sys.executable, "-m", "regista", "up", str(folder), "--port", "0", "--no-reload"]
    log = folder.parent / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "REGISTA_FLUSH_MS": "10"})
    try:
        note = folder / ".regista" / "server.json"
        end = time.monotonic() + 60
        while not note.is_file():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The server did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield str(msgspec.json.decode(note.read_bytes())["url"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def ask(client: httpx2.Client, url: str, model: str, question: str, *, stream: bool) -> Seen:
    """Ask once, and judge the answer as a client that knows what it should be."""
    body = {
        "model": f"openai/{model}",
        "messages": [{"role": "user", "content": f"{question} please"}],
        "stream": stream,
    }
    began = time.monotonic()

    def seen(verdict: str, detail: str = "", trace: str = "") -> Seen:
        return Seen(verdict, detail, time.monotonic() - began, trace)

    trace = ""
    try:
        with client.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=HANG_S) as reply:
            trace = reply.headers.get("x-regista-trace", "")
            data = reply.read()
    except httpx2.TimeoutException:
        return seen("hang", "", trace)
    except httpx2.HTTPError as error:
        return seen("error", type(error).__name__, trace)
    if reply.status_code != 200:
        return seen("error", str(reply.status_code), trace)
    return seen(*(_judge_stream if stream else _judge_whole)(data, question), trace)


def _judge_whole(data: bytes, question: str) -> tuple[str, str]:
    said = json.loads(data)["choices"][0]["message"]["content"]
    return ("full", "") if said == f"{question} {TEXT}" else ("SILENT", f"{len(said)} characters")


def _judge_stream(data: bytes, question: str) -> tuple[str, str]:
    events = [line[6:] for line in data.decode().split("\n") if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    said = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices"))
    if any("error" in chunk for chunk in chunks):
        return "error", f"in the stream, after {len(said.split())} words"
    if said == f"{question} {TEXT}" and "[DONE]" in events:
        finishes = [c["choices"][0]["finish_reason"] for c in chunks if c.get("choices")]
        return ("full", "") if finishes.count("stop") == 1 else ("SILENT", f"finishes: {finishes}")
    return "SILENT", f"{len(said.split())} words, done={'[DONE]' in events}"


def calls_of(folder: Path, trace: str) -> tuple[Call, ...]:
    """The ledger's rows of a request, as soon as they are there."""
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    try:
        for _ in range(100):
            try:
                return find(database, trace).calls
            except NotFoundError:  # it is on its way to the store
                time.sleep(0.02)
        return ()
    finally:
        database.close()


def outcome(faulty: Faulty, folder: Path, url: str, model: str, *, stream: bool) -> Outcome:
    """One fault, asked for once."""
    question = f"q{time.time_ns()}"
    with httpx2.Client() as client:
        seen = ask(client, url, model, question, stream=stream)
    calls = calls_of(folder, seen.trace) if seen.trace else ()
    return Outcome(seen, calls, faulty.bill(question))


def main() -> None:
    """Print the table."""
    console = Console()
    table = Table("fault", "", "alone", "s", "ledger", "with a fallback", "s", "ledger", "calls")
    with tempfile.TemporaryDirectory() as place, Faulty() as faulty:
        folder = Path(place) / "faults"
        (folder / "prompts").mkdir(parents=True)
        (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
        (folder / "regista.toml").write_text(configuration(faulty))
        with serving(folder) as url:
            for stream, faults in ((False, FAULTS), (True, STREAM_FAULTS)):
                for fault in faults:
                    alone = outcome(faulty, folder, url, fault, stream=stream)
                    row = [fault, "stream" if stream else "json", *_cells(alone)]
                    if fault != "good":
                        covered = outcome(faulty, folder, url, f"{fault}-covered", stream=stream)
                        row += [*_cells(covered), ", ".join(f"{c.cause} {c.status}" for c in covered.calls)]
                    table.add_row(*row)
            time.sleep(1.5)
            console.print(table)
            console.print(f"Connections the provider still holds when all was asked: {faulty.open}")


def _cells(outcome: Outcome) -> list[str]:
    seen = outcome.seen
    return [f"{seen.verdict} {seen.detail}".strip(), f"{seen.seconds:.2f}", outcome.ledger]


if __name__ == "__main__":
    main()
