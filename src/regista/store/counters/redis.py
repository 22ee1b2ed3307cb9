"""Counters in a Redis or Valkey that several servers share: each step is one script, so it is one step for all.

All keys of an owner lie in one slot of a cluster. Windows are told apart by the servers' own clocks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError, RedisError

from regista.core.errors import StoreError
from regista.store.counters import Claim, Recall, Refusal, Reservation
from regista.store.redis import Shared

LEASE_S = 900
"""A reservation that is not settled by then is given back: its server has died. One settled later counts whole."""

# A reservation is kept as "counter amount counter amount …" so that whoever comes next can give it back.
_GIVE_BACK = """
local function give_back(id)
  local held = redis.call('HGET', KEYS[1], id)
  local amounts = {}
  if held then
    for counter, amount in string.gmatch(held, '(%S+) (%d+)') do amounts[counter] = amount end
    redis.call('HDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
  end
  return amounts
end
"""
RESERVE = (
    _GIVE_BACK
    + """
-- KEYS: reservations, their ends, whether this one is settled, counters.  ARGV: id, now, lease, (amount, limit)…
if redis.call('EXISTS', KEYS[3]) == 1 then return {'late'} end
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2], 'LIMIT', 0, 100)) do
  for counter, amount in pairs(give_back(old)) do
    if redis.call('EXISTS', counter) == 1 then redis.call('DECRBY', counter, amount) end
  end
end
local missing = {'missing'}
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then missing[#missing + 1] = i - 4 end
end
if #missing > 1 then return missing end
local held = {}
for i = 4, #KEYS do
  local used, amount, limit = redis.call('GET', KEYS[i]), ARGV[2 * i - 4], ARGV[2 * i - 3]
  if tonumber(used) + tonumber(amount) > tonumber(limit) then return {'refused', i - 4, used} end
  held[#held + 1] = KEYS[i] .. ' ' .. amount
end
for i = 4, #KEYS do redis.call('INCRBY', KEYS[i], ARGV[2 * i - 4]) end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(held, ' '))
redis.call('ZADD', KEYS[2], ARGV[2] + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], 4 * ARGV[3])
redis.call('EXPIRE', KEYS[2], 4 * ARGV[3])
return {'granted'}
"""
)
SETTLE = (
    _GIVE_BACK
    + """
-- KEYS as above.  ARGV: id, lease, amount…
if not redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[2]) then return 0 end
local reserved = give_back(ARGV[1])
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('INCRBY', KEYS[i], ARGV[i - 1])
    redis.call('DECRBY', KEYS[i], reserved[KEYS[i]] or 0)
  end
end
return 1
"""
)


class RedisCounters:
    """See `Counters`. What is asked in one turn of the event loop is sent together: half the cost is in the sending."""

    def __init__(self, shared: Shared, recall: Recall, clock: Callable[[], float] = time.time) -> None:
        self._shared = shared
        self._recall = recall
        self._clock = clock
        self._shas = {script: shared.client.register_script(script).sha for script in (RESERVE, SETTLE)}
        self._asked: list[_Asked] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def reserve(self, reservation: Reservation) -> Refusal | None:
        """See `Counters.reserve`."""
        numbers = [number for claim in reservation.claims for number in (claim.amount, claim.limit)]
        while True:
            arguments = [reservation.id, int(self._clock()), LEASE_S, *numbers]
            said, *more = await self._run(RESERVE, _keys(reservation), arguments)
            if said == b"missing":
                await self._learn(reservation.owner, [reservation.claims[place] for place in more])
                continue
            return Refusal(more[0], int(more[1])) if said == b"refused" else None

    async def settle(self, reservations: Sequence[Reservation]) -> None:
        """See `Counters.settle`."""
        answers = [
            self._run(SETTLE, _keys(one), [one.id, LEASE_S, *(claim.amount for claim in one.claims)])
            for one in reservations
        ]
        await asyncio.gather(*answers)

    def settle_at_once(self, reservation: Reservation) -> bool:
        """See `Counters.settle_at_once`."""
        return False

    async def close(self) -> None:
        """Let go of what nobody waits for any more. The connection is its opener's."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _learn(self, owner: str, missing: list[Claim]) -> None:
        known = await self._recall(owner, missing)
        now = int(self._clock())
        with self._shared.reached():
            for claim, used in zip(missing, known, strict=True):
                # Kept past its end, for those who settle late; where another server was first, its count stands.
                lasts = max(claim.ends_s - now, 0) + LEASE_S
                await self._shared.client.set(_counter(owner, claim.counter), used, nx=True, ex=lasts)

    def _run(self, script: str, keys: list[str], arguments: Sequence[str | int]) -> asyncio.Future[Any]:
        """What a script says. Who stops waiting does not keep it from being run."""
        loop = asyncio.get_running_loop()
        asked = _Asked(script, keys, arguments, loop.create_future())
        self._asked.append(asked)
        if len(self._asked) == 1:
            loop.call_soon(self._send)
        return asked.answer

    def _send(self) -> None:
        some, self._asked = self._asked, []
        task = asyncio.create_task(self._send_all(some))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_all(self, some: list["_Asked"]) -> None:
        replies: list[Any]
        try:
            with self._shared.reached():
                replies = await self._replies(some)
        except StoreError as error:
            replies = [error] * len(some)
        for asked, reply in zip(some, replies, strict=True):
            if asked.answer.done():
                continue
            if isinstance(reply, RedisError):
                asked.answer.set_exception(self._shared.error(f"it answered: {reply}"))
            elif isinstance(reply, StoreError):
                asked.answer.set_exception(reply)
            else:
                asked.answer.set_result(reply)

    async def _replies(self, some: Sequence["_Asked"]) -> list[Any]:
        """One reply each. A server that was started anew does not know the scripts, and is told them."""
        replies = await self._pipelined([("EVALSHA", self._shas[asked.script], *asked.rest) for asked in some])
        if any(isinstance(reply, NoScriptError) for reply in replies):
            unknown = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            again = await self._pipelined([("EVAL", some[place].script, *some[place].rest) for place in unknown])
            for place, reply in zip(unknown, again, strict=True):
                replies[place] = reply
        return replies

    async def _pipelined(self, commands: Sequence[tuple[str | int, ...]]) -> list[Any]:
        pipeline = self._shared.client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # pyright: ignore[reportUnknownMemberType]
        return await pipeline.execute(raise_on_error=False)


class _Asked(NamedTuple):
    """A script to be run, and who waits for what it says."""

    script: str
    keys: list[str]
    arguments: Sequence[str | int]
    answer: asyncio.Future[Any]

    @property
    def rest(self) -> tuple[str | int, ...]:
        return (len(self.keys), *self.keys, *self.arguments)


def _keys(reservation: Reservation) -> list[str]:
    at = f"regista:{{{reservation.owner}}}"
    counters = (_counter(reservation.owner, claim.counter) for claim in reservation.claims)
    return [f"{at}:reserved", f"{at}:leases", f"{at}:settled:{reservation.id}", *counters]


def _counter(owner: str, counter: str) -> str:
    return f"regista:{{{owner}}}:{counter}"
