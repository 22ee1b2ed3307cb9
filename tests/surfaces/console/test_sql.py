"""Days that were exported, asked in SQL on a page: by hand, by the address, and with what others stored in them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.surfaces.console.conftest import APPLICATION, JSON, barriers, opened, seed
from tests.surfaces.console.made import trace
from tests.surfaces.console.payloads import PAYLOADS
from tests.surfaces.console.test_stored_xss import infected, stays
from tests.surfaces.http.conftest import Live, Start, write

from regista.app.days import remember
from regista.store import connect
from regista.store.parquet import export

if TYPE_CHECKING:
    from playwright.sync_api import Page

DAYS_S = 3 * 86_400


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("sql") / "shop"
    odd = [infected(n, text) for n, text in enumerate(PAYLOADS, 1)]
    old = [trace(1_000 + n, ago_s=DAYS_S + n) for n in range(300)]
    seed(write(folder, APPLICATION), [*odd, *old])
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    list(export(database, folder / ".regista" / "days", time.time_ns() + 2 * DAYS_S * 10**9))
    database.close()
    server = Live(folder)
    yield server
    server.stop()


def test_a_statement_in_the_address_is_answered_by_the_page(live: Live) -> None:
    with opened(live) as client:
        sql = "SELECT trace, duration_ns FROM traces WHERE question LIKE 'Question 1%' ORDER BY started_ns DESC"
        first = client.get("/console/sql", params={"sql": sql}, headers=JSON).json()
        assert len(first["rows"]) == 100 and first["more"] and first["columns"][1]["number"]
        second = client.get("/console/sql", params={"sql": sql, "from": "100"}, headers=JSON).json()
        assert not {row[0] for row in first["rows"]} & {row[0] for row in second["rows"]}
        far = client.get("/console/sql", params={"sql": "FROM range(99999999)", "from": "9" * 8}, headers=JSON).json()
        assert far["rows"][0] == ["9900"] and not far["more"]
        wrong = client.get("/console/sql", params={"sql": "DROP VIEW traces"}, headers=JSON).json()
        assert "DROP statement" in wrong["error"]


def test_days_on_a_disk_that_is_not_there_are_not_said_to_be_none(start: Start, tmp_path: Path) -> None:
    live = start(f'{APPLICATION}[observe]\nparquet = "{tmp_path / "disk"}"\n')
    with opened(live) as client:
        assert "No day is exported yet" in client.get("/console/sql").text
        remember(live.folder, tmp_path / "disk")
        (tmp_path / "disk").rename(tmp_path / "unmounted")
        page = client.get("/console/sql")
        assert "which is not there" in page.text and "No day is exported yet" not in page.text
        assert "Mount it" in client.get("/console/sql", headers=JSON).json()["missing"]


def test_a_statement_is_written_and_run_by_keyboard_and_a_trace_opened(
    visit: "Callable[[Live], Page]", live: Live
) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/sql")
    page.get_by_role("textbox").fill("SELECT trace, question FROM traces WHERE question LIKE 'Question 1007%'")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("heading", name="Rows 1 to 1").wait_for()
    assert "sql=SELECT" in page.url and not barriers_of(page, live)
    page.locator("td a").first.click()
    page.wait_for_url(f"**/console/traces/{trace(1_007).id}*")


def barriers_of(page: "Page", live: Live) -> object:
    """What axe finds on the page as it is, in a browser that lets scripts in from a test."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(bypass_csp=True, storage_state=page.context.storage_state())
    try:
        again = context.new_page()
        again.goto(page.url)
        return barriers(again)
    finally:
        context.close()


@pytest.mark.parametrize("name", ["question", '"<script>window.ran=1</script>"'])
def test_what_others_stored_runs_nothing_here_either(visit: "Callable[[Live], Page]", live: Live, name: str) -> None:
    page = visit(live)
    stays(page, live, f"/console/sql?sql={quote(f'SELECT question AS {name}, * FROM traces')}")


def test_without_a_day_the_page_says_how_to_make_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Live(write(tmp_path_factory.mktemp("none") / "shop", APPLICATION))
    try:
        with opened(server) as client:
            assert "regista data export shop" in client.get("/console/sql").text
    finally:
        server.stop()
