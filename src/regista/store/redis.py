"""A Redis or Valkey server that several processes share: connected to on first use, and again when it is back.

Whoever uses it sends commands on `client` inside `with shared.reached():`, which turns what goes wrong into an error
that says what to do. Knows no key by name.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from regista.core.errors import ConfigurationError, MissingExtraError, StoreError

if TYPE_CHECKING:
    from redis.asyncio import Redis

SCHEMES = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss", "unix": "unix"}
"""A URL's scheme to the one the client knows: Valkey speaks the same protocol."""
TIMEOUT_S = 2.0
"""How long connecting and each command may take: a request waits for them."""
PAUSE_S = 0.25
"""After a failure, for so long nobody tries again: those who ask are told at once."""
CONNECTIONS = 32
_SLOW = "it does not answer soon enough"


class Shared:
    """A connection pool. `client` takes commands; `where` is the URL without what is secret in it."""

    def __init__(self, client: "Redis", where: str) -> None:
        self.client = client
        self.where = where
        self._down = ""
        self._until = self._hurried_until = 0.0

    def __repr__(self) -> str:
        return f"Shared({self.where!r})"

    @contextmanager
    def reached(self, *, hurried: bool = False) -> Generator[None]:
        """Around commands. They are sent once: what may have been done already is not done again.

        Who is `hurried` gives up by itself before the server has had its time: that keeps nobody else from it.

        Raises:
            StoreError: the server cannot be reached, or refuses; `message` says what to do.
        """
        from redis.exceptions import RedisError, ResponseError  # noqa: PLC0415 - imported already where one is connected

        now = time.monotonic()
        if now < self._until:
            raise self.error(self._down)
        if hurried and now < self._hurried_until:
            raise self.error(_SLOW)
        try:
            yield
        except TimeoutError as error:
            self._hurried_until = time.monotonic() + PAUSE_S
            raise self.error(_SLOW) from error
        except ResponseError as error:
            raise self.error(f"it answered: {error}") from error
        except (RedisError, OSError) as error:
            self._down = str(error) or type(error).__name__
            self._until = time.monotonic() + PAUSE_S
            raise self.error(self._down) from error

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()

    def error(self, reason: str) -> StoreError:
        """What went wrong, with what to do."""
        return StoreError(
            f"Redis at {self.where} cannot be used ({reason}). "
            "Start it, or correct REGISTA_REDIS; it is tried again with the next request."
        )


def connect(url: str) -> Shared:
    """The server at `redis://[user:password@]host[:port][/db]`, `rediss://…` with TLS, or `unix:///path`.

    Nothing is contacted yet. `valkey://` and `valkeys://` are taken as well.

    Raises:
        ConfigurationError: it is no such URL.
        MissingExtraError: the package `redis` is not installed.
    """
    try:
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("REGISTA_REDIS", "redis", "redis") from None
    scheme, _, rest = url.partition("://")
    try:
        pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - its options are untyped
            f"{SCHEMES[scheme]}://{rest}",
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # A command that was sent and not answered may have been done: who sent it decides.
            retry=Retry(NoBackoff(), 0),
        )
    except (KeyError, ValueError):
        raise ConfigurationError(
            f"REGISTA_REDIS is no URL of Redis ({_shown(url)}). Write redis://host:6379/0, rediss:// for TLS, "
            "or unix:///path/of/its/socket."
        ) from None
    return Shared(Redis.from_pool(pool), _shown(url))


def _shown(url: str) -> str:
    """The URL less user, password and query.

    >>> _shown("redis://:s3cret@cache.example:6379/1?x=y")
    'redis://cache.example:6379/1'
    """
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
