"""The tests of what others stored see what there is to see: where nothing is escaped, what can run does."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.surfaces.console.payloads import PAYLOADS, PLAIN, SOUP, Parser, ran

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TEXT, DOUBLE, SINGLE, LINK = (
    "<main><p>{}</p></main>",
    '<main><input value="{}"></main>',
    "<main><input value='{}'></main>",
    '<main><a href="{}">on</a></main>',
)
"""Places of a page that escape nothing."""
ATTRIBUTES = {22: TEXT, 23: LINK, 24: DOUBLE, 25: SINGLE}
"""Payloads that run where they stand here, once somebody touches them."""
NEEDS_MORE = {
    21: "browsers refuse it in an object",
    32: "htmx",
    34: "what copies a template",
    38: "what drops NUL",
    39: "what parses twice",
    40: "UTF-7",
}
"""Payloads with a mark that no plain page of a browser runs, and what would."""
INERT = {10: "Markdown", 35: "templates", 40: "UTF-7"}
"""Payloads of which a browser's parser makes nothing, and what they are for."""
RUN = {n for n, text in enumerate(PAYLOADS) if f"ran{n}" in text} - {*NEEDS_MORE, *ATTRIBUTES}


@pytest.fixture
def raw(browser: "Browser") -> "Iterator[Page]":
    """A page with no policy, which is given nothing that it asks for."""
    context = browser.new_context()
    context.route("**", lambda route: route.fulfill(status=204))
    yield context.new_page()
    context.close()


def put(page: "Page", place: str, text: str) -> None:
    page.set_content(place.replace("{}", text), wait_until="commit")


def seen(page: "Page", numbers: set[int]) -> None:
    """Wait for the marks of these, and of no other."""
    names = sorted(f"ran{n}" for n in numbers)
    page.wait_for_function("names => names.every(name => name in window)", arg=names)
    assert sorted(ran(page)) == names


def test_all_that_run_do_where_all_are_at_once_and_nothing_is_escaped(raw: "Page") -> None:
    assert len(RUN) >= 20
    put(raw, TEXT, SOUP)
    seen(raw, RUN)


def test_each_leaves_its_own_mark(raw: "Page") -> None:
    done: set[int] = set()
    for n in sorted(RUN):
        put(raw, TEXT, PAYLOADS[n])
        done.add(n)
        seen(raw, done)


@pytest.mark.parametrize("n", ATTRIBUTES)
def test_what_is_for_attributes_runs_there(raw: "Page", n: int) -> None:
    put(raw, ATTRIBUTES[n], PAYLOADS[n])
    raw.locator("a, input").click()
    seen(raw, {n})


@pytest.mark.parametrize("n", [11, 27, 28, 29])
def test_what_asks_for_something_elsewhere_is_seen(raw: "Page", n: int) -> None:
    with raw.expect_request(lambda one: one.url.startswith("http://evil.example/")):
        put(raw, TEXT, PAYLOADS[n])


def test_a_parser_sees_that_a_page_is_made_of_more(raw: "Page") -> None:
    parser = Parser(raw)
    for n in {*range(len(PAYLOADS))} - {*INERT}:
        places = (LINK,) if n == 23 else (TEXT, DOUBLE, SINGLE)
        told = [[parser.read(place.replace("{}", text)).made_of for text in (PAYLOADS[n], PLAIN)] for place in places]
        assert any(found - plain for found, plain in told), PAYLOADS[n]
