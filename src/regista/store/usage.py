"""How much of its limits a key has used, as the ledger has it: what is under way is not in it yet."""

from msgspec import Struct

from regista.core.limits import Limit, shown, span
from regista.store import ledger
from regista.store.database import Database
from regista.store.keys import Key


class Standing(Struct, frozen=True):
    """What is used of a limit in the window that ends at `ends_ns`."""

    limit: Limit
    used: int
    ends_ns: int

    def __str__(self) -> str:
        """As in `12 of 60 requests/minute`."""
        used = shown(self.used, self.limit.unit)
        return f"{used if self.limit.unit == 'dollars' else self.used} of {self.limit}"


def standings(database: Database, key: Key, now_ns: int) -> list[Standing]:
    """Where a key stands with each of its limits."""
    found: list[Standing] = []
    for limit in key.limits:
        window = span(limit.window, now_ns)
        used = ledger.used(database, key.name, max(window.start_ns, key.created_ns))
        found.append(Standing(limit, used[limit.unit], window.end_ns))
    return found
