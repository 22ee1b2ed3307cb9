"""Texts of prompts that were served, by content, and the variants that had them. Calls block."""

from collections.abc import Mapping
from typing import NamedTuple

from regista.store.database import Database


class Served(NamedTuple):
    """A prompt as a variant had it. `called` is what the variant is called, `answers` whether it answers with it.

    `first_ns` is when it was first served, in nanoseconds since 1970.
    """

    name: str
    variant: str
    digest: str
    called: str
    answers: bool
    first_ns: int


def keep(
    database: Database,
    application: str,
    variant: tuple[str, str],
    texts: Mapping[str, tuple[str, str]],
    answers: str,
    now_ns: int,
) -> None:
    """Keep the texts that a variant (its digest, and what it is called) is served with, where they are not kept yet.

    `texts` are, by the prompts' names, their digests and texts; `answers` names the one it answers with.
    """
    digest, called = variant
    known = database.query(
        "SELECT count(*) FROM prompt_variants WHERE application = ? AND variant = ?", (application, digest)
    )
    if int(known[0][0]) >= len(texts):
        return
    with database.transaction() as transaction:
        for name, (own, text) in texts.items():
            transaction.execute(
                "INSERT INTO prompt_texts (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING", (own, text)
            )
            transaction.execute(
                "INSERT INTO prompt_variants (application, name, variant, digest, called, answers, first_ns) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (application, name, variant) DO NOTHING",
                (application, name, digest, own, called, int(name == answers), now_ns),
            )


def served(database: Database, application: str, name: str = "") -> list[Served]:
    """Which variants had which texts of an application's prompts, or of one, the newest first."""
    narrowed = " AND name = ?" if name else ""
    rows = database.query(
        "SELECT name, variant, digest, called, answers, first_ns FROM prompt_variants "
        f"WHERE application = ?{narrowed} ORDER BY first_ns DESC, variant",
        (application, name) if name else (application,),
    )
    return [Served(row[0], row[1], row[2], row[3], bool(row[4]), int(row[5])) for row in rows]


def text_of(database: Database, digest: str) -> str | None:
    """A text by its digest; None where it was never served."""
    rows = database.query("SELECT text FROM prompt_texts WHERE digest = ?", (digest,))
    return rows[0][0] if rows else None
