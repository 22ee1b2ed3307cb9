"""Spans are gathered by trace for a moment, within bounds, and handed on whole."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from tests.observe.otel.conftest import sent

from regista.core.errors import OverloadedError, RequestError
from regista.observe.otel import intake
from regista.observe.otel.bounds import Rest
from regista.observe.otel.intake import Intake
from regista.observe.otel.nouns import Decoded, OtlpSpan
from regista.observe.otel.packing import decode_span


class Log:
    """Keeps what it is handed; `depth` of it is not stored yet."""

    def __init__(self) -> None:
        self.written = self.dropped = self.depth = 0
        self.got: list[tuple[str, list[OtlpSpan]]] = []

    def append_gathered(self, spans: Sequence[bytes], tenant: str) -> None:
        self.got.append((tenant, [decode_span(span) for span in spans]))
        self.depth += 1

    def store(self) -> None:
        self.written, self.depth = self.written + self.depth, 0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "QUIET_S", 0.05)
    monkeypatch.setattr(intake, "SWEEP_S", 0.01)


def reading(*spans: OtlpSpan, rejected: int = 0) -> Callable[[Rest], Decoded]:
    return lambda rest: Decoded(spans, rejected, "why" if rejected else "")


def named(trace: int, span: int = 1) -> OtlpSpan:
    return OtlpSpan(f"{trace:032x}", f"{span:016x}")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_spans_of_one_trace_from_several_requests_are_handed_on_together() -> None:
    log = Log()
    taking = Intake(log)
    await taking.take("a", 10, reading(named(1), named(2)))
    await taking.take("b", 10, reading(named(1)))
    decoded = await taking.take("a", 10, reading(named(1, 2), rejected=3))
    assert decoded.rejected == 3 and not log.got
    await until(lambda: len(log.got) == 3)
    found = {(tenant, spans[0].trace_id[-1]): [span.id[-1] for span in spans] for tenant, spans in log.got}
    assert found == {("a", "1"): ["1", "2"], ("a", "2"): ["1"], ("b", "1"): ["1"]}
    assert (taking.received, taking.rejected) == (7, 3)
    assert taking.held > 0, "They are held until they are stored."
    log.store()
    await until(lambda: taking.held == 0)
    taking.close()


async def test_a_span_is_handed_on_as_it_came() -> None:
    log = Log()
    taking = Intake(log)
    span = sent(gen_ai__request__model="m", deep=[{"a": [1, 2.5, None, True, "x"]}], status=2, message="no")
    await taking.take("", 10, reading(span))
    taking.close()
    assert log.got == [("", [span])]


async def test_a_trace_that_never_rests_is_handed_on_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "QUIET_S", 60)
    monkeypatch.setattr(intake, "HELD_S", 0.0)
    log = Log()
    taking = Intake(log)
    for number in range(3):
        await taking.take("", 10, reading(named(1, number + 1)))
        await asyncio.sleep(0.01)
    assert [len(spans) for _, spans in log.got] == [2], "The third begins another stay."
    taking.close()


async def test_no_more_is_taken_than_there_is_room_for_and_others_are_not_kept_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "TENANT_BYTES", 3_000)
    monkeypatch.setattr(intake, "ALL_BYTES", 5_000)
    log = Log()
    taking = Intake(log)

    async def fill(tenant: str) -> int:
        for number in range(100):
            try:
                await taking.take(tenant, 100, reading(named(number + 1)))
            except OverloadedError as error:
                assert error.status == 503 and error.retry_after
                return number
        return 100

    first = await fill("a")
    assert 0 < first < 100 and taking.held <= 3_000
    assert 0 < await fill("b") < first, "All together have a bound, too."
    assert taking.held <= 5_000 and taking.refused == 2
    await until(lambda: len(log.got) > first)
    assert await fill("a") == 0, "What is handed on and not stored takes room."
    log.store()
    assert await fill("a") > 0
    taking.close()


async def test_a_writer_that_is_behind_is_handed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    log.depth = intake.AHEAD
    taking = Intake(log)
    await taking.take("", 10, reading(named(1)))
    await asyncio.sleep(0.2)
    assert not log.got
    log.store()
    await until(lambda: len(log.got) == 1)
    taking.close()


@pytest.mark.parametrize(("size", "aside"), [(100, False), (1 << 20, True)])
async def test_what_is_large_is_read_beside_the_event_loop(size: int, aside: bool) -> None:
    read_in: list[bool] = []

    def read(rest: Rest) -> Decoded:
        read_in.append(threading.current_thread() is not threading.main_thread())
        return Decoded(())

    taking = Intake(Log())
    await taking.take("", size, read)
    taking.close()
    assert read_in == [aside]


async def test_what_cannot_be_read_takes_no_room() -> None:
    def read(rest: Rest) -> Decoded:
        raise RequestError("no")

    taking = Intake(Log())
    for size in (10, 1 << 20):
        with pytest.raises(RequestError):
            await taking.take("", size, read)
    assert taking.held == 0
    taking.close()
