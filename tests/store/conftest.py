"""Fixtures: a real database file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regista.store import Database, connect


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = connect(f"sqlite://{tmp_path / 'regista.db'}")
    yield opened
    opened.close()
