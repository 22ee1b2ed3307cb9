"""Trained heads of the router, by a digest of what they were trained on. Knows nothing of what is in one."""

import time
from dataclasses import dataclass

from regista.store.database import Database


@dataclass(frozen=True)
class Heads:
    """The table. Both methods block."""

    database: Database

    def get(self, key: str) -> bytes | None:
        """The head of a digest, if it is there."""
        rows = self.database.query("SELECT body FROM router_heads WHERE digest = ?", (key,))
        return bytes(rows[0][0]) if rows else None

    def put(self, key: str, body: bytes) -> None:
        """Keep a head; one of the same digest is replaced."""
        with self.database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO router_heads (digest, made_ns, body) VALUES (?, ?, ?) "
                "ON CONFLICT (digest) DO UPDATE SET made_ns = excluded.made_ns, body = excluded.body",
                (key, time.time_ns(), body),
            )
