"""The console as people use it, in a real browser."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.surfaces.console.conftest import Seeded, address, barriers
from tests.surfaces.console.made import MS, trace
from tests.surfaces.http.conftest import Live

from regista.core.nouns import Span
from regista.data import dataset
from regista.data.adding import add
from regista.data.from_traces import example_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG = trace(900, ago_s=900, spans=tuple(Span("tools", f"step {n}", -1, n * MS, MS) for n in range(450)))
TRACES = [*(trace(n, status="error" if n % 40 == 0 else "ok") for n in range(1, 131)), LONG]
EVERY = (
    *("/console", "/console/traces", f"/console/traces/{trace(40).id}", "/console/evaluations", "/console/models"),
    *("/console/conversations", "/console/guardrails"),
    *("/console/comparison", "/console/datasets", "/console/datasets/old", "/console/prompts"),
    *("/console/prompts/answer", "/console/prompts/answer/playground"),
    *("/console/review", "/console/review/answers?by=ann"),
    "/console/sql",
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("journeys") / "shop"
    server = Seeded(folder, TRACES).live
    add(folder, "old", [example_of(one) for one in TRACES[:40]], (), "shop")
    yield server
    server.stop()


def test_the_first_visit_needs_the_token_and_ends_on_the_overview(browser: "Browser", live: Live) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{live.url}/console")
    page.get_by_label("Token or key").fill("guessed")
    page.get_by_role("button", name="Open").click()
    assert page.get_by_role("alert").inner_text().startswith("This is neither")
    page.get_by_label("Token or key").fill(address(live).partition("ticket=")[2])
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Overview").wait_for()
    assert page.url == f"{live.url}/console" and "131" in page.locator(".figures").inner_text()
    page.locator("time-chart canvas").nth(4).wait_for()
    assert page.locator("time-chart canvas").count() == 5
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Open the console").wait_for()
    context.close()


def test_a_link_from_elsewhere_opens_where_one_is_logged_in(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto("data:text/html,<a href='" + f"{live.url}/console/traces?status=error" + "'>look at this</a>")
    page.get_by_role("link").click()
    page.get_by_role("heading", name="Traces").wait_for()
    assert page.get_by_label("Status").input_value() == "error"


def test_a_failing_trace_is_found_and_says_why(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.get_by_role("link", name="Traces", exact=True).click()
    page.get_by_label("Status").select_option("error")
    page.wait_for_url("**/console/traces?status=error")
    assert page.locator("#rows tr").count() == 3
    page.locator("#rows a").first.click()
    page.get_by_role("heading", name="Question 40: where is my parcel?").wait_for()
    assert "503: the model is overloaded" in page.locator("main").inner_text()
    assert "Runner-up: large" in page.locator(".log").inner_text()
    page.go_back()
    assert page.get_by_label("Status").input_value() == "error" and page.locator("#rows tr").count() == 3


def test_the_live_tail_shows_a_request_without_a_reload(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces")
    page.get_by_role("link", name="Live").click()
    page.get_by_text("Waiting for requests.").wait_for()
    page.evaluate("() => { window.mark = 1 }")
    for n in range(3):
        live.ask("shop", f"a new one, {n}")
    page.get_by_text("3 new since the page was opened.").wait_for()
    assert page.locator("#rows tr").first.inner_text().count("a new one, 2") >= 1
    assert page.evaluate("window.mark") == 1
    page.locator("#rows a").first.click()
    page.get_by_role("heading", name="a new one, 2").wait_for()


def test_the_live_tail_keeps_to_the_filter(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces?live=1&application=shop")
    page.get_by_text("Waiting for requests.").wait_for()
    live.ask("echo/other", "of no application")
    live.ask("shop", "of the shop")
    page.get_by_text("1 new since the page was opened.").wait_for()
    assert "of no application" not in page.locator("#rows").inner_text()


def test_everything_is_reached_by_the_keyboard(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces?application=shop&model=openai/small")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "text"
    page.keyboard.type("jk?t")
    assert page.get_by_label("Said").input_value() == "jk?t", "What is written is no command."
    page.get_by_label("Said").fill("")
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 880})
    for key in "jjjk":
        page.keyboard.press(key)
    assert "Question 2:" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Question 2:").wait_for()
    page.keyboard.press("u")
    page.get_by_role("heading", name="Traces").wait_for()


def test_traces_go_to_a_dataset_with_one_key(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces?application=shop&model=openai/small&status=error")
    page.keyboard.press("d")
    page.get_by_text("Go to a row first: j.").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.get_by_text("Kept: in the next version of picked.").wait_for()
    assert page.url.endswith("status=error&dataset=picked") and dataset.versions(live.folder, "picked")[0].examples == 1
    for status in ("ok", "error"):
        page.locator("select[name=status]").select_option(status)
        page.wait_for_url(f"**status={status}&**dataset=picked")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Question 80:").wait_for()
    page.keyboard.press("d")
    page.get_by_role("link", name="picked").click()
    page.get_by_role("heading", name="picked").wait_for()
    assert page.locator(".examples tbody tr").count() == 2
    newest, first = dataset.versions(live.folder, "picked")
    assert [one.status for one in dataset.read(live.folder, newest)] == ["error", "error"]
    assert newest.parent == first.version
    page.wait_for_load_state("networkidle")
    page.keyboard.press("u")
    page.get_by_role("heading", name="Datasets").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(".examples").wait_for()
    page.wait_for_load_state("networkidle")


def test_a_prompt_is_tried_in_the_playground_and_leaves_as_a_patch(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.get_by_role("link", name="Prompts").click()
    page.get_by_role("link", name="answer").click()
    page.get_by_role("heading", name="What changed").wait_for()
    page.keyboard.press("g")
    page.get_by_role("heading", name="Playground: answer").wait_for()
    page.get_by_label("question").fill("Is it </textarea> late?")
    page.get_by_label("model of B").select_option("echo/mirror")
    text = page.get_by_label("prompt of B").input_value()
    page.get_by_label("prompt of B").fill(text.replace("{{question}}", "{{question}} Be quick."))
    page.get_by_label("prompt of A").fill(text.replace("{{question}}", "{{qestion}}"))
    page.get_by_role("button", name="Ask").click()
    answer = page.get_by_label("answer 1 of B")
    answer.wait_for()
    assert answer.inner_text() == "Is it </textarea> late? Be quick."
    assert "There is no variable 'qestion'. Did you mean 'question'?" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("question").input_value() == "Is it </textarea> late?"
    summary = page.get_by_text("as a patch of prompts/answer.prompt").last
    summary.click()
    assert "+{{question}} Be quick." in page.locator(".patch").last.inner_text()
    assert page.locator(".columns .turn").count() == 1 and "tokens in" in page.locator(".columns .turn").inner_text()


def test_every_chart_has_a_table_that_says_the_same(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    charts = page.locator("[data-chart]").count()
    assert charts == 5 and page.locator("[data-twin]:visible").count() == 0
    page.keyboard.press("t")
    assert page.locator("[data-twin]:visible").count() == charts and "tables=1" in page.url
    counts = page.locator("[data-twin]").first.locator("td:nth-child(2)").all_inner_texts()
    assert sum(int(count.replace(",", "")) for count in counts) >= 131
    page.reload()
    assert page.locator("[data-twin]:visible").count() == charts, "The address says it."
    page.get_by_role("button", name="Table").first.click()
    assert page.locator("[data-twin]:visible").count() == 0 and page.locator("time-chart canvas").count() == charts


def test_older_traces_come_as_one_goes_on(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces?model=openai/small")
    assert page.locator("#rows tr[data-n]").count() == 50
    page.locator("tr.more").scroll_into_view_if_needed()
    page.locator("#rows tr[data-n]").nth(99).wait_for()
    page.locator("tr.more").scroll_into_view_if_needed()
    page.locator("#rows tr[data-n]").nth(130).wait_for()
    numbers = page.locator("#rows tr[data-n]").evaluate_all("rows => rows.map((row) => row.dataset.n)")
    assert len(set(numbers)) == 131 and page.locator("tr.more").count() == 0


def test_more_spans_come_on_request(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces/{LONG.id}")
    page.get_by_role("link", name="250 more spans").click()
    page.get_by_role("link", name="50 more spans").click()
    page.get_by_text("step 449").wait_for()
    assert page.locator("#spans tr").count() == 450


def test_pages_work_without_scripts(browser: "Browser", live: Live) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(live))
    assert page.locator(".figures").count() == 1
    page.goto(f"{live.url}/console/traces")
    page.get_by_label("Status").select_option("error")
    page.get_by_role("button", name="Show").click()
    assert page.locator("#rows tr").count() == 3
    page.goto(f"{live.url}/console/traces?model=openai/small")
    page.get_by_role("link", name="Older ones").click()
    assert page.locator("#rows tr[data-n]").count() == 50 and "after=" in page.url
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*EVERY, "/console?tables=1", "/console/nothing", "/console/login"])
def test_a_page_has_no_serious_barrier(browser: "Browser", live: Live, path: str, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(address(live))
    page.goto(live.url + path)
    found = barriers(page)
    context.close()
    assert not found, found


@pytest.mark.parametrize("path", EVERY)
def test_a_narrow_screen_is_not_scrolled_sideways(browser: "Browser", live: Live, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address(live))
    page.goto(live.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@pytest.mark.parametrize("path", ["/console", "/console/traces"])
def test_the_first_page_is_small(browser: "Browser", live: Live, path: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body()) if answer.ok else 0}))
    page.goto(address(live).replace("ticket=", f"next={path}&ticket="))
    page.wait_for_load_state("networkidle")
    assert page.url == live.url + path
    assert sum(sizes.values()) <= 250_000, sizes
    assert len(sizes) <= 12, sorted(sizes)
    print(path, sum(sizes.values()), len(sizes))
    assert all(url.startswith(live.url) for url in sizes)
    context.close()
