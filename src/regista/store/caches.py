"""What caches keep for longer than their process: answers, what was learned of them, a threshold and an epoch.

Calls block. It knows neither how questions are compared nor what an answer holds.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from regista.store.database import Database, Row, Transaction

LABELS_KEPT = 20_000
"""Labels of an application that are kept, the newest ones."""
FORGOTTEN = 400
"""Answers, and labels, that are forgotten at once."""
_ANSWER = "id, place, question, vector, answer, made_ns, expires_ns, trace"
_LABEL = "id, embedder, at_ns, likeness, same, asked, kept, asked_trace, kept_trace"
_EPOCH = "SELECT epoch FROM cache_epochs WHERE application = ?"
_CALIBRATION = "embedder, threshold, bound, risk, hits, wrong, source, made_ns, off"


class Answer(Struct, frozen=True, gc=False):
    """A kept answer, as the table `cache_answers` has it. Times are nanoseconds since 1970.

    `trace` is the one it was made in.
    """

    id: bytes
    place: bytes
    question: str
    vector: bytes
    answer: bytes
    made_ns: int
    expires_ns: int
    trace: str = ""


class Label(Struct, frozen=True, gc=False):
    """A question that a kept answer lay close to, and whether that one would have done. `likeness` is at most 1.

    Both are words of somebody: the traces say whose.
    """

    id: bytes
    embedder: str
    at_ns: int
    likeness: float
    same: bool
    asked: str
    kept: str
    asked_trace: str = ""
    kept_trace: str = ""


class Calibration(Struct, frozen=True, gc=False):
    """The likeness from which answers are served; `hits` and `wrong` are those of the labels at or above it.

    `threshold` is None where the labels carry none. `off` says why nothing is served although there is one.
    """

    embedder: str
    threshold: float | None
    bound: float
    risk: float
    hits: int
    wrong: int
    source: str
    made_ns: int
    off: str = ""


def epoch(database: Database, application: str) -> int:
    """The epoch of an application's caches; 0 before they were ever cleared."""
    return _number(database.query(_EPOCH, (application,)))


def clear(database: Database, application: str) -> int:
    """Begin another epoch and forget every kept answer; the new epoch. What was learned stays."""
    with database.transaction() as transaction:
        transaction.execute(
            "INSERT INTO cache_epochs (application, epoch) VALUES (?, 1) "
            "ON CONFLICT (application) DO UPDATE SET epoch = cache_epochs.epoch + 1",
            (application,),
        )
        transaction.execute("DELETE FROM cache_answers WHERE application = ?", (application,))
        return _number(transaction.execute(_EPOCH, (application,)))


def keep(
    database: Database, application: str, kept: Sequence[Answer], entries: int, now_ns: int, in_epoch: int = 0
) -> None:
    """Add answers, in place of older ones to the same questions; past `entries` the oldest go, and expired ones.

    They were made in one epoch: where another has begun since, they are forgotten with it.
    """
    with database.transaction() as transaction:
        if _number(transaction.execute(_EPOCH, (application,))) != in_epoch:
            return
        for answer in kept:
            transaction.execute(
                f"INSERT INTO cache_answers (application, {_ANSWER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET answer = excluded.answer, made_ns = excluded.made_ns, "
                "expires_ns = excluded.expires_ns, trace = excluded.trace",
                (application, *_row(answer)),
            )
        transaction.execute(
            "DELETE FROM cache_answers WHERE application = ? AND (expires_ns <= ? OR made_ns < "
            "(SELECT made_ns FROM cache_answers WHERE application = ? ORDER BY made_ns DESC LIMIT 1 OFFSET ?))",
            (application, now_ns, application, entries - 1),
        )


def answers(database: Database, application: str, since_ns: int, now_ns: int, entries: int) -> list[Answer]:
    """The newest answers made since then that have not expired, newest first."""
    rows = database.query(
        f"SELECT {_ANSWER} FROM cache_answers WHERE application = ? AND made_ns >= ? AND expires_ns > ? "
        "ORDER BY made_ns DESC LIMIT ?",
        (application, since_ns, now_ns, entries),
    )
    return [Answer(*row) for row in rows]


def count(database: Database, application: str, now_ns: int) -> int:
    """How many answers are kept that have not expired."""
    rows = database.query(
        "SELECT COUNT(*) FROM cache_answers WHERE application = ? AND expires_ns > ?", (application, now_ns)
    )
    return int(rows[0][0])


def outcomes(database: Database, application: str, since_ns: int) -> dict[str, int]:
    """How many requests since then had which outcome (`hit`, `semantic`, `miss` …; empty without a cache)."""
    rows = database.query(
        "SELECT cached, COUNT(*) FROM traces WHERE started_ns >= ? AND application = ? GROUP BY cached ORDER BY cached",
        (since_ns, application),
    )
    return {row[0]: int(row[1]) for row in rows}


def learn(database: Database, application: str, learned: Iterable[Label]) -> None:
    """Add labels; past `LABELS_KEPT` of an embedder's the oldest go."""
    with database.transaction() as transaction:
        embedders: set[str] = set()
        for label in learned:
            embedders.add(label.embedder)
            transaction.execute(
                f"INSERT INTO cache_labels (application, {_LABEL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO NOTHING",
                (application, *_row(label)),
            )
        for embedder in embedders:
            transaction.execute(
                "DELETE FROM cache_labels WHERE application = ? AND embedder = ? AND at_ns < "
                "(SELECT at_ns FROM cache_labels WHERE application = ? AND embedder = ? ORDER BY at_ns DESC "
                "LIMIT 1 OFFSET ?)",
                (application, embedder, application, embedder, LABELS_KEPT - 1),
            )


def labels(database: Database, application: str, embedder: str, since_ns: int = 0) -> list[Label]:
    """The labels learned with an embedder since then, oldest first."""
    rows = database.query(
        f"SELECT {_LABEL} FROM cache_labels WHERE application = ? AND embedder = ? AND at_ns >= ? ORDER BY at_ns, id",
        (application, embedder, since_ns),
    )
    return [_label(*row) for row in rows]


def _label(id: bytes, embedder: str, at_ns: int, likeness: float, same: int, *words: str) -> Label:
    return Label(id, embedder, at_ns, likeness, bool(same), *words)


def forget(transaction: Transaction, traces: Sequence[str]) -> int:
    """Take away the labels with a question of one of these traces; how many those were. Answers go by `clear`."""
    marks = ", ".join("?" * len(traces))
    sql = f"DELETE FROM cache_labels WHERE asked_trace IN ({marks}) OR kept_trace IN ({marks}) RETURNING 1"
    return len(transaction.execute(sql, (*traces, *traces)))


def forget_older(transaction: Transaction, before_ns: int) -> int:
    """Take away some of the answers and labels that were made before a time; how many, 0 where none is left."""
    gone = 0
    for table, time in (("cache_answers", "made_ns"), ("cache_labels", "at_ns")):
        some = f"SELECT id FROM {table} WHERE {time} < ? LIMIT {FORGOTTEN}"
        gone += len(transaction.execute(f"DELETE FROM {table} WHERE id IN ({some}) RETURNING 1", (before_ns,)))
    return gone


def label_counts(database: Database, application: str) -> dict[str, dict[str, int]]:
    """How many labels there are by embedder, and how many of them are of false hits."""
    rows = database.query(
        "SELECT embedder, COUNT(*), SUM(1 - same) FROM cache_labels WHERE application = ? GROUP BY embedder "
        "ORDER BY embedder",
        (application,),
    )
    return {row[0]: {"labels": int(row[1]), "wrong": int(row[2])} for row in rows}


def newest_label(database: Database, application: str, embedder: str) -> int:
    """When the newest label of an embedder was learned; 0 for none."""
    rows = database.query(
        "SELECT MAX(at_ns) FROM cache_labels WHERE application = ? AND embedder = ?", (application, embedder)
    )
    return int(rows[0][0] or 0)


def calibrations(database: Database, application: str) -> list[Calibration]:
    """What holds for each embedder that was calibrated."""
    rows = database.query(
        f"SELECT {_CALIBRATION} FROM cache_calibrations WHERE application = ? ORDER BY embedder", (application,)
    )
    return [Calibration(*row) for row in rows]


def calibrate(database: Database, application: str, made: Calibration) -> None:
    """Let a calibration hold in place of the one before."""
    with database.transaction() as transaction:
        columns = _CALIBRATION.split(", ")
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
        transaction.execute(
            f"INSERT INTO cache_calibrations (application, {_CALIBRATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            f"ON CONFLICT (application, embedder) DO UPDATE SET {changes}",
            (application, *_row(made)),
        )


def switch_off(database: Database, application: str, made: Calibration, why: str) -> None:
    """End a calibration, unless another one holds by now."""
    with database.transaction() as transaction:
        transaction.execute(
            "UPDATE cache_calibrations SET off = ? WHERE application = ? AND embedder = ? AND made_ns = ? AND off = ''",
            (why, application, made.embedder, made.made_ns),
        )


def _number(rows: Sequence[Row]) -> int:
    return int(rows[0][0]) if rows else 0


def _row(struct: Struct) -> tuple[object, ...]:
    values = (getattr(struct, name) for name in struct.__struct_fields__)
    return tuple(int(value) if isinstance(value, bool) else value for value in values)
