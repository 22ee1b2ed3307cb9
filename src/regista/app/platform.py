"""Everything that runs in one process around an application: store, keys, traces, models, and its reloading.

It knows no surface: HTTP, the command line and Python all ask through `serve`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as replace_request

from regista.app.application import Application, build_provider
from regista.app.asking import Asking
from regista.app.collecting import collector_of, hook_of
from regista.app.feedback import Hearing
from regista.app.folder import Folder, read
from regista.app.hiding import HIDE, hide
from regista.app.live import LiveScoring
from regista.app.loading import Loaded, Progress, Surroundings, close, lent, load, ports_of
from regista.app.names import Names
from regista.app.retaining import figures_of_retention
from regista.app.schema import Feedback as FeedbackSettings
from regista.app.serving import Serving
from regista.app.shadows import Shadows
from regista.app.team import Alone, Team
from regista.app.upkeep import Upkeep
from regista.app.upkeep_process import Orders
from regista.app.upstreams import Upstreams
from regista.app.watch import saves
from regista.core.errors import (
    ConfigurationError,
    MissingExtraError,
    NotFoundError,
    RegistaError,
    StoreError,
    UnknownNameError,
)
from regista.core.limits import Unit
from regista.core.nouns import Json, Request, Trace
from regista.data import dataset
from regista.egress.client import Client
from regista.evaluate.judges import builder
from regista.models import tokens
from regista.models.deferred import REPLAY
from regista.models.providers import CountsTokens
from regista.observe.figures import Figure, rendered
from regista.observe.log import TraceLog
from regista.observe.metrics import Metrics
from regista.observe.otel.context import Context
from regista.observe.otel.figures import OtlpFigures
from regista.observe.otel.intake import Intake
from regista.observe.otel.sending import Exporter
from regista.observe.recorder import Recorder
from regista.serve.context.library import IngestReport, Library
from regista.serve.exchange import Exchange
from regista.serve.limits import Limits
from regista.serve.stages.read_on import read_on
from regista.store import Database, connect, feedback, ledger
from regista.store.keys import Key, Keyring
from regista.store.redis import connect as connect_redis

if TYPE_CHECKING:
    from regista.app.erasing import Erasure

STATE = ".regista"
ANYONE = Key("anyone on this machine", "default", "", 0)
FOLLOW_S = 1.0
"""How often it is looked whether another process took in documents."""
_log = logging.getLogger(__name__)


class Platform:
    """A running application. Make one with `open`, and `close` it."""

    def __init__(
        self,
        loaded: Loaded,
        around: Surroundings,
        keyring: Keyring,
        log: TraceLog,
        max_body: int,
        live: LiveScoring | None,
        limits: Limits,
        hearing: Callable[[Callable[[], FeedbackSettings | None]], Hearing],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.keyring = keyring
        self.log = log
        self.max_body = max_body
        """Bytes of the largest request that is taken."""
        self.max_file = 0
        """Bytes of the largest file that is taken."""
        self.problem = ""
        """Why the folder as it is now is not what is served, where that is so."""
        self.draining = False
        """Whether it is about to end: what is under way is finished, and who asks next should ask elsewhere."""
        self._loaded = loaded
        self._around = around
        self._url = self._redis = ""
        self.intake = Intake(log)
        """Takes in spans that others send."""
        self._exporter = Exporter(around.egress, hide)
        self.upkeep = Upkeep(around.database, around.egress)
        """Looks after the store, where this process is told to."""
        figures = OtlpFigures(self.intake, self._exporter)
        self._metrics = Metrics(log, lambda: self._loaded.upstreams.state(), limits.refused, figures)
        self._names = Names(lambda: self._loaded, self.embed)
        self._live = live
        self.limits = limits
        self.hearing = hearing(lambda: self.application.folder.settings.feedback)
        self._opening, self._reloading = asyncio.Lock(), asyncio.Lock()
        self._shadows = Shadows(self._observe)
        self._tasks = [
            asyncio.create_task(keyring.watch(), name="keys"),
            asyncio.create_task(self._follow(), name="epochs"),
        ]

    @classmethod
    async def open(
        cls,
        path: Path,
        settings: dict[str, Any],
        progress: Progress | None = None,
        variant: str = "",
        team: Team | None = None,
    ) -> "Platform":
        """Read the folder (as one of its variants), open its store, take in documents, start what runs beside.

        `team` are the other processes that serve it on the same address; None: there are none.

        Raises:
            ConfigurationError: the folder is broken; says every mistake with its place.
            StoreError: the store cannot be opened.
        """
        folder = await asyncio.to_thread(read, path, variant)
        url: str = settings["store"] or f"sqlite://{folder.path / STATE / 'regista.db'}"
        shared = connect_redis(settings["redis"]) if settings["redis"] else None
        database = await asyncio.to_thread(connect, url)
        egress = Client(connections=settings["connections"])
        around = Surroundings(database, folder.path / STATE, egress, settings["models"], shared, team or Alone())
        loaded: Loaded | None = None
        try:
            loaded = await load(folder, None, around, progress)
            keyring = await asyncio.to_thread(Keyring, database)
            hearing = partial(Hearing, url, await asyncio.to_thread(feedback.secret, database))
            log = TraceLog(url, settings["trace_queue"], settings["flush_ms"], HIDE)
            live = _live_scoring(loaded, around, log)
            limits = _limits(settings, around)
            collector = collector_of(folder.settings.observe, egress)
            hook = hook_of(folder.settings.observe, egress)
        except BaseException:
            if loaded is not None:
                await close(loaded.library, loaded.embedder, loaded.caches, but=None)
            if shared is not None:
                await shared.close()
            await egress.close()
            await asyncio.to_thread(database.close)
            raise
        await log.start()
        platform = cls(loaded, around, keyring, log, settings["max_body_mb"] << 20, live, limits, hearing)
        platform.max_file = settings["max_file_mb"] << 20
        platform._url, platform._redis = url, settings["redis"]
        platform._exporter.aim(collector)
        platform._capture()
        platform.upkeep.aim(platform._orders(), hook)
        return platform

    def watch(self) -> None:
        """Reload on save from now on."""
        self._tasks.append(asyncio.create_task(self._watch(), name="watch"))

    async def close(self) -> None:
        """Store what is under way and end what runs beside."""
        await self._shadows.close()
        if self._live is not None:
            await self._live.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.upkeep.close()
        await self.hearing.close()
        await self._exporter.close()
        self.intake.close()
        await self.log.close()
        await self._settle_datasets()
        await self.limits.close()
        await self._around.egress.close()
        await close(self._loaded.library, self._loaded.embedder, self._loaded.caches, but=None)
        if self._around.shared is not None:
            await self._around.shared.close()
        await asyncio.to_thread(self._around.database.close)

    @property
    def application(self) -> Application:
        """The version served now."""
        return self._loaded.application

    @property
    def database(self) -> Database:
        return self._around.database

    @property
    def upstreams(self) -> Upstreams:
        """The models of the version served now."""
        return self._loaded.upstreams

    @property
    def library(self) -> Library:
        """The documents; raises `ConfigurationError` where the application has none."""
        if self._loaded.library is None:
            raise ConfigurationError("This application retrieves nothing: add a [context] table to regista.toml.")
        return self._loaded.library

    @property
    def ingested(self) -> IngestReport | None:
        """What the last opening or reloading took in."""
        return self._loaded.ingested

    @property
    def embedding(self) -> str:
        """Which embedder retrieval uses, and why; empty for none."""
        embedder = self._loaded.embedder
        return f"{embedder.embedder} ({embedder.reason})" if embedder is not None else ""

    def serve(
        self,
        request: Request,
        key: Key = ANYONE,
        *,
        fresh: bool = False,
        context: Context | None = None,
        vectors: bool = False,
    ) -> Serving:
        """Begin to answer a request for the application or for a raw model, in the caller's trace where it has one.

        `vectors` asks for the embeddings of what stands in the request's `input`.

        Raises:
            NotAllowedError: the key may not ask for this model.
            NotFoundError: no application and no model is of that name.
        """
        self._names.check(key, request.model)
        handler, variant = self._names.resolve(request.model, vectors)
        trace_id = context.trace_id if context is not None else None
        recorder = Recorder(variant.application, variant.digest, request.model, key.tenant, trace_id)
        with recorder.span("authenticate") as span:
            span.decide("allowed", key.name)
            if context is not None:
                recorder.context = context
                span.attributes = context.attributes()
        name = key.name if key is not ANYONE else ""
        exchange = Exchange(request, variant, key.tenant, recorder, name, question=request.question, fresh=fresh)
        allowance = self.limits.of(key)
        if allowance is not None:
            exchange.hold = allowance.hold
        if not vectors:
            self.hearing.keep(exchange, request)
        if seconds := self.application.folder.settings.app.finish_abandoned_s:
            handler = read_on(handler, seconds)
        return Serving(handler, exchange, self._loaded.prices.version, self._settle, allowance)

    def models(self) -> list[tuple[str, str]]:
        """What can be asked for, as (name, owner): the application, the models it names, the embedder."""
        return self._names.known()

    def health(self) -> Json:
        """Whether requests are served, and what is wrong with anything beside them."""
        problems = [self.problem, self.log.last_error, self.log.held_off, self.limits.problem, self._exporter.problem]
        problems += [self.hearing.signals.last_error, *self.upkeep.problems]
        problems = [problem for problem in problems if problem]
        upstreams = [upstream for upstream in self._loaded.upstreams.state() if upstream.state in ("open", "half-open")]
        problems += self._loaded.caches.problems
        problems += [f"[models.{upstream.name}] is left alone: {upstream.reason}" for upstream in upstreams]
        return {
            "status": "draining" if self.draining else "degraded" if problems else "ok",
            "application": self.application.name,
            "variant": self.application.variant.digest,
            "epoch": self.application.variant.epoch,
            "problems": problems,
            **({"live_left_out": self._live.left_out} if self._live is not None else {}),
            **({"shadows_left_out": self._shadows.left_out} if self.application.shadow is not None else {}),
        }

    def figures(self) -> Sequence[Figure]:
        """What this process has counted and measured."""
        beside = (*self.hearing.figures(), *self.upkeep.figures())
        return (*self._metrics.figures(), *self._loaded.caches.figures(), *beside)

    async def metrics_text(self) -> bytes:
        """Figures of all processes of this server, for Prometheus."""
        kept = await asyncio.to_thread(figures_of_retention, self.database)
        return rendered((*await self._around.team.figures(self.figures()), *kept))

    async def ingest(self, progress: Progress | None = None) -> IngestReport:
        """Take in what changed in `documents/`; requests see the new epoch whole or not at all."""
        report = await self.library.ingest(self.application.folder.path / self._documents(), progress)
        self._follow_epoch()
        return report

    async def embed(self, name: str, texts: Sequence[str]) -> tuple[str, Any]:
        """Vectors of the embedder in this process, with its name.

        Raises:
            NotFoundError: it is of another name.
            MissingExtraError: this is a base install.
        """
        async with self._opening:  # two who ask at once would open two, and one of them would stay for ever
            embedder = self._loaded.embedder
            if embedder is None:
                embedder = await self._around.team.embedder("auto", self._around.models)
                self._loaded = replace(self._loaded, embedder=embedder)
        if embedder is None:
            raise MissingExtraError("Embedding in this process", "numpy", "rag")
        if name not in (embedder.embedder, "default"):
            known = [f"embedded/{embedder.embedder}", "embedded/default"]
            error = UnknownNameError("embedding model", f"embedded/{name}", known)
            raise NotFoundError(error.message, code="model_not_found", param="model")
        return embedder.embedder, await embedder.embed(texts)

    async def count_tokens(self, request: Request, key: Key = ANYONE) -> tuple[int, bool]:
        """Tokens of a request as the provider of its model counts them, else about; with whether they are counted.

        What an application would write around the request is not in the number.

        Raises:
            NotAllowedError: the key may not ask for this model.
            NotFoundError: no application and no model is of that name.
        """
        self._names.check(key, request.model)
        self._names.resolve(request.model)
        name, _, model = request.model.partition("/")
        provider = build_provider(name, self._names.options(request.model), self._ports()) if model else None
        if isinstance(provider, CountsTokens):
            return await provider.count_tokens(replace_request(request, model=model)), True
        return tokens.of_request(request), False

    async def erase(self, user: str, tenant: str) -> "Erasure":
        """Take all away that is kept of a tenant's user and look whether it is gone, in a process of its own.

        Raises:
            StoreError: not all of it could be done.
        """
        from regista.app.erasing_process import Order, run_beside  # noqa: PLC0415 - one request in a million

        try:
            await self.log.stored()
            await self.hearing.signals.settled()
            if self._live is not None:
                await self._live.empty()
        except TimeoutError:
            raise StoreError("Requests wait to be stored, and so cannot be erased yet. Try again soon.") from None
        return await run_beside(Order(self._url, user, tenant, str(self.application.folder.path), self._redis))

    async def reload(self) -> None:
        """Serve the folder as it is now; if it is broken, keep serving the last good one and say what is wrong."""
        async with self._reloading:  # of two at once, the one that read the folder first might else have the last word
            try:
                await self._reload()
            except Exception as error:  # noqa: BLE001 - recorded and told; else no later save would be looked at
                self.problem = f"The saved change is not served: {type(error).__name__}; the log has it."
                _log.exception("The saved change is not served, in a way nobody foresaw")

    async def _reload(self) -> None:
        before = self._loaded
        try:
            folder: Folder = await asyncio.to_thread(
                read, self.application.folder.path, self.application.folder.variant
            )
            loaded = await load(folder, before, self._around, None)
            try:
                collector = collector_of(folder.settings.observe, self._around.egress)
                hook = hook_of(folder.settings.observe, self._around.egress)
                live = _live_scoring(loaded, self._around, self.log)
            except RegistaError:
                await close(loaded.library, loaded.embedder, loaded.caches, but=before)
                raise
        except RegistaError as error:
            self.problem = error.message
            _log.warning("The saved change is not served. %s", error.message)
            self._follow_epoch()
            return
        self.problem = ""
        self._names.forget()
        # What was served until now may have more than what was served when this began: see `embed`.
        before, self._loaded = self._loaded, lent(self._loaded, loaded)
        self._follow_epoch()  # documents may have come since it was compiled
        self._capture()
        self._exporter.aim(collector)
        self.upkeep.aim(self._orders(), hook)
        live, self._live = self._live, live
        if live is not None:
            await live.close()
        await close(before.library, before.embedder, before.caches, but=self._loaded)
        _log.info("Serving %s, variant %s", self.application.name, self.application.variant.digest)

    async def _settle_datasets(self) -> None:
        """Leave no example waiting for its version; where that fails, the next who reads the dataset makes it."""
        try:
            await asyncio.to_thread(dataset.settle, self.application.folder.path)
        except RegistaError as error:
            _log.warning("%s", error.message)

    async def _watch(self) -> None:
        async for _ in saves(self.application.folder.path, self._documents()):
            await self.reload()

    async def _follow(self) -> None:
        """Serve what other processes, here or on other machines, take in. A store that cannot be read changes nothing.

        Nothing is asked of it but whether anything was committed.
        """
        seen = -1
        while True:
            await asyncio.sleep(FOLLOW_S)
            library = self._loaded.library
            if library is None:
                continue
            with suppress(StoreError):
                version = await asyncio.to_thread(self.database.version)
                if version != seen and await library.refresh():
                    self._follow_epoch()
                seen = version

    def _follow_epoch(self) -> None:
        """What was ingested is served, whatever came of the rest: caches must know the new epoch."""
        library = self._loaded.library
        if library is not None and library.epoch != self.application.variant.epoch:
            self._loaded = self._loaded.recompiled()

    def _orders(self) -> Orders:
        """What to look after: what is asked of the application, and of models by their own names."""
        folder = self.application.folder
        return Orders(self._url, (folder.name, ""), str(folder.path), folder.settings.observe.parquet)

    def _documents(self) -> str:
        context = self.application.folder.settings.context
        return context.documents if context is not None else "documents"

    def _ports(self) -> dict[str, Any]:
        return ports_of(self._around, self._loaded.embedder)

    def _settle(self, serving: Serving) -> None:
        trace = serving.trace
        assert trace is not None, "a request is settled when its trace is made"  # noqa: S101
        if (replay := REPLAY.get()) is not None and replay.told:
            return
        self._observe(trace)
        self.hearing.hear(serving)
        self._shadows.offer(serving, self.application, self._loaded.prices.version)
        if self._live is not None and trace.application:
            self._live.offer(trace, serving.exchange, trace.answer)

    def _capture(self) -> None:
        """Keep as much of what is said, and for as long, as the application asks for from now on."""
        observe = self.application.folder.settings.observe
        self.log.capture = self._exporter.capture = self.hearing.capture = observe.capture
        self.log.keep(observe.keep_s if self._around.team.leads else 0)

    def _observe(self, trace: Trace) -> None:
        self._metrics.observe_trace(trace)
        self._exporter.offer(trace)
        self.log.append(trace)


def _limits(settings: dict[str, Any], around: Surroundings) -> Limits:
    """What keeps keys to their limits; what they have used is read from the ledger."""
    without: str = settings["limits_without_redis"]
    if without not in ("refuse", "allow"):
        raise ConfigurationError(f"REGISTA_LIMITS_WITHOUT_REDIS={without!r} is neither 'refuse' nor 'allow'.")

    async def written(key: Key, since_ns: int) -> dict[Unit, int]:
        return await asyncio.to_thread(ledger.used, around.database, key.name, since_ns)

    return Limits(partial(around.team.counters, around.shared), written, allow=without == "allow")


def _live_scoring(loaded: Loaded, around: Surroundings, log: TraceLog) -> LiveScoring | None:
    """What scores a share of what is served, where the application asks for it. What judges cost goes to the ledger."""
    folder, embedder = loaded.application.folder, loaded.embedder
    if folder.settings.evaluation is None:
        return None
    keeps = folder.settings.observe.capture == "full"
    ports: Json = {
        "asks": Asking(folder.settings, around.database, lambda: around.egress, log.append, keeps=keeps).asks,
        "embed": embedder.embed if embedder is not None else None,
        "embedder": embedder.embedder if embedder is not None else "",
        "folder": folder.path,
    }
    variant = loaded.application.variant.digest
    return LiveScoring(folder, variant, around.database, ports | {"build": builder(ports)})
