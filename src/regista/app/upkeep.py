"""A server's side of the upkeep of its store: starts the process for it, hears its news, and tells the webhook.

Knows the process's life and the alarms that are to be told; not how they are found.
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from prometheus_client.metrics_core import CounterMetricFamily, Metric

from regista.app.upkeep_process import News, Orders, decode_news
from regista.core.framing import frame, receive_frame
from regista.core.nouns import Json
from regista.egress import Transport
from regista.observe.figures import Figure, figures_of
from regista.observe.webhook import PAUSES_S, Event, Hook, Webhook
from regista.store import Database, alarms
from regista.store.alarms import Alarm

START_S = 5.0
"""How long after its start a server begins: what it serves goes first."""
AGAIN_S = (0.0, 1.0, 5.0, 30.0, 300.0)
"""How long to wait for a new process after so many that ended."""
OLD_NS = 24 * 3_600 * 10**9
"""Alarms older than this are told nobody: they are no news."""


class Upkeep:
    """One server's. `aim` it, then `start` it. Use it from one event loop.

    `looks` counts how often it was looked what had arrived, `raised` alarms, and `days` those written out.
    """

    def __init__(self, database: Database, transport: Transport, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self.looks = 0
        self.raised = 0
        self.days = 0
        self._problems: dict[str, str] = {}
        self._database = database
        self._orders = Orders("", (), "", "")
        self._hook: Hook | None = None
        self._webhook = Webhook(transport, self._untold, self._claim, self._told, pauses_s)
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ending = False

    def aim(self, orders: Orders, hook: Hook | None) -> None:
        """What to do from now on, and where alarms are told."""
        self._orders, self._hook = orders, hook
        if self._keeper is not None:
            self._webhook.aim(hook)
            self._order()

    def start(self, after_s: float = START_S) -> None:
        """Begin, in a moment."""
        self._keeper = asyncio.create_task(self._keep(after_s), name="upkeep")
        self._webhook.aim(self._hook)

    async def close(self) -> None:
        """End. What is under way is done when it begins again."""
        self._ending = True
        await self._webhook.close()
        if self._keeper is None:
            return
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await asyncio.wait([self._keeper], timeout=1)
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)

    @property
    def problems(self) -> list[str]:
        """What is in the way."""
        return [problem for problem in (*self._problems.values(), self._webhook.problem) if problem]

    def figures(self) -> Sequence[Figure]:
        """Counters, for Prometheus."""
        made: list[Metric] = []
        for name, says, count in (
            ("regista_alarms_raised", "Alarms raised.", self.raised),
            ("regista_alarms_told", "Alarms the webhook took.", self._webhook.sent),
            ("regista_days_exported", "Closed days written as Parquet.", self.days),
        ):
            one = CounterMetricFamily(name, says)
            one.add_metric((), count)
            made.append(one)
        return figures_of(made)

    async def _untold(self) -> list[Event]:
        since, of = time.time_ns() - OLD_NS, self._orders.applications
        found = await asyncio.to_thread(alarms.untold, self._database, of, since)
        return [Event(one.id, one.opened_ns, _data(one)) for one in found]

    async def _claim(self, id: str) -> bool:
        return await asyncio.to_thread(alarms.claim, self._database, id, time.time_ns())

    async def _told(self, id: str, taken: bool) -> None:
        await asyncio.to_thread(alarms.told, self._database, id, time.time_ns() if taken else None)

    async def _keep(self, after_s: float) -> None:
        """Keep a process running: each that dies is followed by another, the later the more there were."""
        await asyncio.sleep(after_s)
        deaths = 0
        while not self._ending:
            await asyncio.sleep(AGAIN_S[min(deaths, len(AGAIN_S) - 1)])
            try:
                status = await self._run()
            except OSError as error:
                status = f"could not be started: {error}"
            deaths += 1
            self._problems["process"] = f"The process that looks after the store {status}; another one is started."

    async def _run(self) -> str:
        # Its own session: a signal to the server's group does not end it in the middle of something.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "regista.app.upkeep_process"),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        self._process = process
        try:
            self._order()
            if self._ending and process.stdin is not None:
                process.stdin.close()
            if process.stdout is not None:
                await self._listen(process.stdout)
            await process.wait()
        finally:
            self._process = None
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return f"ended with status {process.returncode}"

    def _order(self) -> None:
        stdin = self._process.stdin if self._process is not None else None
        if stdin is not None and not stdin.transport.is_closing():
            stdin.write(frame(self._orders))

    async def _listen(self, news: asyncio.StreamReader) -> None:
        with suppress(msgspec.DecodeError):
            while payload := await receive_frame(news):
                self._hear(decode_news(payload))

    def _hear(self, news: News) -> None:
        self._problems["process"] = ""
        self._problems[news.chore] = news.error
        self.looks += news.chore == "look"
        self.raised += news.alarms
        self.days += news.days
        if news.alarms:
            self._webhook.wake()


def _data(one: Alarm) -> Json:
    """What is told of an alarm: no word of what anybody said."""
    return {name: getattr(one, name) for name in Alarm.__struct_fields__ if not name.endswith("_ns")}
