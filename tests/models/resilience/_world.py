"""A world for models that fail: a clock that jumps, a model that does as its script says, and who asks."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from regista.core.errors import ProviderError, ProviderTimeoutError, RegistaError, StreamCutError
from regista.core.nouns import Account, Call, Delta, Json, Message, Request, Usage
from regista.egress.client import NOT_CONNECTED
from regista.models.metered import Metered
from regista.models.providers import Provider
from regista.models.resilience.prefill import INSTRUCTION
from regista.models.resilience.silence import Silence

ANSWER = (
    "The river Regen rises in the Bavarian Forest, runs 191.5 km and ends at Regensburg: there it meets the Danube.\n\n"
    "It is still a wild river in places, all in all; 1 of 3 of its weirs will be rebuilt – “as soon as possible”."
)
"""With a word that another begins with, doubled letters, numbers, and more than ASCII."""
ROLE = b"\x00"
"""What the first event of a stream holds, which says nothing."""
T = TypeVar("T")

Step = Literal[
    "well", "refused", "500", "503", "429", "401", "400", "html", "silent", "unsaid", "cut", "stall", "broken"
]
STEPS: tuple[Step, ...] = (
    "well", "refused", "500", "503", "429", "401", "400", "html", "silent", "unsaid", "cut", "stall", "broken",
)  # fmt: skip


WELL: Step = "well"
AT_ONCE: frozenset[Step] = frozenset(("refused", "500", "503", "429", "401", "400", "html"))


def down(times: int) -> list[Step]:
    """The steps of a model that fails so many times."""
    return ["500" for _ in range(times)]


class Jumping(asyncio.SelectorEventLoop):
    """An event loop that does not wait: its clock stands, and where there is nothing to do jumps to the next timer."""

    _now = 1000.0
    _ready: Any
    _scheduled: Any

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready:
            assert self._scheduled, "everybody waits for something that will never happen"
            self._now = max(self._scheduled[0].when(), self._now)
        super()._run_once()  # type: ignore[misc] # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a jumping clock; nothing may be left running."""

    async def whole() -> T:
        result = await work
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return result

    with asyncio.Runner(loop_factory=Jumping) as runner:
        return runner.run(whole())


def failure(step: Step) -> RegistaError:
    """What a step fails with before anything was said."""
    errors: dict[str, RegistaError] = {
        "refused": ProviderError("No connection.", code=NOT_CONNECTED),
        "500": ProviderError("It says 500.", upstream_status=500),
        "503": ProviderError("It says 503.", upstream_status=503, retry_after="1"),
        "429": ProviderError("It says 429.", upstream_status=429, status=429, code="rate_limited", retry_after="2"),
        "401": ProviderError("It says 401.", upstream_status=401, code="provider_key_refused"),
        "400": ProviderError("It says 400.", upstream_status=400, status=400, code="provider_refused_request"),
        "html": ProviderError("It sent a page.", upstream_status=200),
        "broken": ProviderError("An event is no JSON."),
    }
    return errors.get(step) or StreamCutError("It closed the connection.")


@dataclass
class Scripted:
    """A model that knows `answer` and goes on with the beginning of it that it is shown; each call takes a step.

    It says `size` characters at a time, and breaks off after `said` of them where its step says so. Asked in words to
    go on, it begins `back` words earlier than it was told; -1: with the first.
    """

    steps: Sequence[Step] = ()
    answer: str = ANSWER
    size: int = 7
    said: int = 40
    back: int = 0
    pause_s: float = 0.0
    calls: list[Request] = field(default_factory=list[Request])
    open: int = 0

    def __post_init__(self) -> None:
        self._steps: Iterator[Step] = iter(self.steps)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        self.calls.append(request)
        self.open += 1
        try:
            step = next(self._steps, None) or WELL
            if step in AT_ONCE:
                raise failure(step)
            if step == "silent":
                await asyncio.Event().wait()
            yield Delta(raw=ROLE)
            if step == "unsaid":
                raise failure(step)
            async for delta in self._speak(self.from_here(request), step):
                yield delta
        finally:
            self.open -= 1

    async def _speak(self, text: str, step: Step) -> AsyncGenerator[Delta]:
        end = min(self.said, len(text)) if step in ("cut", "stall", "broken") else len(text)
        for start in range(0, end, self.size):
            await asyncio.sleep(self.pause_s)
            piece = text[start : min(start + self.size, end)]
            yield Delta(piece, raw=piece.encode())
        if step == "stall":
            await asyncio.Event().wait()
        if step in ("cut", "broken"):
            raise failure(step)
        yield Delta(finish="stop", raw=b"")
        yield Delta(usage=Usage(10, len(text)), raw=b"")

    def from_here(self, request: Request) -> str:
        """What is still to be said after the conversation so far."""
        *_, before, last = (Message("system"), *request.messages)
        if last.role == "assistant":
            assert self.answer.startswith(last.text), "it was shown what is not the beginning of its answer"
            return self.answer[len(last.text) :]
        if last.content != INSTRUCTION:
            return self.answer
        assert self.answer.startswith(before.text), "it was shown what is not the beginning of its answer"
        words = before.text.split(" ")
        kept = "" if self.back < 0 else " ".join(words[: len(words) - self.back])
        return self.answer[len(kept) :].lstrip()


def metered(model: Provider, name: str = "m", first_s: float = 1.0, between_s: float = 1.0) -> Metered:
    """A model as it is always wrapped."""
    return Metered(Silence(model, first_s, between_s), "maker", name, None)


@dataclass
class Client:
    """Asks one question, and takes down what it sees and what it is told of the calls."""

    seen: str = ""
    finishes: list[str] = field(default_factory=list[str])
    usage: Usage | None = None
    told: list[Call] = field(default_factory=list[Call])
    notes: list[str] = field(default_factory=list[str])
    error: RegistaError | None = None

    def request(self, tenant: str = "", rest: Json | None = None) -> Request:
        account = Account(tenant, tell=self.told.append, note=self.notes.append)
        return Request("m", (Message("user", "What of the Regen?"),), stream=True, rest=rest or {}, account=account)

    async def ask(self, provider: Provider, leaves_after: int = -1, rest: Json | None = None) -> "Client":
        """Ask to the end; with `leaves_after` close the stream after so many deltas."""
        try:
            async with aclosing(provider.generate(self.request(rest=rest))) as deltas:
                async for delta in deltas:
                    self.seen += delta.raw.decode() if delta.raw is not None else delta.text
                    self.finishes += [delta.finish] if delta.finish is not None else []
                    self.usage = delta.usage or self.usage
                    leaves_after -= 1
                    if not leaves_after:
                        break
        except RegistaError as error:
            self.error = error
        return self

    @property
    def text(self) -> str:
        """What it was said, less the one event that says nothing."""
        assert self.seen.count("\x00") <= 1 and "\x00" not in self.seen[1:], "a stream began twice"
        return self.seen.removeprefix("\x00")

    @property
    def causes(self) -> Sequence[str]:
        return [call.cause for call in self.told]


def timed_out(error: RegistaError | None) -> bool:
    return isinstance(error, ProviderTimeoutError)
