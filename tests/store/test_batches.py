import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.test_files import whole

from regista.core.errors import NotFoundError, RequestError
from regista.core.nouns import Usage
from regista.store import Database, batches, connect, files
from regista.store.batches import LEASE_NS, Batch, LeaseLostError, Order, Result, Trouble


def order(database: Database, place: str = "gateway") -> Order:
    return Order("app", "t", "rk-1", place, "/v1/chat/completions", whole(database, b"line\n"))


def claimed(database: Database, owner: str = "me") -> Batch:
    """A batch that was made and taken."""
    batches.create(database, order(database))
    batch = batches.claim(database, "app", owner)
    assert batch is not None
    return batch


def forsaken(database: Database, batch: Batch) -> None:
    """As if the batch's owner had been silent for longer than a lease."""
    with database.transaction() as transaction:
        transaction.execute("UPDATE batches SET lease_ns = ? WHERE id = ?", (time.time_ns() - 1, batch.id))


def output(database: Database, batch: Batch) -> bytes:
    return b"".join(files.blocks(database, batch.output_file))


def test_a_batch_goes_through_its_life(database: Database) -> None:
    made = batches.create(database, order(database))
    assert (made.status, made.owner, made.total) == ("validating", "", 0)
    assert batches.waiting(database, "app") and not batches.waiting(database, "other")
    batch = batches.claim(database, "app", "me")
    assert batch is not None and batch.owner == "me" and not batches.waiting(database, "app")
    batch = batches.start(database, batch, 3, "m")
    assert (batch.status, batch.total, batch.model) == ("in_progress", 3, "m")
    batch = batches.commit(database, batch, [Result(2, True, b"two\n", Usage(2, 1)), Result(3, False, b"three\n")])
    batch = batches.commit(database, batch, [Result(1, True, b"one\n", Usage(3, 1))])
    assert (batch.completed, batch.failed, batch.usage) == (2, 1, Usage(5, 2))
    assert sorted(batches.done(database, batch)) == [1, 2, 3]
    batch = batches.end(database, batch, "completed")
    assert (batch.status, batch.owner) == ("completed", "") and batch.ended_ns is not None
    assert output(database, batch) == b"one\ntwo\n", "An output is in the order of its input."
    assert files.find(database, "t", batch.error_file).bytes == 6
    assert batches.find(database, "t", batch.id) == batch and not batches.waiting(database, "app")


def test_a_batch_is_run_by_one_at_a_time_and_by_the_next_when_that_is_silent(database: Database) -> None:
    batch = batches.start(database, claimed(database, "a"), 2, "")
    assert batches.claim(database, "app", "b") is None
    forsaken(database, batch)
    taken = batches.claim(database, "app", "b")
    assert taken is not None and taken.owner == "b" and taken.lease_ns > time.time_ns() + LEASE_NS // 2
    lost: list[Callable[[], object]] = [
        lambda: batches.commit(database, batch, [Result(1, True, b"late\n")]),
        lambda: batches.renew(database, batch),
        lambda: batches.end(database, batch, "completed"),
    ]
    for late in lost:
        with pytest.raises(LeaseLostError):
            late()
    assert batches.done(database, taken) == [], "What comes too late is in no file."
    batches.release(database, batch)
    assert batches.claim(database, "app", "c") is None, "Only its owner releases a batch."
    batches.release(database, taken)
    assert batches.claim(database, "app", "c") is not None


def test_one_who_was_silent_and_finds_nobody_in_its_place_goes_on(database: Database) -> None:
    batch = batches.start(database, claimed(database), 1, "")
    forsaken(database, batch)
    assert batches.commit(database, batch, [Result(1, True, b"one\n")]).lease_ns > time.time_ns()


def test_of_many_who_want_one_batch_one_has_it(url: str) -> None:
    first, second = connect(url), connect(url)
    made = batches.create(first, order(first))
    taken = [batches.claim(database, "app", f"owner {n}") for n, database in enumerate((first, second, first, second))]
    assert [batch is not None and batch.id == made.id for batch in taken] == [True, False, False, False]
    first.close()
    second.close()


def test_a_batch_of_the_command_line_is_left_alone_by_gateways(database: Database) -> None:
    made = batches.create(database, order(database, place="command"), "cli")
    batches.release(database, made)
    assert not batches.waiting(database, "app") and batches.claim(database, "app", "gateway") is None
    assert batches.claim(database, "app", "cli again", made.id) is not None


def test_files_without_a_line_are_not_there(database: Database) -> None:
    batch = batches.start(database, claimed(database), 1, "")
    batch = batches.end(database, batches.commit(database, batch, [Result(1, False, b"no\n")]), "completed")
    assert batch.output_file == "" and files.find(database, "t", batch.error_file)
    assert [file.id for file in files.listing(database, "t", purpose="batch_output")] == [batch.error_file]


def test_a_batch_that_was_given_up_goes_on_where_it_stopped(database: Database) -> None:
    batch = batches.start(database, claimed(database), 2, "")
    batch = batches.commit(database, batch, [Result(1, True, b"one\n")])
    batch = batches.end(database, batch, "failed", [Trouble("budget_exhausted", "No money.", 2)])
    assert batch.errors[0].line == 2
    again = batches.reopen(database, batch, "me again")
    assert (again.status, again.errors, again.ended_ns, again.completed) == ("in_progress", (), None, 1)
    again = batches.commit(database, again, [Result(2, True, b"two\n")])
    again = batches.end(database, again, "completed")
    assert output(database, again) == b"one\ntwo\n" and files.find(database, "t", again.output_file).bytes == 8
    with pytest.raises(RequestError, match="nothing to resume"):
        batches.reopen(database, again, "me")


def test_a_batch_can_be_cancelled_until_it_has_ended(database: Database) -> None:
    batch = batches.start(database, claimed(database), 2, "")
    assert batches.cancel(database, "t", batch.id).status == "cancelling"
    assert batches.cancel(database, "t", batch.id).status == "cancelling"
    assert batches.commit(database, batch, [Result(1, True, b"one\n")]).status == "cancelling"
    batches.end(database, batch, "cancelled")
    with pytest.raises(RequestError, match="is cancelled: there is nothing to cancel"):
        batches.cancel(database, "t", batch.id)


def test_a_cancelling_of_a_batch_that_is_checked_is_not_forgotten(database: Database) -> None:
    batch = claimed(database)
    batches.cancel(database, "t", batch.id)
    assert batches.start(database, batch, 2, "").status == "cancelling"


def test_a_batch_is_its_tenants_alone(database: Database) -> None:
    batch = claimed(database)
    for look in (batches.find, batches.cancel):
        with pytest.raises(NotFoundError):
            look(database, "u", batch.id)
    assert batches.listing(database, "u") == []
    with pytest.raises(NotFoundError):
        batches.create(database, Order("app", "u", "", "gateway", "/v1/embeddings", batch.input_file))


def test_the_input_of_a_batch_outlives_it(database: Database) -> None:
    asked = order(database)
    with database.transaction() as transaction:
        transaction.execute("UPDATE files SET expires_ns = ? WHERE id = ?", (time.time_ns() + 10**9, asked.input_file))
    batch = batches.create(database, asked)
    files.sweep(database, batch.expires_ns)
    assert files.numbers(database, [batch.input_file]) == [0]
    assert batches.read_by(database, batch.input_file) == batch.id


def test_a_batch_is_known_by_how_its_id_starts(database: Database) -> None:
    first, second = (batches.create(database, order(database)) for _ in range(2))
    assert batches.named(database, "app", first.id[:12]) == first
    assert batches.named(database, "app", second.id.removeprefix("batch_")) == second
    with pytest.raises(NotFoundError, match="Several"):
        batches.named(database, "app", "batch_")
    with pytest.raises(NotFoundError, match=f"There are: {second.id}"):
        batches.named(database, "app", "batch_zzz")


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "commit", "silence", "release"]), st.integers(0, 2), st.integers(1, 5)),
    max_size=60,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(steps=STEPS)
def test_whoever_comes_and_goes_every_line_is_done_once(database: Database, steps: list[Step]) -> None:
    """Three runners claim, work, fall silent, and commit late; what they know of the batch may be old."""
    total = 12
    made = batches.create(database, order(database))
    held: dict[int, Batch] = {}
    with database.transaction() as transaction:  # batches of earlier examples are not to be run
        transaction.execute("UPDATE batches SET ended_ns = 1 WHERE id <> ?", (made.id,))
    for kind, who, count in [*steps, ("silence", 0, 1), ("claim", 0, 1), ("commit", 0, total)]:
        if kind == "claim" and (batch := batches.claim(database, "app", f"runner {who}")) is not None:
            held[who] = batch if batch.started_ns else batches.start(database, batch, total, "")
        elif kind == "silence":
            forsaken(database, made)
        elif kind == "release" and who in held:
            batches.release(database, held[who])
        elif kind == "commit" and who in held:
            done = set(batches.done(database, held[who]))
            todo = [n for n in range(1, total + 1) if n not in done][:count]
            try:
                batches.commit(database, held[who], [Result(n, n % 3 > 0, b"%d\n" % n, Usage(1, 1)) for n in todo])
            except LeaseLostError:
                del held[who]
    last = batches.end(database, held[0], "completed")
    assert (last.completed, last.failed, last.usage) == (8, 4, Usage(total, total))
    lines = [b"".join(files.blocks(database, file)).split() for file in (last.output_file, last.error_file)]
    assert [[int(n) for n in file] for file in lines] == [[1, 2, 4, 5, 7, 8, 10, 11], [3, 6, 9, 12]]
