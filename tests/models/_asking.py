"""What tests of wrappers share: a provider whose answers were written beforehand, metered, and one request of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from regista.core.errors import RegistaError
from regista.core.nouns import Account, Call, Delta, Message, Request, Usage
from regista.models.metered import Metered
from regista.models.providers import Provider, providers


class Recorder:
    """Passes on what `provider` says, and remembers what it was asked."""

    def __init__(self, provider: Provider) -> None:
        self.asked: list[Request] = []
        self._provider = provider

    def generate(self, request: Request) -> Any:
        self.asked.append(request)
        return self._provider.generate(request)


def saying(*answers: str, **options: Any) -> Recorder:
    """A provider that gives these answers in turn."""
    return Recorder(Metered(providers.build("scripted", answers=answers, **options), "scripted", "m", None))


class Client:
    """Asks once, and has what came of it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.notes: list[str] = []
        self.deltas: list[Delta] = []
        self.error: RegistaError | None = None

    async def ask(self, provider: Provider, question: str = "Q?", *, stream: bool = False, **rest: Any) -> "Client":
        account = Account("t", tell=self.calls.append, note=self.notes.append)
        request = Request("m", (Message("user", question),), stream, rest=rest, account=account)
        try:
            async for delta in provider.generate(request):
                self.deltas.append(delta)
        except RegistaError as error:
            self.error = error
        return self

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas)

    @property
    def usage(self) -> Usage | None:
        return next((delta.usage for delta in reversed(self.deltas) if delta.usage is not None), None)

    @property
    def finishes(self) -> list[str]:
        return [delta.finish for delta in self.deltas if delta.finish is not None]

    @property
    def causes(self) -> list[str]:
        return [call.cause for call in self.calls]


def asked(provider: Provider, question: str = "Q?", **rest: Any) -> Client:
    """One question, asked from outside of an event loop."""
    return asyncio.run(Client().ask(provider, question, **rest))


def texts(recorder: Recorder) -> Sequence[str]:
    """The last message of each request."""
    return [request.messages[-1].text for request in recorder.asked]
