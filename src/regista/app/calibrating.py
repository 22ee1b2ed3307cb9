"""Finds the threshold of an application's semantic cache from its sample, or from pairs of questions people labelled.

It serves nothing: what it writes is followed by whatever serves the application.
"""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from regista.app.embedder import open_embedder
from regista.app.folder import Folder
from regista.app.routing import router_embedder
from regista.core.errors import ConfigurationError, MissingExtraError
from regista.core.evaluation import Case
from regista.evaluate.cases import check_references, read_cases
from regista.models.embeddings import Embed
from regista.serve.caches.calibration import RISK, Choice, Labelled, choose
from regista.serve.caches.reading import read
from regista.serve.caches.semantic import liken
from regista.serve.caches.worth import worth_of
from regista.serve.caches.worth_head import depends
from regista.store import Database, caches
from regista.store.caches import Calibration

SAMPLE = "sample"
NEEDS = {"other": str, "same": bool}
"""What a labelled pair has beside its `input`: the other question, and whether its answer would do."""


class Calibrated(Struct, frozen=True):
    """What labels say of an application's hits with an embedder. `apart` of them are told apart by the rules alone."""

    embedder: str
    source: str
    bound: float
    labels: int
    apart: int
    choice: Choice


async def calibrate(folder: Folder, database: Database, models: str, pairs: Path | None, bound: float) -> Calibrated:
    """Choose a threshold by a file of labelled pairs, or by the sample of what was served.

    Raises:
        ConfigurationError: the application has no semantic cache, or the file is none of pairs.
        MissingExtraError: there is nothing to measure questions with.
    """
    if not folder.settings.cache.semantic:
        raise ConfigurationError(f"{folder.name} has no semantic cache. Write under [cache]: semantic = true")
    embedder = await open_embedder(router_embedder(folder.settings), models)
    if embedder is None:
        raise MissingExtraError("The semantic cache", "numpy", "rag")
    try:
        await embedder.start()
        if pairs is None:
            learned = await asyncio.to_thread(caches.labels, database, folder.name, embedder.name)
            labelled, apart = [Labelled(each.likeness, each.same, each.id) for each in learned], 0
        else:
            cases = [check_references(case, NEEDS, "regista cache calibrate") for case in read_cases(pairs)]
            labelled, apart = await _likened(cases, embedder.embed, embedder.name)
    finally:
        await embedder.close()
    source = SAMPLE if pairs is None else pairs.name
    choice = await asyncio.to_thread(choose, labelled, bound)
    return Calibrated(embedder.name, source, bound, len(labelled) + apart, apart, choice)


def hold(folder: Folder, database: Database, made: Calibrated) -> Calibration | None:
    """Let what was found hold from now on, wherever the application is served; None where it found no threshold."""
    choice = made.choice
    if choice.threshold is None:
        return None
    found = Calibration(
        made.embedder, choice.threshold, made.bound, RISK, choice.hits, choice.wrong, made.source, time.time_ns()
    )
    caches.calibrate(database, folder.name, found)
    return found


async def _likened(cases: Iterable[Case], embed: Embed, embedder: str) -> tuple[list[Labelled], int]:
    """The pairs that could be hits, each with its likeness; and how many could not, whatever the threshold."""
    found: list[Labelled] = []
    apart = 0
    for case in cases:
        other = str(case.references["other"])
        vectors = await embed([case.question, other])
        one, two = read(case.question), read(other)
        alone = any(worth_of(text).cause for text in (case.question, other)) or any(
            depends(embedder, vector) for vector in vectors
        )
        if one is None or two is None or alone:
            apart += 1
            continue
        likeness, objection = liken(float(vectors[0] @ vectors[1]), one, two)
        if objection:
            apart += 1
        else:
            found.append(Labelled(likeness, bool(case.references["same"]), case.cluster or case.question))
    return found, apart
