"""Evaluation as rows: cases, outputs and scores by their content, and the runs that are made of them.

Knows how they lie in tables, not how an output is made or what a score means.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import zstandard

from regista.core.digest import score_key
from regista.core.evaluation import Case, Output, Report, Score
from regista.store.database import Database, Row, Transaction

_ASKED = 400
"""Keys asked for in one query."""
_PAGE = 500
_encode = msgspec.msgpack.Encoder().encode
_decode_output = msgspec.msgpack.Decoder(Output).decode
_decode_case = msgspec.msgpack.Decoder(Case).decode
_ANSWERED = "evaluation_answers a JOIN evaluation_outputs o ON o.digest = a.digest"
_SMALL = 512
"""Bytes below which a body is stored as it is: compressing it would cost more than it saves."""


class Kept(NamedTuple):
    """An output in the store, with the digest of its content."""

    digest: bytes
    output: Output


class Result(NamedTuple):
    """One line of a run: the case with this number, tried for the so many-th time."""

    n: int
    repetition: int
    case: bytes
    output: bytes
    output_digest: bytes


class Batch(NamedTuple):
    """What is written together."""

    cases: list[tuple[bytes, Case]]
    outputs: list[tuple[bytes, bytes, bytes, Output]]
    """key, digest, body, output"""
    scores: list[tuple[bytes, Score]]
    results: list[Result]


class Run(msgspec.Struct, frozen=True):
    """A suite tried on a variant. `scorers` maps their names to digests, `only` to the slices they are asked about."""

    id: str
    application: str
    suite: str
    suite_digest: str
    variant: str
    variant_digest: str
    target: str
    repeat: int
    headline: str
    scorers: dict[str, str]
    only: dict[str, dict[str, str]]
    cases: int
    started_ns: int
    finished_ns: int | None = None


class Scored(NamedTuple):
    """One line of a run with one scorer's finding; `status` is missing where nothing was scored."""

    n: int
    repetition: int
    id: str
    cluster: str
    slices: str
    weight: float
    critical: bool
    failed: bool
    case: bytes
    output: bytes
    output_digest: bytes


def begin(database: Database, run: Run) -> None:
    """Enter a run, or enter it again: its report goes. Its results stay, for the same run has the same ones, and
    another process may be at it too; those of cases there are not go.
    """
    with database.transaction() as transaction:
        transaction.execute("DELETE FROM evaluation_results WHERE run = ? AND n >= ?", (run.id, run.cases))
        transaction.execute(_INSERT_RUN, _columns(run))


def finish(database: Database, report: Report) -> None:
    """Enter a run's report: from now on it is whole."""
    with database.transaction() as transaction:
        transaction.execute(
            "UPDATE evaluation_runs SET finished_ns = ?, report = ? WHERE id = ?",
            (time.time_ns(), msgspec.json.encode(report), report.run),
        )


def report_of(database: Database, run: str) -> Report | None:
    """The report of a whole run; None where it is not whole, or not there."""
    rows = database.query("SELECT report FROM evaluation_runs WHERE id = ? AND finished_ns IS NOT NULL", (run,))
    try:
        return msgspec.json.decode(rows[0][0], type=Report) if rows else None
    except msgspec.ValidationError:
        # Another version wrote it: what it was made from is here, so it is made again.
        return None


def runs(database: Database, application: str, suite: str | None = None) -> list[Run]:
    """The runs of an application, the newest first."""
    narrowed = " AND suite = ?" if suite is not None else ""
    rows = database.query(
        "SELECT id, application, suite, suite_digest, variant, variant_digest, target, repeat, headline, scorers, "
        '"only", cases, started_ns, finished_ns FROM evaluation_runs '
        f"WHERE application = ?{narrowed} ORDER BY started_ns DESC",
        (application, *([suite] if suite is not None else [])),
    )
    return [_run(row) for row in rows]


_COLUMNS = (
    *("id", "application", "suite", "suite_digest", "variant", "variant_digest", "target"),
    *("repeat", "headline", "scorers", '"only"', "cases", "started_ns", "finished_ns", "report"),
)
_INSERT_RUN = (
    f"INSERT INTO evaluation_runs ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)


def _columns(run: Run) -> tuple[Any, ...]:
    fields = msgspec.structs.asdict(run) | {"scorers": json.dumps(run.scorers), "only": json.dumps(run.only)}
    del fields["finished_ns"]
    return tuple(fields.values())


def _run(row: Row) -> Run:
    fields = dict(zip(Run.__struct_fields__, row, strict=True))
    return Run(**fields | {name: json.loads(fields[name]) for name in ("scorers", "only")})


def write(database: Database, batch: Batch, run: str) -> None:
    """Write what was done since the last time, all of it or nothing."""
    with database.transaction() as transaction:
        _write(transaction, batch, run)


def append(database: Database, run: Run, batch: Batch, case: bytes, output: bytes, output_digest: bytes) -> None:
    """Add one result to a run that never ends; enters the run with its first."""
    with database.transaction() as transaction:
        if not transaction.execute("SELECT 1 FROM evaluation_runs WHERE id = ?", (run.id,)):
            transaction.execute(_INSERT_RUN, _columns(run))
        so_far = transaction.execute("SELECT coalesce(max(n), -1) FROM evaluation_results WHERE run = ?", (run.id,))
        n = so_far[0][0] + 1
        transaction.execute("UPDATE evaluation_runs SET cases = ? WHERE id = ?", (n + 1, run.id))
        result = Result(n, 0, case, output, output_digest)
        _write(transaction, Batch(batch.cases, batch.outputs, batch.scores, [result]), run.id)


def outputs(database: Database, keys: Sequence[bytes]) -> dict[bytes, Kept]:
    """The outputs of these keys that are there and did not fail."""
    found = _in(database, f"SELECT a.key, a.digest, o.body FROM {_ANSWERED} WHERE o.failed = 0 AND a.key", keys)
    return {row[0]: Kept(row[1], _decode_output(_unpack(row[2]))) for row in found}


def any_output(database: Database, keys: Sequence[bytes]) -> dict[bytes, Output]:
    """The outputs of these keys, failed ones included."""
    found = _in(database, f"SELECT a.key, o.body FROM {_ANSWERED} WHERE a.key", keys)
    return {row[0]: _decode_output(_unpack(row[1])) for row in found}


def contents(database: Database, digests: Sequence[bytes]) -> dict[bytes, Output]:
    """The outputs of these contents."""
    found = _in(database, "SELECT digest, body FROM evaluation_outputs WHERE digest", digests)
    return {row[0]: _decode_output(_unpack(row[1])) for row in found}


def scored(database: Database, keys: Sequence[bytes]) -> set[bytes]:
    """Those of these keys whose scores are there; scores of status error are made again."""
    found = _in(database, "SELECT key FROM evaluation_scores WHERE status <> 'error' AND key", keys)
    return {row[0] for row in found}


def scores(database: Database, keys: Sequence[bytes]) -> dict[bytes, Score]:
    """The scores of these keys."""
    found = _in(database, "SELECT key, status, value, reason, detail FROM evaluation_scores WHERE key", keys)
    return {row[0]: Score(row[2], row[1], row[3], json.loads(row[4]) if row[4] else {}) for row in found}


def cases(database: Database, digests: Sequence[bytes]) -> dict[bytes, Case]:
    """The cases of these digests."""
    found = _in(database, "SELECT digest, body FROM evaluation_cases WHERE digest", digests)
    return {row[0]: _decode_case(_unpack(row[1])) for row in found}


def results(database: Database, run: str) -> Iterator[list[Scored]]:
    """A run's lines in order, in pages."""
    n = -1
    while True:
        rows = database.query(
            "SELECT r.n, r.repetition, c.id, c.cluster, c.slices, c.weight, c.critical, o.failed, "
            "r.case_digest, r.output, r.output_digest FROM evaluation_results r "
            "JOIN evaluation_cases c ON c.digest = r.case_digest "
            "JOIN evaluation_outputs o ON o.digest = r.output_digest "
            "WHERE r.run = ? AND r.n > ? AND r.n <= ? ORDER BY r.n, r.repetition",
            (run, n, n + _PAGE),
        )
        if not rows:
            return
        n += _PAGE
        yield [Scored(*row) for row in rows]


def tried(
    database: Database, application: str, target: str, since_ns: int, until_ns: int, limit: int
) -> list[tuple[str, bytes, bytes, dict[str, str]]]:
    """The newest outputs on a target that were made in that time, each once a run.

    Each is its case's id and digest, the digest of its content, and the run's scorers with their digests.
    """
    rows = database.query(
        "SELECT c.id, r.case_digest, r.output_digest, u.scorers FROM evaluation_runs u "
        "JOIN evaluation_results r ON r.run = u.id JOIN evaluation_outputs o ON o.digest = r.output_digest "
        "JOIN evaluation_cases c ON c.digest = r.case_digest "
        "WHERE u.application = ? AND u.target = ? AND o.made_ns >= ? AND o.made_ns < ? ORDER BY o.made_ns DESC LIMIT ?",
        (application, target, since_ns, until_ns, limit),
    )
    return [(id, bytes(case), bytes(output), json.loads(scorers)) for id, case, output, scorers in rows]


def count(database: Database, run: str) -> int:
    """How many results a run has."""
    return int(database.query("SELECT count(*) FROM evaluation_results WHERE run = ?", (run,))[0][0])


def cost(database: Database, run: str) -> int | None:
    """What a run's outputs cost in nano-dollars; None where one of them is not known."""
    total, unknown = database.query(
        "SELECT coalesce(sum(o.cost_nano), 0), count(*) - count(o.cost_nano) FROM evaluation_results r "
        "JOIN evaluation_outputs o ON o.digest = r.output_digest WHERE r.run = ?",
        (run,),
    )[0]
    return None if unknown else int(total)


def durations(database: Database, run: str) -> list[int]:
    """How long each output of a run took, in nanoseconds; those that failed or were not timed are left out."""
    found: list[int] = []
    for page in results(database, run):
        kept = contents(database, [line.output_digest for line in page if not line.failed])
        found += [one.duration_ns for one in kept.values() if one.duration_ns]
    return found


def keep_passport(database: Database, judge: str, body: bytes) -> None:
    """Keep a judge's passport in place of an earlier one."""
    with database.transaction() as transaction:
        transaction.execute(
            "INSERT INTO evaluation_passports VALUES (?, ?, ?) "
            "ON CONFLICT (judge) DO UPDATE SET made_ns = excluded.made_ns, body = excluded.body",
            (judge, time.time_ns(), body),
        )


def passport(database: Database, judge: str) -> bytes | None:
    """The passport of the judge of this digest."""
    rows = database.query("SELECT body FROM evaluation_passports WHERE judge = ?", (judge,))
    return rows[0][0] if rows else None


def erase(transaction: Transaction, ids: Sequence[str]) -> Counter[str]:
    """Take away the cases of these ids, a few hundred at most, with all that was answered, scored and run of them.

    What is counted is by table. Of those made of a trace that was scored as it came, the id is the trace's.
    """
    sql = f"SELECT digest FROM evaluation_cases WHERE id IN ({', '.join('?' * len(ids))})"
    cases = [row[0] for row in transaction.execute(sql, ids)]
    removed = Counter[str]()
    for case in cases:
        rows = transaction.execute(
            "SELECT r.output, r.output_digest, u.scorers FROM evaluation_results r "
            "JOIN evaluation_runs u ON u.id = r.run WHERE r.case_digest = ?",
            (case,),
        )
        removed["evaluation_results"] += _deleted(transaction, "evaluation_results", "case_digest", case)
        for output, content, scorers in rows:
            for scorer in json.loads(scorers).values():
                key = score_key(content, case, scorer.encode())
                removed["evaluation_scores"] += _deleted(transaction, "evaluation_scores", "key", key)
            removed["evaluation_answers"] += _deleted(transaction, "evaluation_answers", "key", output)
            if not transaction.execute("SELECT 1 FROM evaluation_results WHERE output_digest = ? LIMIT 1", (content,)):
                removed["evaluation_outputs"] += _deleted(transaction, "evaluation_outputs", "digest", content)
        removed["evaluation_cases"] += _deleted(transaction, "evaluation_cases", "digest", case)
    return removed


def erase_replies(transaction: Transaction, since_ns: int) -> Counter[str]:
    """Take away what is kept beside the runs and was made since then: replies of judges, which may quote any case."""
    where = "made_ns >= ? AND digest NOT IN (SELECT output_digest FROM evaluation_results)"
    sql = f"DELETE FROM evaluation_answers WHERE digest IN (SELECT digest FROM evaluation_outputs WHERE {where})"
    transaction.execute(sql, (since_ns,))
    gone = transaction.execute(f"DELETE FROM evaluation_outputs WHERE {where} RETURNING 1", (since_ns,))
    return Counter({"evaluation_outputs": len(gone)})


def replies(database: Database, before_ns: int) -> Iterator[Sequence[bytes]]:
    """What is kept beside the runs and was made before a time, by its digests, a few hundred at once."""
    sql = f"SELECT digest FROM evaluation_outputs o WHERE made_ns < ? AND {_BESIDE}"
    found = [row[0] for row in database.query(sql, (before_ns,))]
    yield from (found[start : start + _ASKED] for start in range(0, len(found), _ASKED))


def forget_replies(transaction: Transaction, digests: Sequence[bytes]) -> None:
    """Take away what is kept of these digests, unless a run has come to need it."""
    marks = ", ".join("?" * len(digests))
    transaction.execute(f"DELETE FROM evaluation_outputs AS o WHERE digest IN ({marks}) AND {_BESIDE}", digests)
    unknown = "NOT EXISTS (SELECT 1 FROM evaluation_outputs o WHERE o.digest = a.digest)"
    transaction.execute(f"DELETE FROM evaluation_answers AS a WHERE digest IN ({marks}) AND {unknown}", digests)


_BESIDE = "NOT EXISTS (SELECT 1 FROM evaluation_results r WHERE r.output_digest = o.digest)"


def _deleted(transaction: Transaction, table: str, column: str, value: bytes) -> int:
    return len(transaction.execute(f"DELETE FROM {table} WHERE {column} = ? RETURNING 1", (value,)))


def _write(transaction: Transaction, batch: Batch, run: str) -> None:
    now = time.time_ns()
    transaction.executemany(
        "INSERT INTO evaluation_cases VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            (key, case.id, case.cluster, json.dumps(case.slices), case.weight, case.critical, _pack(_encode(case)))
            for key, case in batch.cases
        ),
    )
    transaction.executemany(
        "INSERT INTO evaluation_answers VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET digest = excluded.digest",
        ((key, digest) for key, digest, _, _ in batch.outputs),
    )
    transaction.executemany(
        "INSERT INTO evaluation_outputs VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        ((digest, bool(output.error), now, output.cost_nano, _pack(body)) for _, digest, body, output in batch.outputs),
    )
    transaction.executemany(
        "INSERT INTO evaluation_scores VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
        "status = excluded.status, value = excluded.value, reason = excluded.reason, detail = excluded.detail",
        (
            (key, score.status, score.value, score.reason, json.dumps(score.detail) if score.detail else "")
            for key, score in batch.scores
        ),
    )
    transaction.executemany(
        "INSERT INTO evaluation_results VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run, n, repetition) DO UPDATE SET "
        "case_digest = excluded.case_digest, output = excluded.output, output_digest = excluded.output_digest",
        ((run, *result) for result in batch.results),
    )


def _in(database: Database, sql: str, keys: Sequence[bytes]) -> Iterable[Row]:
    for start in range(0, len(keys), _ASKED):
        asked: Sequence[Any] = keys[start : start + _ASKED]
        yield from database.query(f"{sql} IN ({', '.join('?' * len(asked))})", asked)


def _pack(body: bytes) -> bytes:
    # A msgpack map begins with 0x8n, 0xde or 0xdf and a zstd frame with 0x28: which one it is shows.
    return body if len(body) < _SMALL else zstandard.compress(body, 1)


def _unpack(body: bytes) -> bytes:
    return zstandard.decompress(body) if body[:1] == b"\x28" else body
