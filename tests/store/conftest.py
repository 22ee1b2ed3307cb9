"""Fixtures: a real database, of each engine in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regista.store import Database, connect


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database is to be, of each engine in turn."""
    return f"sqlite://{tmp_path / 'regista.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A database in a file."""
    opened = connect(f"sqlite://{tmp_path / 'file.db'}")
    yield opened
    opened.close()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = connect(url)
    yield opened
    opened.close()
