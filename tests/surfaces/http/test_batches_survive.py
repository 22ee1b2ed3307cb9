"""Batches of servers that die, that end politely and that are many: every line is answered, and none that was twice."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, sdk, write
from tests.surfaces.http.test_batches import begun, ended, jsonl, row, rows_of, running, slow

from regista.store import batches, connect, files

LINES = 250


def asked(upstream: Upstream) -> list[int]:
    """The numbers of the lines the model was asked."""
    return [int(request.json["messages"][-1]["content"].split()[-1]) for request in upstream.requests]


def done(url: str) -> set[int]:
    """The lines of the newest batch that are done."""
    with closing(connect(url)) as database:
        output = batches.of_application(database, "shop", 1)[0].output_file
        return {n - 1 for n in files.numbers(database, [output])}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where all servers of a test have their store: one database, or one file and a Redis."""
    if request.param == "sqlite":
        url = f"sqlite://{tmp_path / 'shared.db'}"
        monkeypatch.setenv("REGISTA_REDIS", request.getfixturevalue("redis_server").url)
    else:
        url = request.getfixturevalue("postgres")
    monkeypatch.setenv("REGISTA_STORE", url)
    return url


def servers(tmp_path: Path, upstream: Upstream, count: int) -> list[Live]:
    return [Live(write(tmp_path / f"server{n}" / "shop", slow(upstream))) for n in range(count)]


def stop(running: Sequence[Live]) -> None:
    for live in running:
        live.stop()


def test_a_server_that_is_killed_goes_on_with_its_batch_when_it_is_back(
    url: str, tmp_path: Path, upstream: Upstream
) -> None:
    (live,) = servers(tmp_path, upstream, 1)
    made = begun(sdk(live), jsonl([row(n) for n in range(LINES)]))
    running(sdk(live), made, 20)
    live.process.kill()
    live.process.wait()
    kept, before = done(url), len(upstream.requests)
    assert 20 <= len(kept) < LINES
    (live,) = servers(tmp_path, upstream, 1)
    batch = ended(sdk(live), made)
    again = asked(upstream)[before:]
    assert not kept & set(again), "A line that was done is asked again."
    assert batch.status == "completed" and kept | set(again) == set(range(LINES))
    assert [line["custom_id"] for line in rows_of(sdk(live), batch.output_file_id)] == [f"c{n}" for n in range(LINES)]
    stop([live])


def test_a_server_that_ends_hands_its_batch_to_another_at_once(url: str, tmp_path: Path, upstream: Upstream) -> None:
    one = Live(write(tmp_path / "one" / "shop", slow(upstream)))
    made = begun(sdk(one), jsonl([row(n) for n in range(LINES)]))
    running(sdk(one), made, 10)
    other = Live(write(tmp_path / "other" / "shop", slow(upstream)))
    one.stop()
    assert len(done(url)) < LINES
    batch = ended(sdk(other), made)
    assert batch.status == "completed" and Counter(asked(upstream)) == dict.fromkeys(range(LINES), 1)
    stop([other])


def test_of_several_servers_one_runs_a_batch(url: str, tmp_path: Path, upstream: Upstream) -> None:
    several = servers(tmp_path, upstream, 3)
    made = [begun(sdk(several[n % 3]), jsonl([row(100 * n + i) for i in range(40)])) for n in range(4)]
    for batch in made:
        assert ended(sdk(several[0]), batch).status == "completed"
    assert Counter(asked(upstream)) == {100 * n + i: 1 for n in range(4) for i in range(40)}
    stop(several)


def test_a_store_that_goes_away_for_a_while_loses_no_answer(tmp_path: Path, upstream: Upstream) -> None:
    (live,) = servers(tmp_path, upstream, 1)
    made = begun(sdk(live), jsonl([row(n) for n in range(LINES)]))
    running(sdk(live), made, 10)
    store = f"sqlite://{live.folder / '.regista' / 'regista.db'}"
    with closing(connect(store)) as database, database.transaction():
        time.sleep(7)  # longer than another process waits for its turn
    batch = ended(sdk(live), made)
    assert batch.status == "completed" and Counter(asked(upstream)) == dict.fromkeys(range(LINES), 1)
    stop([live])
