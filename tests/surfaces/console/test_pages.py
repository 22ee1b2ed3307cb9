"""What the pages say, as pages and as JSON."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx2
import msgspec
import pytest
from tests.surfaces.console.conftest import APPLICATION, JSON, Seeded, opened
from tests.surfaces.console.made import MS, trace
from tests.surfaces.http.conftest import Live, Start

from regista.core.nouns import Evidence, Feedback, Json, Span, Usage
from regista.feedback.labels import HIDDEN
from regista.surfaces.console.console import BELOW, PAGES

LONG = trace(
    900,
    ago_s=900,
    spans=(
        Span("agent", "walk", -1, 0, 900 * MS),
        *(Span("tools", f"step {n}", 0, n * MS, MS, "done", f"because {n}", {"n": n}) for n in range(1, 451)),
    ),
)
TRACES = [
    *(trace(n, status="error" if n % 20 == 0 else "ok") for n in range(1, 131)),
    trace(500, ago_s=500, model="openai/large", application="other", cost_nano=None, calls=()),
    LONG,
]

NOW = time.time_ns()
GIVEN = [
    *(Feedback("thumb", "user", NOW - n, trace(3).id, value=-1.0, by=f"reader {n}") for n in range(1, 3)),
    Feedback("comment", "reviewer", NOW, trace(3).id, text="It is the wrong neighbour."),
    Feedback(
        *("signal", "gateway", NOW, trace(4).id),
        name="regenerated",
        confidence=0.95,
        evidence=(Evidence(trace(5).id, "question", 0, 8, "where is"),),
    ),
    Feedback("signal", "gateway", NOW, trace(4).id, name=HIDDEN[0], confidence=0.3),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    server = Seeded(tmp_path_factory.mktemp("pages") / "shop", TRACES, GIVEN).live
    try:
        with opened(server) as client:
            yield client
    finally:
        server.stop()


def told(client: httpx2.Client, path: str, **query: str) -> Json:
    answer = client.get(path, params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", [*PAGES, *(f"{above}{LONG.id}" for above in BELOW if "traces" in above)])
def test_every_page_answers_a_browser_and_a_program(client: httpx2.Client, path: str) -> None:
    page = client.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.status_code == 200 and page.text.startswith("<!doctype html>") and "</html>" in page.text
    assert "Undefined" not in page.text and "object at 0x" not in page.text
    assert client.get(path, headers=JSON).headers["content-type"] == "application/json"


def test_pages_of_the_list_have_every_trace_once_the_newest_first(client: httpx2.Client) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = told(client, "/console/traces", after=after)
        seen += [row["id"] for row in page["rows"]]
        after = page["after"]
        if not after:
            break
    newest_first = sorted(TRACES, key=lambda one: -one.started_ns)
    assert seen == [one.id for one in newest_first]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "error"}, 6),
        ({"status": "ok", "model": "openai/large"}, 1),
        ({"application": "other"}, 1),
        ({"id": trace(7).id[:8]}, 1),
        ({"id": "no hex"}, 0),
        ({"text": "answer 7"}, 1),
        ({"text": '"parcel question"'}, 0),
        ({"text": "neighbour", "status": "error"}, 0),
        ({"model": "nobody's"}, 0),
        ({"range": "1h", "status": "cancelled"}, 0),
    ],
)
def test_a_filter_leaves_what_it_says(client: httpx2.Client, query: dict[str, str], count: int) -> None:
    assert len(told(client, "/console/traces", **query)["rows"]) == count
    page = client.get("/console/traces", params=query).text
    assert len(re.findall(r'<tr class="[^"]*" data-n=', page)) == count
    assert count or "No traces like that" in page


def test_the_filter_of_a_page_is_in_its_links(client: httpx2.Client) -> None:
    page = client.get("/console/traces", params={"application": "shop", "range": "24h"}).text
    older = re.search(r'<a href="(/console/traces\?[^"]*after=[^"]*)"', page)
    assert older is not None and "application=shop" in older[1] and "range=24h" in older[1]


@pytest.mark.parametrize(
    "query",
    [{"status": "odd"}, {"range": "1y"}, {"since": "yesterday"}, {"after": "x"}, {"after": "1-"}, {"until": "9" * 30}],
)
def test_what_cannot_be_meant_is_told_with_what_can(client: httpx2.Client, query: dict[str, str]) -> None:
    answer = client.get("/console/traces", params=query, headers=JSON)
    assert (answer.status_code == 400 and "give" in answer.text) or "take it from" in answer.text
    page = client.get("/console/traces", params=query)
    assert page.status_code == 400 and "Something is wrong" in page.text


def test_counts_of_the_list_are_those_of_its_traces(client: httpx2.Client) -> None:
    page = told(client, "/console/traces")
    assert sum(bar["traces"] for bar in page["histogram"]) == len(TRACES)
    assert sum(bar["failed"] for bar in page["histogram"]) == 6
    assert {one["name"]: one["traces"] for one in page["models"]} == {"openai/small": 131, "openai/large": 1}


def test_one_trace_says_what_was_decided_and_what_it_rests_on(client: httpx2.Client) -> None:
    page = told(client, f"/console/traces/{trace(3).id}")
    route = next(one for one in page["decisions"] if one["stage"] == "route")
    assert route["runner_up"] == "large" and route["unfit"] == {"tiny": "it takes no tools"}
    assert [step["policy"] for step in route["steps"]] == ["rules", "intents"]
    assert (
        page["citations"][0]["quote"] == "is left with a neighbour" and page["hits"][0]["document"] == "help/parcels.md"
    )
    assert page["calls"][0]["cost_nano"] == 450_000 and page["answer"].startswith("Answer 3")
    shown = client.get(f"/console/traces/{trace(3).id}").text
    for text in ("Runner-up", "it takes no tools", "no rule matched", "help/parcels.md", "waited 2 ms", "$0.00045"):
        assert text in shown


def test_time_is_counted_once_and_what_is_left_is_the_platforms_own(client: httpx2.Client) -> None:
    spent = told(client, f"/console/traces/{trace(3).id}")["spent"]
    parts = {part["name"]: part["ns"] for part in spent["parts"]}
    # 900 ms: a call of 870 ms; 8 ms of retrieval before it; the rest is Regista.
    assert parts == {"models": 870 * MS, "retrieval": 8 * MS, "Regista": 22 * MS}
    assert spent["platform_ns"] == 22 * MS and spent["share"] == pytest.approx(22 / 900)


def test_a_long_trace_comes_in_pages_of_spans(client: httpx2.Client) -> None:
    path = f"/console/traces/{LONG.id}"
    first = told(client, path)
    assert (len(first["spans"]), first["span_count"], first["next_span"]) == (200, 451, 200)
    last = told(client, path, spans="400")
    assert [span["n"] for span in last["spans"]] == list(range(400, 451)) and last["next_span"] is None
    assert {span["depth"] for span in last["spans"]} == {1}
    assert last["spans"][-1]["attributes"] == {"n": 450} and last["decisions"][-1]["reason"] == "because 450"
    page = client.get(path).text
    assert "251 more spans" in page and client.get(path, params={"spans": "400"}).text.count("step 4") >= 51


def test_an_unknown_trace_is_told_as_a_page_and_as_json(client: httpx2.Client) -> None:
    for path, words in (("/console/traces/ffffffff", "No trace"), ("/console/nothing", "no page")):
        page = client.get(path)
        assert page.status_code == 404 and words in page.text and "To the overview" in page.text
        assert words in client.get(path, headers=JSON).json()["error"]["message"]


def test_feedback_is_beside_its_trace_and_what_is_often_wrong_is_not_in_lists(client: httpx2.Client) -> None:
    marks = told(client, "/console/traces")["marks"]
    assert [(one["word"], one["times"], one["against"]) for one in marks[trace(3).id]] == [
        ("down", 2, True),
        ("comment", 1, False),
    ]
    assert [one["word"] for one in marks[trace(4).id]] == ["regenerated"] and trace(5).id not in marks
    given = told(client, f"/console/traces/{trace(4).id}")["feedback"]
    assert {one["name"]: one["shown"] for one in given} == {"regenerated": True, HIDDEN[0]: False}
    page = client.get(f"/console/traces/{trace(4).id}").text
    assert "such findings are right 95 % of the time" in page and "<q>where is</q>" in page
    assert "It is the wrong neighbour." in client.get(f"/console/traces/{trace(3).id}").text
    stage = next(one for one in told(client, "/console")["stages"] if one["name"] == "feedback")
    assert stage["count"] == 4 and stage["about"].startswith("down 2")


def test_the_overview_adds_up_what_the_list_shows(client: httpx2.Client) -> None:
    page = told(client, "/console")
    total = page["total"]
    assert (total["count"], total["failed"], total["unpriced"]) == (132, 6, 1)
    assert total["cost_nano"] == 131 * 450_000 and sum(step["count"] for step in page["steps"]) == 132
    assert page["models"][0]["model"] == "openai/small" and page["spent_nano"] == 131 * 450_000
    assert total["duration_ns"][0] == pytest.approx(900 * MS, rel=0.02)
    assert len(page["failed"]) == 6 and page["steps"][-1]["start_s"] - page["steps"][0]["start_s"] == 23 * 3600
    stages = {stage["name"]: stage for stage in page["stages"]}
    assert stages["traces"]["count"] == 132 and stages["evaluations"]["command"] == "regista eval --app shop"
    shown = client.get("/console").text
    assert "regista eval --app shop" in shown and shown.count("data-chart") == 5 and shown.count("data-twin") == 5


@pytest.mark.parametrize("range", ["1h", "6h", "7d", "30d", "90d"])
def test_every_stretch_of_time_has_steps_without_gaps(client: httpx2.Client, range: str) -> None:
    steps = told(client, "/console", range=range)["steps"]
    apart = {b["start_s"] - a["start_s"] for a, b in pairwise(steps)}
    assert len(apart) == 1 and len(steps) <= 90 and sum(step["count"] for step in steps) == 132


def test_models_that_are_configured_and_that_were_called_are_listed(client: httpx2.Client) -> None:
    page = told(client, "/console/models")
    assert [(one["name"], one["model"], one["did"]) for one in page["models"]] == [("default", "echo/mirror", None)]
    assert [(one["model"], one["count"]) for one in page["others"]] == [("openai/small", 131)]


def test_pages_with_nothing_on_them_say_what_fills_them(start: Start) -> None:
    with opened(start(APPLICATION)) as client:
        wanted = {
            "/console": "regista ask shop &#39;a question&#39;",
            "/console/traces": "regista ask shop &#39;a question&#39;",
            "/console/evaluations": "regista eval --app shop",
        }
        for path, command in wanted.items():
            assert f"<code>{command}</code>" in client.get(path).text


def test_an_evaluation_is_listed_and_shown_with_its_intervals(start: Start, tmp_path: Path) -> None:
    server = start(APPLICATION)
    evals = server.folder / "evals"
    evals.mkdir()
    (evals / "echoes.toml").write_text('cases = "echoes.jsonl"\n[scorers.exact]\n')
    cases = [
        {
            "id": str(n),
            "input": str(n),
            "references": {"answer": str(n) if n % 3 else "x"},
            "slices": {"odd": str(n % 2)},
        }
        for n in range(30)
    ]
    lines = [msgspec.json.encode(case).decode() for case in cases]
    (evals / "echoes.jsonl").write_text("\n".join(lines))
    evaluate(server)
    with opened(server) as client:
        listed = told(client, "/console/evaluations")["runs"]
        assert [(one["run"]["suite"], one["done"], one["of"]) for one in listed] == [("echoes", 30, 30)]
        run = told(client, f"/console/evaluations/{listed[0]['run']['id']}")
        estimate = run["estimates"][0]["estimate"]
        assert estimate["low"] < estimate["mean"] < estimate["high"] and estimate["ok"] == 30
        assert [slice["name"] for slice in run["slices"]] == ["odd"] and len(run["slices"][0]["rows"]) == 2
        shown = client.get(f"/console/evaluations/{listed[0]['run']['id']}").text
        assert "exact by odd" in shown and f"{estimate['mean']:.3f}" in shown
        assert client.get("/console/evaluations/unknown").status_code == 404


def evaluate(server: Live) -> None:
    """Try the application on its suites, as its user does."""
    command = [sys.executable, "-m", "regista", "eval", "--app", str(server.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_live_tail_sends_rows_with_the_number_to_go_on_from(start: Start) -> None:
    server = start(APPLICATION)
    with opened(server) as client:
        with client.stream("GET", "/console/traces/live", params={"since_n": "0"}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            server.ask("shop", "first\r\n\r\nevent: other\ndata: x")
            lines = (line for line in answer.iter_lines() if line and not line.startswith(":"))
            event = [next(lines) for _ in range(6)]
        assert event[0] == "id: 1" and all(line.startswith("data: ") for line in event[1:])
        server.ask("shop", "second")
        with client.stream("GET", "/console/traces/live", headers={"last-event-id": "1"}) as answer:
            text = ""
            for line in answer.iter_lines():
                text += line
                if "data: </tr>" in line:
                    break
        assert "second" in text and "first" not in text
        assert client.get("/console/traces/live", params={"since_n": "x"}, headers=JSON).status_code == 400


def test_a_server_that_ends_ends_its_tails_whole(start: Start) -> None:
    server = start(APPLICATION)
    with opened(server) as client, client.stream("GET", "/console/traces/live") as answer:
        assert answer.status_code == 200
        server.process.terminate()
        assert all(line.startswith(":") or not line for line in answer.iter_lines()), "It is not broken off."
    assert server.stop() == 0


def test_usage_that_is_absurd_is_shown(tmp_path: Path) -> None:
    odd = trace(
        1, usage=Usage(2**62, 2**62), duration_ns=0, spans=(), calls=(), first_token_ns=0, question="", answer=""
    )
    server = Seeded(tmp_path / "shop", [odd]).live
    try:
        with opened(server) as client:
            for path in ("/console", "/console/traces", f"/console/traces/{odd.id}"):
                assert client.get(path).status_code == 200 and client.get(path, headers=JSON).status_code == 200
    finally:
        server.stop()
