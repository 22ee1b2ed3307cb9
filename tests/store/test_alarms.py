"""Alarms are kept, one of a feature at a time, on both engines."""

from typing import Any

from msgspec.structs import replace

from regista.store import Database
from regista.store.alarms import LEASE_NS, Alarm, claim, close, new_id, newest, open_alarm, opened, told, untold


def alarm(**fields: Any) -> Alarm:
    given: dict[str, Any] = {
        "id": new_id(),
        "application": "shop",
        "aspect": "latency",
        "name": "ms to the end",
        "found": "stream",
        "before": "500",
        "now": "1,400",
        "measure": "ratio",
        "effect": 2.8,
        "p": 1e-9,
        "more": "1,000 to 3,000",
        "opened_ns": 1_000,
        "examples": ("a" * 32, "b" * 32),
    }
    return Alarm(**given | fields)


def test_of_a_feature_one_alarm_is_open_at_a_time(database: Database) -> None:
    first, second = alarm(), alarm(opened_ns=2_000)
    assert open_alarm(database, first) and not open_alarm(database, second)
    assert opened(database, ["shop"]) == [first]
    assert open_alarm(database, alarm(name="dollars", opened_ns=3_000)) and open_alarm(database, alarm(application=""))
    assert [one.name for one in opened(database, ["shop"])] == ["dollars", "ms to the end"]
    assert opened(database, []) == [] and untold(database, [], 0) == []
    assert close(database, first.id, 5_000) and not close(database, first.id, 6_000) and not close(database, "x", 1)
    assert open_alarm(database, second)
    assert newest(database, "shop", 0)[1:] == [second, replace(first, closed_ns=5_000)]
    assert newest(database, "shop", 2_500)[0].name == "dollars" and len(newest(database, "shop", 0, 1)) == 1


def test_what_the_webhook_has_not_taken_is_found_until_it_has(database: Database) -> None:
    old, new, other = alarm(opened_ns=10), alarm(name="dollars", opened_ns=20), alarm(application="club")
    for one in (old, new, other):
        assert open_alarm(database, one)
    assert [one.id for one in untold(database, ["shop"], 0)] == [old.id, new.id]
    assert [one.id for one in untold(database, ["shop", "club"], 15)] == [new.id, other.id]
    told(database, old.id, 99)
    assert [one.id for one in untold(database, ["shop"], 0)] == [new.id]
    assert {one.id: one.told_ns for one in opened(database, ["shop"])} == {old.id: 99, new.id: None}


def test_an_alarm_is_for_one_server_to_tell_until_it_is_told_given_back_or_too_long_ago(database: Database) -> None:
    one, other = alarm(), alarm(name="dollars")
    for each in (one, other):
        assert open_alarm(database, each)
    now = 10 * LEASE_NS
    assert claim(database, one.id, now) and not claim(database, one.id, now + LEASE_NS - 1)
    assert claim(database, other.id, now) and not claim(database, "none", now)
    told(database, one.id, None)
    assert claim(database, one.id, now + 1), "it was given back"
    assert claim(database, one.id, now + 1 + LEASE_NS), "who had it died over it"
    told(database, one.id, now)
    assert not claim(database, one.id, now + 9 * LEASE_NS)
    assert [each.id for each in untold(database, ["shop"], 0)] == [other.id]
