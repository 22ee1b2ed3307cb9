"""The router of an application away from its server: replayed over recorded traffic, trained, and asked of itself.

Nothing here calls a model that answers; questions are embedded as they are when served.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from regista.app.application import prices_of
from regista.app.embedder import open_embedder
from regista.app.folder import BASE, Folder, read
from regista.app.routing import EMBEDDED, Known, router_embedder, router_of
from regista.app.schema import Router as RouterSettings
from regista.core.errors import ConfigurationError, MissingExtraError, NotFoundError, UnknownNameError
from regista.core.nouns import Call, Trace
from regista.egress.client import Client
from regista.evaluate.routing.learn import Lessons, curve
from regista.evaluate.routing.replay import Clock, Replayed, replay
from regista.evaluate.routing.scores import scores_of
from regista.evaluate.routing.simulate import Simulation, simulation
from regista.serve.router.semantic import Semantic
from regista.serve.routing import strength
from regista.serve.routing.prefixes import Prefixes
from regista.serve.routing.vectors import Questions
from regista.serve.stages.route import Router
from regista.store import Database, evaluations, ledger, traces

CALLS = 2_000
"""Calls of a model that its times and the lengths of its answers are taken from: the last ones."""
EVALUATING = "evaluation"
"""The tenant of evaluations: its traces are no traffic, unless they are asked for."""
PATIENCE_S = 60.0
"""What takes long while serving is no reason to pass over a policy in a replay."""
Progress = Callable[[str, int, int], None]
"""Told what is being done, how many of it are done, and how many there are."""


def _untold(what: str, done: int, total: int) -> None:
    """Progress nobody looks at."""


@dataclass(frozen=True)
class Place:
    """An application, its store, and the folder of embedding models."""

    folder: Folder
    database: Database
    models: str


async def simulate(
    place: Place,
    policies: Sequence[str] = (),
    *,
    since_ns: int = 0,
    limit: int = 1000,
    tenant: str = "",
    suite: str = "",
    progress: Progress = _untold,
) -> Simulation:
    """Put recorded requests to policies of the folder, or to one of its models always.

    `policies` are names of policies of `[router]` in the order they are asked, or one model's; none: all there are.
    `suite` is the one whose scores say how good an answer is; none: the one evaluated last.

    Raises:
        UnknownNameError: a name is neither a policy that is set up nor a model.
        ConfigurationError: there is no router, or a policy cannot be made ready.
        NotFoundError: no request is recorded.
    """
    chosen, default = _chosen(place.folder, policies)
    recorded = await asyncio.to_thread(_recorded, place, since_ns, limit, tenant)
    if not recorded:
        raise NotFoundError(
            f"There are no recorded requests of {place.folder.name} to replay. `regista traces` lists them."
        )
    clock = Clock()
    known = Known(Prefixes(clock), clock=clock)
    async with _router(place, chosen, default, known) as (router, questions):
        if questions is not None:
            texts = {trace.question for trace in recorded}
            await questions.prepare(texts, _counted(progress, "questions embedded", len(texts)))
        told = _counted(progress, "requests replayed", len(recorded))
        replayed = await replay(router, recorded, known.prefixes, clock, told)
    return await asyncio.to_thread(_figures, place, chosen.policies or (f"always {default}",), router, replayed, suite)


async def intents(place: Place) -> Semantic:
    """The policy `semantic` of a folder, its head trained.

    Raises:
        ConfigurationError: the folder has none, or it cannot be trained.
    """
    settings = place.folder.settings
    if settings.router is None or "semantic" not in settings.router.policies:
        raise ConfigurationError("There are no classes: name semantic in [router] policies, and write its classes.")
    alone = RouterSettings(policies=("semantic",), options={"semantic": settings.router.options["semantic"]})
    async with _router(place, alone, settings.app.model, Known()) as (router, _):
        return cast("Semantic", router.policies[0][1])


async def train(place: Place, lessons: Lessons, strong: str, weak: str, progress: Progress) -> strength.Strength:
    """A head from lessons; `strong` and `weak` are the names of what answered.

    Raises:
        ConfigurationError: there is too little to learn from.
    """
    if lessons.too_few:
        raise ConfigurationError(lessons.too_few)
    async with _questions(place) as questions:
        told = _counted(progress, "questions embedded", len(set(lessons.questions)))
        await questions.prepare(lessons.questions, told)
        vectors = np.concatenate([await questions.vector(text) for text in lessons.questions])
        embedder = questions.embedding.name
    coefficients, scores = await asyncio.to_thread(strength.train, vectors, lessons.suffices, lessons.clusters)
    points = await asyncio.to_thread(curve, lessons, scores)
    return strength.Strength(
        embedder,
        strong,
        weak,
        lessons.source,
        lessons.scorer,
        len(lessons.questions),
        int(lessons.suffices.sum()),
        coefficients,
        tuple(sorted(round(float(score), 6) for score in scores)),
        points,
    )


def newest_run(place: Place, suite: str, variant: str) -> evaluations.Run:
    """The newest whole run of a suite on a variant. Raises `NotFoundError` where there is none."""
    runs = evaluations.runs(place.database, place.folder.name, suite)
    found = next((run for run in runs if run.variant == variant and run.finished_ns is not None), None)
    if found is None:
        flag = "" if variant == BASE else f" --variant {variant}"
        raise NotFoundError(f"{suite} was not evaluated on {variant} yet. Type: regista eval {suite}{flag}")
    return found


def model_of(place: Place, variant: str) -> str:
    """The model a variant answers with, as `provider/name`; the variant's own name where the folder has it no more."""
    try:
        settings = read(place.folder.path, "" if variant == BASE else variant).settings
    except UnknownNameError:
        return variant
    return settings.models[settings.app.model].model


def _chosen(folder: Folder, policies: Sequence[str]) -> tuple[RouterSettings, str]:
    """The router with the policies that are asked for, and who answers where none decides."""
    settings = folder.settings
    chosen = settings.router or RouterSettings()
    if len(policies) == 1 and policies[0] in settings.models:
        return RouterSettings(), policies[0]
    if not policies and not chosen.policies:
        raise ConfigurationError(
            "This application has no router to simulate: write [router] policies, in regista.toml or in a variant "
            "(--variant NAME), or name one of its models: --policy MODEL"
        )
    for name in policies:
        if name not in chosen.policies:
            raise UnknownNameError("policy in [router] or model", name, [*chosen.policies, *settings.models])
    wanted = tuple(policies) or chosen.policies
    options = {name: chosen.options[name] for name in wanted}
    return RouterSettings(policies=wanted, options=options), settings.app.model


def _recorded(place: Place, since_ns: int, limit: int, tenant: str) -> list[Trace]:
    name = place.folder.name
    found = traces.answered(place.database, name, since_ns=since_ns, limit=limit, tenant=tenant)
    return [trace for trace in found if tenant or trace.tenant != EVALUATING if not _is_shadow(trace)]


def _is_shadow(trace: Trace) -> bool:
    return any(call.cause == "shadow" for call in trace.calls)


@asynccontextmanager
async def _router(
    place: Place, chosen: RouterSettings, default: str, known: Known
) -> "AsyncGenerator[tuple[Router, Questions | None]]":
    """A router over all models of the folder, ready to be asked, for as long as the block runs."""

    async def made(questions: Questions | None) -> Router:
        settings = place.folder.settings
        ports = {"transport": Client(connections=1), "embed": None}
        prices = prices_of(settings)
        router = router_of(
            place.folder, prices, ports, questions, place.database, known, chosen, default, settings.models
        )
        router = replace(router, patience_s=PATIENCE_S)
        await router.prepare()
        return router

    if EMBEDDED.isdisjoint(chosen.policies):
        yield await made(None), None
        return
    async with _questions(place) as questions:
        yield await made(questions), questions


@asynccontextmanager
async def _questions(place: Place) -> AsyncGenerator[Questions]:
    """Vectors by the embedder that the router has when it serves."""
    embedder = await open_embedder(router_embedder(place.folder.settings), place.models)
    if embedder is None:
        raise MissingExtraError("Telling questions apart", "numpy", "rag")
    try:
        await embedder.start()
        yield Questions(embedder, kept=1_000_000)
    finally:
        await embedder.close()


def _figures(
    place: Place, policies: Sequence[str], router: Router, replayed: Sequence[Replayed], suite: str
) -> Simulation:
    database, name = place.database, place.folder.name
    calls: dict[str, list[Call]] = {
        one.name: [call for biller, model in one.calls for call in ledger.latest(database, biller, model, CALLS)]
        for one in router.candidates.values()
    }
    newest = next((run.suite for run in evaluations.runs(database, name)), "")
    scores, _ = scores_of(database, name, suite or newest)
    return simulation(policies, replayed, router.candidates, calls, scores)


def _counted(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(what, done, total)

    return count
