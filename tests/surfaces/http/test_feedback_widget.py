"""The feedback widget in a real browser, on a page of another origin that allows next to nothing; and its token."""

import html
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = '<img src=x onerror="document.title=1">'


class Site:
    """A shop's own web server, whose pages show an answer with the widget below it."""

    def __init__(self) -> None:
        site = self
        self.page, self.policy = b"", ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-security-policy", site.policy)
                self.end_headers()
                self.wfile.write(site.page)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def show(self, live: Live, regista: Mapping[str, Any], **texts: str) -> None:
        """Have a page with one answer, which trusts the server's script and nothing else."""
        self.policy = (
            f"default-src 'none'; script-src {live.url}; connect-src {live.url}; require-trusted-types-for 'script'"
        )
        attributes = {"trace": regista["trace_id"], "token": regista["feedback"], **texts}
        written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
        self.page = (
            f'<!doctype html><html lang="en"><title>Shop</title><script defer src="{live.url}/v1/feedback/widget.js">'
            f"</script><main><h1>Shop</h1><p>Paris.</p><regista-feedback {written}></regista-feedback></main>"
        ).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture
def live(start: Start, upstream: Upstream, site: Site) -> Live:
    return start(
        f'[app]\nname = "shop"\n[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n'
        f'[feedback]\nsignals = "off"\norigins = ["{site.origin}"]\n'
    )


@pytest.fixture
def page() -> Iterator["Page"]:
    """A page of a real browser. Where tests must be whole, as in CI, there is no skipping them."""
    if (CHROMIUM is None or find_spec("playwright") is None) and not os.environ.get("CI"):
        pytest.skip("The widget is not tested: apt-get install chromium; pip install playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - skipped where it is absent

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = browser.new_page()
        made.set_default_timeout(20_000)
        yield made
        browser.close()


def answer(live: Live) -> dict[str, Any]:
    return live.ask("shop").raise_for_status().json()["regista"]


def said(live: Live, trace: str) -> list[dict[str, Any]]:
    return httpx2.get(f"{live.url}/v1/feedback", params={"trace": trace}).json()["data"]


def sent(page: "Page", live: Live, way: str) -> None:
    with page.expect_response(f"{live.url}/v1/feedback/widget"):
        page.get_by_role("button", name=way, exact=True).click()


def test_a_thumb_and_a_comment_come_from_a_page_without_a_key(live: Live, site: Site, page: "Page") -> None:
    regista = answer(live)
    site.show(live, regista, label=EVIL)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(site.origin)
    group = page.get_by_role("group", name=EVIL)
    group.wait_for()
    assert page.get_by_label("What could be better? (optional)").is_hidden()
    sent(page, live, "Not helpful")
    page.get_by_text("Thank you.").wait_for()
    assert page.get_by_role("button", name="Not helpful", pressed=True).count() == 1
    sent(page, live, "Helpful")
    page.get_by_role("button", name="Helpful", exact=True, pressed=True).wait_for()
    assert page.get_by_role("button", pressed=True).count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(EVIL)
    page.keyboard.press("Tab")
    with page.expect_response(f"{live.url}/v1/feedback/widget"):
        page.keyboard.press("Enter")
    page.get_by_label("What could be better? (optional)").wait_for(state="hidden")
    rows = {row["kind"]: row for row in said(live, regista["trace_id"])}
    assert (rows["thumb"]["value"], rows["comment"]["text"]) == (1.0, EVIL) and len(rows) == 2
    assert problems == [] and page.title() == "Shop"


def test_a_page_is_told_when_it_could_not_be_sent(live: Live, site: Site, page: "Page") -> None:
    regista = answer(live)
    site.show(live, regista | {"feedback": "rf-1-1-no"}, failed="Leider nicht.")
    page.goto(site.origin)
    sent(page, live, "Helpful")
    page.get_by_text("Leider nicht.").wait_for()
    assert page.get_by_role("button", pressed=True).count() == 0 and said(live, regista["trace_id"]) == []


def test_a_token_is_for_one_answer_and_three_kinds(live: Live) -> None:
    one, other = answer(live), answer(live)
    url = f"{live.url}/v1/feedback/widget"

    def post(**body: object) -> httpx2.Response:
        return httpx2.post(url, json={"trace": one["trace_id"], "token": one["feedback"], "kind": "thumb", **body})

    assert post(value=1).status_code == 201
    stolen = post(value=1, trace=other["trace_id"])
    assert (stolen.status_code, stolen.json()["error"]["code"]) == (401, "invalid_feedback_token")
    head, expires, *rest = one["feedback"].split("-")
    longer = "-".join((head, f"{int(expires, 16) + 1:x}", *rest))
    for token in (longer, one["feedback"][:-1], "rf", "", "rf-é-1-1", "rf--1--1-"):
        assert post(value=1, token=token).status_code == 401, token
    for refused in ({"kind": "label", "name": "x"}, {"kind": "score", "value": 1}, {"by": "me"}, {"value": 3}):
        assert post(**refused).status_code == 400, refused
    for text in ("One.", "Two."):
        post(kind="comment", text=text)
    assert [row["text"] for row in said(live, one["trace_id"])] == ["", "Two."], "nobody fills a store with one token"


def test_pages_of_other_origins_may_not_send(live: Live, site: Site) -> None:
    regista = answer(live)
    url = f"{live.url}/v1/feedback/widget"
    body = {"trace": regista["trace_id"], "token": regista["feedback"], "kind": "thumb", "value": 1}
    for origin in ("https://evil.example", "null", f"{site.origin}.evil.example"):
        for refused in (
            httpx2.post(url, json=body, headers={"origin": origin}),
            httpx2.request("OPTIONS", url, headers={"origin": origin}),
        ):
            assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers
    allowed = httpx2.request("OPTIONS", url, headers={"origin": site.origin})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, site.origin)
    own = httpx2.post(url, json=body, headers={"origin": live.url})
    assert own.status_code == 201 and "access-control-allow-origin" not in own.headers
    keyed = httpx2.request("OPTIONS", f"{live.url}/v1/feedback", headers={"origin": site.origin})
    assert keyed.status_code == 405, "what takes a key takes it from no page"


def test_without_a_table_there_is_neither_widget_nor_token(start: Start, upstream: Upstream) -> None:
    live = start(f'[app]\nname = "shop"\n[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n')
    assert "feedback" not in answer(live)
    for method, path in (("GET", "widget.js"), ("POST", "widget"), ("OPTIONS", "widget")):
        refused = httpx2.request(method, f"{live.url}/v1/feedback/{path}")
        assert refused.status_code == 404 and "[feedback]" in refused.json()["error"]["message"]


def test_a_streamed_answer_has_its_token_too(live: Live) -> None:
    body = {"model": "shop", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    streamed = httpx2.post(f"{live.url}/v1/chat/completions", json=body)
    assert '"feedback":"rf-' in streamed.text
    raw = httpx2.post(f"{live.url}/v1/chat/completions", json=body | {"model": "openai/good"})
    assert "rf-" not in raw.text
