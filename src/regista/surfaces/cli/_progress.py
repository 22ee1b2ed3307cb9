"""A progress bar for taking in documents, on the terminal only."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from regista.app.platform import Progress as Report


@contextmanager
def ingest_progress(console: Console) -> Generator[Report]:
    """Gives the function that `ingest` reports to; the bar appears with its first word and goes when done."""
    columns = (TextColumn("Taking in documents"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = None

        def report(done: int, total: int, document: str) -> None:
            nonlocal task
            if task is None:
                task = bar.add_task("", total=total)
            bar.update(task, completed=done, total=total, description=document)

        yield report
