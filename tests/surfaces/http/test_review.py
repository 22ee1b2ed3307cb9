"""`/v1/review` on a live server: what programs are asked to have judged, by whom, and what is refused."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.surfaces.console.conftest import APPLICATION, seed
from tests.surfaces.console.made import trace
from tests.surfaces.http.conftest import Live, Start, write

from regista.data import dataset
from regista.store import connect, traces
from regista.store.keys import add

PAIRS = 'question = "Which?"\npairwise = true\nannotators = 1\n'
TRACES = [trace(n, question=f"Where is parcel {n // 2}?", answer=f"Answer {n}.") for n in range(2, 42)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = write(tmp_path_factory.mktemp("review") / "shop", APPLICATION)
    seed(folder, TRACES)
    (folder / "reviews").mkdir()
    (folder / "reviews" / "which.toml").write_text(PAIRS)
    server = Live(folder)
    yield server
    server.stop()


def post(live: Live, path: str, **fields: object) -> httpx2.Response:
    return httpx2.post(f"{live.url}/v1/review/{path}", json=fields)


def asked(live: Live, by: str, queue: str = "answers") -> dict[str, Any]:
    return post(live, f"{queue}/next", by=by).raise_for_status().json()


def queue(live: Live, name: str = "answers") -> dict[str, Any]:
    listed = httpx2.get(f"{live.url}/v1/review").raise_for_status().json()
    return next(one for one in listed["data"] if one["name"] == name)


def test_an_item_is_asked_judged_and_counted(shop: Live) -> None:
    given = asked(shop, "ann")
    item = given["item"]
    assert given["question"].startswith("Does the answer") and [one["choice"] for one in given["scale"]] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert item["question"].startswith("Where is parcel") and item["answers"][0]["text"].startswith("Answer ")
    assert 0 <= item["worth"]["value"] <= 1 and "repeat" not in str(given) and item["why"]
    assert asked(shop, "ann")["item"]["id"] == item["id"]
    before = queue(shop)["votes"]
    voted = post(shop, f"answers/{item['id']}", by="ann", choice=4, comment="Short.").raise_for_status().json()
    assert voted == {
        "object": "review.vote",
        "item": item["id"],
        "by": "ann",
        "kind": "score",
        "choice": 4,
        "new": True,
    }
    assert queue(shop)["votes"] == before + 1 and asked(shop, "ann")["item"]["id"] != item["id"]
    said = httpx2.get(f"{shop.url}/v1/feedback", params={"source": "reviewer"}).json()["data"]
    assert {one["kind"] for one in said} >= {"score", "comment"}


def test_undo_asks_the_same_again(shop: Live) -> None:
    item = asked(shop, "undoer")["item"]["id"]
    post(shop, f"answers/{item}", by="undoer", choice=1).raise_for_status()
    assert post(shop, "answers/undo", by="undoer").raise_for_status().json()["item"]["id"] == item


def test_a_vote_taken_back_as_feedback_counts_no_more(shop: Live) -> None:
    item = asked(shop, "regretful")["item"]["id"]
    before = queue(shop)["votes"]
    post(shop, f"answers/{item}", by="regretful", choice=2, comment="Was it?").raise_for_status()
    given = httpx2.get(f"{shop.url}/v1/feedback", params={"source": "reviewer"}).json()["data"]
    said = {one["kind"]: one["id"] for one in given if one["by"] == "regretful"}
    httpx2.delete(f"{shop.url}/v1/feedback/{said['comment']}").raise_for_status()
    assert queue(shop)["votes"] == before + 1, "a comment is no vote"
    httpx2.delete(f"{shop.url}/v1/feedback/{said['score']}").raise_for_status()
    assert queue(shop)["votes"] == before
    assert post(shop, f"answers/{item}", by="regretful", choice=2).status_code == 409, "it is asked of nobody now"


def test_an_edited_answer_is_kept_in_the_dataset(shop: Live) -> None:
    item = asked(shop, "editor")["item"]
    kept = post(shop, f"answers/{item['id']}", by="editor", correction="It is with us.").raise_for_status().json()
    assert kept["dataset"] == "gold"
    (example,) = dataset.read(shop.folder, dataset.find(shop.folder, "gold"))
    assert (example.input, example.reference) == (item["question"], "It is with us.")


def test_pairs_are_asked_with_their_sides(shop: Live) -> None:
    given = asked(shop, "ann", "which")
    assert given["kind"] == "pairs" and [one["side"] for one in given["item"]["answers"]] == ["a", "b"]
    voted = post(shop, f"which/{given['item']['id']}", by="ann", choice="b").raise_for_status().json()
    assert voted["kind"] == "preference" and queue(shop, "which")["side_a"]["estimate"] == 0


@pytest.mark.parametrize(
    ("path", "fields", "status", "code", "says"),
    [
        ("answers/next", {}, 400, "no_reviewer", "Say who judges"),
        ("answers/next", {"by": "x" * 101}, 400, "invalid_request", "length <= 100"),
        ("answers/next", {"by": "ann", "name": 1}, 400, "invalid_request", "name"),
        ("nothing/next", {"by": "ann"}, 404, "queue_not_found", "Known: answers, which"),
        ("answers/none", {"by": "ann", "choice": 1}, 404, "item_not_found", "no item"),
        ("answers/ITEM", {"by": "stranger", "choice": 1}, 409, "lease_over", "not asked"),
        ("answers/ITEM", {"by": "refused", "choice": 9}, 400, "no_such_choice", "1, 2, 3, 4, 5"),
        ("answers/ITEM", {"by": "refused"}, 400, "invalid_request", "one of"),
        ("answers/ITEM", {"by": "refused", "choice": 1, "skip": True}, 400, "invalid_request", "one of"),
        ("answers/ITEM", {"by": "refused", "choice": 1.5}, 400, "invalid_request", "choice"),
        ("answers/a/b", {"by": "ann"}, 404, "unknown_url", "/next"),
        ("answers/", {"by": "ann"}, 404, "unknown_url", "/undo"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    shop: Live, path: str, fields: dict[str, object], status: int, code: str, says: str
) -> None:
    item = asked(shop, "refused")["item"]["id"]
    answer = post(shop, path.replace("ITEM", item), **fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert says in answer.json()["error"]["message"]


def test_what_is_left_out_is_not_asked_again(shop: Live) -> None:
    item = asked(shop, "skipper")["item"]["id"]
    assert post(shop, f"answers/{item}", by="skipper", skip=True).json()["skipped"]
    assert asked(shop, "skipper")["item"]["id"] != item


def test_only_a_key_that_may_make_others_reviews_and_its_name_is_the_reviewers(tmp_path: Path) -> None:
    seed(write(tmp_path / "shop", APPLICATION), TRACES)
    database = connect(f"sqlite://{tmp_path / 'shop' / '.regista' / 'regista.db'}")
    admin, plain = add(database, "ada", admin=True), add(database, "pat")
    database.close()
    live = Live(tmp_path / "shop")
    url = f"{live.url}/v1/review"

    def send(token: str, path: str, **fields: object) -> httpx2.Response:
        return httpx2.post(f"{url}/{path}", json=fields, headers={"authorization": f"Bearer {token}"})

    try:
        refused = send(plain, "answers/next")
        assert refused.status_code == 403 and "--admin" in refused.json()["error"]["message"]
        item = send(admin, "answers/next").raise_for_status().json()["item"]
        assert send(admin, f"answers/{item['id']}", choice=5).raise_for_status().json()["by"] == "ada"
        assert httpx2.get(url).status_code == 401
    finally:
        live.stop()


def test_a_server_with_several_workers_gives_each_item_to_one(start: Start) -> None:
    live = start(APPLICATION, "--port", "0", "--workers", "2")
    for n in range(12):
        live.ask("shop", f"Is there a parcel of number {n}?")
    (live.folder / "reviews").mkdir()
    (live.folder / "reviews" / "one.toml").write_text(
        'question = "?"\nannotators = 1\nblind_repeats = 0\n[[grades]]\nanchor = "a"\n[[grades]]\nanchor = "b"\n'
    )
    with closing(connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")) as database:
        while len(traces.recent(database, limit=20)) < 12:
            time.sleep(0.05)
    items = [asked(live, f"rater {n}", "one")["item"]["id"] for n in range(10)]
    assert len(set(items)) == 10
