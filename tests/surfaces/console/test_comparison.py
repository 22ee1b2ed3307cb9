"""Two runs side by side, as `regista compare` compares them."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from tests.surfaces.console.conftest import JSON, address, barriers, opened
from tests.surfaces.console.payloads import PAYLOADS
from tests.surfaces.console.test_stored_xss import stays
from tests.surfaces.http.conftest import PROMPT, Live, write

from regista.core.evaluation import Correction
from regista.core.nouns import Json
from regista.evaluate.compare import compare
from regista.store import connect, evaluations
from regista.surfaces.console import rendering
from regista.surfaces.console.views.comparison import Made, sorted_cases, told

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

APPLICATION = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/mirror"\n'
STATE = {"baseline": "a", "candidate": "b", "cases": ""}
FRAME: Json = {
    **{"application": "shop", "variant": "v", "problems": [], "path": "/console/comparison", "base": "/x"},
    **{"version": "0", "navigation": [], "title": "Comparison"},
}
CASES: list[Json] = [
    {
        "id": f"case-{n}",
        "input": f"{n}?",
        "references": {"answer": f"{n}?!" if n % 4 else f"{n}?"},
        "slices": {"odd": str(n % 2)},
        "critical": n == 4,
    }
    for n in range(60)
]


def write_suite(folder: Path) -> Path:
    """An application whose variant `loud` is right in three cases of four, and itself in one."""
    write(folder, APPLICATION)
    (folder / "prompts" / "loud.prompt").write_text(PROMPT.replace("{{question}}", "{{question}}!"))
    (folder / "variants").mkdir()
    (folder / "variants" / "loud.toml").write_text('[app]\nprompt = "loud"\n')
    (folder / "evals").mkdir()
    (folder / "evals" / "echoes.toml").write_text('cases = "echoes.jsonl"\n[scorers.exact]\n[scorers.tokens]\n')
    (folder / "evals" / "other.toml").write_text('cases = "echoes.jsonl"\n[scorers.exact]\n')
    (folder / "evals" / "echoes.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, CASES)))
    return folder


def regista(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "regista", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_suite(tmp_path_factory.mktemp("comparison") / "shop")
    regista("eval", "echoes", "--app", str(folder))
    regista("eval", "echoes", "--app", str(folder), "--variant", "loud")
    regista("eval", "other", "--app", str(folder))
    return folder


@pytest.fixture(scope="module")
def live(shop: Path) -> Iterator[Live]:
    server = Live(shop)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx2.Client]:
    with opened(live) as client:
        yield client


@pytest.fixture(scope="module")
def ids(client: httpx2.Client) -> dict[tuple[str, str], str]:
    """The runs by suite and variant."""
    runs = client.get("/console/evaluations", headers=JSON).json()["runs"]
    return {(one["run"]["suite"], one["run"]["variant"]): one["run"]["id"] for one in runs}


@pytest.fixture
def both(ids: dict[tuple[str, str], str]) -> dict[str, str]:
    return {"baseline": ids["echoes", "base"], "candidate": ids["echoes", "loud"]}


def asked(client: httpx2.Client, **query: str) -> Json:
    answer = client.get("/console/comparison", params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_says_what_the_command_says(client: httpx2.Client, both: dict[str, str], shop: Path) -> None:
    page = asked(client, **both)
    command = regista("compare", both["baseline"][:12], both["candidate"][:12], "--app", str(shop), "--json")
    compared: Json = msgspec.json.decode(command)
    assert [row["difference"] for row in page["scores"]] == compared["differences"]
    exact = page["scores"][0]
    assert (exact["shows"], exact["difference"]["wins"], exact["difference"]["losses"]) == ("better", 45, 15)
    assert page["decides"]["difference"] == pytest.approx(0.5) and "better on exact" in page["told"]
    assert [slice["name"] for slice in page["slices"]] == ["odd"]


def test_the_page_says_differences_with_intervals_and_the_verdict_in_words(
    client: httpx2.Client, both: dict[str, str]
) -> None:
    page = client.get("/console/comparison", params=both).text
    assert "The candidate is better on exact" in page and "this finds differences from" in page
    for words in ("45 wins, 15 losses", "+0.500", "exact by odd", "lower is better", "cost a case"):
        assert words in page, words
    assert re.search(r'class="verdict better"><span aria-hidden="true">▲</span> better', page)


def test_cases_come_in_pages_with_both_answers(client: httpx2.Client, both: dict[str, str]) -> None:
    seen: list[str] = []
    at: str | None = "0"
    while at is not None:
        page = asked(client, **both, cases="won", **{"from": at})
        seen += [case["id"] for case in page["cases"]]
        assert all(case["candidate"] == f"{case['baseline']}!" for case in page["cases"])
        at = str(page["after"]) if page["after"] is not None else None
    assert sorted(seen) == sorted(case["id"] for case in CASES if int(case["id"][5:]) % 4)
    lost = asked(client, **both)
    assert lost["state"]["cases"] == "lost" and lost["counts"] == {"lost": 15, "won": 45, "unpaired": 0}
    assert [case["id"] for case in client_cases(client, both) if case["critical"]] == ["case-4"]


def test_a_run_shows_what_was_answered_the_worst_first_by_whichever_scorer(
    client: httpx2.Client, ids: dict[tuple[str, str], str]
) -> None:
    path = f"/console/evaluations/{ids['echoes', 'loud']}"
    page = client.get(path, headers=JSON).json()
    assert (page["by"], page["scorers"], page["of"], len(page["cases"])) == ("exact", ["exact", "tokens"], 60, 20)
    wrong = [case["id"] for case in CASES if not int(case["id"][5:]) % 4]
    assert [case["id"] for case in page["cases"][: len(wrong)]] == wrong
    assert [case["id"] for case in page["cases"] if case["critical"]] == ["case-4"]
    assert page["cases"][1]["answer"] == "4?!" and page["cases"][1]["score"]["value"] == 0
    seen: list[str] = []
    at: int | None = 0
    while at is not None:
        one = client.get(path, params={"by": "tokens", "from": at}, headers=JSON).json()
        seen += [case["id"] for case in one["cases"]]
        at = one["after"]
    assert sorted(seen) == sorted(case["id"] for case in CASES)
    shown = client.get(path).text
    assert "Cases that exact found worst" in shown and "critical" in shown and "4?!" in shown
    told = client.get(path, params={"by": "nobody"}, headers=JSON)
    assert told.status_code == 400 and "exact, tokens" in told.text


def client_cases(client: httpx2.Client, both: dict[str, str]) -> list[Json]:
    pages = [asked(client, **both, cases="lost", **{"from": str(at)}) for at in (0, 10)]
    return [case for page in pages for case in page["cases"]]


def test_without_two_runs_those_of_suites_with_several_are_offered(
    client: httpx2.Client, ids: dict[tuple[str, str], str]
) -> None:
    assert {run["suite"] for run in asked(client)["runs"]} == {"echoes"}
    page = client.get("/console/comparison", params={"baseline": ids["echoes", "base"]}).text
    assert f'value="{ids["echoes", "base"]}" selected' in page
    listed = client.get("/console/evaluations").text
    assert listed.count('name="baseline"') == 3 and 'action="/console/comparison"' in listed
    one = client.get(f"/console/evaluations/{ids['echoes', 'loud']}").text
    assert f"/console/comparison?baseline={ids['echoes', 'base']}" in one


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"cases": "odd"}, 400, "lost, won, unpaired"),
        ({"from": "x"}, 400, "number of a case"),
        ({"candidate": "nothing"}, 404, "no whole run"),
    ],
)
def test_what_cannot_be_meant_is_told(
    client: httpx2.Client, both: dict[str, str], query: dict[str, str], status: int, words: str
) -> None:
    answer = client.get("/console/comparison", params=both | query)
    assert answer.status_code == status and words in answer.text


def test_runs_of_two_suites_are_not_compared(client: httpx2.Client, ids: dict[tuple[str, str], str]) -> None:
    query = {"baseline": ids["echoes", "base"], "candidate": ids["other", "base"]}
    answer = client.get("/console/comparison", params=query, headers=JSON)
    assert answer.status_code == 400 and "suite" in answer.json()["error"]["message"]


def test_what_is_known_of_a_judge_stands_beside_its_figures(shop: Path) -> None:
    database = connect(f"sqlite://{shop / '.regista' / 'regista.db'}")
    runs = {run.variant: run for run in evaluations.runs(database, "shop", "echoes")}
    found = compare(database, runs["base"], runs["loud"])
    database.close()
    plain = told(Made(found, sorted_cases(found)), STATE, 0)["judges"]
    assert not any(any(one["corrected"].values()) for one in plain)
    right = Correction(0.31, 0.2, 0.42, 40, "PPI++")
    refused = Correction(None, None, None, 9, "PPI++", "30 labelled cases are needed, and 9 are there.")
    sides = [
        replace(
            report, estimates=(replace(first, correction=correction, warnings=("It prefers long answers.",)), *rest)
        )
        for report, correction in ((found.baseline, right), (found.candidate, refused))
        for first, *rest in (report.estimates,)
    ]
    judged = replace(found, baseline=sides[0], candidate=sides[1])
    data = told(Made(judged, sorted_cases(judged)), STATE, 0)
    assert data["judges"][0]["scorer"] == "exact"
    body, _ = rendering.page("comparison.html", data, FRAME)
    page = body.decode()
    assert "Corrected by 40 labels of people: 0.310 [0.200, 0.420] (PPI++)." in page
    assert "Not corrected: 30 labelled cases are needed" in page and page.count("It prefers long answers.") == 1


def test_without_what_it_needs_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["numpy"] = None
from regista.core.errors import MissingExtraError
from regista.surfaces.console.views import comparison
try:
    comparison._compared(None, None, None)
except MissingExtraError as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'regista[eval]'" in done.stdout, done.stderr


def test_two_variants_are_compared_in_a_browser(visit: "Callable[[Live], Page]", live: Live) -> None:
    page = visit(live)
    page.get_by_role("link", name="Evaluations", exact=True).click()
    page.get_by_label("baseline: echoes on base").check()
    page.get_by_label("candidate: echoes on loud").check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="echoes: base → loud").wait_for()
    assert "better on exact" in page.locator(".answer").inner_text()
    page.get_by_role("link", name="won 45").click()
    page.locator(".pairs article").nth(9).wait_for()
    page.keyboard.press("n")
    page.get_by_text("11 to 20 of 45").wait_for()
    first = page.locator(".pairs article").first
    assert first.get_by_label("answer of the candidate").inner_text() == (
        first.get_by_label("answer of the baseline").inner_text() + "!"
    )
    page.get_by_role("link", name="Swap").click()
    page.get_by_text("worse on exact").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_comparison_and_what_was_played_have_no_serious_barrier(
    browser: "Browser", live: Live, both: dict[str, str], scheme: Any
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(address(live))
    page.goto(f"{live.url}/console/comparison?baseline={both['baseline']}&candidate={both['candidate']}")
    found = list(barriers(page))
    page.goto(f"{live.url}/console/prompts/answer/playground")
    page.get_by_label("prompt of A").fill("{{question}} {{oops}}")
    page.get_by_label("model of B").select_option("echo/mirror")
    page.get_by_role("button", name="Ask").click()
    page.get_by_role("alert").wait_for()
    found += barriers(page)
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert not found and wide <= 390, (found, wide)


def test_what_cases_say_runs_nothing(visit: "Callable[[Live], Page]", tmp_path: Path) -> None:
    folder = write_suite(tmp_path / "shop")
    cases = [
        {
            "id": text,
            "input": text,
            "references": {"answer": f"{text}!" if n % 5 else text},
            "slices": {text: text, "all": text},
        }
        for n, text in enumerate(PAYLOADS)
    ]
    (folder / "evals" / "echoes.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, cases)))
    for variant in ("base", "loud"):
        regista("eval", "echoes", "--app", str(folder), "--variant", variant)
    server = Live(folder)
    try:
        with opened(server) as client:
            runs = {
                one["run"]["variant"]: one["run"]["id"]
                for one in client.get("/console/evaluations", headers=JSON).json()["runs"]
            }
        page = visit(server)
        path = f"/console/comparison?baseline={runs['base']}&candidate={runs['loud']}"
        for at in ("", "&cases=won", "&cases=won&from=10", "&cases=won&from=20"):
            stays(page, server, path + at)
            assert page.locator(".pairs article").count() >= 8
        for run in runs.values():
            stays(page, server, f"/console/evaluations/{run}")
            assert page.locator(".pairs article").count() == 20
    finally:
        server.stop()
