"""Keeps keys to their limits: what a request may use is reserved before it is asked for and settled when it is known.

Requests are counted when they come, tokens and dollars around each call of a provider, so that what a prompt, retrieval
and tools add is in the count. Knows no surface, and no database but through `Written`.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import count, islice
from time import time_ns
from typing import cast

from regista.core.errors import NotAllowedError, OverLimitError, RequestError, StoreError
from regista.core.limits import NANO, Limit, Span, Unit, Window, shown, span
from regista.core.nouns import Call, Estimate
from regista.store.counters import Claim, Counters, Recall, Refusal, Reservation
from regista.store.keys import Key

RETRY_S = 0.5
AT_ONCE = 256
"""Settlements under way at once."""
WAITING = 10_000
"""Settlements that may wait for counters that cannot be reached. Those beyond are left to the end of their lease."""
CODES: dict[Unit, str] = {"requests": "rate_limited", "tokens": "rate_limited", "dollars": "budget_exceeded"}
ADVICE: dict[Unit, str] = {
    "requests": "",
    "tokens": " Ask for a shorter answer (max_tokens), or send less.",
    "dollars": " Ask for a shorter answer (max_tokens), send less, or ask a cheaper model.",
}
Written = Callable[[Key, int], Awaitable[dict[Unit, int]]]
"""What a key has used since a time in nanoseconds, as far as it is written down."""
_log = logging.getLogger(__name__)


class Limits:
    """The limits of all keys. `open_counters` is given how to recall what it does not know.

    `allow` lets requests pass while counters cannot be reached; else they are refused. `problem` says that they cannot.
    `refused` counts what found no room, by kind of limit (`tokens/day`).
    """

    def __init__(
        self,
        open_counters: Callable[[Recall], Counters],
        written: Written,
        *,
        allow: bool = False,
        clock: Callable[[], int] = time_ns,
    ) -> None:
        self.problem = ""
        self.refused: dict[str, int] = {}
        self._counters = open_counters(self._recall)
        self._written = written
        self._allow = allow
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._unsettled: dict[str, Reservation] = {}
        self._settling: asyncio.Task[None] | None = None
        self._prefix = os.urandom(8).hex()
        self._numbers = count()

    def of(self, key: Key) -> "Allowance | None":
        """What holds one request of a key to its limits; None where it has none."""
        return Allowance(self, key) if key.limits else None

    async def reserve(self, key: Key, amounts: dict[Unit, int], at_ns: int) -> Reservation | None:
        """Reserve amounts in all windows of a key that count their units; None where none does.

        Raises:
            OverLimitError: one is full; says when it turns.
            RequestError: the amount is more than the whole limit.
            StoreError: the counters cannot be reached, and that is not allowed.
        """
        limits = [limit for limit in key.limits if limit.unit in amounts]
        if not limits:
            return None
        for limit in limits:
            if amounts[limit.unit] > limit.amount:
                raise _too_much(key, limit, amounts[limit.unit])
        claims = tuple([_claim(limit, amounts[limit.unit], span(limit.window, at_ns)) for limit in limits])
        reservation = Reservation(f"{self._prefix}{next(self._numbers)}", key.prefix, claims)
        self._keys[key.prefix] = key
        try:
            refusal = await self._counters.reserve(reservation)
        except BaseException as error:
            if isinstance(error, StoreError):
                self._told(error)
                if self._allow:
                    return reservation
            # It may have been reserved by now: given back, whether or not it was.
            self.settle(reservation, dict.fromkeys(amounts, 0))
            raise
        self.problem = ""
        if refusal is not None:
            raise self._refused(key, limits[refusal.claim], refusal, amounts, at_ns)
        return reservation

    def settle(self, reservation: Reservation, amounts: dict[Unit, int]) -> None:
        """Put what was used in the place of what was reserved. Never waits; what cannot be settled now is later."""
        claims = tuple([_used(claim, amounts) for claim in reservation.claims])
        used = Reservation(reservation.id, reservation.owner, claims)
        if self._counters.settle_at_once(used):
            return
        self._unsettled[used.id] = used
        if len(self._unsettled) > WAITING:
            del self._unsettled[next(iter(self._unsettled))]
        if self._settling is None:
            self._settling = asyncio.get_running_loop().create_task(self._settle())

    async def close(self, patience_s: float = 2.0) -> None:
        """Settle what is left. What cannot be settled by then is left to the end of its lease."""
        if (settling := self._settling) is not None:
            await asyncio.wait([settling], timeout=patience_s)
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
        await self._counters.close()

    async def settled(self) -> None:
        """Wait until all that was used is counted."""
        while self._settling is not None:
            await self._settling

    async def _settle(self) -> None:
        try:
            while self._unsettled:
                some = list(islice(self._unsettled.values(), AT_ONCE))
                try:
                    await self._counters.settle(some)
                except StoreError as error:
                    self._told(error)
                    await asyncio.sleep(RETRY_S)
                    continue
                self.problem = ""
                for reservation in some:
                    self._unsettled.pop(reservation.id, None)
        finally:
            self._settling = None

    async def _recall(self, owner: str, claims: Sequence[Claim]) -> Sequence[int]:
        """What counters stand at by what is written down. Windows of a minute begin anew."""
        key, known = self._keys[owner], dict[int, dict[Unit, int]]()
        counts: list[int] = []
        for claim in claims:
            unit, window, _ = claim.counter.split(":", 2)
            if window == "minute":
                counts.append(0)
                continue
            start = max(span(cast("Window", window), claim.ends_s * NANO - 1).start_ns, key.created_ns)
            if start not in known:
                known[start] = await self._written(key, start)
            counts.append(known[start][cast("Unit", unit)])
        return counts

    def _refused(
        self, key: Key, limit: Limit, refusal: Refusal, amounts: dict[Unit, int], at_ns: int
    ) -> OverLimitError:
        kind = f"{limit.unit}/{limit.window}"
        self.refused[kind] = self.refused.get(kind, 0) + 1
        turns = span(limit.window, at_ns).end_ns
        wait_s = max(1, -(-(turns - self._clock()) // NANO))
        when = datetime.fromtimestamp(turns // NANO, UTC).strftime("%Y-%m-%d %H:%M UTC")
        asked = "" if limit.unit == "requests" else f", and this call may take {shown(amounts[limit.unit], limit.unit)}"
        return OverLimitError(
            f"The key {key.name!r} has used or reserved {shown(refusal.used, limit.unit)} of its {limit}{asked}. "
            f"The {limit.window} ends at {when}, in {wait_s} s.",
            code=CODES[limit.unit],
            retry_after=str(wait_s),
        )

    def _told(self, error: StoreError) -> None:
        if not self.problem:
            passing = "they pass uncounted" if self._allow else "they are refused"
            _log.warning("Requests of keys with limits cannot be counted, so %s. %s", passing, error.message)
        self.problem = error.message


class Allowance:
    """What one request of a key may use: `enter` when it comes, `hold` around each call, `leave` when it has ended."""

    __slots__ = ("_entered", "_key", "_limits")

    def __init__(self, limits: Limits, key: Key) -> None:
        self._limits = limits
        self._key = key
        self._entered: Reservation | None = None

    async def enter(self, at_ns: int) -> None:
        """Count the request, which came at `at_ns`. Raises as `Limits.reserve` does."""
        self._entered = await self._limits.reserve(self._key, {"requests": 1}, at_ns)

    def leave(self) -> None:
        """The request has ended, however it did."""
        if self._entered is not None:
            self._limits.settle(self._entered, {"requests": 1})
            self._entered = None

    async def hold(self, estimate: Estimate) -> Callable[[Call], None]:
        """See `regista.core.nouns.Hold`.

        Raises:
            NotAllowedError: the key may spend so much money, and what the model costs is not known.
        """
        amounts: dict[Unit, int] = {"tokens": estimate.usage.input_tokens + estimate.usage.output_tokens}
        if any(limit.unit == "dollars" for limit in self._key.limits):
            if estimate.cost_nano is None:
                raise _unpriced(self._key, estimate.model)
            amounts["dollars"] = estimate.cost_nano
        held = await self._limits.reserve(self._key, amounts, estimate.started_ns)
        return partial(self._used, held, amounts)

    def _used(self, held: Reservation | None, reserved: dict[Unit, int], call: Call) -> None:
        if held is not None:
            cost = reserved.get("dollars", 0) if call.cost_nano is None else call.cost_nano
            tokens = call.usage.input_tokens + call.usage.output_tokens
            self._limits.settle(held, {"tokens": tokens, "dollars": cost})


def _claim(limit: Limit, amount: int, window: Span) -> Claim:
    return Claim(f"{limit.unit}:{limit.window}:{window.name}", amount, limit.amount, window.end_ns // NANO)


def _used(claim: Claim, amounts: dict[Unit, int]) -> Claim:
    unit = cast("Unit", claim.counter.partition(":")[0])
    return Claim(claim.counter, amounts[unit], claim.limit, claim.ends_s)


def _too_much(key: Key, limit: Limit, amount: int) -> RequestError:
    return RequestError(
        f"This call may take {shown(amount, limit.unit)}, more than all that the key {key.name!r} has: {limit}."
        f"{ADVICE[limit.unit]}",
        code="over_limit",
    )


def _unpriced(key: Key, model: str) -> NotAllowedError:
    return NotAllowedError(
        f"The key {key.name!r} has a limit in dollars and the price of {model!r} is not known, so it is not asked. "
        f'Who runs this server adds the price to regista.toml: [prices."{model}"], with input = "…" and output = "…" '
        "in dollars per million tokens.",
        code="price_unknown",
        param="model",
    )
