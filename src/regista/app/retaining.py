"""What was deleted for its age, as figures for Prometheus. It deletes nothing."""

from collections.abc import Sequence

from regista.core.errors import StoreError
from regista.observe.figures import Figure
from regista.store import Database, retention

NANO = 1_000_000_000


def figures_of_retention(database: Database) -> Sequence[Figure]:
    """What came of `[observe] keep` so far, in all servers of a store; nothing where it was never set. Blocks."""
    try:
        ran = retention.last(database)
    except StoreError:
        return ()
    if ran is None:
        return ()
    return (
        _figure("counter", "traces_deleted", "Traces deleted for their age.", ran.total, "_total"),
        _figure("gauge", "last_traces_deleted", "The same, the last time.", ran.traces),
        _figure("gauge", "last_seconds", "When that was, in seconds since 1970.", ran.ran_ns / NANO),
        _figure("gauge", "before_seconds", "All that began before this is gone.", ran.before_ns / NANO),
        _figure("gauge", "failed", "1 where the last time did not succeed.", float(bool(ran.problem))),
    )


def _figure(kind: str, name: str, about: str, value: float, suffix: str = "") -> Figure:
    name = f"regista_retention_{name}"
    return Figure(name, kind, about, ((f"{name}{suffix}", (), float(value)),))
