"""Batches of several tenants beside each other in one process."""

import asyncio
from pathlib import Path

import pytest

from regista.app.batches import runner
from regista.app.batches.lines import Reply
from regista.app.batches.runner import BatchRunner, key_of
from regista.app.platform import ANYONE, Platform
from regista.core.settings import settings
from regista.store import batches, files, keys
from regista.store.batches import Batch, Order
from regista.store.keys import Key
from regista.surfaces.http.inside import request_of

URL = "/v1/chat/completions"


def made(platform: Platform, tenant: str, key: str = "") -> Batch:
    """A batch of one line, which says whose it is."""
    line = f'{{"custom_id": "a", "method": "POST", "url": "{URL}", "body": {{"model": "m", "of": "{tenant}"}}}}\n'
    file = files.begin(platform.database, tenant, "f", "batch")
    files.append(platform.database, file, 0, line.encode())
    files.finish(platform.database, file, "batch", "f", None)
    return batches.create(platform.database, Order("shop", tenant, key, "gateway", URL, file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "answer.prompt").write_text("{{question}}")
    (tmp_path / "regista.toml").write_text('[app]\nname = "shop"\n[models.default]\nmodel = "echo/it"\n')
    return tmp_path


async def test_a_tenant_whose_batches_stand_still_keeps_no_other_waiting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LOOK_S", 0.01)
    platform = await Platform.open(folder, settings())

    async def ask(key: Key, endpoint: str, body: bytes, trace_id: str = "") -> Reply:
        if b"patient" in body:
            return Reply(429, b'{"error": {"message": "Wait.", "code": "rate_limited"}}', "", 3600.0)
        return Reply(200, b"{}")

    stuck = [made(platform, "patient") for _ in range(runner.AT_ONCE + 2)]
    other = made(platform, "other")
    running = BatchRunner(platform, ask, request_of)
    running.start()
    async with asyncio.timeout(30):
        while batches.find(platform.database, "other", other.id).status != "completed":  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    begun = [batches.find(platform.database, "patient", batch.id).owner for batch in stuck]
    assert len([owner for owner in begun if owner]) == runner.AT_ONCE
    await running.close()
    await platform.close()


async def test_a_batch_is_on_the_account_of_its_key_and_of_nobody_where_that_is_gone(folder: Path) -> None:
    platform = await Platform.open(folder, settings())
    keys.add(platform.database, "mine", "tenant")
    (mine,) = keys.listing(platform.database)
    assert key_of(platform.database, made(platform, "tenant", mine.prefix)) == mine
    assert key_of(platform.database, made(platform, "default")) == ANYONE
    for tenant, prefix in (("other", mine.prefix), ("tenant", "rk-unknown")):
        assert key_of(platform.database, made(platform, tenant, prefix)).state(1) == "revoked"
    await platform.close()
