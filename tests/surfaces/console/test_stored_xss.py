"""What was stored by others is text on every page: none of it runs, loads anything or steers the page.

Pages with every payload at once are loaded in a real browser; that nothing ran there is also checked by the fixtures
`visit` and `page`: no dialog, no script error, nothing the policy had to stop, no request to anywhere else. Pages of
one payload each are read by that browser's parser: they are made of what pages of plain words are made of.
`test_payloads.py` shows that both see what runs where nothing is escaped.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx2
import pytest
from msgspec.structs import replace
from tests.store.test_alarms import alarm
from tests.surfaces.console.conftest import APPLICATION, Visits, address, opened, seed
from tests.surfaces.console.made import MS, Talk, call, trace
from tests.surfaces.console.payloads import PAYLOADS, PLAIN, SOUP, Parser, ran
from tests.surfaces.http.conftest import Live, write

from regista.core.evaluation import Estimate, Report, Slice
from regista.core.nouns import Citation, Evidence, Feedback, Span, Trace
from regista.data import dataset
from regista.data.dataset import Example, Lineage
from regista.store import connect, evaluations, prompts
from regista.store.alarms import open_alarm
from regista.store.conversations import SessionRow, TurnRow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MADE = "script, img, iframe, base, style, object, meta, video, details[ontoggle], [onerror], [onload]"
FOREIGN = f"main :is({MADE})"
"""Elements that no page has, and some payload would make."""

TOLD = dict(enumerate(PAYLOADS, 1))
"""What traces say, by their numbers: one payload each."""
WHOLE = {n: SOUP for n in (60, 61, 62)}
"""Traces of every payload: all of them where a field is one text, each by itself where a trace has a list."""
HARMLESS = {n: PLAIN for n in range(70, 76)}
"""Traces of nothing but plain words, in each of the states of a trace."""
SAID = TOLD | WHOLE | HARMLESS

TEXTS = (
    *("application", "variant", "model", "tenant", "error", "cached", "price_version", "question", "answer", "key"),
    "user",
)
"""The fields of a trace that are text."""


def each(n: int) -> tuple[str, ...]:
    """What the lists of a trace say, one by one."""
    return PAYLOADS if n in WHOLE else (SAID[n],)


def infected(n: int, text: str) -> Trace:
    """A trace with the text in every field that is one; in lists, each of what `each` has for its number."""
    made = trace(n, status="error")
    said: dict[str, Any] = dict.fromkeys(TEXTS, text)
    if n % 2:
        said["error"] = ""  # a list shows the error in the place of the answer
    return replace(
        made,
        **said,
        status=("error", "ok", text)[n % 3],
        citations=tuple(Citation(one, 0, 1, one, 1) for one in each(n)),
        spans=tuple(span for one in each(n) for span in spans(one)),
        calls=tuple(replace(call(made.started_ns, "error"), **dict.fromkeys(NAMES, one)) for one in each(n)),
    )


NAMES = ("biller", "model", "reason", "cause", "status")
"""The fields of a call that are text."""


def spans(text: str) -> Iterator[Span]:
    """Spans of every kind that a page looks into, with the text wherever they have one."""
    decided = {"policy": text, "runner_up": text, "unfit": {text: text}, "notes": [text], text: {text: [text]}}
    decided |= {"steps": [{"policy": text, "model": text, "reason": text, "scores": {text: 0.5}}]}
    hits = [{"document": text, "start": text, "end": text, "score": text, "text": text}]
    yield Span(text, text, -1, 0, 900 * MS, text, text, decided)
    yield Span("route", text, 0, 0, MS, text, text, decided)
    yield Span("retrieve", text, 0, 0, MS, text, text, {"hits": hits})
    yield Span("tools", text, 0, 0, MS, text, text, {"calls": [{"name": text, "arguments": text}], "results": [text]})


def thought() -> list[Feedback]:
    """Feedback on each of those traces, with the text wherever it may have one."""
    of_kinds: list[Feedback] = []
    for n in SAID:
        for text in each(n):
            words = (Evidence(trace(n).id, "question", 0, 1, text),)
            for kind in ("comment", "label", "signal", "correction"):
                given = Feedback(kind, "user", n, trace(n).id, name=text, text=text, by=text, evidence=words)
                of_kinds.append(given)
    return of_kinds


def talked() -> list[Talk]:
    """Each of those traces as the one turn of a conversation, whose names are the text."""
    talks: list[Talk] = []
    for n, text in SAID.items():
        of = infected(n, text)
        turn = bytes.fromhex(of.id) + of.started_ns.to_bytes(8)
        row = TurnRow(turn, turn, of.started_ns, of.started_ns, text, text, turn, refused=False)
        on_all = [Feedback("comment", "user", n, session=of.id, text=one, by=one) for one in each(n)]
        talks.append(Talk([of], [row], SessionRow(turn, text, text, of.started_ns), on_all))
    return talks


def fired() -> list[Trace]:
    """Traces of the application in which a guardrail found the text, and asked again what is in an infected trace."""
    made: list[Trace] = []
    for n, text in SAID.items():
        again = Span("replay", trace(n).id, -1, 0, MS, text, text, {"started_ns": text, "turns": text})
        found = [Span("guard request", one, -1, 0, MS, "mask", f"pii: 1 {one}; {one}: 2 {one}") for one in each(n)]
        said = f"{text} and more"
        of = replace(infected(n, text), id=trace(n + 5000).id, application="shop", answer=said, spans=(again, *found))
        made.append(of)
    return made


def infect_evaluations(live: Live) -> None:
    """A run whose names and sentences are payloads, whole and not."""
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    for n, text in enumerate(PAYLOADS[:12]):
        names = (f"run{n}", "shop", text, text, text, text, text)
        run = evaluations.Run(*names, 1, text, {text: text}, {}, cases=9, started_ns=10**18 + n)
        evaluations.begin(database, run)
        mean = Estimate(text, 0.5, 0.4, 0.6, 0.95, text, 9, 9, 9, 0, 0, 0.5, 0.5, warnings=(text,))
        report = Report(
            *(run.id, text, text, "shop", text, text, text, 9, 1, 10**18, 10**9, 0, text, (mean,)),
            slices=(Slice(text, text, (mean,)),),
            warnings=(text,),
        )
        if n % 3:
            evaluations.finish(database, report)
    database.close()


def infect_prompts(folder: Path) -> None:
    """Prompts whose names and texts are payloads, served by variants that are called so."""
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    for n, text in enumerate((PLAIN, *PAYLOADS, SOUP)):
        for at in range(2):
            texts = f"same\n{text}\n{at} {text}", f"{text}\n{at} {text}"
            said = {text: (f"{text}{at}", texts[0]), "answer": (f"{text}{at}", texts[1])}
            prompts.keep(database, "shop", (f"{text}{at}", text), said, "answer", 10**18 + n + at)
    database.close()


def infect_datasets(folder: Path) -> None:
    """A dataset of payloads wherever an example and its lineage have text."""
    examples = [
        Example(f"{n}", f"{n} {text}", text, text, text, text, text, 10**18, text) for n, text in enumerate(PAYLOADS)
    ]
    of = Lineage("odd", "", PAYLOADS[0], 10**18, 0, {PAYLOADS[1]: PAYLOADS[2]}, {PAYLOADS[3]: 1}, {PAYLOADS[4]: 1})
    dataset.keep(folder, examples, replace(of, parent=PAYLOADS[5]))


def infect_alarms(folder: Path) -> None:
    """Open alarms of features, places and values that are payloads."""
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    for n in range(8):
        aspect, name, before, now, more = PAYLOADS[5 * n : 5 * n + 5]
        texts = {"aspect": aspect, "name": name, "before": before, "now": now, "more": more}
        open_alarm(database, alarm(**texts, id=f"{n}{more}", examples=(more,), opened_ns=n))
    database.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("xss") / "shop"
    guarded = f'{APPLICATION}[guardrails]\nrequest = ["pii"]\n'
    seed(write(folder, guarded), fired(), thought(), talked())
    infect_prompts(folder)
    infect_datasets(folder)
    infect_alarms(folder)
    server = Live(folder)
    infect_evaluations(server)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def visits(browser: "Browser") -> Iterator[Visits]:
    """The browser of this file's lists: one, which comes in once."""
    opens = Visits(browser)
    yield opens
    opens.close()


@pytest.fixture(scope="module")
def inside(visits: Visits, live: Live) -> "Page":
    return visits(live)


@pytest.fixture
def page(visits: Visits, inside: "Page") -> "Iterator[Page]":
    """A page that is inside already. A script error, or anything the policy had to stop, fails the test."""
    visits.wrong.clear()
    yield inside
    inside.evaluate("1")  # what went wrong is told in its order: before this answer
    assert not visits.wrong, visits.wrong


@pytest.fixture(scope="module")
def parser(browser: "Browser") -> Parser:
    return Parser(browser.new_page())


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx2.Client]:
    with opened(live) as inside:
        yield inside


def test_there_are_many_payloads() -> None:
    assert len(set(PAYLOADS)) >= 30


@pytest.mark.parametrize(
    "path",
    [
        *("/console", "/console?range=7d", "/console/traces", "/console/traces?status=error", "/console/models"),
        *("/console/evaluations", "/console/evaluations/run0", "/console/evaluations/run1", "/console/traces?tables=1"),
        *("/console/review", "/console/review/answers?by=ann"),
        *("/console/conversations", "/console/guardrails", f"/console/traces?user={quote(PAYLOADS[0])}"),
        *("/console/comparison", "/console/datasets", "/console/datasets/odd", "/console/datasets/odd?from=25"),
        *("/console/prompts", "/console/prompts/answer", "/console/prompts/answer/playground"),
        *(f"/console/traces/{trace(n).id}" for n in WHOLE),
        *(f"/console/conversations/{trace(n).id}" for n in WHOLE),
        *(f"/console/replays/{trace(n + 5000).id}" for n in WHOLE),
    ],
)
def test_what_others_stored_runs_nothing(page: "Page", live: Live, path: str) -> None:
    stays(page, live, path)


ONE_BY_ONE = {
    "/console/traces/": (0, 0, ""),
    "/console/conversations/": (0, -1, ""),
    "/console/replays/": (5000, -1, " [only now] "),
}
"""Pages of one trace: how far its number is from the text's, which block has the text, and what may stand in it."""


@pytest.mark.parametrize("path", ONE_BY_ONE)
def test_a_page_of_what_others_stored_is_made_of_what_a_page_of_plain_words_is(
    client: httpx2.Client, parser: Parser, path: str
) -> None:
    further, block, beside = ONE_BY_ONE[path]
    pages = {n: parser.read(policed(client.get(f"{path}{trace(n + further).id}"))) for n in SAID}
    plain = frozenset[str]().union(*(pages[n].made_of for n in HARMLESS))
    for n, text in SAID.items():
        assert pages[n].made_of <= plain, (text, pages[n].made_of - plain)
        shown = pages[n].texts[block].replace(beside, "")
        for one in each(n):
            assert one.strip("\n\u0000\u202e")[:5].replace("\u0000", "␀") in shown, f"{one} is there, as text."


def test_a_prompt_of_what_others_stored_is_text(
    page: "Page", live: Live, client: httpx2.Client, parser: Parser
) -> None:
    plain = parser.read(policed(client.get(f"/console/prompts/{quote(PLAIN, safe='')}"))).made_of
    for text in PAYLOADS:
        if "\x00" not in text and not text.startswith("/"):
            shown = policed(client.get(f"/console/prompts/{quote(text, safe='')}"))
            assert parser.read(shown).made_of <= plain, text
            assert shown.count('<tr class="added">') == 1
    page.goto(f"{live.url}/console/prompts/{encoded(SOUP)}")
    assert ran(page) == [] and page.locator(FOREIGN).count() == 0


def test_what_is_tried_in_the_playground_runs_nothing(
    visit: "Callable[[Live], Page]", live: Live, client: httpx2.Client, parser: Parser
) -> None:
    path = "/console/prompts/answer/playground"

    def tried(text: str) -> dict[str, str]:
        prompt = "{{role 'user'}}\n{{question}}\n" + text.replace("{", "")
        both = {"model0": "echo/mirror", "model1": "echo/mirror", "text0": prompt, "text1": text + "{{"}
        return both | {"question": text, "history": "", "hits": "", "samples": "1", "text2": ""}

    plain = parser.read(policed(client.post(path, data=tried(PLAIN)))).made_of
    for text in PAYLOADS:
        shown = policed(client.post(path, data=tried(text.replace("\x00", ""))))
        assert 'role="alert"' in shown and 'aria-label="answer 1 of A"' in shown
        assert parser.read(shown).made_of <= plain, text
    page = visit(live)
    page.goto(live.url + path)
    given = tried(SOUP.replace("\x00", ""))
    page.get_by_label("question").fill(given["question"])
    page.get_by_label("prompt of A").fill(given["text0"])
    page.get_by_label("model of B").select_option("echo/mirror")
    page.get_by_label("prompt of B").fill(given["text1"])
    page.get_by_role("button", name="Ask").click()
    page.get_by_role("alert").first.wait_for()
    assert ran(page) == [] and page.locator(FOREIGN).count() == 0
    assert page.get_by_label("answer 1 of A").count() == 1 and page.url.startswith(live.url)


NAMES_IN_ADDRESSES = (
    *("text", "id", "model", "application", "status", "range", "after", "suite", "since", "signal", "trace", "turn"),
    *("baseline", "cases", "dataset", "added"),
)


@pytest.mark.parametrize(
    "path",
    [
        f"/console/{name}"
        for name in (
            *("traces", "models", "evaluations", "conversations", "guardrails", "nothing", "traces/x"),
            *("comparison", "datasets/odd"),
        )
    ]
    + ["/console"],
)
def test_what_an_address_says_runs_nothing_either(
    page: "Page", live: Live, client: httpx2.Client, parser: Parser, path: str
) -> None:
    texts = (PAYLOADS[0], PAYLOADS[8], PAYLOADS[24])
    taken: dict[bool, list[str]] = {True: [], False: []}
    whole = parser.read(client.get(path).text).made_of
    for name in NAMES_IN_ADDRESSES:
        plain = whole | parser.read(client.get(path, params={name: "plain"}).text).made_of
        answers = [client.get(path, params={name: text}) for text in texts]
        for text, answer in zip(texts, answers, strict=True):
            assert parser.read(policed(answer, answer.status_code)).made_of <= plain, (name, text)
        taken[all(answer.status_code == 200 for answer in answers)].append(name)
    for names in filter(None, taken.values()):  # one that is refused is all that a page speaks of
        page.goto(f"{live.url}{path}?" + "&".join(f"{name}={encoded(''.join(texts))}" for name in names))
        assert ran(page) == [] and page.locator(FOREIGN).count() == 0


def test_an_address_to_go_on_to_runs_nothing(page: "Page", live: Live) -> None:
    page.goto(f"{live.url}/console/login?ticket={encoded(PAYLOADS[8])}&next={encoded(PAYLOADS[23])}")
    assert ran(page) == []


def test_the_live_tail_brings_text_too(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces?live=1")
    for text in PAYLOADS:
        live.ask("shop", text)
    page.locator("tr.fresh").nth(len(PAYLOADS) - 1).wait_for(state="attached")
    assert ran(page) == [] and "/console/traces?live=1" in page.url
    assert page.locator(FOREIGN).count() == 0


def test_every_one_of_these_pages_has_its_policy(client: httpx2.Client) -> None:
    for path in ("/console", "/console/traces", "/console/evaluations/run1", f"/console/traces/{trace(1).id}"):
        policed(client.get(path))


def stays(page: "Page", live: Live, path: str) -> None:
    """Go to a page, touch what is on it, and find that nothing ran and nothing led away."""
    answer = page.goto(live.url + path)
    assert answer is not None and answer.status == 200
    assert "script-src 'nonce-" in answer.headers["content-security-policy"]
    page.keyboard.press("j")
    page.mouse.move(400, 300)
    page.mouse.move(700, 500)
    for summary in page.locator("details summary").all()[:3]:
        summary.click()
    page.wait_for_timeout(120)
    assert ran(page) == []
    assert page.url.startswith(live.url + path.partition("?")[0])
    foreign = (
        "main script, main img, main iframe, main base, main style, main object, main meta, main [onerror], [onload]"
    )
    assert page.locator(foreign).count() == 0
    assert page.locator('a[href^="javascript:" i]').count() == 0
    assert address(live)


def policed(answer: httpx2.Response, status: int = 200) -> str:
    """The text of an answer, which is a page with its policy."""
    assert answer.status_code == status and "script-src 'nonce-" in answer.headers["content-security-policy"]
    return answer.text


def encoded(text: str) -> str:
    return quote(text.replace("\x00", ""), safe="")
