"""What the wrappers around a provider cost a call, in CPU time and without a network: microseconds on top of its meter.

    python -m benchmarks.gateway.layers

The least of many short runs on one thread, so that what else the machine does hardly counts.
"""

import time
from collections.abc import AsyncGenerator

import uvloop

from regista.core.nouns import Account, Delta, Message, Request, Usage
from regista.models.metered import Metered
from regista.models.providers import Provider
from regista.models.resilience.balance import Balance, Member
from regista.models.resilience.breaker import Breaker, Circuit
from regista.models.resilience.continuation import Continuation, Successor
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.fallback import Fallback
from regista.models.resilience.hedge import Hedge
from regista.models.resilience.limited import Gate, Limited
from regista.models.resilience.retry import Retry
from regista.models.resilience.silence import Silence

RUNS = 40
PIECES = 35


class Ready:
    """An answer that is there already."""

    def __init__(self, pieces: int) -> None:
        self._deltas = [Delta("word ", raw=b"data: word\n\n") for _ in range(pieces)]
        self._deltas.append(Delta(finish="stop", usage=Usage(1, 1), raw=b""))

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        for delta in self._deltas:
            yield delta


def compositions(pieces: int) -> dict[str, Provider]:
    """Providers by what is around them, the bare meter first."""
    ready = Ready(pieces)

    def counted() -> Provider:
        return Metered(Silence(ready, 120.0, 60.0), "maker", "m", None)

    bare = Metered(ready, "maker", "m", None)
    default = Retry(counted(), 2)
    own = Retry(Breaker(Limited(counted(), Gate("m", 64, 256, 5.0)), Circuit("m")), 2)
    fallback = Continuation(Fallback([("a", own), ("b", default)]), [Successor(default, None)])
    members = [Member(name, Breaker(counted(), Circuit(name))) for name in "ab"]
    return {
        "meter alone": bare,
        "defaults": default,
        "fallback, continuation, breaker, limit, deadline": Deadline(fallback, 60.0),
        "pool of two": Retry(Balance(members), 2),
        "hedge": Hedge(default, default, 10.0),
    }


async def cost(provider: Provider, pieces: int) -> float:
    """Microseconds of CPU time for one answer."""
    account = Account("tenant", tell=lambda call: None)
    request = Request("m", (Message("user", "hello"),), stream=pieces > 0, account=account)
    calls = 2000 if not pieces else 300
    best = float("inf")
    for _ in range(RUNS):
        begun = time.thread_time()
        for _ in range(calls):
            async for _ in provider.generate(request):
                pass
        best = min(best, (time.thread_time() - begun) / calls * 1e6)
    return best


async def main() -> None:
    """Print a table."""
    for name, pieces in (("whole answer", 0), (f"stream of {PIECES + 1} deltas", PIECES)):
        found = {what: await cost(provider, pieces) for what, provider in compositions(pieces).items()}
        alone = found.pop("meter alone")
        print(f"{name}: the meter alone {alone:.1f} µs")
        for what, micros in found.items():
            print(f"  + {micros - alone:6.1f} µs  {what}")


if __name__ == "__main__":
    uvloop.run(main())
