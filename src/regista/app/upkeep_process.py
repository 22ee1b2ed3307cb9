"""The process beside a server that looks after its store: watches what arrives, compares days, writes closed ones out.

`python -m regista.app.upkeep_process`; orders come in on stdin, the last one counts, and news go out on stdout. It ends
when stdin does: signals meant for the server do not end it.
"""

import contextlib
import importlib.util
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path

import msgspec
from msgspec import Struct

from regista.app.days import place_of, remember
from regista.core.errors import RegistaError, StoreError
from regista.core.framing import frame, read_frame
from regista.feedback.labels import AGAINST
from regista.observe import streams
from regista.observe.features import COST, DURATION, FAILED, FIRST_TOKEN, Key
from regista.observe.priority import make_way
from regista.observe.streams import Raised, Streams
from regista.store import BESIDE_KB, Database, alarms, connect
from regista.store.alarms import Alarm
from regista.store.arrivals import Arrival, arrivals, newest, opinions
from regista.store.parquet import export

LOOK_S = 5.0
"""How often it is looked what arrived."""
COMPARE_S, EXPORT_S = 3_600.0, 600.0
AGAIN_S = 5.0
"""How long after a chore failed it is tried again; twice as long each time that it fails, and never longer than usual.
"""
FIRST_S = 300.0
"""How long after its start days are first compared."""
MOST = 500
"""Traces looked at at once: of more, each so many-th."""
WARM = 4_000
"""Traces of before its start by which it learns how things are."""
LATER_NS = 600 * 10**9
"""How long after a trace it is looked what users make of it."""
WAITING = 20_000
KNOWN = 1_000
"""Alarms of an application that are looked through, the newest: streams open a few a day at most."""
REMAIN_NS = 24 * 3_600 * 10**9
"""How long an alarm about what arrived is open: what has lasted for a day is how things are."""
AGAIN_NS = 7 * REMAIN_NS
"""How long the comparison opens no other alarm of a feature: as long as the times before that it looks at."""
CHILD_S = 600


class Orders(Struct, frozen=True, array_like=True):
    """Whose traces of which store are looked after, in which folder, and where in it closed days go; empty: nowhere."""

    url: str
    applications: tuple[str, ...]
    folder: str
    parquet: str
    look_s: float = LOOK_S


class News(Struct, frozen=True, array_like=True):
    """A chore was done: so many alarms were raised and days written. Or it was not, and `error` is in the way."""

    chore: str
    alarms: int = 0
    days: int = 0
    error: str = ""


class Finding(Struct, frozen=True, array_like=True):
    """A feature as the comparison found it: an alarm where it has shifted, else only whose it is and its name."""

    application: str
    aspect: str
    name: str
    alarm: Alarm | None


decode_orders = msgspec.msgpack.Decoder(Orders).decode
decode_news = msgspec.msgpack.Decoder(News).decode
_findings = msgspec.msgpack.Decoder(list[Finding]).decode
encode = msgspec.msgpack.Encoder().encode


class Watch:
    """What arrives in a store, looked at as it does. Calls block, and raise `StoreError`."""

    def __init__(self, database: Database, applications: Sequence[str]) -> None:
        self._database = database
        self._streams = {name: Streams() for name in applications}
        self._waiting: deque[Arrival] = deque()
        self._last = -1

    def look(self, now_ns: int) -> int:
        """Look at what has arrived since; how many alarms that raised. The first look only learns how things are."""
        until, learns = newest(self._database), self._last < 0
        after = max(0, until - WARM) if learns else self._last
        new = arrivals(self._database, [*self._streams], after, until, WARM if learns else MOST)
        self._waiting += new[: WAITING - len(self._waiting)]
        raised = [(name, one) for name, seen in _by_application(new, _figures(new)) for one in self._take(name, seen)]
        older: list[Arrival] = []
        while self._waiting and self._waiting[0].started_ns + self._waiting[0].duration_ns < now_ns - LATER_NS:
            older.append(self._waiting.popleft())
        said = _opinions(older, opinions(self._database, [one.trace for one in older]))
        raised += [(name, one) for name, seen in _by_application(older, said) for one in self._take(name, seen)]
        self._last = until
        if learns:
            return 0
        return sum(alarms.open_alarm(self._database, _alarm(name, one, now_ns)) for name, one in raised)

    def _take(self, name: str, seen: Sequence[tuple[str, Mapping[Key, float]]]) -> list[Raised]:
        return self._streams[name].take(seen)


def close_old(database: Database, applications: Sequence[str], now_ns: int) -> None:
    """Close the alarms about what arrived that have been open for so long that it is how things are."""
    for one in alarms.opened(database, applications):
        if one.found == "stream" and one.opened_ns < now_ns - REMAIN_NS:
            alarms.close(database, one.id, now_ns)


def settle(database: Database, found: Sequence[Finding], now_ns: int) -> int:
    """Open alarms for what the comparison found to have shifted, and close its own where it has not; how many opened.

    What it said nothing of, for want of traces, stays as it is. An alarm that was closed, by whom ever, is not opened
    again by the next comparison, which finds the same.
    """
    applications = sorted({one.application for one in found})
    still = {(one.application, one.aspect, one.name): one.alarm is not None for one in found}
    for one in alarms.opened(database, applications):
        if one.found == "comparison" and not still.get((one.application, one.aspect, one.name), True):
            alarms.close(database, one.id, now_ns)
    told = {
        (one.application, one.aspect, one.name)
        for name in applications
        for one in alarms.newest(database, name, now_ns - AGAIN_NS, KNOWN)
    }
    new = [one.alarm for one in found if (one.application, one.aspect, one.name) not in told and one.alarm is not None]
    return sum(alarms.open_alarm(database, one) for one in new)


class Upkeep:
    """Does each chore when it is due. What goes wrong is told, and tried again the next time."""

    def __init__(self, source: FileIO, answers: FileIO) -> None:
        self._source = source
        self._answers = answers
        self._orders: Orders | None = None
        self._database: Database | None = None
        self._watch: Watch | None = None
        now = time.monotonic()
        self._chores = {"look": self._look, "compare": self._compare, "export": self._export}
        self._due = {"look": now, "compare": now + FIRST_S, "export": now}
        self._every = {"look": LOOK_S, "compare": COMPARE_S, "export": EXPORT_S}
        self._pauses_s: dict[str, float] = {}
        """How long it is waited until what failed is tried again, by chore."""
        self._readable = select.poll()
        self._readable.register(source, select.POLLIN | select.POLLHUP)

    def run(self) -> None:
        """Look after the store until there are no more orders. A frame that is cut off is none."""
        while True:
            pause_s = max(0.0, min(self._due.values()) - time.monotonic()) if self._orders is not None else None
            if self._readable.poll(None if pause_s is None else pause_s * 1000):
                if not (payload := read_frame(self._source)):
                    break
                self._obey(decode_orders(payload))
            else:
                self._work()
        self._close()

    def _obey(self, orders: Orders) -> None:
        if self._orders is None or (orders.url, orders.applications) != (self._orders.url, self._orders.applications):
            self._close()
        self._orders = orders
        self._every["look"] = orders.look_s
        self._due["export"] = time.monotonic()

    def _work(self) -> None:
        for chore, due in self._due.items():
            if due > time.monotonic():
                continue
            self._due[chore] = time.monotonic() + self._every[chore]
            try:
                self._tell(self._chores[chore]())
                self._done(chore)
            except RegistaError as error:
                self._failed(chore, error.message)
            except Exception as error:  # noqa: BLE001 - the other chores are done all the same, and it is told
                self._failed(chore, f"The store is not looked after: {type(error).__name__}: {error}")

    def _done(self, chore: str) -> None:
        # The store is back: what failed without it need not wait, or a server would go on saying that it is not well.
        if self._pauses_s.pop(chore, None) is not None and chore == "look":
            self._due |= dict.fromkeys(self._pauses_s, time.monotonic())

    def _failed(self, chore: str, why: str) -> None:
        pause_s = min(self._every[chore], 2 * self._pauses_s[chore] if chore in self._pauses_s else AGAIN_S)
        self._pauses_s[chore] = pause_s
        self._due[chore] = time.monotonic() + pause_s
        # A store that is lost is found to be by the next look. What others fail at takes nothing from what was learnt.
        if chore == "look":
            self._close()
        self._tell(News(chore, error=why))

    def _look(self) -> News:
        database, orders = self._opened()
        if self._watch is None:
            self._watch = Watch(database, orders.applications)
        return News("look", alarms=self._watch.look(time.time_ns()))

    def _compare(self) -> News:
        database, orders = self._opened()
        close_old(database, orders.applications, time.time_ns())
        if importlib.util.find_spec("scipy") is None:
            return News("compare")  # an install that cannot compare
        # In a process that ends: what it needs is three times as large as this one.
        done = subprocess.run(
            [sys.executable, "-P", "-m", "regista.app.comparing"],
            input=encode(orders),
            capture_output=True,
            timeout=CHILD_S,
            check=False,
        )
        if done.returncode:
            raise StoreError(f"Days could not be compared: {done.stderr.decode(errors='replace').strip()[-300:]}")
        return News("compare", alarms=settle(database, _findings(done.stdout), time.time_ns()))

    def _export(self) -> News:
        database, orders = self._opened()
        if not orders.parquet:
            return News("export")
        folder = Path(orders.folder)
        place = place_of(folder, orders.parquet)
        remember(folder, place)
        return News("export", days=sum(1 for _ in export(database, place, time.time_ns())))

    def _opened(self) -> tuple[Database, Orders]:
        assert self._orders is not None, "nothing is due before there are orders"  # noqa: S101
        if self._database is None:
            self._database = connect(self._orders.url, cache_kb=BESIDE_KB)
        return self._database, self._orders

    def _close(self) -> None:
        """What was learnt goes with the database: with the next one it is learnt anew, and raises no alarm."""
        if self._database is not None:
            with contextlib.suppress(StoreError):
                self._database.close()
        self._database = self._watch = None

    def _tell(self, news: News) -> None:
        # The server may be gone: alarms are in the store.
        with contextlib.suppress(BrokenPipeError):
            self._answers.write(frame(news))


def _figures(new: Sequence[Arrival]) -> list[dict[Key, float]]:
    made: list[dict[Key, float]] = []
    for one in new:
        figures: dict[Key, float] = {DURATION: one.duration_ns, FAILED: float(one.status == "error")}
        if one.first_token_ns:
            figures[FIRST_TOKEN] = one.first_token_ns
        if one.cost_nano is not None:
            figures[COST] = one.cost_nano
        made.append(figures)
    return made


def _opinions(
    older: Sequence[Arrival], said: Mapping[str, Sequence[tuple[str, str, float | None]]]
) -> list[dict[Key, float]]:
    made: list[dict[Key, float]] = []
    for one in older:
        of = said.get(one.trace, ())
        signals = {name for kind, name, _ in of if kind == "signal"}
        thumbs = [value for kind, _, value in of if kind == "thumb" and value is not None]
        figures = {streams.REFUSED: float("refusal" in signals), streams.AGAINST: float(bool(signals & AGAINST))}
        if thumbs:
            figures[streams.THUMB] = float(thumbs[-1] > 0)
        made.append(figures)
    return made


def _by_application(
    some: Sequence[Arrival], figures: Sequence[dict[Key, float]]
) -> list[tuple[str, list[tuple[str, Mapping[Key, float]]]]]:
    found: dict[str, list[tuple[str, Mapping[Key, float]]]] = {}
    for one, made in zip(some, figures, strict=True):
        found.setdefault(one.application, []).append((one.trace, made))
    return list(found.items())


def _alarm(application: str, one: Raised, now_ns: int) -> Alarm:
    return Alarm(
        *(alarms.new_id(), application, *one.key, "stream", one.before, one.now, one.measure),
        *(one.effect, one.p, one.more, now_ns),
        examples=one.examples,
    )


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    make_way(19)  # whoever asks, and what is stored, goes before what is made of it
    with open(0, "rb", buffering=0, closefd=False) as source, open(1, "wb", buffering=0, closefd=False) as answers:
        Upkeep(source, answers).run()
