"""Hands a batch over to the model's provider, at the provider's price for batches, and fetches what came of it.

Its requests are what the provider would have been sent one by one, and its answers go the way of any answer: so they
are checked, counted at that price and written like others. Where the provider runs the batch is kept in the store
before anything else is done, so that whoever comes next waits for the same one and hands nothing over twice.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from regista.app.batches import lines
from regista.app.batches.keeper import Keeper
from regista.app.batches.lines import Line
from regista.app.batches.pool import PASSING, SOON_S, Ask
from regista.app.batches.run import Pool, Run
from regista.app.platform import Platform
from regista.core.errors import NotAllowedError, OverLimitError, ProviderError, RegistaError, RequestError
from regista.core.nouns import Call, Estimate, Request, Usage
from regista.egress.client import NOT_CONNECTED
from regista.models import tokens
from regista.models.batches import Asked, BatchApi, Outcome, UnknowableError
from regista.models.deferred import REPLAY, Deferred, Replay
from regista.store import batches, traces
from regista.store.batches import Batch, Trouble
from regista.store.keys import Key

ENDPOINTS = frozenset({"/v1/chat/completions", "/v1/responses"})
"""What providers are handed over; other lines are answered here."""
PART = 5_000
"""Lines handed over at a time, at most: a provider that takes more in one gets several."""
LOOK_S = (5.0, 10.0, 20.0, 30.0)
"""Seconds between looks at what the provider does; the last of them for ever."""
NOT_OFFERED = frozenset({404, 405, 501})
"""Statuses of a provider that has no batches."""
NOT_TAKEN = frozenset({408, 429, 503, 529})
"""Statuses that say that the provider has not begun with what it was sent."""
TRIES = 20
"""How often the provider is asked before its failure is taken for one that stays."""
_log = logging.getLogger(__name__)
T = TypeVar("T")

Read = Callable[[str, bytes], Request]
"""A request from its endpoint and its body. Raises `RequestError`."""


class Part(msgspec.Struct, frozen=True):
    """Lines that were handed over together. `id` is the provider's name for them; empty while they are on their way."""

    first: int
    last: int
    id: str = ""
    fetched: bool = False


class _Prepared(NamedTuple):
    """A line as the provider is asked it, and the most it may use."""

    line: Line
    asked: Asked
    usage: Usage


class UpstreamPool:
    """Has the provider run a batch where it can, and `below` where it cannot. See `regista.app.batches.run.Pool`."""

    def __init__(self, platform: Platform, ask: Ask, read: Read, below: Pool) -> None:
        self._platform = platform
        self._ask = ask
        self._read = read
        self._below = below

    async def work(self, run: Run) -> None:
        """See `Pool.work`."""
        batch = run.keeper.batch
        api = self._api(batch, run.keeper.key)
        if api is None:
            await self._below.work(run)
            return
        try:
            await _Handing(self._platform, self._ask, self._read, api, run).work()
        except _NotOffered:
            _log.warning("The provider of %s takes no batches: its lines are answered one by one.", batch.model)
            await self._below.work(run)

    def _api(self, batch: Batch, key: Key) -> BatchApi | None:
        """The provider's batches, where it is asked for all lines and they may be handed over as they are."""
        if batch.endpoint not in ENDPOINTS or not batch.model or (not batch.upstream and not self._wanted):
            return None
        try:
            key.check_model(batch.model, [])
        except NotAllowedError:
            return None  # each line is told so by itself
        return self._platform.upstreams.batches(batch.model)

    @property
    def _wanted(self) -> bool:
        return self._platform.application.folder.settings.batch.upstream


class _NotOffered(Exception):
    """The provider has no batches, and has been handed over nothing."""


class _Handing:
    """One batch on its way through a provider."""

    def __init__(self, platform: Platform, ask: Ask, read: Read, api: BatchApi, run: Run) -> None:
        self._platform = platform
        self._ask = ask
        self._read = read
        self._api = api
        self._run = run
        self._keeper: Keeper = run.keeper
        self._parts = msgspec.json.decode(self._keeper.batch.upstream or b"[]", type=list[Part])
        self._settle: dict[int, Callable[[Call], None]] = {}

    async def work(self) -> None:
        await self._hand_over()
        for place, part in enumerate(self._parts):
            if not part.fetched and part.id:
                await self._ended(part)
                if self._keeper.why == "left":
                    return
                await self._fetch(place, part)
        if not self._keeper.why and all(part.fetched for part in self._parts):
            await self._tell_missing()

    # Over to the provider.

    async def _hand_over(self) -> None:
        await self._find_last()
        if self._keeper.stopping.is_set():
            return
        there = [range(part.first, part.last + 1) for part in self._parts if not part.fetched]
        waiting: list[_Prepared] = []
        size = 0
        most = min(PART, self._api.most)
        async for page in self._run.todo():
            for line in page:
                if any(line.n in handed for handed in there) or self._keeper.stopping.is_set():
                    continue
                await asyncio.sleep(0)  # writing a request down takes a while: others come in between
                prepared = await self._prepared(line)
                if prepared is None:
                    continue
                if waiting and (len(waiting) == most or size + len(prepared.asked.body) > self._api.most_bytes):
                    await self._submit(waiting)
                    waiting, size = [], 0
                waiting.append(prepared)
                size += len(prepared.asked.body)
        if waiting and not self._keeper.stopping.is_set():
            await self._submit(waiting)

    async def _find_last(self) -> None:
        """What was on its way when its process ended: there by now, or never."""
        if not self._parts or self._parts[-1].id:
            return
        *before, last = self._parts
        try:
            found = await self._patiently(lambda: self._api.find(self._mark(len(before))))
        except UnknowableError as error:
            await self._note(before)
            self._keeper.stop("failed", Trouble(error.code, error.message))
            return
        await self._note([*before, replace(last, id=found)] if found else before)

    async def _prepared(self, line: Line) -> _Prepared | None:
        """A line in the provider's words; None where it has none for it, which is the line's answer then."""
        batch = self._keeper.batch
        model = batch.model.partition("/")[2]
        provider, parameters = self._platform.upstreams.recording(batch.model)
        with suppress(RegistaError):
            request = replace(self._read(batch.endpoint, line.body), model=model, stream=False)
            try:
                async for _ in provider.generate(request):
                    pass
            except Deferred as deferred:
                asked = Asked(_name(line.n), deferred.path, deferred.body)
                return _Prepared(line, asked, tokens.at_most(request, parameters))
        reply = await self._ask(self._keeper.key, batch.endpoint, line.body)
        await self._keeper.keep(lines.answered(batch, line, reply))
        return None

    async def _submit(self, prepared: list[_Prepared]) -> None:
        """Hand some lines over, their money reserved, and note it before and after."""
        settle = await self._held(prepared)
        part, mark = Part(prepared[0].line.n, prepared[-1].line.n), self._mark(len(self._parts))
        try:
            if self._keeper.stopping.is_set():
                return
            await self._note([*self._parts, part])
            try:
                found = await self._patiently(self._sending(mark, [one.asked for one in prepared]))
            except ProviderError as error:
                await self._note(self._parts[:-1])
                if error.upstream_status in NOT_OFFERED and not self._parts:
                    raise _NotOffered from error
                self._keeper.stop("failed", Trouble(error.code, error.message))
                return
            if settle is not None:
                self._settle[part.first], settle = settle, None
            await self._note([*self._parts[:-1], replace(part, id=found)])
        except asyncio.CancelledError:
            settle = None  # the provider may have it
            raise
        finally:
            if settle is not None:
                settle(_sum(self._keeper.batch.model, Usage(), 0))

    def _sending(self, mark: str, asked: list[Asked]) -> Callable[[], Awaitable[str]]:
        """Hands requests over; what may be there since the last try is looked for before it is sent again."""
        lost = False

        async def once() -> str:
            nonlocal lost
            if lost and (found := await self._api.find(mark)):
                return found
            try:
                return await self._api.submit(mark, asked)
            except ProviderError as error:
                lost = error.code != NOT_CONNECTED and error.upstream_status not in NOT_TAKEN
                raise

        return once

    async def _held(self, prepared: list[_Prepared]) -> Callable[[Call], None] | None:
        """The most these lines may use, reserved on the key's account; waits for what comes again soon."""
        allowance = self._platform.limits.of(self._keeper.key)
        if allowance is None:
            return None
        model = self._keeper.batch.model
        usage = sum((one.usage for one in prepared), Usage())
        cost = self._platform.upstreams.batch_cost(model, [one.usage for one in prepared])
        while not self._keeper.stopping.is_set():
            try:
                return await allowance.hold(Estimate(model, usage, cost, time.time_ns()))
            except OverLimitError as error:
                wait_s = float(error.retry_after or 0)
                if wait_s > SOON_S and error.code == "budget_exceeded":
                    self._keeper.stop("failed", Trouble(error.code, error.message))
                else:
                    await self._keeper.pause(wait_s)
            except RequestError as error:
                self._keeper.stop("failed", Trouble(error.code, error.message))
        return None

    # And back.

    async def _ended(self, part: Part) -> None:
        """Wait until the provider has ended with a part; it is told where the batch is cancelled meanwhile."""
        told = False
        looks = 0
        while True:
            if self._keeper.stopping.is_set() and not told:
                if self._keeper.why == "left":
                    return
                told = True
                await self._patiently(lambda: self._api.cancel(part.id))
            state = await self._patiently(lambda: self._api.look(part.id))
            if state.problem:
                said = f"The provider refused the batch: {state.problem}"
                self._keeper.stop("failed", Trouble("upstream_failed", said))
            if state.ended:
                return
            pause = LOOK_S[min(looks, len(LOOK_S) - 1)]
            looks += 1
            await (asyncio.sleep(pause) if told else self._keeper.pause(pause))

    async def _fetch(self, place: int, part: Part) -> None:
        """Keep the answers of a part: each goes through the application as if it had just come."""
        keeper = self._keeper
        if not keeper.why and keeper.batch.status == "in_progress":
            await keeper.change(batches.finalize)
        todo = {line.n: line async for line in self._of(part)}
        database = self._platform.database
        told = await asyncio.to_thread(traces.known, database, [_trace_id(keeper.batch, n) for n in todo])
        spent: list[Usage] = []

        async def once() -> None:
            async for outcome in self._api.outcomes(part.id):
                line = todo.pop(_number(outcome.name), None)
                if line is not None:
                    spent.append(await self._kept(line, outcome, _trace_id(keeper.batch, line.n) in told))

        await self._patiently(once)
        await self._platform.log.stored()
        await keeper.settled()
        if (settle := self._settle.pop(part.first, None)) is not None:
            cost = self._platform.upstreams.batch_cost(keeper.batch.model, spent)
            settle(_sum(keeper.batch.model, sum(spent, Usage()), cost))
        await self._note([*self._parts[:place], replace(part, fetched=True), *self._parts[place + 1 :]])

    async def _kept(self, line: Line, outcome: Outcome, told: bool) -> Usage:
        """Keep what became of a line; what it used."""
        keeper = self._keeper
        if not outcome.status:
            error = RegistaError(outcome.reason, code="upstream_not_run")
            result = lines.unanswered(keeper.batch, line, error)
        else:
            REPLAY.set(Replay(outcome.status, outcome.body, told))
            # What it costs was reserved when it was handed over: it is spent, whatever is left of the key's limits.
            key = replace(keeper.key, limits=()) if keeper.key.limits else keeper.key
            reply = await self._ask(key, keeper.batch.endpoint, line.body, _trace_id(keeper.batch, line.n))
            REPLAY.set(None)
            result = lines.answered(keeper.batch, line, reply)
        await keeper.keep(result)
        return result.usage

    async def _tell_missing(self) -> None:
        """Lines of which the provider said nothing are told as that."""
        error = RegistaError("The provider ended the batch and said nothing of this line.", code="upstream_lost")
        async for page in self._run.todo():
            for line in page:
                await self._keeper.keep(lines.unanswered(self._keeper.batch, line, error))

    async def _of(self, part: Part) -> AsyncGenerator[Line]:
        async for page in self._run.todo():
            for line in page:
                if part.first <= line.n <= part.last:
                    yield line
            if page[-1].n >= part.last:
                return

    async def _note(self, parts: Iterable[Part]) -> None:
        self._parts = list(parts)
        await self._keeper.change(batches.submitted, msgspec.json.encode(self._parts).decode())

    def _mark(self, place: int) -> str:
        return f"{self._keeper.batch.id}:{place}"

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask the provider, again after a while where its failure may pass."""
        tries = 0
        while True:
            try:
                return await call()
            except ProviderError as error:
                tries += 1
                passes = not error.upstream_status or error.upstream_status in PASSING
                if not passes or isinstance(error, UnknowableError) or tries == TRIES:
                    raise
                _log.warning("The provider of %s is asked again: %s", self._keeper.batch.model, error.message)
                await asyncio.sleep(LOOK_S[min(tries, len(LOOK_S)) - 1])


def _name(n: int) -> str:
    """What a line is called to the provider: names of clients may be longer than it takes."""
    return f"line-{n}"


def _number(name: str) -> int:
    digits = name.removeprefix("line-")
    return int(digits) if digits.isdecimal() else 0


def _trace_id(batch: Batch, n: int) -> str:
    """The trace of a line: always the same, so that an answer that is fetched again is known."""
    return hashlib.blake2b(f"{batch.id}:{n}".encode(), digest_size=16).hexdigest()


def _sum(model: str, usage: Usage, cost_nano: int | None) -> Call:
    """Many calls as one, for who reserved for all of them."""
    return Call(model, model, "batch", "ok", usage, True, cost_nano, time.time_ns(), 0)
