"""Whole answers, for those that look at one before any of it is told. It does not know what they look for."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from regista.core.nouns import Delta, Request, Usage
from regista.models.providers import Provider


class Answer(NamedTuple):
    """One answer: its deltas, one or more, and what they come to."""

    deltas: tuple[Delta, ...]
    text: str
    finish: str | None
    usage: Usage | None

    def using(self, usage: Usage) -> Iterator[Delta]:
        """Its deltas, with another count of what was used: bytes of the provider's would tell its own."""
        *first, last = self.deltas
        for delta in first:
            yield replace(delta, raw=None, usage=None)
        yield replace(last, raw=None, usage=usage)


def answer_of(deltas: Iterable[Delta]) -> Answer:
    """The answer of a stream that has ended."""
    said = tuple(deltas) or (Delta(),)
    text = "".join(delta.text for delta in said)
    finish = next((delta.finish for delta in reversed(said) if delta.finish is not None), None)
    return Answer(said, text, finish, next((delta.usage for delta in reversed(said) if delta.usage is not None), None))


async def collected(provider: Provider, request: Request) -> Answer:
    """What `provider` answers. Raises as `Provider.generate` does."""
    found: list[Delta] = []
    deltas = provider.generate(request)
    try:
        async for delta in deltas:
            found.append(delta)
    finally:
        await deltas.aclose()
    return answer_of(found)
