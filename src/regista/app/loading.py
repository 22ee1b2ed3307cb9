"""From a folder to all that follows from it, at once or not at all: what a save replaces while requests go on.

It knows nothing of requests, keys or traces.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regista.app.application import Application, Routes, compile_application, prices_of
from regista.app.caches import Caches
from regista.app.embedder import embedder_name
from regista.app.folder import BASE, Folder
from regista.app.generation import Functions
from regista.app.routing import Known, known_here, open_routes, router_embedder, wants_vectors
from regista.app.schema import Context
from regista.app.team import Alone, Embedder, Team
from regista.app.upstreams import Upstreams
from regista.core.digest import digest
from regista.core.errors import StoreError
from regista.egress.client import Client
from regista.models.prices import Prices
from regista.serve.context.library import IngestReport, Library
from regista.store import Database, prompts
from regista.store.redis import Shared

Progress = Callable[[int, int, str], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What every version of an application shares. `models` is the folder of embedding models.

    `shared` is the Redis that other servers use too, where there is one; `team` the processes of this server.
    """

    database: Database
    state: Path
    egress: Client
    models: str
    shared: Shared | None = None
    team: Team = field(default_factory=Alone)


@dataclass(frozen=True)
class Loaded:
    """One version of an application with what it runs on. `ingested` is what its loading took in."""

    application: Application
    prices: Prices
    upstreams: Upstreams
    caches: Caches
    library: Library | None = None
    embedder: Embedder | None = None
    ingested: IngestReport | None = None
    form: str = ""
    routes: Routes | None = None
    known: Known = field(default_factory=Known)

    def recompiled(self) -> "Loaded":
        """The same over the index epoch that the library serves now."""
        folder = self.application.folder
        provider = self.upstreams.provider(folder.settings.app.model)
        return replace(self, application=compile_application(folder, self.library, self.caches, provider, self.routes))


async def load(folder: Folder, before: Loaded | None, around: Surroundings, progress: Progress | None) -> Loaded:
    """The next version. `before` lends what has not changed; whatever fails leaves it as it was.

    Raises:
        RegistaError: something cannot be made, ingested or run; says what.
    """
    settings = folder.settings
    context = settings.context
    library, embedder, form, caches = None, None, "", None
    report: IngestReport | None = None
    try:
        if context is not None:
            form = digest(context)
            if before is not None and before.form == form:
                library, embedder = before.library, before.embedder
            else:
                embedder = await _named(before, context.embedder, around)
                library = await _open_library(folder, context, embedder, around)
            if library is not None and not around.team.leads:
                await library.refresh()
            elif library is not None:
                report = await library.ingest(folder.path / context.documents, progress)
                for document, reason in report.failed:
                    _log.warning("Not read: %s: %s", document, reason)
        if embedder is None and (wants_vectors(settings) or settings.cache.semantic):
            embedder = _lent(before) or await around.team.embedder(router_embedder(settings), around.models)
        prices = prices_of(settings)
        caches = await _open_caches(folder, before, around, embedder)
        upstreams = _upstreams(folder, before, prices, ports_of(around, embedder))
        known = before.known if before is not None else known_here(around.shared)
        ports = ports_of(around, embedder)
        routes = await open_routes(folder, upstreams, prices, ports, embedder, around.database, known)
        application = compile_application(folder, library, caches, upstreams.provider(settings.app.model), routes)
    except BaseException:
        await close(library, embedder, caches, but=before)
        raise
    await asyncio.to_thread(_keep_prompts, folder, around.database)
    return Loaded(application, prices, upstreams, caches, library, embedder, report, form, routes, known)


async def close(library: Library | None, embedder: Embedder | None, caches: Caches | None, but: Loaded | None) -> None:
    """End what a version ran on, less what `but` runs on too."""
    if caches is not None and (but is None or but.caches is not caches):
        await caches.close()
    if library is not None and (but is None or but.library is not library):
        await library.close()
    if embedder is not None and (but is None or but.embedder is not embedder):
        await embedder.close()


def _keep_prompts(folder: Folder, database: Database) -> None:
    """Keep what the prompts say, so that the texts of variants can be compared. Serving goes on without it."""
    texts = {name: (each.prompt.digest, each.text) for name, each in folder.prompts.items()}
    variant = (folder.digest, folder.variant or BASE)
    try:
        prompts.keep(database, folder.name, variant, texts, folder.settings.app.prompt, time.time_ns())
    except StoreError as error:
        _log.warning("The prompts' texts are not kept: %s", error.message)


def ports_of(around: Surroundings, embedder: Embedder | None) -> dict[str, Any]:
    """What components may ask for. Hashes know no meaning: who weighs meaning does better with none than theirs."""
    means = embedder is not None and embedder.embedder != "hashed"
    return {"transport": around.egress, "embed": embedder.embed if embedder is not None and means else None}


def lent(before: Loaded, loaded: Loaded) -> Loaded:
    """A version with the embedder that was opened for requests of the one before, if it needs none of its own."""
    return replace(loaded, embedder=_lent(before)) if loaded.embedder is None else loaded


def _lent(before: Loaded | None) -> Embedder | None:
    """The embedder of a version that retrieves nothing, if it has one."""
    return before.embedder if before is not None and before.application.folder.settings.context is None else None


async def _named(before: Loaded | None, name: str, around: Surroundings) -> Embedder | None:
    """The embedder of that name: the one there is, where it is the same, so that who waits for vectors gets them."""
    known = before.embedder if before is not None else None
    if known is not None and known.embedder == await asyncio.to_thread(embedder_name, name, around.models):
        return known
    return await around.team.embedder(name, around.models)


def _upstreams(folder: Folder, before: Loaded | None, prices: Prices, ports: dict[str, Any]) -> Upstreams:
    """The models; those of the version before where nothing of theirs has changed: they know what they are worth."""
    if any(":" in model.verifier for model in folder.settings.models.values()):
        ports = ports | {"functions": Functions(folder.path, folder.digest)}
    if before is not None and before.upstreams.fits(folder.settings, ports):
        return before.upstreams
    return Upstreams(folder.settings, prices, ports)


async def _open_caches(
    folder: Folder, before: Loaded | None, around: Surroundings, embedder: Embedder | None
) -> Caches:
    """The caches; those of the version before where nothing of theirs has changed."""
    settings = folder.settings.cache
    if before is not None and before.caches.fits(folder.name, settings, embedder):
        return before.caches
    return await Caches.open(folder.name, settings, around.database, around.shared, embedder)


async def _open_library(folder: Folder, context: Context, embedder: Embedder | None, around: Surroundings) -> Library:
    library = Library.of(around.database, around.state, folder.index, context, embedder)
    await library.open()
    return library
