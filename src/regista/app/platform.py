"""Everything that runs in one process around an application: store, keys, traces, models, and its reloading.

It knows no surface: HTTP, the command line and Python all ask through `serve`.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.app.application import biller, build_provider, compile_application, prices_of
from regista.app.folder import Folder, read
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
from regista.core.nouns import Json, Request, Trace, Variant
from regista.egress.client import Client
from regista.models.providers import MakesEmbeddings
from regista.observe.log import TraceLog
from regista.observe.metrics import Metrics
from regista.observe.recorder import Recorder
from regista.serve.caches.exact import ExactCache
from regista.serve.context.library import IngestReport, Library
from regista.serve.exchange import Exchange, Handler
from regista.serve.stages.generate import generate
from regista.store import connect
from regista.store.keys import Key, Keyring

if TYPE_CHECKING:
    from regista.models.worker import EmbeddingWorker

Progress = Callable[[int, int, str], None]
STATE = ".regista"
ANYONE = Key("anyone on this machine", "default", "", 0)
RAW_KEPT = 256
"""Raw models whose pipelines are kept; clients name them, so they are bounded."""
_log = logging.getLogger(__name__)


class Platform:
    """A running application. Make one with `open`, and `close` it."""

    def __init__(self, folder: Folder, settings: dict[str, Any]) -> None:
        self.max_body: int = settings["max_body_mb"] << 20
        self.problem = ""
        """Why the folder as it is now is not what is served, where that is so."""
        self.ingested: IngestReport | None = None
        """What the last opening or reloading took in."""
        self._settings = settings
        self._state = folder.path / STATE
        self._url: str = settings["store"] or f"sqlite://{self._state / 'regista.db'}"
        self.log = TraceLog(self._url, settings["trace_queue"], settings["flush_ms"])
        self.metrics = Metrics(self.log)
        self.egress = Client(connections=settings["connections"])
        self._embedder: EmbeddingWorker | None = None
        self._library: Library | None = None
        self._library_key = ""
        self._cache: ExactCache | None = None
        self._raw: OrderedDict[str, tuple[Handler, Variant]] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, folder: Path, settings: dict[str, Any], progress: Progress | None = None) -> "Platform":
        """Read the folder, open its store, take in documents that changed, start what runs beside.

        Raises:
            ConfigurationError: the folder is broken; says every mistake with its place.
            StoreError: the store cannot be opened.
        """
        platform = cls(await asyncio.to_thread(read, folder), settings)
        try:
            await platform._start(await asyncio.to_thread(read, folder), progress)
        except BaseException:
            await platform.close()
            raise
        return platform

    async def _start(self, folder: Folder, progress: Progress | None) -> None:
        self.loop = asyncio.get_running_loop()
        self.database = await asyncio.to_thread(connect, self._url)
        self.keyring = await asyncio.to_thread(Keyring, self.database)
        await self.log.start()
        await self._load(folder, progress)
        self._tasks.append(asyncio.create_task(self.keyring.watch(), name="keys"))

    def watch(self) -> None:
        """Reload on save from now on."""
        self._tasks.append(asyncio.create_task(self._watch(), name="watch"))

    async def close(self) -> None:
        """Store what is under way and end what runs beside."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.log.close()
        await self.egress.close()
        if self._library is not None:
            await self._library.close()
        if self._embedder is not None:
            await self._embedder.close()
        if hasattr(self, "database"):
            await asyncio.to_thread(self.database.close)

    def serve(self, request: Request, key: Key = ANYONE, *, fresh: bool = False) -> Serving:
        """Begin to answer a request for the application or for a raw model.

        Raises:
            NotFoundError: no application and no model is of that name.
        """
        handler, variant = self._resolve(request.model)
        recorder = Recorder(variant.application, variant.digest, request.model, key.tenant)
        with recorder.span("authenticate") as span:
            span.decide("allowed", key.name)
        exchange = Exchange(request, variant, key.tenant, recorder, question=request.question, fresh=fresh)
        return Serving(handler, exchange, self.prices, self._settle)

    def models(self) -> list[tuple[str, str]]:
        """What can be asked for, as (name, owner): the application, the models it names, the embedder."""
        named = {
            model.model: model.model.partition("/")[0] for model in self.application.folder.settings.models.values()
        }
        embedder = {f"embedded/{self._embedder.embedder}": "embedded"} if self._embedder is not None else {}
        return [(self.application.name, "regista"), *named.items(), *embedder.items()]

    def health(self) -> Json:
        """Whether requests are served, and what is wrong with anything beside them."""
        problems = [problem for problem in (self.problem, self.log.last_error) if problem]
        return {
            "status": "degraded" if problems else "ok",
            "application": self.application.name,
            "variant": self.application.variant.digest,
            "epoch": self.application.variant.epoch,
            "problems": problems,
        }

    def metrics_text(self) -> bytes:
        return self.metrics.render()

    async def ingest(self, progress: Progress | None = None) -> IngestReport:
        """Take in what changed in `documents/`; requests see the new epoch whole or not at all."""
        context = self.application.folder.settings.context
        if self._library is None or context is None:
            raise ConfigurationError("This application retrieves nothing: add a [context] table to regista.toml.")
        report = await self._library.ingest(self.application.folder.path / context.documents, progress)
        if report.epoch != self.application.variant.epoch:
            self._compile(self.application.folder)
        return report

    @property
    def library(self) -> Library:
        """The documents; raises `ConfigurationError` where the application has none."""
        if self._library is None:
            raise ConfigurationError("This application retrieves nothing: add a [context] table to regista.toml.")
        return self._library

    async def embed(self, name: str, texts: Sequence[str]) -> tuple[str, Any]:
        """Vectors of the embedder in this process, with its name."""
        if self._embedder is None:
            self._embedder = await self._open_embedder("auto")
        if self._embedder is None:
            raise MissingExtraError("Embedding in this process", "numpy", "rag")
        known = self._embedder.embedder
        if name not in (known, "default"):
            error = UnknownNameError("embedding model", f"embedded/{name}", [f"embedded/{known}", "embedded/default"])
            raise NotFoundError(error.message, code="model_not_found", param="model")
        return known, await self._embedder.embed(texts)

    async def embed_upstream(self, model: str, texts: Sequence[str], rest: Json) -> bytes:
        """A provider's own embeddings answer."""
        provider_name, _, name = model.partition("/")
        provider = build_provider(provider_name, self._options(model), self._ports())
        if not isinstance(provider, MakesEmbeddings):
            raise NotFoundError(
                f"{provider_name} makes no embeddings. Try embedded/default.", code="model_not_found", param="model"
            )
        return await provider.embed_upstream(name, texts, rest)

    async def reload(self) -> None:
        """Serve the folder as it is now; if it is broken, keep serving the last good one and say what is wrong."""
        try:
            await self._load(await asyncio.to_thread(read, self.application.folder.path), None)
        except RegistaError as error:
            self.problem = error.message
            _log.warning("The saved change is not served. %s", error.message)
        else:
            self.problem = ""
            _log.info("Serving %s, variant %s", self.application.name, self.application.variant.digest)

    async def _watch(self) -> None:
        async for _ in saves(self.application.folder.path, self._documents()):
            await self.reload()

    async def _open_embedder(self, name: str) -> "EmbeddingWorker | None":
        """The embedder, or None in a base install that did not ask for one by name: retrieval is then by words."""
        try:
            from regista.models.worker import open_embedder  # noqa: PLC0415 - needs the extra [rag]
        except MissingExtraError:
            if name != "auto":
                raise
            return None
        return await open_embedder(name, self._settings["models"])

    def _documents(self) -> str:
        context = self.application.folder.settings.context
        return context.documents if context is not None else "documents"

    async def _load(self, folder: Folder, progress: Progress | None) -> None:
        """Everything that can fail comes before the swap, so that a broken folder changes nothing."""
        settings = folder.settings
        context = settings.context
        key = digest([settings.context, self._url]) if context is not None else ""
        library, embedder = self._library, self._embedder
        if context is None:
            library = None
        elif key != self._library_key or library is None:
            if context.embedder != "none" and embedder is None:
                embedder = await self._open_embedder(context.embedder)
            library = Library.of(self.database, self._state, folder.name, context, embedder)
            await library.open()
        self._embedder = embedder
        if library is not None and context is not None:
            self.ingested = await library.ingest(folder.path / context.documents, progress)
        old, self._library, self._library_key = self._library, library, key
        self.prices = prices_of(settings)
        cache = settings.cache
        self._cache = ExactCache(cache.entries, cache.ttl_s) if cache.exact else None
        self._compile(folder)
        if old is not None and old is not library:
            await old.close()

    def _compile(self, folder: Folder) -> None:
        self.application = compile_application(folder, self._library, self._cache, self.prices, self._ports())
        self._raw.clear()

    def _ports(self) -> dict[str, Any]:
        # Hashes know no meaning: a provider that weighs meaning does better with none than with theirs.
        embedder = self._embedder if self._embedder is not None and self._embedder.embedder != "hashed" else None
        return {"transport": self.egress, "embed": embedder.embed if embedder is not None else None}

    def _resolve(self, name: str) -> tuple[Handler, Variant]:
        application = self.application
        if name == application.name:
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
            hint = did_you_mean(near(name, known))
            names = f"Known: {', '.join(known)}; raw models are provider/model."
            message = f"There is no application or model {name!r}.{hint} {names}"
            raise NotFoundError(message, code="model_not_found", param="model")
        options = self._options(name)
        try:
            provider = build_provider(provider_name, options, self._ports())
        except UnknownNameError as error:
            raise NotFoundError(error.message, code="model_not_found", param="model") from None
        variant = Variant("", digest({"model": name, "options": options}), 0, {})
        own = self.application.folder.settings.prices
        return generate(provider, name, biller(provider, name, self.prices, own), {}), variant

    def _options(self, name: str) -> Json:
        """How the application configures a model, so that naming it raw reaches the same place."""
        models = self.application.folder.settings.models.values()
        return next((dict(model.options) for model in models if model.model == name), dict[str, Any]())

    def _settle(self, trace: Trace) -> None:
        self.metrics.observe_trace(trace)
        self.log.append(trace)
