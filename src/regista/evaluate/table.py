"""A run's scores as columns: one row a case, in order, repetitions averaged. What all statistics start from.

It reads the store and computes no interval.
"""

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regista.core.digest import score_key
from regista.core.evaluation import Score
from regista.store import Database, evaluations
from regista.store.evaluations import Scored

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Column:
    """One scorer's values by case: means over its repetitions, NaN where none has a value.

    `ok`, `unscored` and `error` count each case's repetitions, all of them 0 where the scorer does not apply;
    `right` counts those with the value 1, for pass@k.
    """

    values: Floats
    ok: Ints
    unscored: Ints
    error: Ints
    right: Ints
    details: list[dict[str, Any]]

    @property
    def applies(self) -> NDArray[np.bool_]:
        """Which cases the scorer was to be asked about."""
        return self.ok + self.unscored + self.error > 0

    @property
    def missing(self) -> Floats:
        """The share of each case's repetitions that have no value; 0 where the scorer does not apply."""
        without = self.unscored + self.error
        return without / np.maximum(without + self.ok, 1)


@dataclass
class Table:
    """A run by case. `clusters` are numbers, each case without one being its own; `slices` index the cases of each."""

    keys: bytearray
    """Of every row: the digests of its case and of its first repetition's output, 16 bytes each."""
    clusters: NDArray[np.int64]
    weights: Floats
    critical: NDArray[np.bool_]
    slices: dict[tuple[str, str], NDArray[np.int64]]
    columns: dict[str, Column]

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self.clusters)

    def case(self, row: int) -> bytes:
        """The digest of a row's case."""
        return bytes(self.keys[32 * row : 32 * row + 16])

    def output(self, row: int) -> bytes:
        """The digest of a row's first output."""
        return bytes(self.keys[32 * row + 16 : 32 * row + 32])


def read_table(database: Database, run: evaluations.Run, names: Sequence[str], detailed: Sequence[str] = ()) -> Table:
    """The table of a run with some of its scorers; the scores' details are kept for those in `detailed`."""
    scorers = {name: run.scorers[name] for name in names}
    reading = _Reading(list(scorers), set(detailed))
    for page in evaluations.results(database, run.id):
        keys = {
            (place, name): score_key(line.output_digest, line.case, digest.encode())
            for place, line in enumerate(page)
            if not line.failed
            for name, digest in scorers.items()
        }
        found = evaluations.scores(database, list(keys.values()))
        for place, line in enumerate(page):
            slices = reading.row(line)
            for name in scorers:
                if run.only.get(name, {}).items() <= slices.items():
                    reading.score(name, found.get(keys.get((place, name), b"")))
    return reading.table()


class _Reading:
    def __init__(self, scorers: list[str], detailed: set[str]) -> None:
        self._detailed = detailed
        self._n = -1
        self._keys = bytearray()
        self._clusters = array("q")
        self._known: dict[str, int] = {}
        self._weights = array("d")
        self._critical = array("b")
        self._slices: dict[tuple[str, str], array[int]] = {}
        self._of: dict[str, str] = {}
        self._filling = {name: _Filling() for name in scorers}

    def row(self, line: Scored) -> dict[str, str]:
        """Go on to a line's case, a new row for its first repetition; its slices."""
        if line.n == self._n:
            return self._of
        self._n = line.n
        row = len(self._clusters)
        self._keys += line.case + line.output_digest
        self._clusters.append(self._known.setdefault(line.cluster, row) if line.cluster else row)
        self._weights.append(line.weight)
        self._critical.append(line.critical)
        self._of = {} if line.slices == "{}" else json.loads(line.slices)
        for name, value in self._of.items():
            self._slices.setdefault((name, value), array("q")).append(row)
        for filling in self._filling.values():
            filling.begin()
        return self._of

    def score(self, name: str, score: Score | None) -> None:
        """Add what a scorer found of the line's output; nothing is an error."""
        filling = self._filling[name]
        if score is None or score.status == "error":
            filling.error[-1] += 1
        elif score.status == "unscored" or score.value is None:
            filling.unscored[-1] += 1
        else:
            filling.ok[-1] += 1
            filling.sums[-1] += score.value
            filling.right[-1] += score.value == 1.0
            if name in self._detailed:
                filling.details.append(score.detail)

    def table(self) -> Table:
        return Table(
            self._keys,
            np.array(self._clusters, dtype=np.int64),
            np.array(self._weights, dtype=np.float64),
            np.array(self._critical, dtype=np.bool_),
            {key: np.array(rows, dtype=np.int64) for key, rows in self._slices.items()},
            {name: filling.column() for name, filling in self._filling.items()},
        )


class _Filling:
    """A column while it is read."""

    def __init__(self) -> None:
        self.sums = array("d")
        self.ok = array("i")
        self.unscored = array("i")
        self.error = array("i")
        self.right = array("i")
        self.details: list[dict[str, Any]] = []

    def begin(self) -> None:
        self.sums.append(0.0)
        for counts in (self.ok, self.unscored, self.error, self.right):
            counts.append(0)

    def column(self) -> Column:
        ok, unscored, error, right = (
            np.array(counts, dtype=np.int64) for counts in (self.ok, self.unscored, self.error, self.right)
        )
        with np.errstate(invalid="ignore"):
            values = np.array(self.sums) / ok
        return Column(values, ok, unscored, error, right, self.details)
