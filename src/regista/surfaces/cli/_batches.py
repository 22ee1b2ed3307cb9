"""What the commands of batches share: files in and out of the store, a progress bar, and how a batch is shown."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from regista.core.errors import ConfigurationError
from regista.core.nouns import Json
from regista.store import Database, batches, files
from regista.store.batches import Batch, Order
from regista.surfaces.http.batches import ENDPOINTS
from regista.text.shown import line, moment

TENANT = "default"
STYLES = {"completed": "green", "failed": "bold red", "expired": "red", "cancelled": "yellow"}
_SHOWN_S = 0.1
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def take(database: Database, path: Path, application: str, endpoint: str, model: str, owner: str) -> Batch:
    """Read a file of requests into the store and make a batch of it, for `owner` to run.

    `endpoint` is that of the first line where it is empty; `model` stands in place of every line's own. What is wrong
    with a line is told when the batch is checked.
    """
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}. A batch is a file of requests, one JSON object a line.")
    file = files.begin(database, TENANT, path.name, "batch")
    try:
        waiting, n = bytearray(), 0
        for raw in _lines(path, model):
            endpoint = endpoint or _url(raw)
            waiting += raw
            while len(waiting) >= files.PART:
                files.append(database, file, n, bytes(waiting[: files.PART]))
                del waiting[: files.PART]
                n += 1
        files.append(database, file, n, bytes(waiting))
        files.finish(database, file, "batch", path.name, None)
    except BaseException:
        files.remove(database, file)
        raise
    order = Order(application, TENANT, "", "command", endpoint or ENDPOINTS[0], file)
    return batches.create(database, order, owner)


def put(database: Database, file: str, path: Path) -> None:
    """Write a file of the store to disk; there is none of that name before it is whole."""
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("wb") as target:
            for block in files.blocks(database, file):
                target.write(block)
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}. Choose another with --out.") from error


@contextmanager
def progress(title: str) -> Generator[Callable[[Batch], None]]:
    """Gives the function a batch reports to; a bar on the terminal's error stream that goes when it is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[facts]}"),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task(title, total=None, facts="")
        first, began, shown = -1, time.monotonic(), 0.0

        def report(batch: Batch) -> None:
            nonlocal first, shown
            now, done = time.monotonic(), batch.completed + batch.failed
            if first < 0:
                first = done
            if now - shown < _SHOWN_S or not batch.total:
                return
            shown = now
            facts = [f"{(done - first) / max(now - began, 1e-9):,.0f} lines/s"]
            facts += [f"{batch.failed} failed"] if batch.failed else []
            bar.update(task, total=batch.total, completed=done, facts=", ".join(facts))

        yield report


def table(found: list[Batch]) -> Table:
    """Batches, a line each."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("batch", "made", "status", "done", "failed", "of", "model"):
        shown.add_column(name, justify="right" if name in ("done", "failed", "of") else "left", overflow="fold")
    for batch in found:
        shown.add_row(
            Text(batch.id[:14], "cyan"),
            Text(moment(batch.created_ns)),
            Text(batch.status, STYLES.get(batch.status, "")),
            *(Text(f"{count:,}") for count in (batch.completed, batch.failed, batch.total)),
            Text(line(batch.model) or "–"),
        )
    return shown


def show(console: Console, batch: Batch, name: str) -> None:
    """One batch: how far it is, what it used, and what is wrong with it. `name` is how its input is called."""
    done = f"{batch.completed:,} of {batch.total:,} lines answered"
    failed = f", {batch.failed:,} failed" if batch.failed else ""
    console.print(Text.assemble((batch.id, "bold"), "  ", (batch.status, STYLES.get(batch.status, ""))))
    console.print(f"{done}{failed}; {batch.usage.input_tokens:,}+{batch.usage.output_tokens:,} tokens.")
    for error in batch.errors:
        place = f"{name}:{error.line}: " if error.line is not None else ""
        console.print(Text(f"{place}{line(error.message)}", "red"), soft_wrap=True)


def _lines(path: Path, model: str) -> Iterator[bytes]:
    with path.open("rb") as source:
        for raw in source:
            yield _asking(raw, model) if model else raw


def _asking(raw: bytes, model: str) -> bytes:
    """A line that asks this model; what is no request stays as it is."""
    try:
        request = _decode(raw)
        body: Json = dict(request["body"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, UnicodeDecodeError):
        return raw
    return _encode(request | {"body": body | {"model": model}}) + b"\n"


def _url(raw: bytes) -> str:
    """The endpoint a line asks, if it is one."""
    try:
        url = str(_decode(raw).get("url", ""))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return url if url in ENDPOINTS else ""
