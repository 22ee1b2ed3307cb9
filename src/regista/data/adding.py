"""Adds examples to a dataset: its newest version and they make the next one, at once or before it is read.

It knows no store, and not who chose the examples.
"""

from collections.abc import Sequence
from pathlib import Path

from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.data import dataset
from regista.data.dataset import Added, Example, Lineage
from regista.data.from_traces import Made, chosen
from regista.serve.screen import Guards


def add(
    folder: Path,
    name: str,
    examples: Sequence[Example],
    guards: Guards,
    application: str,
    filters: Json | None = None,
) -> Lineage:
    """A new version of a dataset: the examples of the newest one, if there is one, and these. Blocks.

    `guards` hide what these hold, as `regista data from-traces` does (`from_traces.masking()`). One of a question that
    is there already takes its place. Those that add at once, in any process of the machine, wait for each other:
    none is lost. `filters` is what was asked for, for the lineage.

    Raises:
        ConfigurationError: the name is none that a folder should have.
        RequestError: none of them may be an example; says why.
    """
    dataset.check_name(name)
    with dataset.changing(folder):
        newest = next(iter(dataset.settled(folder, name)), None)
        known = dataset.read(folder, newest) if newest is not None else ()
        made = chosen(examples, guards, known)
        taken = _taken(name, examples, made)
        asked: Json = {"added": taken, **(filters or {})}
        lineage = Lineage(name, "", application, 0, 0, asked, made.left_out, made.masked)
        return dataset.follow(folder, newest, made.examples, lineage)


def add_one(folder: Path, name: str, example: Example, guards: Guards, application: str) -> None:
    """Have an example wait for the next version of a dataset, which is made before anybody reads one. Blocks.

    As `add`, but in a time that does not grow with the dataset. No crash loses it once this returns.

    Raises:
        ConfigurationError: the name is none that a folder should have.
        RequestError: it may not be an example; says why.
        StoreError: it cannot be kept.
    """
    dataset.check_name(name)
    made = chosen([example], guards)
    _taken(name, [example], made)
    with dataset.changing(folder):
        dataset.wait(folder, name, Added(made.examples[0], made.masked, application))


def _taken(name: str, given: Sequence[Example], made: Made) -> int:
    """How many of the examples may be some; raises `RequestError` where none may."""
    refused = sum(times for why, times in made.left_out.items() if why != "asked again")
    if refused == len(given):
        why = ", ".join(f"{times} {why}" for why, times in made.left_out.items()) or "none were given"
        raise RequestError(f"Nothing was added to {name}: {why}.", code="no_examples")
    return len(given) - refused
