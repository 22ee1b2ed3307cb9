"""Fixtures for all tests: the misbehaving provider on the loopback interface."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
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


# A slow machine is no fault of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
