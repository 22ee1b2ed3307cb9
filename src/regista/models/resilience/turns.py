"""Answers given in turn: as long as nothing was said, who fails is followed by another. Knows no reason to go on.

The first events of a stream often say nothing (a role, a filter's verdict). They are passed on at once, and still
another provider may follow; its own bytes are then dropped, for its stream would begin a second time in them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from msgspec.structs import replace

from regista.core.errors import RegistaError
from regista.core.nouns import Cause, Delta, Request
from regista.models.providers import Provider

Turn = tuple[Provider, Request]
After = Callable[[Sequence[RegistaError], Request], Awaitable[Turn]]
"""From the errors so far, the last one last, and the request as it came: who is next, and what it is asked.

Raises what the answer fails with if nobody is.
"""
UNSAID = 2
"""Deltas without anything in them that may open an answer: from a third one on, what they hold is not known here."""


def says(delta: Delta) -> bool:
    """Whether a client has been told something by this."""
    return bool(delta.text or delta.tool_calls or delta.reasoning or delta.finish or delta.citations)


def because(request: Request, cause: Cause) -> Request:
    """The request, asked for another reason."""
    return replace(request, account=replace(request.account, cause=cause))


def note(request: Request, text: str) -> None:
    """Have a decision on the trace."""
    if request.account.note is not None:
        request.account.note(text)


async def in_turn(provider: Provider, request: Request, after: After) -> AsyncGenerator[Delta]:
    """The answer of `provider`, or of the first one that `after` names which says something."""
    errors: list[RegistaError] = []
    asked, again = request, False
    while True:
        deltas = provider.generate(asked)
        left, spoke = 0, False
        try:
            async for delta in deltas:
                if not spoke:
                    spoke = left >= UNSAID or says(delta)
                    left += 1
                yield replace(delta, raw=None) if again else delta
            return
        except RegistaError as error:
            if spoke:
                raise
            errors.append(error)
            again = again or left > 0
        finally:
            await deltas.aclose()
        provider, asked = await after(errors, request)
