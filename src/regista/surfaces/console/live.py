"""The live tail: traces as they arrive, as server-sent events whose data are rows of the list."""

import asyncio
from collections.abc import Mapping
from time import monotonic

from regista.app.platform import Platform
from regista.core.errors import OverloadedError, RequestError
from regista.store import Database
from regista.store.trace_pages import Listed, Wanted, arrived, newest
from regista.surfaces.console.rendering import BARE, event, fragment
from regista.surfaces.console.views.traces import wanted
from regista.surfaces.http.answering import STREAM_HEADERS, Presence
from regista.surfaces.http.wire import Receive, Send

EVERY_S = 0.5
"""How often it is looked whether anything was committed."""
QUIET_S = 15.0
"""After so long without a row something is sent, so that nobody in between takes the connection for dead."""
MOST = 50
"""Rows in one event: of more that arrived together, the last."""
TAILS = 64
"""Tails of one process at a time."""


class Tails:
    """The tails under way in this process."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._running = 0

    async def follow(self, query: Mapping[str, str], last: bytes, receive: Receive, send: Send) -> None:
        """Send what arrives until the client or the server goes. `last` is the id of the last event it has."""
        which = wanted(query)
        since = await self._start(last.decode("latin-1") or query.get("since_n", ""))
        if self._running >= TAILS:
            raise OverloadedError(f"{TAILS} tails run already. Close a page that is live, or reload this one later.")
        self._running += 1
        try:
            with Presence(receive, self._platform.loop):
                await self._follow(which, since, send)
        finally:
            self._running -= 1

    async def _start(self, given: str) -> int:
        if not given:
            return await asyncio.to_thread(newest, self._platform.database)
        if not (given.isascii() and given.isdecimal() and len(given) < 19):
            raise RequestError(f"'since_n' is {given[:20]!r}: take it from the page.", param="since_n")
        return int(given)

    async def _follow(self, which: Wanted, since: int, send: Send) -> None:
        database = self._platform.database
        headers = [*BARE, *STREAM_HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        seen, told = -1, 0.0
        while not self._platform.draining:
            version = await asyncio.to_thread(database.version)
            if version != seen:
                seen = version
                since, rows = await asyncio.to_thread(_arrived, database, which, since)
                if rows:
                    await _send(send, event(rows, since))
                    told = monotonic()
            if monotonic() - told > QUIET_S:
                await _send(send, b": quiet\n\n")
                told = monotonic()
            await asyncio.sleep(EVERY_S)
        await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _arrived(database: Database, which: Wanted, since: int) -> tuple[int, str]:
    """The number of the last trace there is, and the rows of those wanted that arrived after `since`."""
    last = newest(database)
    found: list[Listed] = arrived(database, which, since, MOST) if last > since else []
    rows = "".join(fragment("rows.html", "row", trace=trace, fresh=True) for trace in found)
    return max(last, since), rows
