"""Deletes what is older than it is to be kept, in a thread of the writer process: never where requests are answered.

Knows how often, and not what is deleted.
"""

import contextlib
import threading
import time
import traceback

from regista.core.errors import StoreError
from regista.observe.clock import ahead_s, booted_s
from regista.store import BESIDE_KB, Database, connect, retention

NANO = 1_000_000_000
FIRST_S = 1.0
"""How soon after the start it is looked for the first time."""
MOST_S = 3_600.0
"""How long it is at most until it is looked again; a hundredth of the time that all is kept, where that is less."""
REST_S = 0.02
"""Between two small transactions: others write then."""


class Retention(threading.Thread):
    """Looks now and then while its process lives. `keep_s` may be changed; 0: keep all.

    While the wall clock is ahead of what passed since `booted` (see `observe.clock`) nothing is deleted.
    """

    def __init__(self, url: str, booted: float | None = None) -> None:
        super().__init__(name="retention", daemon=True)
        self.keep_s = 0
        self._url = url
        self._booted = booted_s() if booted is None else booted
        self._database: Database | None = None

    def run(self) -> None:
        """Look until the process ends. A store that cannot be used is tried again later."""
        pause_s = FIRST_S
        while True:
            time.sleep(pause_s)
            pause_s = min(MOST_S, max(FIRST_S, self.keep_s / 100))
            if not self.keep_s:
                continue
            try:
                self._look(pause_s)
            except StoreError:
                self._close()
            except Exception:  # noqa: BLE001 - recorded; without this thread nothing would ever be deleted again
                traceback.print_exc()
                self._close()

    def _look(self, pause_s: float) -> None:
        if ahead_s(self._booted, self.keep_s):
            return
        self._database = self._database or connect(self._url, cache_kb=BESIDE_KB)
        # A little less than the pause, so that whoever did it last finds itself in time again.
        retention.run(self._database, self.keep_s * NANO, int(pause_s * 0.9 * NANO), lambda: time.sleep(REST_S))

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(StoreError):
                self._database.close()
            self._database = None
