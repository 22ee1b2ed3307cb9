"""Conversations, replays and guardrails as people use them, in a real browser."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.surfaces.console.conftest import Seeded, address, barriers
from tests.surfaces.console.made import MS, talk, trace
from tests.surfaces.http.conftest import Live

from regista.core.nouns import Span

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

APPLICATION = """
[app]
name = "shop"
[guardrails]
request = ["pii"]
[models.default]
model = "echo/mirror"
[models.other]
model = "echo/other"
"""
BOOTS = talk(
    *(
        9,
        [
            ("Where are my boots?", "With a neighbour."),
            ("No, the red ones.", "In Leeds. [1]"),
            ("Why are they there?", ""),
        ],
    ),
)
SHOES = talk(20, [("Do you have size 47?", "We do.")])
"""Made in the same moment, so that it stays the older one however long other tests take."""
FOUND = Span("guard request", "", -1, 0, MS, "mask", "pii: 1 email")
AGAIN = trace(80, ago_s=5, spans=(Span("replay", BOOTS.traces[1].id, -1, 0, MS, "asked again"),), answer="In York. [1]")
TRACES = [
    *(trace(n, spans=(*trace(n).spans, FOUND), status="error" if n == 7 else "ok") for n in range(5, 40)),
    AGAIN,
]
EVERY = (
    *("/console/conversations", f"/console/conversations/{BOOTS.id}?turn=2", f"/console/replays/{AGAIN.id}"),
    *("/console/guardrails", f"/console/traces/{BOOTS.traces[1].id}"),
)
NAMES = ("conversations", "conversation", "replay", "guardrails", "trace")
"""Of these pages, as an address with a time in it is another one in each process that collects tests."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Seeded(tmp_path_factory.mktemp("talks") / "shop", TRACES, (), [BOOTS, SHOES], APPLICATION).live
    yield server
    server.stop()


def test_a_failing_trace_is_found_and_asked_again(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{live.url}/console/traces?status=error&id=0000")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/traces/{trace(7).id}")
    page.keyboard.press("p")
    page.wait_for_url("**/console/replays/*")
    assert "It failed then, and was answered now." in page.locator("main").inner_text()
    assert "Question 7" in page.locator("pre.text ins").inner_text()
    figures = page.get_by_role("table", name="Figures")
    assert "error" in figures.inner_text() and "ok" in figures.inner_text()
    # Of another model, from where it stands.
    page.get_by_label("of which application or model").select_option("echo/other")
    page.keyboard.press("p")
    page.wait_for_function("() => document.querySelector('table').textContent.includes('echo/other')")
    page.get_by_role("heading", name="Other times it was asked again").wait_for()
    page.keyboard.press("e")
    page.wait_for_url("**/console/traces/*")
    page.get_by_role("link", name="Asked again from here").click()
    page.wait_for_url("**/console/replays/*")
    page.keyboard.press("u")
    page.wait_for_url(f"**/console/traces/{trace(7).id}")
    assert page.locator("[aria-labelledby=again] li").count() == 2


def test_the_turns_of_a_conversation_are_walked_by_keyboard(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    # Who walks on before a page has faded in skips that, which a browser writes down as an error.
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("link", name="Conversations").click()
    page.wait_for_url("**/console/conversations")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/conversations/{BOOTS.id}")
    chosen = page.locator(".turns [aria-current=true] h2 a").first
    assert chosen.inner_text() == "Turn 1" and page.get_by_role("link", name="Turn before").count() == 0
    for number in (2, 3):
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**?turn={number}#turn-{number}")
        assert chosen.inner_text() == f"Turn {number}"
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#turn-3"), "There is no turn after the last."
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**?turn=2#turn-2")
    assert "In Leeds." in page.locator(".turns [aria-current=true]").inner_text()
    page.keyboard.press("e")
    page.wait_for_url(f"**/console/traces/{BOOTS.traces[1].id}")
    page.keyboard.press("v")
    page.wait_for_url("**?turn=2#turn-2")
    page.keyboard.press("f")
    page.wait_for_url("**/console/replays/*")
    assert "Asked with the turn before it." in page.locator("main").inner_text()
    page.get_by_role("link", name="turn 2 of its conversation").click()
    page.wait_for_url("**?turn=2#turn-2")
    page.keyboard.press("u")
    page.get_by_role("heading", name="Conversations").wait_for()


def test_a_reviewer_says_whether_a_guardrail_was_right(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.get_by_role("link", name="Guardrails").click()
    page.wait_for_url("**/console/guardrails")
    right = page.get_by_role("button", name="right", exact=True)
    assert right.first.get_attribute("aria-pressed") == "false"
    right.first.click()
    page.wait_for_url("**/console/guardrails?range=7d#request-pii-*")
    assert right.first.get_attribute("aria-pressed") == "true"
    assert "100 %" in page.get_by_role("table", name="Request").inner_text()
    page.get_by_role("button", name="wrong").first.click()
    page.wait_for_function("() => document.querySelector('table').textContent.includes('0 %')")
    assert right.first.get_attribute("aria-pressed") == "false"


def test_all_of_it_works_without_scripts(browser: "Browser", live: Live) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(live))
    page.goto(f"{live.url}/console/conversations/{BOOTS.id}")
    page.get_by_role("link", name="Next turn").click()
    page.get_by_role("button", name="Fork here").click()
    page.wait_for_url("**/console/replays/*")
    assert page.locator("ins").count() > 0
    page.goto(f"{live.url}/console/guardrails")
    page.get_by_role("button", name="right", exact=True).nth(3).click()
    page.wait_for_url("**/console/guardrails?range=7d#*")
    assert page.get_by_role("button", name="right", exact=True).nth(3).get_attribute("aria-pressed") == "true"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", EVERY, ids=NAMES)
def test_a_page_has_no_serious_barrier(browser: "Browser", live: Live, path: str, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(address(live))
    answer = page.goto(live.url + path)
    assert answer is not None and answer.status == 200
    found = barriers(page)
    context.close()
    assert not found, found


@pytest.mark.parametrize("path", EVERY, ids=NAMES)
def test_a_narrow_screen_is_not_scrolled_sideways(browser: "Browser", live: Live, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address(live))
    page.goto(live.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_what_differs_is_told_without_colour(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/replays/{AGAIN.id}")
    lines = "nodes => nodes.map((node) => getComputedStyle(node).textDecorationLine)"
    assert page.locator("pre del").evaluate_all(lines) == ["line-through"]
    assert page.locator("pre ins").evaluate_all(lines) == ["underline"]
    assert page.locator("pre ins").text_content() == " [only now]  York. [end] "
