"""What the page of guardrails counts, over made traces and over one that is really masked, and what is said of it."""

import time
from collections.abc import Iterator

import httpx2
import pytest
from msgspec.structs import replace
from tests.surfaces.console.conftest import JSON, Seeded, opened
from tests.surfaces.console.made import MS, trace
from tests.surfaces.http.conftest import Live

from regista.core.nouns import Json, Span, Trace
from regista.store import connect
from regista.store.feedback import recent
from regista.store.guard_pages import Look
from regista.surfaces.console.views.guardrails import NEWEST, firings

APPLICATION = """
[app]
name = "shop"
[guardrails]
request = ["pii", "secrets"]
response = ["secrets"]
[guardrails.secrets]
action = "block"
[models.default]
model = "echo/mirror"
"""
PATIENCE_S = 20


def guarded(n: int, decision: str = "pass", reason: str = "nothing found", *, out: str = "nothing found") -> Trace:
    """The `n`-th trace, with what its guardrails decided on the way in and found on the way out."""
    made = trace(n)
    before = Span("guard request", "", -1, MS, n * MS, decision, reason)
    after = Span("guard response", "", -1, 800 * MS, 1_000, "mask" if out != "nothing found" else "pass", out)
    return replace(made, spans=(*made.spans, before, after), question="" if decision == "block" else made.question)


BEFORE, AFTER = len(trace(1).spans), len(trace(1).spans) + 1
"""The places of these spans."""
TRACES = [
    *(guarded(n) for n in range(1, 41)),
    *(guarded(n, "mask", "pii: 2 email, 1 phone") for n in range(41, 67)),
    guarded(67, "block", "pii: 1 email; secrets: 1 aws key; pii: 1 iban"),
    guarded(68, out="secrets: 1 token"),
    guarded(69, "pass", "secrets: secrets failed: ValueError"),
    replace(guarded(70, "mask", "pii: 1 email"), application="club"),
    guarded(80, "mask", "pii: 1 email", out="nothing found"),
]
TRACES[-1] = replace(TRACES[-1], started_ns=TRACES[-1].started_ns - 20 * 86_400 * 10**9)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Seeded(tmp_path_factory.mktemp("guards") / "shop", TRACES, configuration=APPLICATION).live
    yield server
    server.stop()


@pytest.fixture
def client(live: Live) -> Iterator[httpx2.Client]:
    with opened(live) as client:
        yield client


def told(client: httpx2.Client, **query: str) -> Json:
    answer = client.get("/console/guardrails", params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def row(client: httpx2.Client, place: str, name: str, **query: str) -> Json:
    stage = next(stage for stage in told(client, **query)["stages"] if stage["place"] == place)
    return next(one for one in stage["guardrails"] if one["name"] == name)


def judged(client: httpx2.Client, of: Trace, verdict: str, span: int = BEFORE, **changes: str) -> httpx2.Response:
    sent = {"trace": of.id, "span": str(span), "guardrail": "pii", "verdict": verdict, "place": "request"}
    return client.post("/console/guardrails", data={**sent, "range": "7d", **changes})


def test_it_says_where_each_stands_what_it_did_and_how_sure_that_is(client: httpx2.Client) -> None:
    page = told(client)
    assert [(stage["place"], [one["name"] for one in stage["guardrails"]]) for stage in page["stages"]] == [
        *(("request", ["pii", "secrets"]), ("response", ["secrets"]))
    ]
    assert (page["traces"], page["all"]) == (69, True)
    pii = row(client, "request", "pii")
    assert (pii["action"], pii["looked"], pii["masked"], pii["blocked"], pii["passed"]) == ("mask", 69, 27, 0, 0)
    assert pii["share"]["low"] < pii["share"]["share"] == 27 / 69 < pii["share"]["high"]
    assert pii["kinds"] == [
        *({"kind": "email", "times": 53}, {"kind": "phone", "times": 26}, {"kind": "iban", "times": 1})
    ]
    secrets = row(client, "request", "secrets")
    assert (secrets["action"], secrets["masked"], secrets["blocked"], secrets["passed"]) == ("block", 0, 1, 1)
    assert secrets["kinds"][0] == {"kind": "aws key", "times": 1}
    # What it did then counts, and not what it is set up to do now.
    assert (row(client, "response", "secrets")["masked"], row(client, "response", "secrets")["blocked"]) == (1, 0)


def test_times_are_those_of_the_stage_and_not_told_where_they_are_not_measured(client: httpx2.Client) -> None:
    request, response = told(client)["stages"]
    assert (request["looked"], request["p50_ns"], request["p95_ns"]) == (69, 35 * MS, 66 * MS)
    assert (response["looked"], response["p50_ns"], response["p95_ns"]) == (69, None, None)
    assert "not measured by itself" in client.get("/console/guardrails").text


def test_the_newest_times_it_found_something_lead_to_their_traces(client: httpx2.Client) -> None:
    newest = row(client, "request", "pii")["newest"]
    assert [one["trace"] for one in newest] == [trace(n).id for n in range(41, 41 + NEWEST)]
    assert newest[0]["found"] == "2 email, 1 phone" and newest[0]["question"].startswith("Question 41")
    assert f'href="/console/traces/{newest[0]["trace"]}"' in client.get("/console/guardrails").text
    blocked = row(client, "request", "secrets")["newest"]
    assert [(one["trace"], one["action"]) for one in blocked] == [(trace(67).id, "block"), (trace(69).id, "pass")]
    assert "nothing is kept of it" in client.get("/console/guardrails").text


def test_only_the_time_that_is_asked_for_counts(client: httpx2.Client) -> None:
    assert row(client, "request", "pii", range="30d")["masked"] == 28
    assert client.get("/console/guardrails?range=ever").status_code == 400


def test_reviewers_say_how_often_it_is_right_and_the_last_word_of_each_counts(
    live: Live, client: httpx2.Client
) -> None:
    assert row(client, "request", "pii")["precision"] is None
    for n, verdict in ((41, "wrong"), (42, "right"), (43, "right"), (44, "wrong"), (44, "right")):
        answer = judged(client, trace(n), verdict)
        assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/guardrails?range=7d#request-pii-{trace(44).id[:16]}-{BEFORE}"
    # Of another stage, of another guardrail and of a trace where nothing was found: no word on these.
    judged(client, trace(45), "wrong", AFTER)
    judged(client, trace(46), "wrong", guardrail="secrets")
    judged(client, trace(1), "wrong")
    precision = row(client, "request", "pii")["precision"]
    assert (precision["of"], precision["share"]) == (4, 0.75) and precision["low"] < 0.4 < 0.9 < precision["high"]
    assert [one["verdict"] for one in row(client, "request", "pii")["newest"][:5]] == [
        *("wrong", "right", "right", "right", "")
    ]
    database = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    kept = [one.feedback for one in recent(database, kind="label", limit=20)]
    database.close()
    assert len(kept) == 7 and {(one.source, one.by) for one in kept} == {("reviewer", "console")}
    assert next(one.name for one in kept if one.trace == trace(44).id) == "guardrail:pii:right"
    assert 'aria-pressed="true">right' in client.get("/console/guardrails").text


def test_a_verdict_may_also_come_through_the_api_on_the_whole_trace(live: Live, client: httpx2.Client) -> None:
    before = row(client, "request", "pii")["precision"]["of"]
    label = {"kind": "label", "name": "guardrail:pii:wrong", "source": "reviewer", "trace": trace(47).id}
    assert httpx2.post(f"{live.url}/v1/feedback", json=label).status_code == 201
    assert row(client, "request", "pii")["precision"]["of"] == before + 1
    of_a_user = {**label, "source": "user", "trace": trace(48).id}
    assert httpx2.post(f"{live.url}/v1/feedback", json=of_a_user).status_code == 201
    assert row(client, "request", "pii")["precision"]["of"] == before + 1, "what a user calls it is no review"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"verdict": "perhaps"}, 400),
        ({"guardrail": "none"}, 400),
        ({"span": "first"}, 400),
        ({"span": "99"}, 404),
        ({"trace": "f" * 32}, 404),
        ({"trace": "../login"}, 400),
    ],
)
def test_a_verdict_on_nothing_is_refused(client: httpx2.Client, changes: dict[str, str], status: int) -> None:
    fields = {"trace": trace(41).id, "span": str(BEFORE), "guardrail": "pii", "verdict": "right", **changes}
    assert client.post("/console/guardrails", data=fields).status_code == status


def test_a_request_that_is_really_masked_is_counted(live: Live, client: httpx2.Client) -> None:
    before = row(client, "request", "pii")["masked"]
    answer = live.ask("shop", "Write to ann@example.com.")
    id = answer.json()["regista"]["trace_id"]
    end = time.monotonic() + PATIENCE_S
    while row(client, "request", "pii")["newest"][0]["trace"] != id:
        assert time.monotonic() < end
        time.sleep(0.05)
    shown = row(client, "request", "pii")
    assert shown["masked"] == before + 1 and shown["newest"][0]["found"] == "1 email"
    assert "ann@example.com" not in shown["newest"][0]["question"]
    again = client.get(f"/console/traces/{id}", headers=JSON).json()["again"]
    assert "kept masked" in again["notes"][0]


def test_what_was_kept_without_words_is_counted_too_and_evaluations_are_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    given = {"verdicts": [{"guardrail": "pii", "action": "mask"}, {"guardrail": "secrets", "action": "block"}]}
    bare = [replace(guarded(n), spans=(Span("guard request", "", -1, 0, MS, "block", "", given),)) for n in (1, 2)]
    evaluated = replace(guarded(3, "mask", "pii: 1 email"), tenant="evaluation")
    folder = tmp_path_factory.mktemp("off") / "shop"
    server = Seeded(folder, [*bare, evaluated], configuration=f'{APPLICATION}[observe]\ncapture = "off"\n').live
    try:
        with opened(server) as client:
            live_one = server.ask("shop", "Write to ann@example.com.").json()["regista"]["trace_id"]
            end = time.monotonic() + PATIENCE_S
            while (pii := row(client, "request", "pii"))["newest"][0]["trace"] != live_one:
                assert time.monotonic() < end
                time.sleep(0.05)
            assert (pii["looked"], pii["masked"], row(client, "request", "secrets")["blocked"]) == (3, 3, 2)
            assert "(not kept)" in client.get("/console/guardrails").text
            again = client.get(f"/console/traces/{live_one}", headers=JSON).json()["again"]
            assert "capture was off" in again["problem"]
    finally:
        server.stop()


def test_an_application_without_guardrails_says_how_to_have_some(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Seeded(tmp_path_factory.mktemp("bare") / "shop", []).live
    with opened(server) as client:
        assert "[guardrails]" in client.get("/console/guardrails").text and told(client)["stages"] == []
    server.stop()


def test_a_reason_names_its_guardrails_and_kinds() -> None:
    look = Look(
        1, 2, "guard request", "", "block", "size: 1 surplus; pii: 2 email, 1 email; unicode: unicode failed: TypeError"
    )
    found = firings(look, {"size": "block", "pii": "mask"})
    assert [(one.name, one.action, one.kinds) for one in found] == [
        ("size", "block", {"surplus": 1}),
        ("pii", "mask", {"email": 3}),
        ("unicode", "block", {"unicode failed: TypeError": 1}),
    ]
