"""What can be asked for by name: the application, the models it names, and any `provider/model` as it configures it.

It answers nothing itself: a name leads to the handler that does, and to the Variant that is on the trace.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from regista.app.loading import Loaded
from regista.app.vectors import Embed
from regista.core.digest import digest
from regista.core.errors import NotFoundError, UnknownNameError, did_you_mean, near
from regista.core.nouns import Json, Variant
from regista.models.deferred import REPLAY
from regista.serve.exchange import Handler
from regista.serve.stages.generate import generate
from regista.store.keys import Key

KEPT = 256
"""Raw models whose pipelines are kept; clients name them, so they are bounded."""


class Names:
    """The names of the version that `loaded` gives. `embed` makes vectors in this process."""

    def __init__(self, loaded: Callable[[], Loaded], embed: Embed) -> None:
        self._loaded = loaded
        self._embed = embed
        self._raw: OrderedDict[tuple[str, bool], tuple[Handler, Variant]] = OrderedDict()

    def known(self) -> list[tuple[str, str]]:
        """What can be asked for, as (name, owner): the application, the models it names, the embedder."""
        loaded = self._loaded()
        folder, settings = loaded.application.folder, loaded.application.folder.settings
        named = dict.fromkeys(settings.router.names if settings.router else (), "regista")
        named |= {model.model: model.provider for model in settings.models.values()}
        vectors = {f"embedded/{loaded.embedder.embedder}": "embedded"} if loaded.embedder is not None else {}
        return [(folder.name, "regista"), *named.items(), *vectors.items()]

    def check(self, key: Key, model: str) -> None:
        """Raises `NotAllowedError` where the key may not ask for it."""
        if key.models:
            key.check_model(model, [name for name, _ in self.known()])

    def resolve(self, name: str, vectors: bool = False) -> tuple[Handler, Variant]:
        """What answers to a name, with embeddings where `vectors`. Raises `NotFoundError`."""
        application = self._loaded().application
        if not vectors and (name == application.folder.name or name in application.names):
            return application.handler, application.variant
        if REPLAY.get() is not None:
            return self._raw_model(name, vectors)
        raw = self._raw.get((name, vectors))
        if raw is None:
            raw = self._raw[name, vectors] = self._raw_model(name, vectors)
            if len(self._raw) > KEPT:
                self._raw.popitem(last=False)
        return raw

    def options(self, name: str) -> Json:
        """How the application configures a model, so that naming it raw reaches the same place."""
        models = self._loaded().application.folder.settings.models.values()
        return next((dict(model.options) for model in models if model.model == name), dict[str, Any]())

    def forget(self) -> None:
        """Another version is served: what was made of the one before is not."""
        self._raw.clear()

    def _raw_model(self, name: str, vectors: bool) -> tuple[Handler, Variant]:
        _, slash, model = name.partition("/")
        if not slash or not model:
            known = [known for known, _ in self.known()]
            names = f"Known: {', '.join(known)}; raw models are provider/model."
            message = f"There is no application or model {name!r}.{did_you_mean(near(name, known))} {names}"
            raise NotFoundError(message, code="model_not_found", param="model")
        upstreams = self._loaded().upstreams
        raw = upstreams.raw if REPLAY.get() is None else upstreams.replaying
        try:
            provider = upstreams.vectors(name, self._embed) if vectors else raw(name)
        except UnknownNameError as error:
            raise NotFoundError(error.message, code="model_not_found", param="model") from None
        return generate(provider, name), Variant("", digest({"model": name, "options": self.options(name)}), 0)
