"""Datasets on their pages, and the way there from a trace."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.surfaces.console.conftest import APPLICATION, JSON, Seeded, opened
from tests.surfaces.console.made import trace
from tests.surfaces.http.conftest import Start

from regista.core.nouns import Json
from regista.data import dataset
from regista.data.adding import add
from regista.data.from_traces import example_of
from regista.store import connect
from regista.store.samples import newest

DAY_S = 86_400
SECRET = trace(200, ago_s=200, question="I am jo@example.org, where is it?")
TRACES = [
    *(trace(n, status="error" if n % 10 == 0 else "ok", model="shop") for n in range(1, 101)),
    *(trace(n, model="shop/large", question="Why? " * 40 + str(n), answer="So.") for n in range(101, 141)),
    SECRET,
    *(trace(n, ago_s=n, model="elsewhere", tenant="evaluation") for n in range(300, 320)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("datasets") / "shop"


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx2.Client]:
    server = Seeded(folder, TRACES).live
    add(folder, "good", [example_of(one) for one in TRACES[:30] if one.status == "ok"], (), "shop")
    old = [example_of(trace(n, ago_s=100 * DAY_S, question=f"An old one {n}?")) for n in (500, 501)]
    add(folder, "good", old, (), "shop")
    try:
        with opened(server) as client:
            yield client
    finally:
        server.stop()


def told(client: httpx2.Client, path: str, **query: str) -> Json:
    answer = client.get(path, params=query, headers=JSON)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_datasets_are_listed_with_their_newest_version(client: httpx2.Client) -> None:
    (good,) = [one for one in told(client, "/console/datasets")["datasets"] if one["newest"]["name"] == "good"]
    assert (good["newest"]["examples"], good["versions"]) == (29, 2)


def test_one_says_what_is_in_it_and_how_good_it_is(client: httpx2.Client, folder: Path) -> None:
    page = told(client, "/console/datasets/good")
    quality = page["quality"]
    assert (quality["examples"], quality["stale"], quality["exact"]) == (29, 2, 0)
    assert quality["near"] >= 20, "Questions that differ in a number are nearly the same."
    assert (len(page["rows"]), page["after"]) == (25, 25)
    rest = told(client, "/console/datasets/good", **{"from": "25"})
    assert len(rest["rows"]) == 4 and rest["before"] == 0 and rest["after"] is None
    older = dataset.versions(folder, "good")[-1].version
    assert told(client, "/console/datasets/good", version=older[:8])["quality"]["examples"] == 27
    shown = client.get("/console/datasets/good").text
    assert f"/console/traces/{trace(1).id}" in shown and "older than 90 days" in shown and "6.9 %" in shown


def test_what_the_traffic_has_and_the_dataset_lacks_comes_first_with_the_command(client: httpx2.Client) -> None:
    coverage = told(client, "/console/datasets/good")["coverage"]
    lacking = {(one["of"], one["value"]): one for one in coverage if one["lacks"]}
    assert {("model", "shop/large"), ("length", "80-400")} <= lacking.keys()
    assert coverage[0]["lacks"] == max(one["lacks"] for one in coverage)
    large = lacking["model", "shop/large"]
    assert large["examples"] == 0 and large["wanted"] == pytest.approx(40 / 141)
    assert large["low"] < large["wanted"] < large["high"]
    assert large["command"] == (
        f"regista data from-traces good shop --add --model shop/large --since 30d --limit {large['lacks']}"
    )
    assert "elsewhere" not in {one["value"] for one in coverage}, "Evaluations are no traffic."
    shown = client.get("/console/datasets/good").text
    assert large["command"] in shown


def test_a_trace_becomes_an_example_that_hides_what_is_personal(client: httpx2.Client, folder: Path) -> None:
    answer = client.post(f"/console/traces/{SECRET.id}/dataset", data={"dataset": ""})
    place = folder / dataset.FOLDER / "picked"
    assert answer.status_code == 303 and not list(place.glob("*.json*")), "No version is made yet."
    assert answer.headers["location"] == f"/console/traces/{SECRET.id}?dataset=picked&added=next"
    page = client.get(answer.headers["location"]).text
    assert "Kept: it is in the next version of" in page and "/console/datasets/picked" in page
    assert told(client, "/console/datasets/picked")["lineage"]["asked"] == {"added": 1}
    assert [file.suffix for file in sorted(place.iterdir())] == [".json", ".jsonl"], "Who opens the page has made it."
    (kept,) = dataset.versions(folder, "picked")
    assert [one.input for one in dataset.read(folder, kept)] == ["I am [EMAIL], where is it?"]
    path = f"/console/traces/%0d%0a{trace(3).id}/dataset"
    again = client.post(path, data={"dataset": "picked"}, headers=JSON)
    assert again.json() == {"goes_to": f"/console/traces/{trace(3).id}?dataset=picked&added=next"}
    (listed,) = [one for one in told(client, "/console/datasets")["datasets"] if one["newest"]["name"] == "picked"]
    assert (listed["newest"]["examples"], listed["versions"], listed["newest"]["parent"]) == (2, 2, kept.version)


def test_a_server_that_stops_leaves_no_example_waiting(tmp_path: Path) -> None:
    live = Seeded(tmp_path / "shop", TRACES[:2]).live
    place = live.folder / dataset.FOLDER / "picked"
    try:
        with opened(live) as client:
            assert client.post(f"/console/traces/{TRACES[0].id}/dataset").status_code == 303
        assert [file.name for file in place.iterdir()] == ["pending"]
    finally:
        live.stop()
    assert sorted(file.suffix for file in place.iterdir()) == [".json", ".jsonl"]


@pytest.mark.parametrize(
    ("path", "name", "status", "words"),
    [
        (trace(4).id, "../up", 400, "no name of a dataset"),
        (trace(4).id, "A b", 400, "no name of a dataset"),
        ("f" * 32, "picked", 404, "No trace"),
    ],
)
def test_what_cannot_be_added_is_told(
    client: httpx2.Client, folder: Path, path: str, name: str, status: int, words: str
) -> None:
    answer = client.post(f"/console/traces/{path}/dataset", data={"dataset": name})
    assert answer.status_code == status and words in answer.text
    assert not (folder / "evals" / "up").exists()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/console/datasets/nothing", "no dataset"),
        ("/console/datasets/good?version=zz", "begin with"),
        ("/console/datasets/good?from=x", "number of an example"),
        ("/console/datasets/good?range=1y", "give"),
        ("/console/datasets/..%2fgood", "no dataset"),
    ],
)
def test_what_is_not_there_is_told(client: httpx2.Client, path: str, words: str) -> None:
    answer = client.get(path, headers=JSON)
    assert answer.status_code in (400, 404) and words in json.dumps(answer.json())


def test_without_datasets_it_says_what_makes_one(start: Start) -> None:
    with opened(start(APPLICATION)) as client:
        assert "<code>regista data from-traces first shop</code>" in client.get("/console/datasets").text


def test_evaluations_are_no_traffic_and_lengths_are_read_of_the_newest(client: httpx2.Client, folder: Path) -> None:
    database = connect(f"sqlite://{folder / '.regista' / 'regista.db'}")
    found = newest(database, "shop", 0, 100, 10)
    assert len(found) == 100 and all(one.model != "elsewhere" for one in found)
    assert [one.length is None for one in found] == [False] * 10 + [True] * 90
    database.close()
