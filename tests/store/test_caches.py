"""What caches keep, on both engines."""

from msgspec.structs import replace

from regista.store import Database, caches
from regista.store.caches import Answer, Calibration, Label

DAY = 86_400 * 10**9


def answer(n: int, expires_ns: int = DAY) -> Answer:
    return Answer(bytes([n]) * 16, b"p" * 16, f"Question {n}?", b"\x00\x3c", b"answer", n, expires_ns)


def label(n: int, same: bool = True, embedder: str = "m") -> Label:
    return Label(bytes([n]) * 16, embedder, n, 0.9, same, "asked", "kept")


def test_answers_come_back_newest_first_less_the_expired_and_the_older(database: Database) -> None:
    caches.keep(database, "shop", [answer(1), answer(2), answer(3), answer(4, expires_ns=50)], 10, now_ns=10)
    caches.keep(database, "club", [answer(5)], 10, now_ns=10)
    found = caches.answers(database, "shop", since_ns=2, now_ns=60, entries=10)
    assert found == [answer(3), answer(2)]
    assert caches.answers(database, "shop", 0, 60, entries=1) == [answer(3)]
    assert caches.count(database, "shop", 60) == 3


def test_past_the_entries_the_oldest_go_and_so_do_the_expired(database: Database) -> None:
    caches.keep(database, "shop", [answer(n) for n in range(1, 6)], 3, now_ns=10)
    assert caches.answers(database, "shop", 0, 10, 10) == [answer(5), answer(4), answer(3)]
    caches.keep(database, "shop", [replace(answer(6), expires_ns=5)], 3, now_ns=10)
    assert caches.answers(database, "shop", 0, 0, 10) == [answer(5), answer(4)]


def test_a_question_kept_again_has_its_newer_answer(database: Database) -> None:
    caches.keep(database, "shop", [answer(1)], 10, 10)
    newer = replace(answer(1), answer=b"newer", made_ns=9, expires_ns=DAY + 9)
    caches.keep(database, "shop", [newer], 10, 10)
    assert caches.answers(database, "shop", 0, 10, 10) == [newer]


def test_clearing_forgets_the_answers_of_one_application_and_raises_its_epoch(database: Database) -> None:
    caches.keep(database, "shop", [answer(1)], 10, 10)
    caches.keep(database, "club", [answer(2)], 10, 10)
    caches.learn(database, "shop", [label(1)])
    assert [caches.epoch(database, "shop"), caches.clear(database, "shop"), caches.clear(database, "shop")] == [0, 1, 2]
    assert (caches.epoch(database, "shop"), caches.epoch(database, "club")) == (2, 0)
    assert caches.count(database, "shop", 10) == 0 and caches.count(database, "club", 10) == 1
    assert len(caches.labels(database, "shop", "m")) == 1


def test_answers_of_an_epoch_that_has_ended_are_forgotten_with_it(database: Database) -> None:
    now = caches.clear(database, "shop")
    caches.keep(database, "shop", [answer(1)], 10, 10, in_epoch=now - 1)
    assert caches.count(database, "shop", 10) == 0
    caches.keep(database, "shop", [answer(2)], 10, 10, in_epoch=now)
    assert caches.answers(database, "shop", 0, 10, 10) == [answer(2)]


def test_labels_come_back_oldest_first_by_embedder(database: Database) -> None:
    caches.learn(database, "shop", [label(3), label(1), label(2, same=False), label(4, embedder="other")])
    caches.learn(database, "shop", [label(3)])
    assert caches.labels(database, "shop", "m") == [label(1), label(2, same=False), label(3)]
    assert caches.labels(database, "shop", "m", since_ns=3) == [label(3)]
    assert caches.label_counts(database, "shop") == {"m": {"labels": 3, "wrong": 1}, "other": {"labels": 1, "wrong": 0}}
    assert (caches.newest_label(database, "shop", "m"), caches.newest_label(database, "club", "m")) == (3, 0)


def test_a_calibration_is_ended_only_while_it_is_the_one_that_holds(database: Database) -> None:
    first = Calibration("m", 0.9, 0.01, 0.05, 300, 0, "sample", 1)
    caches.calibrate(database, "shop", first)
    caches.switch_off(database, "shop", first, "false")
    caches.switch_off(database, "shop", first, "said later")
    assert caches.calibrations(database, "shop") == [replace(first, off="false")]
    second = replace(first, threshold=0.95, made_ns=2)
    caches.calibrate(database, "shop", second)
    caches.switch_off(database, "shop", first, "too late")
    assert caches.calibrations(database, "shop") == [second]
    assert caches.calibrations(database, "club") == []
