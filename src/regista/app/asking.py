"""Judges' models: asked by the application's own providers, every reply kept by content.

A reply is kept under the model, the request and the number of the draw, like any output: a run that is resumed
pays nothing twice, and two outputs of one text are judged once. It knows no judge and no ledger.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

import msgspec
from msgspec.structs import replace

from regista.app.application import build_provider, metered, prices_of
from regista.app.schema import Settings
from regista.core.digest import content_key, digest
from regista.core.errors import ConfigurationError
from regista.core.evaluation import Output
from regista.core.nouns import Account, Call, Json, Request, Response, Trace
from regista.egress.client import Client
from regista.evaluate.judges import Ask
from regista.observe.recorder import Recorder
from regista.serve.collector import collect
from regista.store import Database, evaluations

TENANT = "evaluation"
"""On whose account judges are asked."""
_encode = msgspec.msgpack.Encoder().encode


class Asking:
    """Asks the models that an application's settings name. `transport` is made at the first question.

    `settle` is told what each question cost, as a trace with calls and nothing else. Replies are not kept unless it
    `keeps` them: they quote what they are about.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        transport: Callable[[], Client],
        settle: Callable[[Trace], None] | None = None,
        *,
        keeps: bool = True,
    ) -> None:
        self._settings = settings
        self._settle = settle
        self._keeps = keeps
        self._database = database
        self._transport = transport
        self._asked: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    def asks(self, model: str) -> Ask:
        """Who asks a model of the application (its name there, or `provider/name`); replies are kept by content.

        Raises:
            ConfigurationError: there is no such model, or it reads and cannot judge.
        """
        models = self._settings.models
        configured = models.get(model) or next((m for m in models.values() if m.model == model), None)
        name = configured.model if configured is not None else model
        provider_name, slash, own = name.partition("/")
        if not slash or not own:
            known = ", ".join(models) or "none"
            raise ConfigurationError(f"There is no model {model!r} to ask. Known: {known}; or write provider/model.")
        if name == "embedded/reader":
            raise ConfigurationError(
                'The embedded reader quotes and cannot judge. Name a language model: model = "openai/…", '
                "or one of [models.*] in regista.toml."
            )
        options: Json = dict(configured.options) if configured is not None else {}
        parameters: Json = dict(configured.parameters) if configured is not None else {}
        prices = prices_of(self._settings)
        made = build_provider(provider_name, options, {"transport": self._transport(), "embed": None})
        provider = metered(made, name, prices, self._settings.prices)
        identity = _encode([name, digest(options)])

        async def ask(request: Request, draw: int) -> Response:
            asked = replace(request, model=own, rest={**parameters, **request.rest})
            key = content_key(b"ask", identity, _encode(asked), b"%d" % draw)
            # Repetitions of a case are judged at once, and those of one text are one question.
            async with self._asked.setdefault(key, asyncio.Lock()):
                kept = (await asyncio.to_thread(evaluations.outputs, self._database, [key])).get(key)
                if kept is not None:
                    return _as_response(kept.output)
                response = await collect(provider.generate(replace(asked, account=self._account(name, prices.version))))
                if not self._keeps:
                    return response
                output = Output(response.text, response.tool_calls, finish=response.finish, usage=response.usage)
                body = _encode(output)
                batch = evaluations.Batch([], [(key, content_key(body), body, output)], [], [])
                await asyncio.to_thread(evaluations.write, self._database, batch, "")
                return response

        return ask

    def _account(self, model: str, price_version: str) -> Account:
        """On which a judge is asked: each call is a trace of its own."""
        settle = self._settle
        if settle is None:
            return Account()
        recorder = Recorder(self._settings.app.name, "", f"judge {model}", TENANT)

        def tell(call: Call) -> None:
            error = call.reason if call.status == "error" else ""
            settle(recorder.finish(call.status, error, "", call.usage, call.cost_nano, price_version, calls=(call,)))

        return Account(TENANT, "judge", tell)


def _as_response(output: Output) -> Response:
    return Response(output.text, output.tool_calls, output.finish, output.usage)


def models_digest(settings: Settings) -> str:
    """What the names of an application's models stand for to a judge."""
    return digest(msgspec.to_builtins(settings.models))
