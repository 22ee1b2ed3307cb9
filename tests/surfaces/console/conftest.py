"""A console over a store that is full, as a user opens it: with a server on loopback, and in a real browser."""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.surfaces.console.made import Talk
from tests.surfaces.http.conftest import Live, start, write

from regista.core.nouns import Feedback, Trace
from regista.store import connect, conversations, feedback
from regista.store.traces import write as write_traces

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["start"]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
APPLICATION = """
[app]
name = "shop"
[models.default]
model = "echo/mirror"
[cache]
exact = true
"""
JSON = {"accept": "application/json"}


def seed(folder: Path, traces: Sequence[Trace], given: Sequence[Feedback] = (), talks: Sequence[Talk] = ()) -> None:
    """Store traces and conversations, and feedback on them, before a server is there."""
    (folder / ".regista").mkdir(parents=True, exist_ok=True)
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    given = [*given, *(one for talk in talks for one in talk.found)]
    with database.transaction() as transaction:
        write_traces(transaction, [*traces, *(one for talk in talks for one in talk.traces)])
        feedback.put(transaction, [feedback.Kept(os.urandom(16), one, "default", "shop") for one in given])
        for talk in talks:
            conversations.write(transaction, talk.turns, {}, [talk.session])
            conversations.end(transaction, talk.session)
    database.close()


def address(live: Live) -> str:
    """What `regista up` printed for a browser."""
    found = re.search(r"in a browser: (\S+)", live.log.read_text())
    assert found is not None, live.log.read_text()
    return found[1]


@contextmanager
def opened(live: Live) -> Generator[httpx2.Client]:
    """A client that came in by that address."""
    with httpx2.Client(base_url=live.url, follow_redirects=False) as client:
        answer = client.get(address(live).removeprefix(live.url))
        assert answer.status_code == 303, answer.text
        yield client


class Seeded:
    """A running server whose store was full before it began."""

    def __init__(
        self,
        folder: Path,
        traces: Sequence[Trace],
        given: Sequence[Feedback] = (),
        talks: Sequence[Talk] = (),
        configuration: str = APPLICATION,
    ) -> None:
        seed(write(folder, configuration), traces, given, talks)
        self.live = Live(folder)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One browser for a file: while it is there, a loop runs that async tests of other files cannot have beside theirs.

    Where tests must be whole, as in CI, there is no skipping them.
    """
    absent = [name for name, there in (("playwright", find_spec("playwright")), ("chromium", CHROMIUM)) if not there]
    if absent and not os.environ.get("CI"):
        pytest.skip(f"The console is not tried in a browser: {' and '.join(absent)} missing (apt-get install chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing

    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


SKIPPED = "Transition was skipped"
"""What Chromium reports where the next page comes while it still fades to this one: nothing is wrong with either."""


class Visits:
    """Opens consoles, each in a fresh browser, and takes down what goes wrong there."""

    def __init__(self, browser: "Browser") -> None:
        self.wrong: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def __call__(self, live: Live) -> "Page":
        wrong = self.wrong
        context = self._browser.new_context(viewport={"width": 1440, "height": 900})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: None if SKIPPED in str(error) else wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss())[0])
        page.on("console", lambda told: wrong.append(told.text) if _is_wrong(told.type, told.text) else None)
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((live.url, "data:")) else wrong.append(f"asked {asked.url}"),
        )
        page.goto(address(live))
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visit(browser: "Browser") -> "Iterator[Callable[[Live], Page]]":
    """Opens a console in a fresh browser. A script error, or anything the policy had to stop, fails the test."""
    visits = Visits(browser)
    yield visits
    visits.close()
    assert not visits.wrong, visits.wrong


def _is_wrong(kind: str, text: str) -> bool:
    # An answer of 404 or 401 is written there too, and is what some tests ask for.
    return kind == "error" and "Failed to load resource" not in text


def barriers(page: "Page") -> list[tuple[str, list[str]]]:
    """The serious findings of axe on a page, each with where; the page must take scripts from anywhere."""
    page.wait_for_load_state("networkidle")
    page.evaluate((files("axe_core_python") / "axe.min.js").read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in serious]
