"""Takes examples out of all versions of an application's datasets: each version that has some makes way for another.

It knows no store, and not why they go.
"""

from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from regista.data import dataset
from regista.data.dataset import Example, Lineage


class Erased(NamedTuple):
    """A version that is gone, how many of its examples went, and the version in its place, empty for none."""

    name: str
    version: str
    examples: int
    by: str


def examples_of(folder: Path, traces: Set[str]) -> list[str]:
    """The ids of all examples made of these traces."""
    found = (example for lineage in dataset.versions(folder) for example in dataset.read(folder, lineage))
    return sorted({example.id for example in found if example.trace in traces})


def erase(folder: Path, traces: Set[str]) -> list[Erased]:
    """Replace every version that has examples made of these traces by one without them, and say which those were.

    A version of nothing but them is gone. What is replaced keeps its place in time; its lineage says how many went.
    Blocks.
    """
    gone: list[Erased] = []
    place = folder / dataset.FOLDER
    if not place.is_dir() or not traces:
        return gone
    instead: dict[tuple[str, str], str] = {}
    with dataset.changing(folder):
        dataset.sweep(folder)
        for lineage in reversed(dataset.settled(folder)):
            parent = instead.get((lineage.name, lineage.parent), lineage.parent)
            examples = list(dataset.read(folder, lineage))
            left = [example for example in examples if example.trace not in traces]
            if len(left) < len(examples):
                made = _put(folder, lineage, left, len(examples) - len(left), parent)
                instead[lineage.name, lineage.version] = made
                gone.append(Erased(lineage.name, lineage.version, len(examples) - len(left), made))
            elif parent != lineage.parent:
                dataset.write_lineage(folder, replace(lineage, parent=parent))
    return gone


def _put(folder: Path, old: Lineage, left: list[Example], erased: int, parent: str) -> str:
    """What is left of a version in its place; the new version's name, empty where nothing is left."""
    version = ""
    if left:
        made = dataset.keep(folder, left, replace(old, erased=old.erased + erased, parent=parent))
        version = made.version
    # The lineage first: without it no version is there.
    path = dataset.path_of(folder, old)
    path.with_suffix(".json").unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    return version
