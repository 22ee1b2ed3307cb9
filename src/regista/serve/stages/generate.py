"""Ask the model: the innermost handler. What it yields is what the provider sent."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from regista.core.nouns import Account, Delta
from regista.models.providers import Provider
from regista.serve.exchange import FIRST_CAUSE, Exchange, Handler


def generate(provider: Provider, name: str) -> Handler:
    """Ask `provider`, known as `name`.

    Whoever calls a model inside of it (`models.metered`) tells each call to the exchange.
    """

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        request = exchange.request
        notes: list[str] = []
        before = len(exchange.calls)
        with exchange.recorder.span("generate", name) as span:
            account = Account(
                exchange.tenant,
                FIRST_CAUSE.get(),
                exchange.calls.append,
                notes.append,
                hold=exchange.hold,
                headers=span.headers(),
            )
            try:
                async with aclosing(provider.generate(replace(request, account=account))) as deltas:
                    async for delta in deltas:
                        if delta.finish is not None:
                            span.decide(delta.finish)
                        yield delta
            finally:
                if notes:
                    span.set(notes=notes)
                made = exchange.calls[before:]
                if made:
                    span.set(
                        input_tokens=sum(call.usage.input_tokens for call in made),
                        output_tokens=sum(call.usage.output_tokens for call in made),
                    )

    return handler
