"""Who may see the console, and what every answer of it says to a browser."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.surfaces.console.conftest import APPLICATION, JSON, Seeded, address, opened, seed
from tests.surfaces.console.made import trace
from tests.surfaces.http.conftest import Live, Start, write

from regista.store import connect
from regista.store.keys import add, revoke

PAGES = (
    *("/console", "/console/traces", "/console/evaluations", "/console/models"),
    *("/console/conversations", "/console/guardrails"),
    *("/console/comparison", "/console/datasets", "/console/prompts", "/console/prompts/answer"),
    "/console/prompts/answer/playground",
    *("/console/review", "/console/review/answers"),
    "/console/sql",
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Seeded(tmp_path_factory.mktemp("access") / "shop", [trace(n) for n in range(3)]).live
    yield server
    server.stop()


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/console/conversations/abc",
        "/console/replays/abc",
        "/console/datasets/abc",
        "/console/traces/abc",
        "/console/traces/live",
        "/console/nothing",
    ],
)
def test_without_a_session_there_is_only_the_way_in(live: Live, path: str) -> None:
    page = httpx2.get(live.url + path)
    assert page.status_code == 401 and "Open the console" in page.text and "Question" not in page.text
    told = httpx2.get(live.url + path, headers=JSON)
    assert told.status_code == 401 and told.json()["error"]["code"] == "console_closed"
    assert "regista up" in told.json()["error"]["message"]


def test_the_address_that_is_printed_opens_it_and_does_not_stay(live: Live) -> None:
    answer = httpx2.get(address(live))
    assert answer.status_code == 303 and answer.headers["location"] == "/console"
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age="))
    assert address(live).partition("ticket=")[2] not in cookie
    assert "Secure" not in cookie
    assert "Secure" in httpx2.get(address(live), headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    with opened(live) as client:
        assert client.get("/console").status_code == 200


def test_another_ticket_opens_nothing(live: Live) -> None:
    answer = httpx2.get(f"{live.url}/console/login?ticket=guessed")
    assert answer.status_code == 401 and "set-cookie" not in answer.headers and "earlier start" in answer.text


def test_the_form_takes_the_token_and_goes_on_to_where_one_was_going(live: Live) -> None:
    closed = httpx2.get(f"{live.url}/console/traces?status=error")
    goes_to = re.search(r'name="next" value="([^"]+)"', closed.text)
    assert goes_to is not None and goes_to[1] == "/console/traces?status=error"
    ticket = address(live).partition("ticket=")[2]
    answer = httpx2.post(f"{live.url}/console/login", data={"token": ticket, "next": goes_to[1]})
    assert answer.status_code == 303 and answer.headers["location"] == "/console/traces?status=error"
    assert httpx2.post(f"{live.url}/console/login", data={"token": "wrong"}).status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        *(
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/console/../v1/keys\r\nx: y",
            "javascript:alert(1)",
        ),
        *("/v1/keys", "/consolation", "/console/login", "/console/logout"),
    ],
)
def test_a_login_leads_to_the_console_alone(live: Live, elsewhere: str) -> None:
    ticket = address(live).partition("ticket=")[2]
    answer = httpx2.post(f"{live.url}/console/login", data={"token": ticket, "next": elsewhere})
    assert answer.status_code == 303 and answer.headers["location"] == "/console"


def test_who_logs_out_is_out(live: Live) -> None:
    with opened(live) as client:
        answer = client.post("/console/logout")
        assert answer.status_code == 303 and "Max-Age=0" in answer.headers["set-cookie"]
        assert client.get("/console").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:8000"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_other_pages_and_other_names_are_refused_even_with_a_session(live: Live, headers: dict[str, str]) -> None:
    with opened(live) as client:
        for path in ("/console", "/console/traces/live", "/console/login"):
            answer = client.get(path, headers=JSON | headers)
            assert answer.status_code == 403 and answer.json()["error"]["code"] == "not_allowed"
        assert client.post("/console/logout", headers=headers).status_code == 403


def test_a_link_from_elsewhere_leads_to_the_login_and_its_own_pages_are_answered(live: Live) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert httpx2.get(f"{live.url}/console/traces", headers=link).status_code == 401
    with opened(live) as client:
        assert client.get("/console", headers={"origin": live.url, "sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
def test_pages_are_only_read(live: Live, method: str) -> None:
    with opened(live) as client:
        assert client.request(method, "/console/traces").status_code == 405


def test_every_answer_says_what_a_browser_may_do_with_it(live: Live) -> None:
    nonces: set[str] = set()
    with opened(live) as client:
        for path in (*PAGES, "/console/login", "/console/nothing", f"/console/traces/{trace(0).id}", PAGES[0]):
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            nonce = re.search(r"script-src 'nonce-([\w-]{20,})' 'strict-dynamic';", policy)
            assert nonce is not None, policy
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
            assert "style-src 'self'" in policy and "base-uri 'none'" in policy
            assert nonce[1] not in nonces, "A nonce is of one answer."
            nonces.add(nonce[1])
            scripts = re.findall(r"<script\b[^>]*>", answer.text)
            assert all(f'nonce="{nonce[1]}"' in script and " src=" in script for script in scripts)
            assert not re.search(r"\son\w+=|\sstyle=|javascript:", answer.text), "Nothing is inline."
            assert answer.headers["cache-control"] == "no-store"
        for path in (*PAGES, "/console/nothing"):
            answer = client.get(path, headers=JSON)
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_consoles_own_files_need_no_session_and_are_kept(live: Live) -> None:
    page = httpx2.get(f"{live.url}/console/login").text
    style = re.search(r'href="(/console/static/\w+/console\.css)"', page)
    assert style is not None
    answer = httpx2.get(live.url + style[1])
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    old = httpx2.get(f"{live.url}/console/static/000000000000/console.css")
    assert old.status_code == 200 and old.headers["cache-control"] == "no-store"
    for other in ("../sessions.py", "%2e%2e/sessions.py", "nothing.js", ""):
        assert httpx2.get(f"{live.url}/console/static/x/{other}").status_code in (401, 404)


def test_a_key_with_the_admin_right_opens_it_and_no_other_does(tmp_path: Path) -> None:
    seed(write(tmp_path / "shop", APPLICATION), [trace(1)])
    database = connect(f"sqlite://{tmp_path / 'shop' / '.regista' / 'regista.db'}")
    admin, plain = add(database, "admin", admin=True), add(database, "plain")
    server = Live(tmp_path / "shop")
    try:
        bearer = {"authorization": f"Bearer {admin}", **JSON}
        assert httpx2.get(f"{server.url}/console/traces", headers=bearer).json()["rows"][0]["id"] == trace(1).id
        refused = httpx2.get(f"{server.url}/console", headers={"authorization": f"Bearer {plain}", **JSON})
        assert refused.status_code == 403 and "--admin" in refused.json()["error"]["message"]
        assert httpx2.get(f"{server.url}/console", headers={"authorization": "Bearer rk-no", **JSON}).status_code == 401
        login = f"{server.url}/console/login"
        assert httpx2.post(login, data={"token": plain}).status_code == 401
        with httpx2.Client(base_url=server.url) as client:
            assert client.post("/console/login", data={"token": admin}).status_code == 303
            assert client.get("/console", headers={"host": "console.example"}).status_code == 200, "Keys are required."
            revoke(database, "admin")
            assert client.get("/console").status_code == 401, "What opened the session opens nothing any more."
    finally:
        server.stop()
        database.close()


def test_every_worker_knows_the_session(start: Start) -> None:
    server = start(APPLICATION, "--port", "0", "--workers", "2")
    with opened(server) as client:
        cookies = dict(client.cookies)
    for _ in range(12):  # each on a connection of its own, which goes to either worker
        assert httpx2.get(f"{server.url}/console", cookies=cookies, headers=JSON).status_code == 200


def test_serving_imports_nothing_of_the_pages_until_one_is_asked_for() -> None:
    code = (
        "import sys, regista.surfaces.cli.up, regista.surfaces.workers.worker; "
        "print([name for name in sys.modules if name == 'jinja2' or name.startswith('regista.surfaces.console.')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "['regista.surfaces.console.sessions']"


@pytest.mark.parametrize("path", [f"/console/traces/{trace(1).id}/dataset", "/console/prompts/answer/playground"])
def test_nothing_is_done_without_a_session_nor_for_a_page_of_elsewhere(live: Live, path: str) -> None:
    assert httpx2.post(live.url + path, data={"question": "x"}, headers=JSON).status_code == 401
    with opened(live) as client:
        refused = client.post(path, data={"question": "x"}, headers=JSON | {"origin": "http://evil.example"})
        assert refused.status_code == 403
    assert not (live.folder / "evals").exists()


def test_who_logs_in_after_a_form_was_refused_comes_back_to_its_page(live: Live) -> None:
    path = f"/console/traces/{trace(1).id}"
    for referer, goes_to in ((f"{live.url}{path}?spans=1", f"{path}?spans=1"), ("http://[", ""), ("", "")):
        closed = httpx2.post(f"{live.url}{path}/dataset", data={"dataset": "x"}, headers={"referer": referer})
        found = re.search(r'name="next" value="([^"]+)"', closed.text)
        assert closed.status_code == 401 and (found[1] if found else "") == goes_to
