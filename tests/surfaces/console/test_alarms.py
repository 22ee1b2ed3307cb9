"""What changed: open alarms on the overview with traces that show them, until somebody has seen them."""

import time
from collections.abc import Iterator

import httpx2
import pytest
from tests.store.test_alarms import alarm
from tests.surfaces.console.conftest import APPLICATION, JSON, opened, seed
from tests.surfaces.console.made import trace
from tests.surfaces.http.conftest import Live, write

from regista.store import alarms, connect


@pytest.fixture
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("alarms") / "shop"
    seed(write(folder, APPLICATION), [trace(n) for n in range(1, 5)])
    server = Live(folder)
    yield server
    server.stop()


def test_an_alarm_is_on_the_overview_with_its_examples_until_it_was_seen(live: Live) -> None:
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    raised = alarm(opened_ns=time.time_ns(), examples=(trace(1).id, trace(2).id))
    for one in (raised, alarm(application="", name="failed"), alarm(application="other", name="dollars")):
        alarms.open_alarm(database, one)
    with opened(live) as client:
        told = client.get("/console", headers=JSON).json()["alarms"]
        assert [(one["name"], one["effect"]) for one in told] == [("ms to the end", "× 2.8"), ("failed", "× 2.8")]
        page = client.get("/console").text
        assert "What changed" in page and f'href="/console/traces/{trace(2).id}"' in page and "raw models" in page
        assert _post(client, f"/console/alarms/{raised.id}").headers["location"] == "/console"
        assert [one["name"] for one in client.get("/console", headers=JSON).json()["alarms"]] == ["failed"]
        assert _post(client, f"/console/alarms/{raised.id}").status_code == 404
    (closed,) = alarms.newest(database, "shop", 0)
    assert closed.closed_ns is not None
    database.close()


def test_without_alarms_there_is_no_word_of_them(live: Live) -> None:
    with opened(live) as client:
        assert "What changed" not in client.get("/console").text


def _post(client: httpx2.Client, path: str) -> httpx2.Response:
    return client.post(path, headers={"origin": str(client.base_url).rstrip("/")})
