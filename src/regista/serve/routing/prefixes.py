"""Which beginnings of conversations are warm at which model: what providers' prompt caches hold, as far as we know.

Each message adds a link to a chain of hashes; a later turn has the earlier one's chain as its beginning. Only hashes
are kept. It knows no prices and no policy.
"""

import math
import time
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Protocol

import msgspec
from msgspec import Struct

from regista.core.nouns import Message
from regista.models import tokens

KEPT = 100_000
"""Beginnings remembered, some 200 bytes each; the one unused longest goes first."""
LINKS = 64
"""Links of a conversation that are looked at: the last ones."""
ASKED = 8
"""Links asked about elsewhere: the last ones, of which an earlier turn's is one."""
_encode = msgspec.json.Encoder(order="deterministic").encode


class Caching(Struct, frozen=True):
    """How a provider keeps beginnings of prompts. `prompt_caches.toml` says what each field means."""

    ttl_s: float
    least: int
    step: int
    source: str = ""


class Link(Struct, frozen=True, array_like=True, gc=False):
    """A beginning of a conversation: the hash of its messages, their tokens, and whether one of them is a user's."""

    hash: bytes
    tokens: int
    spoken: bool


class Warm(Struct, frozen=True, gc=False):
    """What a model's provider has of a conversation. `spoken`: it is this one's, not what all conversations share."""

    tokens: int = 0
    spoken: bool = False
    at: float = 0.0


COLD = Warm()


def chain_of(messages: Sequence[Message]) -> tuple[Link, ...]:
    """The conversation's beginnings, shortest first, the whole of it last.

    Tenants are not told apart: a provider keeps beginnings for the key that calls it, which all of them share.
    """
    hashed, total, spoken = blake2b(digest_size=12), 0, False
    links: list[Link] = []
    for message in messages:
        body = _encode((message.role, message.content, message.rest))
        hashed.update(len(body).to_bytes(8, "little"))
        hashed.update(body)
        total += tokens.AROUND + tokens.of_text(message.text)
        total += tokens.of_text(_encode(message.rest).decode()) if message.rest else 0
        spoken = spoken or message.role == "user"
        links.append(Link(hashed.copy().digest(), total, spoken))
    return tuple(links[-LINKS:])


@cache
def cachings() -> Mapping[str, Caching]:
    """What is known of providers, by who bills for them; `default` for all others."""
    table = tomllib.loads((files("regista.serve.routing") / "prompt_caches.toml").read_text("utf-8"))
    return msgspec.convert({name: row for name, row in table.items() if name != "version"}, dict[str, Caching])


class Elsewhere(Protocol):
    """What other processes know. It raises nothing and is never waited for long."""

    async def ages(self, keys: Sequence[bytes]) -> list[float | None]:
        """Seconds since each beginning was last read; None where that is not known."""
        ...

    def note(self, keys: Sequence[bytes]) -> None:
        """These beginnings were read now."""
        ...


class Prefixes:
    """Remembers which beginnings each model was sent, and when. `clock` gives seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, kept: int = KEPT, elsewhere: Elsewhere | None = None
    ) -> None:
        self._clock = clock
        self._kept = kept
        self._elsewhere = elsewhere
        self._seen: OrderedDict[tuple[str, bytes], float] = OrderedDict()

    def add(self, model: str, chain: Sequence[Link]) -> None:
        """`model` has just read this conversation."""
        now = self._clock()
        for link in chain:
            self._keep((model, link.hash), now)
        if self._elsewhere is not None and chain:
            self._elsewhere.note([_key(model, link) for link in chain[-ASKED:]])

    async def recall(self, models: Sequence[str], chain: Sequence[Link]) -> None:
        """Learn what other processes know of this conversation, where there are others."""
        if self._elsewhere is None or not chain:
            return
        asked = [(model, link) for model in models for link in chain[-ASKED:]]
        ages = await self._elsewhere.ages([_key(model, link) for model, link in asked])
        now = self._clock()
        for (model, link), age in zip(asked, ages, strict=True):
            if age is not None and now - age > self._seen.get((model, link.hash), -math.inf):
                self._keep((model, link.hash), now - age)

    def warm(self, model: str, chain: Sequence[Link], caching: Caching) -> Warm:
        """The longest beginning of the conversation that the model's provider should still have."""
        earliest = self._clock() - caching.ttl_s
        for link in reversed(chain):
            at = self._seen.get((model, link.hash))
            if at is not None and at > earliest:
                held = link.tokens - link.tokens % caching.step
                return Warm(held, link.spoken, at) if held >= caching.least else Warm(0, link.spoken, at)
        return COLD

    def _keep(self, key: tuple[str, bytes], at: float) -> None:
        self._seen[key] = at
        self._seen.move_to_end(key)
        if len(self._seen) > self._kept:
            self._seen.popitem(last=False)


def _key(model: str, link: Link) -> bytes:
    return model.encode("utf-8", "replace") + b"\0" + link.hash
