"""`regista review`: the queues of answers that people judge: what is left in each, and how far they agree."""

import json
from typing import Annotated, NamedTuple

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.app.folder import read
from regista.app.review_files import queues
from regista.app.reviews.desk import Desk
from regista.core.errors import UnknownNameError
from regista.core.nouns import Json
from regista.evaluate.report.figures import between, number, share
from regista.feedback.review.health import Figure, Health, health
from regista.feedback.review.queue import Queue
from regista.store.review import Place, Sum
from regista.surfaces.cli._place import existing_store, resolve
from regista.text.shown import duration, line

App = Annotated[str | None, Parameter(help="A folder, or a name under apps/.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]

review = cyclopts.App(name="review", help="Queues of answers that people judge: what is left, and how far they agree.")
NONE = Text("–", "dim")
_NANO = 10**9


class _Found(NamedTuple):
    """A queue with its figures."""

    name: str
    queue: Queue
    amount: Sum
    health: Health


@review.default
def list_queues(app: App = None, *, as_json: AsJson = False) -> None:
    """List the queues: how many items still need votes, and how far people agree.

    Judging is done in the console, at /console/review, or through /v1/review. How a queue is written is in
    docs/review.md; one is there without any file.

    Example: regista review club
    """
    found = _found(app)
    if as_json:
        print(json.dumps([_told(*one) for one in found], indent=2))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    table.add_column("queue", no_wrap=True)
    table.add_column("asks", ratio=1)
    for column in ("left", "votes", "people", "median"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("agreement", no_wrap=True)
    for name, queue, amount, figures in found:
        left = Text(f"{amount.open:,}") if amount.items else NONE
        counts = [Text(f"{one:,}") for one in (amount.votes, amount.annotators)]
        agreement = _figure(figures.agreement, shortly=True)
        table.add_row(Text(name, "cyan"), Text(line(queue.question)), left, *counts, _median(figures), agreement)
    Console(highlight=False).print(table)


@review.command(name="status")
def status(name: Annotated[str, Parameter(help="The queue.")], app: App = None, *, as_json: AsJson = False) -> None:
    """Show one queue: who judged how much, how far they agree with each other and with themselves, and what sways them.

    Example: regista review status answers club
    """
    found = {one.name: one for one in _found(app)}
    if name not in found:
        raise UnknownNameError("review queue", name, found)
    _, queue, amount, figures = found[name]
    if as_json:
        print(json.dumps(_told(*found[name]), indent=2))
        return
    said = [(choice if isinstance(choice, str) else f"{choice:g}", times) for choice, times in figures.shares]
    rows: dict[str, Text | str] = {
        "queue": f"{name}: {line(queue.question)}",
        "items": f"{amount.items:,}, of which {amount.open:,} need votes ({queue.annotators} each)",
        "votes": ", ".join(f"{line(who)} {count:,}" for who, count in figures.annotators) or "none yet",
        "said": ", ".join(f"{line(choice)}: {times:,}" for choice, times in said),
        "median": _median(figures),
        "agreement": _figure(figures.agreement, figures.why),
        "kappa": _figure(figures.kappa),
        "same when asked again": _figure(figures.repeats, as_share=True),
        "side A won": _figure(figures.side_a, as_share=True),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for title, cell in rows.items():
        table.add_row(title, cell or NONE)
    Console(highlight=False).print(table)


def _found(app: str | None) -> list[_Found]:
    """Each queue with its figures; where nothing was ever stored, those of nothing."""
    folder = resolve(app)
    application, store = read(folder).name, existing_store(folder)
    found: list[_Found] = []
    for name, queue in queues(folder).items():
        if store is None:
            found.append(_Found(name, queue, Sum(0, 0, 0, 0), health([], "", queue.kind)))
        else:
            desk = Desk(store, folder, Place(application, name), queue)
            found.append(_Found(name, queue, desk.sum(), desk.health()))
    return found


def _told(name: str, queue: Queue, amount: Sum, figures: Health) -> Json:
    about = {"name": name, "question": queue.question, "kind": queue.kind, "each": queue.annotators}
    return {**about, **amount._asdict(), "health": msgspec.to_builtins(figures)}


def _median(figures: Health) -> Text:
    return Text(duration(int(figures.median_s * _NANO))) if figures.median_s is not None else NONE


def _figure(made: Figure | None, why: str = "", *, as_share: bool = False, shortly: bool = False) -> Text:
    """A figure with its interval, and of how many; without one, why there is none."""
    if made is None:
        return Text(why, "dim") if why else NONE
    if as_share:
        return Text(f"{share(made.estimate)} [{share(made.low)}, {share(made.high)}] of {made.n:,}")
    told = f"{number(made.estimate)} {between(made.low, made.high)}"
    return Text(told if shortly else f"{told} of {made.n:,}, {made.name}")
