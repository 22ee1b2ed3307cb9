"""Reads the labelled questions and pairs beside this file."""

from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"


class Pair(NamedTuple):
    """Two questions. `kind` is `same`, or in what they differ; pairs of one `group` share their first question."""

    group: int
    domain: str
    kind: str
    first: str
    second: str

    @property
    def same(self) -> bool:
        return self.kind == "same"


def questions(name: str) -> list[tuple[str, str]]:
    """Label and question, a line each."""
    lines = (DATA / name).read_text("utf-8").splitlines()
    split = (line.partition(": ") for line in lines if line and line[0] not in ";#")
    return [(label, question) for label, _, question in split]


def pairs(name: str = "pairs.txt") -> list[Pair]:
    """Every pair, in the order of the file."""
    found: list[Pair] = []
    domain, first, group = "", "", -1
    for line in (DATA / name).read_text("utf-8").splitlines():
        sign, _, rest = line.partition(" ")
        if sign == "#":
            domain = rest
        elif sign == "q:":
            first, group = rest, group + 1
        elif sign == "=":
            found.append(Pair(group, domain, "same", first, rest))
        elif sign == "!":
            kind, _, second = rest.partition(": ")
            found.append(Pair(group, domain, kind, first, second))
    return found
