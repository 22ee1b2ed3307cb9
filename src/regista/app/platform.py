"""Everything that runs in one process around an application: store, keys, traces, models, and its reloading.

It knows no surface: HTTP, the command line and Python all ask through `serve`.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from regista.app.application import Application, build_provider, metered
from regista.app.asking import Asking
from regista.app.folder import Folder, read
from regista.app.live import LiveScoring
from regista.app.loading import Loaded, Progress, Surroundings, close, load, open_embedder, ports_of
from regista.app.serving import Serving
from regista.app.watch import saves
from regista.core.digest import digest
from regista.core.errors import (
    ConfigurationError,
    MissingExtraError,
    NotFoundError,
    RegistaError,
    UnknownNameError,
    did_you_mean,
    near,
)
from regista.core.nouns import Json, Request, Variant
from regista.egress.client import Client
from regista.evaluate.judges import builder
from regista.models.providers import MakesEmbeddings
from regista.observe.log import TraceLog
from regista.observe.metrics import Metrics
from regista.observe.recorder import Recorder
from regista.serve.context.library import IngestReport, Library
from regista.serve.exchange import Exchange, Handler
from regista.serve.stages.generate import generate
from regista.store import Database, connect
from regista.store.keys import Key, Keyring

STATE = ".regista"
ANYONE = Key("anyone on this machine", "default", "", 0)
RAW_KEPT = 256
"""Raw models whose pipelines are kept; clients name them, so they are bounded."""
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
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.keyring = keyring
        self.log = log
        self.max_body = max_body
        """Bytes of the largest request that is taken."""
        self.problem = ""
        """Why the folder as it is now is not what is served, where that is so."""
        self._loaded = loaded
        self._around = around
        self._metrics = Metrics(log)
        self._raw: OrderedDict[str, tuple[Handler, Variant]] = OrderedDict()
        self._live = live
        self._tasks = [asyncio.create_task(keyring.watch(), name="keys")]

    @classmethod
    async def open(
        cls, path: Path, settings: dict[str, Any], progress: Progress | None = None, variant: str = ""
    ) -> "Platform":
        """Read the folder (as one of its variants), open its store, take in documents, start what runs beside.

        Raises:
            ConfigurationError: the folder is broken; says every mistake with its place.
            StoreError: the store cannot be opened.
        """
        folder = await asyncio.to_thread(read, path, variant)
        url: str = settings["store"] or f"sqlite://{folder.path / STATE / 'regista.db'}"
        database = await asyncio.to_thread(connect, url)
        egress = Client(connections=settings["connections"])
        around = Surroundings(database, folder.path / STATE, egress, settings["models"])
        try:
            loaded = await load(folder, None, around, progress)
            keyring = await asyncio.to_thread(Keyring, database)
            live = _live_scoring(loaded, around)
        except BaseException:
            await egress.close()
            await asyncio.to_thread(database.close)
            raise
        log = TraceLog(url, settings["trace_queue"], settings["flush_ms"])
        await log.start()
        return cls(loaded, around, keyring, log, settings["max_body_mb"] << 20, live)

    def watch(self) -> None:
        """Reload on save from now on."""
        self._tasks.append(asyncio.create_task(self._watch(), name="watch"))

    async def close(self) -> None:
        """Store what is under way and end what runs beside."""
        if self._live is not None:
            await self._live.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.log.close()
        await self._around.egress.close()
        await close(self._loaded.library, self._loaded.embedder, but=None)
        await asyncio.to_thread(self._around.database.close)

    @property
    def application(self) -> Application:
        """The version served now."""
        return self._loaded.application

    @property
    def database(self) -> Database:
        return self._around.database

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

    def serve(self, request: Request, key: Key = ANYONE, *, fresh: bool = False) -> Serving:
        """Begin to answer a request for the application or for a raw model.

        Raises:
            NotFoundError: no application and no model is of that name.
        """
        handler, variant = self._resolve(request.model)
        recorder = Recorder(variant.application, variant.digest, request.model, key.tenant)
        with recorder.span("authenticate") as span:
            span.decide("allowed", key.name)
        exchange = Exchange(request, variant, key.tenant, recorder, key.name, question=request.question, fresh=fresh)
        return Serving(handler, exchange, self._loaded.prices.version, self._settle)

    def models(self) -> list[tuple[str, str]]:
        """What can be asked for, as (name, owner): the application, the models it names, the embedder."""
        models = self.application.folder.settings.models.values()
        named = {model.model: model.provider for model in models}
        embedder = self._loaded.embedder
        vectors = {f"embedded/{embedder.embedder}": "embedded"} if embedder is not None else {}
        return [(self.application.name, "regista"), *named.items(), *vectors.items()]

    def health(self) -> Json:
        """Whether requests are served, and what is wrong with anything beside them."""
        problems = [problem for problem in (self.problem, self.log.last_error) if problem]
        return {
            "status": "degraded" if problems else "ok",
            "application": self.application.name,
            "variant": self.application.variant.digest,
            "epoch": self.application.variant.epoch,
            "problems": problems,
        } | ({"live_left_out": self._live.left_out} if self._live is not None else {})

    def metrics_text(self) -> bytes:
        """Figures for Prometheus."""
        return self._metrics.render()

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
        embedder = self._loaded.embedder
        if embedder is None:
            embedder = await open_embedder("auto", self._around.models)
            self._loaded = replace(self._loaded, embedder=embedder)
        if embedder is None:
            raise MissingExtraError("Embedding in this process", "numpy", "rag")
        if name not in (embedder.embedder, "default"):
            known = [f"embedded/{embedder.embedder}", "embedded/default"]
            error = UnknownNameError("embedding model", f"embedded/{name}", known)
            raise NotFoundError(error.message, code="model_not_found", param="model")
        return embedder.embedder, await embedder.embed(texts)

    async def embed_upstream(self, model: str, texts: Sequence[str], rest: Json) -> bytes:
        """A provider's own embeddings answer, in OpenAI's shape."""
        provider_name, _, name = model.partition("/")
        provider = build_provider(provider_name, self._options(model), self._ports())
        if not isinstance(provider, MakesEmbeddings):
            message = f"{provider_name} makes no embeddings. Try embedded/default."
            raise NotFoundError(message, code="model_not_found", param="model")
        return await provider.embed_upstream(name, texts, rest)

    async def reload(self) -> None:
        """Serve the folder as it is now; if it is broken, keep serving the last good one and say what is wrong."""
        before = self._loaded
        try:
            folder: Folder = await asyncio.to_thread(
                read, self.application.folder.path, self.application.folder.variant
            )
            loaded = await load(folder, before, self._around, None)
            try:
                live = _live_scoring(loaded, self._around)
            except RegistaError:
                await close(loaded.library, loaded.embedder, but=before)
                raise
        except RegistaError as error:
            self.problem = error.message
            _log.warning("The saved change is not served. %s", error.message)
            self._follow_epoch()
            return
        self.problem = ""
        self._raw.clear()
        self._loaded = loaded
        live, self._live = self._live, live
        if live is not None:
            await live.close()
        await close(before.library, before.embedder, but=self._loaded)
        _log.info("Serving %s, variant %s", self.application.name, self.application.variant.digest)

    async def _watch(self) -> None:
        async for _ in saves(self.application.folder.path, self._documents()):
            await self.reload()

    def _follow_epoch(self) -> None:
        """What was ingested is served, whatever came of the rest: caches must know the new epoch."""
        library = self._loaded.library
        if library is not None and library.epoch != self.application.variant.epoch:
            self._loaded = self._loaded.recompiled(self._around)

    def _documents(self) -> str:
        context = self.application.folder.settings.context
        return context.documents if context is not None else "documents"

    def _ports(self) -> dict[str, Any]:
        return ports_of(self._around, self._loaded.embedder)

    def _resolve(self, name: str) -> tuple[Handler, Variant]:
        application = self._loaded.application
        if name == application.folder.name:
            return application.handler, application.variant
        raw = self._raw.get(name)
        if raw is None:
            raw = self._raw[name] = self._raw_model(name)
            if len(self._raw) > RAW_KEPT:
                self._raw.popitem(last=False)
        return raw

    def _raw_model(self, name: str) -> tuple[Handler, Variant]:
        provider_name, slash, model = name.partition("/")
        known = [known for known, _ in self.models()]
        if not slash or not model:
            names = f"Known: {', '.join(known)}; raw models are provider/model."
            message = f"There is no application or model {name!r}.{did_you_mean(near(name, known))} {names}"
            raise NotFoundError(message, code="model_not_found", param="model")
        options = self._options(name)
        try:
            provider = build_provider(provider_name, options, self._ports())
        except UnknownNameError as error:
            raise NotFoundError(error.message, code="model_not_found", param="model") from None
        variant = Variant("", digest({"model": name, "options": options}), 0)
        own = self.application.folder.settings.prices
        return generate(metered(provider, name, self._loaded.prices, own), name, {}), variant

    def _options(self, name: str) -> Json:
        """How the application configures a model, so that naming it raw reaches the same place."""
        models = self.application.folder.settings.models.values()
        return next((dict(model.options) for model in models if model.model == name), dict[str, Any]())

    def _settle(self, serving: Serving) -> None:
        trace = serving.trace
        assert trace is not None, "a request is settled when its trace is made"  # noqa: S101
        self._metrics.observe_trace(trace)
        self.log.append(trace)
        if self._live is not None and trace.application:
            self._live.offer(trace, serving.exchange, trace.answer)


def _live_scoring(loaded: Loaded, around: Surroundings) -> LiveScoring | None:
    """What scores a share of what is served, where the application asks for it."""
    folder, embedder = loaded.application.folder, loaded.embedder
    if folder.settings.evaluation is None:
        return None
    ports: Json = {
        "asks": Asking(folder.settings, around.database, lambda: around.egress).asks,
        "embed": embedder.embed if embedder is not None else None,
        "embedder": embedder.embedder if embedder is not None else "",
        "folder": folder.path,
    }
    variant = loaded.application.variant.digest
    return LiveScoring(folder, variant, around.database, ports | {"build": builder(ports)})
