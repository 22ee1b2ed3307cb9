"""Ask the model: the innermost handler. What it yields is what the provider sent."""

from collections.abc import AsyncGenerator

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
            deltas = provider.generate(replace(request, account=account))
            try:
                try:  # contextlib.aclosing would take a microsecond more
                    async for delta in deltas:
                        if delta.finish is not None:
                            span.decide(delta.finish)
                        yield delta
                finally:
                    await deltas.aclose()
            finally:
                if notes:
                    span.set(notes=notes)
                if made := exchange.calls[before:]:
                    used = [(call.usage.input_tokens, call.usage.output_tokens) for call in made]
                    span.set(
                        input_tokens=sum([tokens for tokens, _ in used]),
                        output_tokens=sum([tokens for _, tokens in used]),
                    )

    return handler
