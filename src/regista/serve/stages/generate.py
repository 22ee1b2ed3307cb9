"""Ask the model: the innermost handler. What it yields is what the provider sent."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from regista.core.nouns import Delta, Json, Usage
from regista.models.providers import Provider
from regista.serve.exchange import Exchange, Handler


def generate(provider: Provider, name: str, biller: str, parameters: Json) -> Handler:
    """Ask `provider` for its model, `name` being `provider/model`; `parameters` hold where the client set none.

    `biller` is whose prices the call is settled at.
    """
    model = name.partition("/")[2]

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        request = exchange.request
        rest = {**parameters, **request.rest} if parameters else request.rest
        usage: Usage | None = None
        with exchange.recorder.span("generate", name) as span:
            try:
                async with aclosing(provider.generate(replace(request, model=model, rest=rest))) as deltas:
                    async for delta in deltas:
                        usage = delta.usage or usage
                        if delta.finish is not None:
                            span.decide(delta.finish)
                        yield delta
            finally:
                exchange.spent.append((biller, model, usage))
                if usage is not None:
                    span.set(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)

    return handler
