"""Compares the last day of applications with the week before it, for the process that looks after the store.

`python -m regista.app.comparing`: orders come in on stdin, findings go out on stdout. Needs the extra `eval`.
"""

import sys
import time

from regista.app.drifting import Times, gather
from regista.app.upkeep_process import Finding, Orders, decode_orders, encode
from regista.observe.drift import LEAST, Drift, drift
from regista.store import alarms, connect
from regista.store.alarms import Alarm

DAY_NS = 86_400 * 10**9
SAMPLED = 1_000
LEVEL = 0.01
"""It looks every hour, at much the same: stricter than someone who looks once."""


def compare(orders: Orders, now_ns: int) -> list[Finding]:
    """Every feature of each application of which there is enough."""
    database = connect(orders.url)
    try:
        times = Times(now_ns - 8 * DAY_NS, now_ns - DAY_NS, now_ns)
        found: list[Finding] = []
        for application in orders.applications:
            some = gather(database, application, times, SAMPLED)
            if min(len(some.before), len(some.now)) >= LEAST:
                judged = drift(some.before, some.now, level=LEVEL, known=some.known)
                found += [_finding(application, one, now_ns) for one in judged]
        return found
    finally:
        database.close()


def _finding(application: str, one: Drift, now_ns: int) -> Finding:
    if not one.shifted:
        return Finding(application, one.aspect, one.name, None)
    alarm = Alarm(
        *(alarms.new_id(), application, one.aspect, one.name, "comparison", one.before, one.now, one.measure),
        *(one.effect, one.p, f"more of {one.more}", now_ns),
        examples=one.examples,
    )
    return Finding(application, one.aspect, one.name, alarm)


if __name__ == "__main__":
    sys.stdout.buffer.write(encode(compare(decode_orders(sys.stdin.buffer.read()), time.time_ns())))
