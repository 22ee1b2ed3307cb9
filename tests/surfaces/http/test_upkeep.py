"""A server looks after its store: closed days are written where the configuration says, and alarms need a secret."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from tests.observe.test_drift import some
from tests.surfaces.cli.test_drift import keep
from tests.surfaces.http.conftest import Live, Start, write

from regista.app.collecting import hook_of
from regista.app.schema import Observe
from regista.core.errors import ConfigurationError
from regista.egress.client import Client
from regista.observe.webhook import key
from regista.store.parquet import count, files

APPLICATION = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/mirror"\n'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_S = 60


def metrics(live: Live) -> str:
    return httpx2.get(f"{live.url}/metrics").text


def test_a_server_writes_closed_days_by_itself_and_tells_how_many(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    keep(folder, some(30, 1), 3 * 86_400)
    live = start(f'{APPLICATION}[observe]\nparquet = "days"\n', folder="shop")
    end = time.monotonic() + PATIENCE_S
    while not files(folder / "days") and time.monotonic() < end:
        time.sleep(0.1)
    (day,) = files(folder / "days")
    assert count(day) == 30
    while "regista_days_exported_total 1.0" not in (told := metrics(live)) and time.monotonic() < end:
        time.sleep(0.1)
    assert "regista_days_exported_total 1.0" in told and "regista_alarms_raised_total 0.0" in told


@pytest.mark.parametrize(
    ("secret", "why"), [("", "MY_HOOK is not set"), ("abc", "whsec_ and the base64"), ("whsec_c2hvcnQ=", "24 to 64")]
)
def test_a_webhook_without_a_secret_is_refused_with_how_to_make_one(tmp_path: Path, secret: str, why: str) -> None:
    hook = '[observe]\nwebhook = "http://127.0.0.1:9/alarms"\nwebhook_env = "MY_HOOK"\n'
    folder = write(tmp_path / "shop", APPLICATION + hook)
    environment = {**os.environ, **({"MY_HOOK": secret} if secret else {})}
    command = [sys.executable, "-m", "regista", "up", str(folder), "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    said = " ".join(done.stderr.split())
    assert done.returncode == 1 and why in said and "openssl rand -base64 32" in said
    assert not secret or secret not in said


def test_a_webhook_is_the_origin_that_the_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTA_WEBHOOK_SECRET", SECRET)
    egress = Client()
    assert hook_of(Observe(), egress) is None
    hook = hook_of(Observe(webhook="https://ops.example/hooks/1"), egress)
    assert hook is not None and len(key(hook.secret)) == 24 and SECRET not in repr(hook)
    with pytest.raises(ConfigurationError):
        hook_of(Observe(webhook="ops.example"), egress)
