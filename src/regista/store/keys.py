"""Bearer keys: made, listed, revoked, and checked on the hot path without the database.

A key is shown once; the store keeps its SHA-256. Knows nothing of HTTP, nor how much of a limit is used.
"""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from regista.core.errors import AuthenticationError, NotAllowedError, NotFoundError, RequestError, StoreError
from regista.core.limits import Limit, parse_all
from regista.store.database import Database, Row

PREFIX = "rk-"
SHOWN = 9
"""Characters of a key that are kept in the clear, to tell keys apart in a list: 36 bits of 256."""

DAY_NS = 86_400 * 10**9
_LONGEST_DAYS = 36_500
_WATCH_S = 1.0
_LOAD_S = 0.1
"""Least time between two looks into the database for keys that are not known."""
_REMEMBERED = 1_000
_COLUMNS = "hash, name, tenant, prefix, created_ns, expires_ns, revoked_ns, models, limits, admin"


class Key(Struct, frozen=True):
    """What is known of a key. Times are nanoseconds since 1970; `expires_ns` is None for one that does not.

    `models` are patterns (`club`, `openai/*`) of what it may ask for; without any it may ask for everything.
    An `admin` key makes and ends others.
    """

    name: str
    tenant: str
    prefix: str
    created_ns: int
    expires_ns: int | None = None
    revoked_ns: int | None = None
    models: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    admin: bool = False

    def state(self, now_ns: int) -> str:
        """active, expired or revoked."""
        if self.revoked_ns is not None:
            return "revoked"
        return "expired" if self.expires_ns is not None and self.expires_ns <= now_ns else "active"

    def may_ask(self, model: str) -> bool:
        """Whether it may ask for an application or a model of this name."""
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    def check_model(self, model: str, known: Iterable[str]) -> None:
        """Raise `NotAllowedError` where it may not ask for this; `known` is what can be asked for."""
        if not self.may_ask(model):
            named = [name for name in known if self.may_ask(name)]
            patterns = [pattern for pattern in self.models if pattern not in named]
            raise NotAllowedError(
                f"The key {self.name!r} may not ask for {model!r}. It may ask for: {', '.join([*named, *patterns])}.",
                code="model_not_allowed",
                param="model",
            )


def add(
    database: Database,
    name: str,
    tenant: str = "default",
    expires_days: float | None = None,
    *,
    models: Sequence[str] = (),
    limits: Sequence[str] = (),
    admin: bool = False,
) -> str:
    """Make a key and return it: this is the only time it can be read.

    Raises:
        RequestError: the name is empty or in use, or the days, a pattern or a limit make no sense.
    """
    if not name.strip() or not name.isprintable():
        raise RequestError("A key needs a name of printable characters, such as the program that will use it.")
    if expires_days is not None and not 0 < expires_days <= _LONGEST_DAYS:
        raise RequestError(f"A key may last up to {_LONGEST_DAYS} days, not {expires_days:g}. Without --days it stays.")
    if any(not pattern.strip() or not pattern.isprintable() for pattern in models):
        raise RequestError("A model is a name or a pattern, such as 'club' or 'openai/*', and not empty.")
    kept = [str(limit) for limit in parse_all(limits)]
    token = PREFIX + secrets.token_urlsafe(32)
    now = time.time_ns()
    expires = None if expires_days is None else now + int(expires_days * DAY_NS)
    with database.transaction() as transaction:
        if transaction.execute("SELECT 1 FROM keys WHERE name = ? AND revoked_ns IS NULL", (name,)):
            raise RequestError(f"A key named {name!r} is in use. Choose another name, or: regista keys revoke {name}")
        transaction.execute(
            f"INSERT INTO keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
            (_hash(token), name, tenant, token[:SHOWN], now, expires, _json(models), _json(kept), int(admin)),
        )
    return token


def listing(database: Database) -> list[Key]:
    """All keys ever made, in the order they were."""
    return [_key(row) for row in database.query(f"SELECT {_COLUMNS} FROM keys ORDER BY created_ns")]


def revoke(database: Database, key: str) -> Key:
    """End a key, named by its name or by how it starts; running servers refuse it within a second.

    Raises:
        NotFoundError: no key in use is of that name, or several are.
    """
    with database.transaction() as transaction:
        in_use = transaction.execute(f"SELECT {_COLUMNS} FROM keys WHERE revoked_ns IS NULL ORDER BY created_ns")
        found = [row for row in in_use if row[1] == key]
        if not found and len(key) > len(PREFIX):
            # A whole key is taken too: who has one to revoke pastes it.
            found = [row for row in in_use if row[3].startswith(key) or row[0] == _hash(key)]
        if len(found) != 1:
            names = ", ".join(f"{row[1]} ({row[3]}…)" for row in found or in_use)
            said = "Several keys in use are" if found else "No key in use is"
            raise NotFoundError(
                f"{said} called {key[:SHOWN]!r}. {'They are' if found else 'In use'}: {names or 'none'}."
            )
        now = time.time_ns()
        transaction.execute("UPDATE keys SET revoked_ns = ? WHERE hash = ?", (now, found[0][0]))
    return replace(_key(found[0]), revoked_ns=now)


class Keyring:
    """All keys in memory, kept as the database has them. Use it from one event loop.

    `watch()` follows changes made by other processes; a key it does not hold yet is looked for at
    once, but the database is asked at most ten times a second however many such keys come.
    """

    def __init__(self, database: Database, clock: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._clock = clock
        self._version = -1
        self._keys: dict[str, Key] = {}
        self._unknown: set[str] = set()
        self._loading: asyncio.Task[None] | None = None
        self._loaded = float("-inf")
        self._load()

    @property
    def required(self) -> bool:
        """Whether requests need a key: true once one was ever made, so that revoking the last opens nothing."""
        return bool(self._keys)

    async def check(self, token: str) -> Key:
        """The key behind a bearer token.

        Raises:
            AuthenticationError: the token is missing, unknown, expired or revoked; the code says which.
        """
        if not token:
            raise AuthenticationError(
                "This server needs a key: send the header 'Authorization: Bearer rk-…'. "
                "Who runs it makes one with: regista keys add NAME",
                code="missing_api_key",
            )
        hashed = _hash(token)
        key = self._keys.get(hashed) or await self._look_again(hashed)
        if key is None:
            raise AuthenticationError(
                "This server does not know the key it was sent. `regista keys list` shows the keys it knows."
            )
        if key.revoked_ns is not None:
            raise AuthenticationError(
                f"The key {key.name!r} ({key.prefix}…) was revoked on {_day(key.revoked_ns)}.", code="revoked_api_key"
            )
        if key.expires_ns is not None and key.expires_ns <= self._clock():
            raise AuthenticationError(
                f"The key {key.name!r} ({key.prefix}…) expired on {_day(key.expires_ns)}. "
                "Make another one: regista keys add NAME",
                code="expired_api_key",
            )
        return key

    async def watch(self) -> None:
        """Follow changes until cancelled. A database that cannot be read leaves the keys as they were."""
        while True:
            await asyncio.sleep(_WATCH_S)
            with suppress(StoreError):
                await asyncio.to_thread(self._load)

    async def _look_again(self, hashed: str) -> Key | None:
        if hashed in self._unknown:
            return None
        if self._loading is None:
            self._loading = asyncio.create_task(self._load_soon())
        with suppress(StoreError):
            await asyncio.shield(self._loading)
        key = self._keys.get(hashed)
        if key is None:
            if len(self._unknown) >= _REMEMBERED:
                self._unknown.clear()
            self._unknown.add(hashed)
        return key

    async def _load_soon(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._loaded + _LOAD_S - time.monotonic()))
            await asyncio.to_thread(self._load)
        finally:
            self._loading = None

    def _load(self) -> None:
        """Read all keys if anything was committed since they were read."""
        self._loaded = time.monotonic()
        version = self._database.version()
        if version == self._version:
            return
        rows = self._database.query(f"SELECT {_COLUMNS} FROM keys")
        keys = {row[0]: _key(row) for row in rows}
        if keys != self._keys:
            self._unknown = set()
        self._keys, self._version = keys, version


def _key(row: Row) -> Key:
    models, limits, admin = row[7:]
    allowed: list[str] = json.loads(models)
    return Key(*row[1:7], models=tuple(allowed), limits=parse_all(json.loads(limits)), admin=bool(admin))


def _json(texts: Sequence[str]) -> str:
    return json.dumps(list(texts))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")
