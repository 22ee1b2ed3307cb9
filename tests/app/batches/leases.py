"""Batches of the dead, taken over."""

from regista.store import Database, batches
from regista.store.batches import Batch


def taken_from_the_dead(database: Database, batch: Batch) -> Batch | None:
    """The batch, whose owner is heard of no more; None if it has ended. A thread of the dead may renew its lease."""
    while batches.find(database, batch.tenant, batch.id).ended_ns is None:
        with database.transaction() as transaction:
            transaction.execute("UPDATE batches SET lease_ns = 0 WHERE id = ?", (batch.id,))
        if (taken := batches.claim(database, batch.application, batches.owner(), batch.id)) is not None:
            return taken
    return None
