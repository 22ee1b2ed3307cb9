"""`/v1/feedback` on a live server: what may be said of an answer, by whom, and what is refused."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import httpx2
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start, sdk, write

from regista.store import Database, connect
from regista.store.feedback import recent
from regista.store.keys import add

ORIGIN = "https://shop.example"
PATIENCE_S = 20


def application(upstream: Upstream, more: str = "") -> str:
    return f'[app]\nname = "shop"\n[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n{more}'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, running_upstream: Upstream) -> Iterator[Live]:
    """One server for most tests; it takes feedback from pages of one origin."""
    more = f'[feedback]\nsignals = "off"\norigins = ["{ORIGIN}"]\n'
    server = Live(write(tmp_path_factory.mktemp("feedback") / "shop", application(running_upstream, more)))
    yield server
    server.stop()


@pytest.fixture
def answer(shop: Live) -> Mapping[str, Any]:
    """Regista's field on an answer."""
    return shop.ask("shop").raise_for_status().json()["regista"]


@pytest.fixture
def give(shop: Live, answer: Mapping[str, Any]) -> Callable[..., httpx2.Response]:
    def give(**fields: object) -> httpx2.Response:
        """Feedback on the answer."""
        return httpx2.post(f"{shop.url}/v1/feedback", json={"trace": answer["trace_id"], **fields})

    return give


Give = Callable[..., httpx2.Response]


def listed(live: Live, trace: str, **query: str) -> list[dict[str, Any]]:
    return httpx2.get(f"{live.url}/v1/feedback", params={"trace": trace, **query}).raise_for_status().json()["data"]


SAID: list[dict[str, object]] = [
    {"kind": "thumb", "value": "up"},
    {"kind": "score", "name": "helpful", "value": 0.75},
    {"kind": "label", "name": "off topic", "span": 0},
    {"kind": "comment", "text": "It forgets the date. <script>alert(1)</script> \x00☕"},
    {"kind": "correction", "text": "On Tuesdays.", "source": "reviewer", "by": "ann"},
]


@pytest.mark.parametrize("said", SAID, ids=lambda said: said["kind"])
def test_what_is_said_of_an_answer_is_told_as_it_was_said(
    shop: Live, answer: Mapping[str, Any], give: Give, said: dict[str, object]
) -> None:
    made = give(**said)
    assert made.status_code == 201, made.text
    (row,) = listed(shop, answer["trace_id"])
    assert row == made.json()
    assert {**said, "value": 1.0} == {n: row[n] for n in said} | {"value": 1.0}, "all that was sent, and a thumb as 1"
    assert (row["application"], row["confidence"], row["trace"]) == ("shop", 1.0, answer["trace_id"])
    assert abs(row["created_at"] - time.time()) < 3600


def test_a_second_thumb_takes_the_place_of_the_first(shop: Live, answer: Mapping[str, Any], give: Give) -> None:
    assert [give(kind="thumb", value=value).status_code for value in (1, 1, -1, "down")] == [201, 200, 200, 200]
    assert [row["value"] for row in listed(shop, answer["trace_id"])] == [-1.0]
    assert give(kind="thumb", value=1, by="bob").status_code == 201, "somebody else thinks for himself"
    assert give(kind="thumb", value=1, span=0).status_code == 201, "a span is not the whole"
    assert len(listed(shop, answer["trace_id"])) == 3


def test_what_is_sent_twice_is_there_once(shop: Live, answer: Mapping[str, Any], give: Give) -> None:
    first, again = give(kind="comment", text="Too long."), give(kind="comment", text="Too long.")
    assert (again.status_code, again.json()) == (200, first.json())
    give(kind="comment", text="And late.")
    named = [give(kind="comment", text=text, id="my-1") for text in ("A draft.", "The comment.", "The comment.")]
    assert [one.status_code for one in named] == [201, 200, 200] and len({one.json()["id"] for one in named}) == 1
    assert {row["text"] for row in listed(shop, answer["trace_id"])} == {"Too long.", "And late.", "The comment."}


def test_one_of_two_answers_is_preferred(shop: Live, answer: Mapping[str, Any], give: Give) -> None:
    other = shop.ask("shop", "hello again").json()["regista"]["trace_id"]
    assert give(kind="preference", other=other, side="b").status_code == 201
    turned = {"trace": other, "kind": "preference", "other": answer["trace_id"], "value": 0}
    assert httpx2.post(f"{shop.url}/v1/feedback", json=turned).status_code == 200, "the same two: it is changed"
    assert [row["value"] for row in listed(shop, other)] == [0.0] and listed(shop, answer["trace_id"]) == []


def test_a_conversation_as_a_whole_can_be_spoken_of(shop: Live, answer: Mapping[str, Any]) -> None:
    body = {"kind": "score", "name": "solved", "value": 1, "session": answer["trace_id"]}
    made = httpx2.post(f"{shop.url}/v1/feedback", json=body)
    assert (made.status_code, made.json()["session"], made.json()["trace"]) == (201, answer["trace_id"], "")


BAD: list[tuple[dict[str, object], int, str]] = [
    ({"kind": "thumb"}, 400, "up"),
    ({"kind": "thumb", "value": 0.5}, 400, "up"),
    ({"kind": "thumb", "value": True}, 400, "value"),
    ({"kind": "thumb", "value": 1, "text": "and more"}, 400, "no 'text'"),
    ({"kind": "score", "value": 1}, 400, "'name'"),
    ({"kind": "score", "name": "x"}, 400, "'value'"),
    ({"kind": "label", "name": "  "}, 400, "'name'"),
    ({"kind": "comment", "text": " \n"}, 400, "'text'"),
    ({"kind": "comment", "text": "x" * 100_001}, 400, "100000"),
    ({"kind": "signal", "name": "wrong"}, 400, "kind"),
    ({"kind": "comment", "text": "x", "source": "gateway"}, 400, "source"),
    ({"kind": "comment", "text": "x", "span": 99}, 400, "spans"),
    ({"kind": "comment", "text": "x", "span": -1}, 400, "span"),
    ({"kind": "comment", "text": "x", "made_ns": 1}, 400, "made_ns"),
    ({"kind": "comment", "text": "x", "trace": "ff" * 16}, 404, "no trace"),
    ({"kind": "comment", "text": "x", "trace": "%00"}, 400, "32 hexadecimal digits"),
    ({"kind": "comment", "text": "x", "trace": ""}, 400, "'trace'"),
    ({"kind": "preference", "other": "ff" * 16}, 404, "no trace"),
    ({"kind": "preference"}, 400, "'other'"),
]


@pytest.mark.parametrize(("said", "status", "told"), BAD, ids=lambda value: str(value)[:40])
def test_what_makes_no_sense_is_refused_with_what_is_wrong(
    give: Give, said: dict[str, object], status: int, told: str
) -> None:
    refused = give(**said)
    assert refused.status_code == status, refused.text
    assert told in refused.json()["error"]["message"]


def test_two_sides_that_are_the_same_are_no_preference(answer: Mapping[str, Any], give: Give) -> None:
    assert "between two" in give(kind="preference", other=answer["trace_id"]).json()["error"]["message"]


@pytest.mark.parametrize(
    "body", [b'{"kind": "score", "name": "x", "value": NaN}', b'{"value": 1e999}', b"[]", b"", b"\xff"]
)
def test_a_body_that_is_no_feedback_is_refused(shop: Live, answer: Mapping[str, Any], body: bytes) -> None:
    body = body.replace(b"{", b'{"trace": "%s", ' % answer["trace_id"].encode()).replace(
        b'"value": 1e999', b'"kind": "score", "name": "x", "value": 1e999'
    )
    refused = httpx2.post(f"{shop.url}/v1/feedback", content=body)
    assert refused.status_code == 400 and refused.json()["error"]["message"], refused.text


def test_ten_megabytes_of_comment_are_too_much(give: Give) -> None:
    refused = give(kind="comment", text="x" * 10_000_000)
    assert refused.status_code == 413 and "1 MB" in refused.json()["error"]["message"]


def test_the_newest_feedback_is_listed_and_chosen(shop: Live, answer: Mapping[str, Any], give: Give) -> None:
    give(kind="comment", text="One.")
    give(kind="label", name="two", source="reviewer")
    url = f"{shop.url}/v1/feedback"
    newest = httpx2.get(url, params={"limit": "1"}).json()
    assert newest["data"][0]["name"] == "two" and newest["has_more"] is True
    assert all(row["kind"] == "comment" for row in httpx2.get(url, params={"kind": "comment"}).json()["data"])
    assert [row["name"] for row in listed(shop, answer["trace_id"], source="reviewer")] == ["two"]
    for query in ({"kind": "thumbs"}, {"source": "me"}, {"signals": "some"}, {"limit": "0"}, {"trace": "x"}):
        refused = httpx2.get(url, params=query)
        assert refused.status_code == 400 and next(iter(query)) in refused.json()["error"]["message"]
    assert httpx2.get(url, params={"trace": "ff" * 16}).status_code == 404


def test_the_official_client_sends_feedback_with_a_plain_call(shop: Live) -> None:
    client = sdk(shop)
    made = client.chat.completions.create(model="shop", messages=[{"role": "user", "content": "hello"}])
    trace = (made.model_extra or {})["regista"]["trace_id"]
    said = client.post("/feedback", body={"trace": trace, "kind": "thumb", "value": "down"}, cast_to=dict[str, Any])
    assert said["value"] == -1.0
    # An answer that Regista wrote itself has its trace in its id.
    client.post("/feedback", body={"trace": f"chatcmpl-{trace}", "kind": "thumb", "value": "up"}, cast_to=object)
    assert [row["value"] for row in listed(shop, trace)] == [1.0]


def test_what_was_said_is_counted(shop: Live, give: Give) -> None:
    def counted() -> float:
        lines = httpx2.get(f"{shop.url}/metrics").text.splitlines()
        wanted = 'regista_feedback_total{kind="thumb",source="reviewer"}'
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(wanted)), 0.0)

    before = counted()
    give(kind="thumb", value=1, source="reviewer")
    give(kind="thumb", value=-1, source="reviewer")
    assert counted() == before + 1, "the second took the place of the first"


def test_a_key_sees_and_speaks_of_its_own_tenants_answers_alone(start: Start, upstream: Upstream) -> None:
    live = start(application(upstream))
    store = connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")
    ours, theirs = ({"authorization": f"Bearer {add(store, name, name)}"} for name in ("ours", "theirs"))
    end = time.monotonic() + PATIENCE_S
    while live.ask("nothing").status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.05)
    trace = live_ask(live, ours).headers["x-regista-trace"]
    url, said = f"{live.url}/v1/feedback", {"trace": trace, "kind": "thumb", "value": 1}
    assert httpx2.post(url, json=said).status_code == 401 and httpx2.get(url).status_code == 401
    refused = httpx2.post(url, json=said, headers=theirs)
    assert refused.status_code == 404 and refused.json()["error"]["code"] == "trace_not_found"
    assert httpx2.post(url, json=said | {"id": "1"}, headers=ours).status_code == 201
    assert httpx2.get(url, params={"trace": trace}, headers=theirs).status_code == 404
    assert httpx2.get(url, headers=theirs).json()["data"] == []
    (row,) = httpx2.get(url, headers=ours).json()["data"]
    assert (row["by"], row["trace"]) == ("ours", trace)
    mine = live_ask(live, theirs).headers["x-regista-trace"]
    assert httpx2.post(url, json=said | {"trace": mine, "id": "1"}, headers=theirs).status_code == 201
    assert [kept.tenant for kept in recent(store)] == ["theirs", "ours"], "an id is its tenant's own"
    store.close()


def live_ask(live: Live, headers: Mapping[str, str]) -> httpx2.Response:
    body = {"model": "shop", "messages": [{"role": "user", "content": "hello"}]}
    return httpx2.post(f"{live.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


def test_feedback_is_taken_back_by_who_gave_it_or_who_runs_the_server(start: Start, running_upstream: Upstream) -> None:
    live = start(application(running_upstream))
    with connect_closing(live) as database:
        tokens = {name: add(database, name, tenant, admin=name == "root") for name, tenant in KEYS.items()}
    headers = {name: {"authorization": f"Bearer {token}"} for name, token in tokens.items()}
    url = f"{live.url}/v1/feedback"

    def asked() -> httpx2.Response:
        body = {"model": "shop", "messages": [{"role": "user", "content": "x"}]}
        return httpx2.post(f"{live.url}/v1/chat/completions", json=body, headers=headers["web"])

    def given(**said: object) -> str:
        return httpx2.post(url, json={"trace": trace, **said}, headers=headers["web"]).raise_for_status().json()["id"]

    def gone(id: str, by: str) -> int:
        return httpx2.delete(f"{url}/{id}", headers=headers[by]).status_code

    end = time.monotonic() + PATIENCE_S
    while (answer := asked()).status_code != 200 or httpx2.get(url).status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.05)
    trace = answer.json()["regista"]["trace_id"]
    thumb, comment = given(kind="thumb", value="up"), given(kind="comment", text="Not so.", by="ann")
    assert [gone(thumb, by) for by in ("app", "elsewhere")] == [404, 404]
    assert [gone(thumb, "web"), gone(thumb, "web")] == [200, 404]
    assert gone(comment, "root") == 200 and gone("no-id", "root") == 404 and gone("ab" * 16, "root") == 404
    assert httpx2.get(url, params={"trace": trace}, headers=headers["web"]).json()["data"] == []


KEYS = {"web": "default", "app": "default", "elsewhere": "other", "root": "default"}


def connect_closing(live: Live) -> "closing[Database]":
    return closing(connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}"))
