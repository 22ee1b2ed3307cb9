"""Durable state behind a URL. `connect` picks the engine; the files beside it hold the tables of one noun each.

Calls block: the serving core makes them in a thread, the writer in its own process.
"""

from pathlib import Path

from regista.core.errors import ConfigurationError
from regista.store.database import Database

__all__ = ["BESIDE_KB", "Database", "connect"]

CACHE_KB = 16_000
"""Pages that a connection to SQLite keeps at hand: with SQLite's own 2 MB, every trace id looked for is a read."""
BESIDE_KB = 4_000
"""Enough for a process beside the server, which is at what is new: a trace written takes one read more in 120 µs."""


def connect(url: str, *, read_only: bool = False, cache_kb: int = CACHE_KB) -> Database:
    """Open the database at `url`, its tables made if need be.

    `sqlite:///absolute/path`, `sqlite://relative/path` or `postgresql://user:password@host:port/name`. Where pages are
    kept at hand in this process, which is SQLite's way, each connection keeps `cache_kb` of them, and each of those to
    the files of weeks a quarter of that.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from regista.store.bodies_sqlite import WeekFiles  # noqa: PLC0415 - the URL picks the engine
        from regista.store.sqlite import Sqlite  # noqa: PLC0415

        weeks = WeekFiles(Path(rest), cache_kb // 4, read_only=read_only)
        return Sqlite(rest, weeks, cache_kb, read_only=read_only)
    if scheme in ("postgresql", "postgres"):
        from regista.store.bodies_postgres import TableBodies  # noqa: PLC0415
        from regista.store.postgres import Postgres  # noqa: PLC0415 - an extra

        return Postgres(url, TableBodies(), read_only=read_only)
    shown = scheme if scheme.isalnum() else ""  # what is no URL may hold a password anywhere
    raise ConfigurationError(
        f"The store URL {shown}://… is of no known engine. Known: sqlite://path, postgresql://user:password@host/name"
    )
