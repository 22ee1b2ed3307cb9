"""The cheapest of models that are equally good, a second of waiting having its price: in dollars, for this request.

What is counted: the input at each model's price, less what its provider should still have in its prompt cache of this
conversation, the answer as long as that model's answers are, and the wait as long as it is just now. A conversation
stays where it is warm until another model is cheaper with a cold cache. It knows nothing of quality.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from msgspec import Meta

from regista.core.errors import ConfigurationError
from regista.core.nouns import Call, Json, Usage
from regista.core.registry import option, port
from regista.models.prices import Price
from regista.serve.router import Asked, Candidate, Choice, ModelNames, policies
from regista.serve.routing.prefixes import Caching, Prefixes, Warm, cachings
from regista.text.shown import money

ANSWER = 256
"""Tokens an answer is taken to have while nothing is known of any model's answers."""
NANO = 1_000_000_000
Dollars = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, lt=1)]
Turns = Annotated[int, Meta(ge=1, le=100)]


class Bill(NamedTuple):
    """What a request would cost at a model, in nano-dollars, its wait apart. `cached` tokens are read from the cache.

    `later_nano` is what each further turn would, when this one has warmed the cache.
    """

    now_nano: int
    later_nano: int
    wait_nano: float
    cached: int
    output: float
    warm: Warm


@policies.add
@dataclass
class Economy:
    """Chooses by expected cost and wait.

    Raises:
        ConfigurationError: no models are named.
    """

    models: ModelNames = option((), "Models that are equally good for what reaches this policy.")
    second: Dollars = option(0.0, "What a second of waiting for the first token is worth, in dollars.")
    stay: Share = option(0.1, "How much cheaper another model must be before a warm conversation moves to it.")
    turns: Turns = option(1, "Turns of a conversation, this one included, in which a move must pay for itself.")
    prefixes: Prefixes | None = port()
    _prefixes: Prefixes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigurationError("The policy economy needs models to choose among: [router.economy] models.")
        self._prefixes = self.prefixes or Prefixes()

    async def choose(self, asked: Asked) -> Choice:
        """See `Policy.choose`. Scores are dollars, those of waiting included, over the turns that are counted."""
        able = [asked.candidates[name] for name in self.models if name in asked.candidates]
        priced = [(candidate, candidate.price) for candidate in able if candidate.price is not None]
        if not priced:
            return Choice(reason="none of its models has a price" if able else "none of its models can take it")
        await self._prefixes.recall([one.model for one, _ in priced], asked.chain)
        waits, outputs = _waits(able, asked), _outputs(able, asked)
        bills = {one.name: self._bill(one, price, asked, waits[one.name], outputs[one.name]) for one, price in priced}
        totals = {name: self._total(bill) for name, bill in bills.items()}
        ranked = sorted(totals, key=lambda name: totals[name])
        pinned = _pinned(bills)
        best = ranked[0]
        if pinned and totals[pinned] * (1 - self.stay) <= totals[best]:
            best = pinned
        other = next((name for name in ranked if name != best), "")
        scores = {name: total / NANO for name, total in totals.items()}
        reason = _reason(best, pinned, bills, totals, other)
        detail: Json = {"bills": {name: _shown(bill) for name, bill in bills.items()}, "pinned": pinned}
        return Choice(best, reason, scores[best], other, scores, detail)

    def answered(self, asked: Asked, candidate: Candidate, call: Call) -> None:
        """See `Learns.answered`: what the model has just read is warm there."""
        warm = self._prefixes.warm(candidate.model, asked.chain, caching_of(candidate))
        candidate.pace.note_cached(call, warm.tokens)
        self._prefixes.add(candidate.model, asked.chain)

    def _total(self, bill: Bill) -> float:
        return bill.now_nano + (self.turns - 1) * bill.later_nano + bill.wait_nano

    def _bill(self, candidate: Candidate, price: Price, asked: Asked, wait_ns: float, output: float) -> Bill:
        caching = caching_of(candidate)
        warm = self._prefixes.warm(candidate.model, asked.chain, caching)
        # What calls reported of the cache goes before what the provider promises.
        share = candidate.pace.cached.value
        share = 1.0 if share is None else share
        cached = round(min(warm.tokens, asked.tokens) * share)
        again = round(asked.tokens * share) if asked.tokens >= caching.least else 0
        return Bill(
            price.cost(Usage(asked.tokens, round(output), cached)),
            price.cost(Usage(asked.tokens, round(output), again)),
            wait_ns * self.second,
            cached,
            output,
            warm,
        )


def caching_of(candidate: Candidate) -> Caching:
    """How the model's provider keeps beginnings of prompts: by the table, or as most do."""
    known = cachings()
    return next((known[biller] for biller, _ in candidate.calls if biller in known), known["default"])


def _outputs(candidates: Sequence[Candidate], asked: Asked) -> dict[str, float]:
    """Tokens of each model's answer: as its answers are just now, else as the others' are; no more than is allowed."""
    known = {one.name: one.pace.output_tokens.value for one in candidates}
    told = [output for output in known.values() if output is not None]
    usual = sum(told) / len(told) if told else float(ANSWER)
    rest = asked.request.rest
    limit: object = rest.get("max_completion_tokens") or rest.get("max_tokens")
    most = limit if isinstance(limit, int) and limit > 0 else float("inf")
    return {name: min(usual if output is None else output, most) for name, output in known.items()}


def _waits(candidates: Sequence[Candidate], asked: Asked) -> dict[str, float]:
    """How long each model would let the client wait; one that is not known is hoped to be as fast as the fastest."""
    known = {one.name: one.pace.wait_ns(streamed=asked.request.stream) for one in candidates}
    fastest = min((wait for wait in known.values() if wait is not None), default=0.0)
    return {name: fastest if wait is None else wait for name, wait in known.items()}


def _pinned(bills: Mapping[str, Bill]) -> str:
    """The model this conversation was last with, where that was lately; else nothing."""
    spoken = {name: bill.warm.at for name, bill in bills.items() if bill.warm.spoken}
    return max(spoken, key=lambda name: spoken[name], default="")


def _reason(best: str, pinned: str, bills: Mapping[str, Bill], totals: Mapping[str, float], other: str) -> str:
    against = f" against {money(round(totals[other]))} for {other}" if other else ""
    held = f", {bills[best].cached:,} tokens cached" if bills[best].cached else ""
    said = f"{money(round(totals[best]))}{held}{against}"
    if not pinned:
        return said
    return f"stays: {said}" if best == pinned else f"leaves {pinned}: {said}"


def _shown(bill: Bill) -> Json:
    return {
        "cost_nano": bill.now_nano,
        "later_nano": bill.later_nano,
        "wait_nano": round(bill.wait_nano),
        "cached_tokens": bill.cached,
        "output_tokens": round(bill.output),
    }
