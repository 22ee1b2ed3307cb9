"""Adds examples to a dataset one at a time: its newest version and they make the next one.

It knows no store, and not who chose the examples.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.data import dataset
from regista.data.dataset import Example, Lineage
from regista.data.from_traces import chosen
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
        newest = next(iter(dataset.versions(folder, name)), None) if _is_there(folder, name) else None
        known = list(dataset.read(folder, newest)) if newest is not None else []
        made = chosen(examples, guards, known)
        refused = sum(times for why, times in made.left_out.items() if why != "asked again")
        if refused == len(examples):
            why = ", ".join(f"{times} {why}" for why, times in made.left_out.items()) or "none were given"
            raise RequestError(f"Nothing was added to {name}: {why}.", code="no_examples")
        now = max(time.time_ns(), newest.created_ns + 1 if newest is not None else 0)
        parent = newest.version if newest is not None else ""
        added: Json = {"added": len(examples) - refused, **(filters or {})}
        # What is hidden nowhere in some of them is not hidden in all of them.
        if newest is not None and newest.filters.get("mask") is False:
            added["mask"] = False
        lineage = Lineage(name, "", application, now, 0, added, made.left_out, made.masked, parent)
        kept = dataset.keep(folder, made.examples, lineage)
        # What was added may come to what an older version has.
        behind = newest is not None and kept.created_ns < newest.created_ns
        return dataset.renew(folder, kept, now) if behind else kept


def _is_there(folder: Path, name: str) -> bool:
    return (folder / dataset.FOLDER / name).is_dir()
