"""Another model answers where one fails before it said anything. It knows models by the names they are told by."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from regista.core.errors import ProviderError, RegistaError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience import faults
from regista.models.resilience.turns import Turn, because, in_turn, note

Named = tuple[str, Provider]


@dataclass
class Fallback:
    """Asks the models in their order until one of them says something."""

    models: Sequence[Named]

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises an error that says why each model did not answer."""
        return in_turn(self.models[0][1], request, self._next)

    async def _next(self, errors: Sequence[RegistaError], request: Request) -> Turn:
        return next_of(self.models, errors, request)


def next_of(models: Sequence[Named], errors: Sequence[RegistaError], request: Request) -> Turn:
    """The model after those that failed; raises what they failed with where there is none, or none can help."""
    last, until = errors[-1], request.account.until
    if not faults.elsewhere(last) or (until and asyncio.get_running_loop().time() >= until):
        raise last
    if len(errors) == len(models):
        raise _all_failed(models, errors) from last
    if last.code == faults.LEFT_ALONE:
        note(request, f"{models[len(errors) - 1][0]} is passed over: {last.message}")
    return models[len(errors)][1], because(request, "fallback")


def _all_failed(models: Sequence[Named], errors: Sequence[RegistaError]) -> RegistaError:
    """One error for all of them, with the status of the first: that is the model that was asked for."""
    if len(errors) == 1:
        return errors[0]
    first = errors[0]
    told = "; ".join(f"{name}: {error.message}" for (name, _), error in zip(models, errors, strict=False))
    waits = [wait for error in errors if (wait := faults.retry_after(error)) is not None]
    return ProviderError(
        f"No model answered. {told}",
        upstream_status=first.upstream_status if isinstance(first, ProviderError) else 0,
        code=first.code,
        status=first.status,
        retry_after=f"{min(waits):.0f}" if waits else None,
    )
