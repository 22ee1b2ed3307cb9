"""A transport that may reach the loopback provider, and what tests of providers ask again and again."""

from collections.abc import AsyncIterator

import pytest
from tests._upstream.server import Upstream

from regista.egress.client import Client


@pytest.fixture
async def transport(upstream: Upstream) -> AsyncIterator[Client]:
    client = Client([upstream.url()])
    yield client
    await client.close()
