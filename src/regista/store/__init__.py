"""Durable state behind a URL. `connect` picks the engine; the files beside it hold the tables of one noun each.

Calls block: the serving core makes them in a thread, the writer in its own process.
"""

from regista.core.errors import ConfigurationError
from regista.store.database import Database

__all__ = ["Database", "connect"]


def connect(url: str, *, read_only: bool = False) -> Database:
    """Open the database at `url`: `sqlite:///absolute/path` or `sqlite://relative/path`, made if need be."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from regista.store.sqlite import Sqlite  # noqa: PLC0415 - the URL picks the engine

        return Sqlite(rest, read_only=read_only)
    raise ConfigurationError(f"The store URL {scheme}://… is of no known engine. Known: sqlite://path")
