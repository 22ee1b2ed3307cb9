"""Makes `apps/club` importable as `club`, with its shipped figures loaded into a database of the test run."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "apps"))

from club import commands  # noqa: E402 - the line above makes it importable
from club.football import tables  # noqa: E402


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The club's database as `club build` makes it; tools read this one."""
    tables.DATABASE = tmp_path_factory.mktemp("club") / "club.db"
    commands.build()
    return tables.DATABASE


@pytest.fixture(scope="session")
def archive() -> Path:
    """The season's match events, where they are at hand."""
    found = ROOT.parent / "shared" / "data" / "football" / "wyscout_premier_league_2017_18.zip"
    if not found.exists():
        pytest.skip(f"the archive of match events is not at {found}")
    return found
