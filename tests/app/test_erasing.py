"""All that is kept of one user, wherever it is: taken away on both engines, and looked for afterwards."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.surfaces.http.test_users import holding

from regista.app import erasing
from regista.app.days import DAYS, remember
from regista.app.erasing import Erasure, erase, tenant_of
from regista.core.digest import content_key, score_key
from regista.core.errors import RequestError, StoreError
from regista.core.evaluation import Case, Output, Score, input_of
from regista.core.nouns import Call, Evidence, Feedback, Span, Trace, Usage
from regista.data import dataset
from regista.data.dataset import Lineage
from regista.data.from_traces import examples_of
from regista.store import (
    Database,
    caches,
    connect,
    conversations,
    evaluations,
    feedback,
    forgetting,
    ledger,
    parquet,
    review,
    seeking,
)
from regista.store import erasing as rows
from regista.store.caches import Answer, Label
from regista.store.conversations import SessionRow, TurnRow
from regista.store.feedback import Kept
from regista.store.review import Item
from regista.store.traces import find, recent, search, write

EMPTY = Trace("0" * 32, "shop", "v", "m", "default", 0, 5, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())
ANA, BOB = "ana-lindqvist", "bob-builders"
NOW = time.time_ns()
DAY_NS = 86_400 * 10**9
SECRETS = tuple(f"quokkaberry{letter}" for letter in "abcdefghijkl")
"""Words that Ana alone has said, each in another place."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody serves: nothing is waited for."""
    monkeypatch.setattr(erasing, "LATE_S", 0.0)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A store in the folder of the test, or on a server."""
    url = f"sqlite://{tmp_path / 'a.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = connect(url)
    yield opened
    opened.close()


def trace(n: int, user: str, said: str, **fields: Any) -> Trace:
    span = Span("generate", "m", -1, 0, 4, "stop", f"because {said}", {"notes": [said]})
    made = replace(
        EMPTY, id=f"{n:032x}", started_ns=NOW - n * 10**9, user=user, question=f"Q {said}", answer=f"A {said}"
    )
    return replace(made, spans=(span, *fields.pop("spans", ())), **fields)


def keep(database: Database, *traces: Trace) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def words_in(database: Database) -> set[str]:
    """Those of Ana's words that are in any row of any table."""
    if type(database).__name__ == "Sqlite":
        tables = [name for (name,) in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    else:
        tables = [
            name for (name,) in database.query("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ]
    found = "".join(repr(database.query(f'SELECT * FROM "{table}"')) for table in tables)
    return {word for word in (*SECRETS, ANA) if word in found}


def test_everything_that_is_anas_goes_from_every_table_and_nothing_of_bobs(database: Database, tmp_path: Path) -> None:
    a, b = f"{1:032x}", f"{2:032x}"
    call = Call("openai", "m", "answer", "error", Usage(5, 1), True, 7, NOW, 2, 1, f"refused: {SECRETS[0]}")
    keep(
        database,
        trace(1, ANA, SECRETS[1], calls=(call,)),
        trace(2, BOB, "a spade", calls=(replace(call, reason="full"),)),
        trace(3, "", SECRETS[2], spans=(Span("shadow", a, -1, 0, 1),), model="shadow x"),
        trace(4, "", SECRETS[3], spans=(Span("replay", f"{3:032x}", -1, 0, 1),), tenant="evaluation"),
        trace(5, "", "another replay", spans=(Span("replay", b, -1, 0, 1),)),
        trace(6, "", SECRETS[3], spans=(Span("playground", a, -1, 0, 1),), tenant="evaluation"),
    )
    turns = [
        TurnRow(bytes.fromhex(one) + (NOW - n * 10**9).to_bytes(8), b"s" * 24, 1, 2, "ok", "continues", b"", False)
        for n, one in ((1, a), (2, b))
    ]
    evidence = (Evidence(a, "question", 0, 5, SECRETS[4]),)
    with database.transaction() as transaction:
        conversations.write(
            transaction,
            turns,
            {b"k" * 16: (turns[0].turn, NOW), b"l" * 16: (turns[1].turn, NOW)},
            [SessionRow(b"s" * 24, "default", "shop", NOW)],
        )
        for n, (about, text, rests) in enumerate(
            [(a, SECRETS[5], ()), (b, "", evidence), (b, "fine", ()), ("", f"of {b}", ())]
        ):
            said = Feedback(
                "comment", "user", NOW, trace=about, session=b if not about else "", text=text, evidence=rests
            )
            feedback.put(transaction, [Kept(bytes([n]) * 16, said, "default", "shop")])
        chosen = Feedback("preference", "user", NOW, trace=b, other=a)
        feedback.put(transaction, [Kept(b"p" * 16, chosen, "default", "shop")])
        items = [
            Item(bytes([n]) * 16, "shop", "q", one, other, "default", NOW, NOW, topic=SECRETS[6].encode())
            for n, (one, other) in enumerate([(a, ""), (b, a)])
        ]
        items.append(Item(b"\x09" * 16, "shop", "q", b, "", "default", NOW, NOW, topic=b"spade"))
        review.put(transaction, items)
    kept = [
        Answer(one.encode()[:16], b"place", words, b"", words.encode(), NOW, NOW + DAY_NS, one)
        for one, words in ((a, SECRETS[7]), (b, "spade?"))
    ]
    caches.keep(database, "shop", kept, 10, NOW)
    caches.learn(
        database,
        "shop",
        [
            Label(b"1", "e", NOW, 0.9, True, SECRETS[8], "spade", a, b),
            Label(b"2", "e", NOW, 0.9, True, "spade", "hoe", b, b),
            Label(b"3", "e", NOW, 0.9, True, "spade", SECRETS[10], b, ""),
        ],
    )
    scored(database, a, SECRETS[9])
    scored(database, b, "spade")

    done = erase(database, ANA, "default", tmp_path)

    assert done.verified and done.traces == 4 and done.left == {} and done.since == 0
    assert words_in(database) == set()
    assert [row.id for row in recent(database)] == [b, f"{5:032x}"]
    assert find(database, b).question == "Q a spade" and search(database, "spade") and not search(database, SECRETS[1])
    told = {one.feedback.text for one in feedback.recent(database)}
    assert told == {"fine", f"of {b}"}, "What rests on Ana's words goes, whosever answer it is about."
    assert [row.turn for row in conversations.turns(database, b"s" * 24)] == [turns[1].turn]
    assert conversations.find(database, b"k" * 16) == b"" and conversations.find(database, b"l" * 16)
    assert len(database.query("SELECT id FROM review_items")) == 1
    assert caches.epoch(database, "shop") == 1 and caches.count(database, "shop", NOW) == 0
    assert [label.asked for label in caches.labels(database, "shop", "e")] == ["spade"]
    assert [row[0] for row in database.query("SELECT id FROM evaluation_cases")] == [b]
    (spent,) = ledger.sums(database, "application")
    assert (spent.calls, spent.exact_nano) == (2, 14), "Money stays, without a name."


def scored(database: Database, id: str, words: str) -> None:
    """A trace as live scoring keeps it."""
    run = evaluations.Run("run", "shop", "s", "d", "v", "v", "live", 1, "x", {"x": "digest"}, {}, 0, NOW)
    case, output, body = Case(id, input_of(words)), Output(words, trace_id=id), words.encode()
    digest, key, content = content_key(id.encode()), content_key(b"live", id.encode()), content_key(body)
    score = (score_key(content, digest, b"digest"), Score(1.0, reason=f"It says {words}"))
    batch = evaluations.Batch([(digest, case)], [(key, content, body, output)], [score], [])
    evaluations.append(database, run, batch, digest, key, content)


def test_a_name_is_a_name_of_one_tenant(database: Database, tmp_path: Path) -> None:
    keep(database, trace(1, ANA, "one"), trace(2, ANA, "two", tenant="other"))
    with pytest.raises(RequestError, match=r"default \(1\), other \(1\)"):
        tenant_of(database, ANA, None)
    done = erase(database, ANA, tenant_of(database, ANA, "other"), tmp_path)
    assert (done.traces, done.elsewhere) == (1, {"default": 1}) and done.verified
    assert tenant_of(database, ANA, None) == "default" == tenant_of(database, "nobody", None)
    assert erase(database, "nobody", "default", tmp_path).traces == 0


def test_what_was_interrupted_is_done_by_the_next_time(database: Database, tmp_path: Path) -> None:
    keep(database, *(trace(n, ANA, SECRETS[n]) for n in range(1, 9)))
    taken = rows.of_user(database, ANA, "default", time.time_ns())
    rows.take_words(database, taken, ())
    assert len(recent(database)) == 8 and not search(database, SECRETS[1])
    assert erase(database, ANA, "default", tmp_path).traces == 8
    assert words_in(database) == set()


def test_what_is_stored_a_moment_later_is_seen_and_goes_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A serving process learns of a question, and scores an answer, beside all else."""
    mine = f"{1:032x}"
    keep(database, trace(1, ANA, SECRETS[1]), trace(2, BOB, "spade"))

    def late(_: float) -> None:
        caches.learn(database, "shop", [Label(b"1", "e", NOW, 0.9, True, SECRETS[2], "spade", mine, f"{2:032x}")])
        scored(database, mine, SECRETS[3])

    monkeypatch.setattr(time, "sleep", late)
    assert erase(database, ANA, "default", tmp_path).verified
    assert words_in(database) == set()


def test_exported_days_and_datasets_are_written_anew(database: Database, tmp_path: Path) -> None:
    old = [
        replace(
            trace(n, ANA if n % 2 else BOB, f"{SECRETS[n] if n % 2 else 'spade'} {n}"), started_ns=NOW - 3 * DAY_NS + n
        )
        for n in range(1, 7)
    ]
    keep(database, *old)
    assert [one.traces for one in parquet.export(database, tmp_path / ".regista" / "days", NOW)] == [6]
    first = kept_as(tmp_path, "all", old[:4], 1)
    second = kept_as(tmp_path, "all", old, 2, first.version)
    own = kept_as(tmp_path, "hers", [one for one in old if one.user == ANA], 3)
    third = kept_as(tmp_path, "his", [one for one in old if one.user == BOB], 4)

    done = erase(database, ANA, "default", tmp_path)

    assert done.verified and (done.removed["exported"], done.removed["examples"]) == (3, 8)
    assert [(one.name, one.version, one.examples, bool(one.by)) for one in done.datasets] == [
        ("all", first.version, 2, True),
        ("all", second.version, 3, True),
        ("hers", own.version, 3, False),
    ]
    newest, before = dataset.versions(tmp_path, "all")
    assert newest.parent == before.version and (newest.erased, before.erased) == (3, 2)
    assert (newest.created_ns, newest.examples) == (2, 3)
    assert [one.version for one in dataset.versions(tmp_path, "his")] == [third.version]
    assert [one.trace for one in dataset.read(tmp_path, newest)] == [one.id for one in old if one.user == BOB]
    assert [parquet.count(path) for path in parquet.files(tmp_path / ".regista" / "days")] == [3]
    assert holding(tmp_path, *SECRETS, ANA) == {}


def test_days_on_a_disk_that_is_not_there_are_told_and_done_when_it_is(database: Database, tmp_path: Path) -> None:
    disk, away = tmp_path / "disk", tmp_path / "unmounted"
    remember(tmp_path, disk)
    old = [replace(trace(1, ANA, SECRETS[1]), started_ns=NOW - 3 * DAY_NS)]
    copy = replace(trace(2, "", SECRETS[2], spans=(Span("shadow", old[0].id, -1, 0, 1),)), started_ns=NOW - 3 * DAY_NS)
    keep(database, *old, copy)
    assert [one.traces for one in parquet.export(database, disk, NOW)] == [2]
    disk.rename(away)
    disk.mkdir()
    for _ in range(2):
        done = erase(database, ANA, "default", tmp_path)
        assert not done.verified and "disk, which is not there" in done.problems[0]
        assert words_in(database) <= {ANA} and done.left["traces"] == 2
    disk.rmdir()
    away.rename(disk)
    done = erase(database, ANA, "default", tmp_path)
    assert done.verified and done.removed["exported"] == 2 and done.left == {}
    assert holding(tmp_path, *SECRETS, ANA) == {}


def test_exported_rows_of_a_user_go_though_the_store_has_deleted_them_for_their_age(
    database: Database, tmp_path: Path
) -> None:
    mine, others = trace(1, ANA, SECRETS[1]), [trace(2, BOB, "spade"), trace(3, ANA, "spade", tenant="elsewhere")]
    keep(database, *(replace(one, started_ns=NOW - 3 * DAY_NS) for one in (mine, *others)))
    assert [one.traces for one in parquet.export(database, tmp_path / DAYS, NOW)] == [3]
    forgetting.forget(database, NOW)
    done = erase(database, ANA, "default", tmp_path)
    assert done.verified and (done.traces, done.removed["exported"]) == (0, 1)
    assert [parquet.count(path) for path in parquet.files(tmp_path / DAYS)] == [2]


def test_answers_in_a_shared_cache_are_found_again_where_it_was_interrupted(database: Database, tmp_path: Path) -> None:
    keys = {n: f"{n:032x}" for n in (1, 2)}
    keep(database, *(trace(n, (ANA, BOB)[n - 1], "spade", spans=(cached(key),)) for n, key in keys.items()))
    asked: list[tuple[str, str]] = []

    def down(_: Sequence[tuple[str, str]]) -> None:
        raise StoreError("Redis is down.")

    def ended(_: Sequence[tuple[str, str]]) -> None:
        raise KeyboardInterrupt

    done = erase(database, ANA, "default", tmp_path, down)
    assert not done.verified and done.problems == ["Answers stay in the shared cache. Redis is down."]
    with pytest.raises(KeyboardInterrupt):
        erase(database, ANA, "default", tmp_path, ended)
    assert erase(database, ANA, "default", tmp_path, asked.extend).verified
    assert asked == [("shop", keys[1])]
    assert database.query("SELECT count(*) FROM spans WHERE stage = 'cache'") == [(1,)], "Bob's is his"


def cached(key: str) -> Span:
    """The stage of a request that looked in the exact cache under a key."""
    return Span("cache", "exact", -1, 0, 1, "miss", key)


def test_applications_on_one_store_are_cleaned_together(tmp_path: Path) -> None:
    club, shop = tmp_path / "apps" / "club", tmp_path / "apps" / "shop"
    for folder in (club, shop):
        folder.mkdir(parents=True)
        (folder / "regista.toml").touch()
    with closing(connect(f"sqlite://{tmp_path / 'a.db'}")) as database:
        old = [replace(trace(n, ANA, SECRETS[n]), started_ns=NOW - 3 * DAY_NS) for n in (1, 2)]
        keep(database, *old)
        for folder in (club, shop):
            kept_as(folder, "hers", old, 1)
            assert [one.traces for one in parquet.export(database, folder / ".regista" / "days", NOW)] == [2]
        done = erase(database, ANA, "default", club)
        assert (done.removed["examples"], done.removed["exported"], done.verified) == (4, 4, True)
    assert holding(tmp_path, *SECRETS, ANA) == {}
    assert [dataset.versions(folder) for folder in (club, shop)] == [[], []]
    assert [parquet.count(path) for path in parquet.files(shop / ".regista" / "days")] == [0]


def kept_as(folder: Path, name: str, traces: Sequence[Trace], at: int, parent: str = "") -> Lineage:
    made = examples_of(traces, [])
    return dataset.keep(folder, made.examples, Lineage(name, "", "shop", at, 0, {}, {}, {}, parent))


def test_a_byte_that_no_row_says_is_found_and_written_over(tmp_path: Path) -> None:
    """As an older SQLite, or one whose pages were divided, may leave it."""
    with closing(connect(f"sqlite://{tmp_path / 'a.db'}")) as database:
        keep(database, *(trace(n, BOB, "spade") for n in range(3, 9)))
        with closing(sqlite3.connect(tmp_path / "a.db")) as careless:
            careless.execute("PRAGMA secure_delete=OFF")
            careless.execute("CREATE TABLE scratch (said TEXT)")
            careless.executemany("INSERT INTO scratch VALUES (?)", [(f"Q {SECRETS[1]}",)] * 50)
            careless.execute("DELETE FROM scratch")
            careless.commit()
        piece = seeking.piece_of(f"Q {SECRETS[1]}")
        found = seeking.look(database, [piece, seeking.piece_of("nowhere at all")])
        assert [file.name for file in found.files] == ["a.db"] and found.rows == {}
        keep(database, trace(1, ANA, SECRETS[1]))
        done = erase(database, ANA, "default", tmp_path)
        assert done.verified and done.residue == []
    assert holding(tmp_path, SECRETS[1]) == {}


def test_the_same_words_of_others_stay_and_are_told(tmp_path: Path) -> None:
    with closing(connect(f"sqlite://{tmp_path / 'a.db'}")) as database:
        keep(database, trace(1, ANA, "when do the shops open today"), trace(2, BOB, "when do the shops open today"))
        done = erase(database, ANA, "default", tmp_path)
        assert done.verified and done.rows == {"bodies": 2}
        assert [row.user for row in recent(database)] == [BOB] and len(search(database, "shops")) == 1


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("many")


@settings(max_examples=12, deadline=None)
@given(owners=st.lists(st.sampled_from([ANA, BOB, ""]), min_size=1, max_size=40), batch=st.integers(1, 40))
def test_whoever_asked_what_none_of_anas_is_left_and_all_others_are(owners: list[str], batch: int, many: Path) -> None:
    path = many / f"{time.time_ns()}.db"
    with closing(connect(f"sqlite://{path}")) as database:
        made = [trace(n, user, f"{'quokka' if user == ANA else 'spade'}word{n}") for n, user in enumerate(owners, 1)]
        for start in range(0, len(made), batch):
            keep(database, *made[start : start + batch])
        done: Erasure = erase(database, ANA, "default", many)
        assert done.verified and done.traces == owners.count(ANA)
        assert [row.id for row in recent(database, limit=50)] == [one.id for one in made if one.user != ANA]
    assert b"quokkaword" not in path.read_bytes()
