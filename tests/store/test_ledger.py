from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from regista.core.limits import parse_all
from regista.core.nouns import Call, Trace, Usage
from regista.observe.recorder import Recorder
from regista.store import Database, ledger
from regista.store.keys import Key
from regista.store.traces import find, write
from regista.store.usage import standings

DAY = 86_400 * 10**9
NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * 10**9


def call(model: str = "gpt", cost: int | None = 10, *, exact: bool = True, at: int = NOON, tokens: int = 5) -> Call:
    return Call("openai", model, "answer", "ok", Usage(tokens, 2, 1, 1, 3, 2, 1), exact, cost, at, 1_000)


def trace(calls: Sequence[Call], key: str = "web", tenant: str = "acme", cached: str = "", at: int = NOON) -> Trace:
    made = Recorder("club", "digest", "openai/gpt", tenant).finish("ok", "", cached, calls=calls, key=key)
    return replace(made, started_ns=at)


def enter(database: Database, *traces: Trace) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def test_calls_come_back_as_they_were_entered(database: Database) -> None:
    calls = (call(), replace(call("mini", None, exact=False), cause="fallback", status="error", reason="down"))
    calls += (replace(call(), usage=Usage(1, 2, charged_nano=77), cost_nano=77),)
    entered = trace(calls)
    enter(database, entered)
    assert find(database, entered.id).calls == calls


def test_a_trace_stored_twice_is_billed_once(database: Database) -> None:
    entered = trace([call()])
    enter(database, entered, entered)
    enter(database, entered)
    assert [one.calls for one in ledger.sums(database, "model")] == [1]


def test_sums_tell_exact_estimated_and_unknown_apart(database: Database) -> None:
    enter(database, trace([call(cost=10), call(cost=3, exact=False), call(cost=None), call(cost=None, exact=False)]))
    (found,) = ledger.sums(database, "model")
    assert (found.name, found.calls) == ("openai/gpt", 4)
    assert (found.exact_nano, found.estimated_nano, found.estimated, found.unpriced) == (10, 3, 2, 2)
    assert (found.input_tokens, found.output_tokens, found.cached_tokens, found.reasoning_tokens) == (20, 8, 4, 4)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("model", ["openai/large", "openai/gpt"]),
        ("key", ["app", "web"]),
        ("tenant", ["other", "acme"]),
        ("cause", ["answer", "retry"]),
        ("application", ["club"]),
        ("day", ["2026-11-20", "2026-11-21"]),
    ],
)
def test_sums_are_by_what_is_asked_for_the_dearest_first(database: Database, by: ledger.By, names: list[str]) -> None:
    enter(
        database,
        trace([call(), replace(call(), cause="retry")]),
        trace([call("large", 900, at=NOON - DAY)], "app", "other"),
    )
    found = ledger.sums(database, by)
    assert [one.name for one in found] == names
    assert sum(one.exact_nano for one in found) == 920


def test_sums_are_integers_however_large(database: Database) -> None:
    enter(database, trace([call(cost=9 * 10**17 + 1) for _ in range(5)]))
    assert ledger.sums(database, "model")[0].exact_nano == 45 * 10**17 + 5


def test_sums_begin_where_they_are_asked_to(database: Database) -> None:
    enter(database, trace([call(at=NOON - DAY)]), trace([call()]))
    assert ledger.sums(database, "model", NOON - 1_000)[0].calls == 1


def test_answers_from_a_cache_are_counted_apart_from_those_of_unknown_cost(database: Database) -> None:
    enter(database, trace([], cached="hit"), trace([], cached="coalesced"))
    enter(database, trace([call(cost=None)], cached="miss"), trace([]))
    assert ledger.from_caches(database) == 2
    assert ledger.from_caches(database, NOON + 1) == 0


def test_what_a_key_used_is_what_began_since(database: Database) -> None:
    enter(
        database,
        trace([call(), call(cost=None)]),
        trace([], cached="hit"),
        trace([call(at=NOON - DAY)], at=NOON - DAY),
        trace([call()], key="other"),
        trace([call()], key=""),
    )
    assert ledger.used(database, "web", NOON) == {"requests": 2, "tokens": 14, "dollars": 10}
    assert ledger.used(database, "web", 0) == {"requests": 3, "tokens": 21, "dollars": 20}
    assert ledger.used(database, "nobody", 0) == {"requests": 0, "tokens": 0, "dollars": 0}


def test_a_key_stands_where_its_windows_do(database: Database) -> None:
    enter(database, trace([call()]), trace([call(at=NOON - DAY)], at=NOON - DAY))
    limits = parse_all(["10 requests/day", "$5/month", "60 tokens/minute"])
    key = Key("web", "acme", "rk-web", 0, limits=limits)
    assert list(map(str, standings(database, key, NOON + 120 * 10**9))) == [
        "1 of 10 requests/day",
        "$0.00000002 of $5/month",
        "0 of 60 tokens/minute",
    ]
    young = replace(key, created_ns=NOON + 1)
    assert [one.used for one in standings(database, young, NOON + 2)] == [0, 0, 0]
