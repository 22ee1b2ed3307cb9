"""A model that keeps failing is left alone, tried again after a while, and trusted again when it answers."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule
from tests.models.resilience._world import ANSWER, Client, Scripted, Step, down, failure, metered, run

from regista.core.errors import OverloadedError, ProviderError
from regista.core.nouns import Delta, Request
from regista.models.resilience import faults
from regista.models.resilience.breaker import LEAST, LONGEST_S, OPEN_S, WINDOW_S, Breaker, Circuit
from regista.models.resilience.fallback import Fallback

FAULT = failure("500")


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, calls: int = LEAST) -> Circuit:
    circuit = Circuit("m", 0.5, clock)
    for _ in range(calls):
        circuit.enter()
        circuit.failed(FAULT)
    return circuit


class Life(RuleBasedStateMachine):
    """Any calls, ending in any way and order, over any time: what the circuit does beside what it promises."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.circuit = Circuit("m", 0.5, self.clock)
        self.probes = 0
        self.held_until = 0.0

    @rule(target=calls)
    def come(self) -> tuple[str, bool]:
        before = self.circuit.state
        try:
            probe = self.circuit.enter()
        except ProviderError as error:
            assert before != "closed"
            assert error.code == faults.LEFT_ALONE
            assert error.retry_after is not None and int(error.retry_after) >= 1
            return ("refused", False)
        assert before != "open"
        assert probe == (before == "half-open")
        self.probes += probe
        return ("under way", probe)

    @rule(call=consumes(calls))
    def work(self, call: tuple[str, bool]) -> None:
        if call[0] == "under way":
            self.circuit.worked(probe=call[1])
            self.probes -= call[1]
            assert not call[1] or self.circuit.state == "closed" or self.clock.now < self.held_until

    @rule(call=consumes(calls))
    def fail(self, call: tuple[str, bool]) -> None:
        if call[0] == "under way":
            opened = self.circuit.opened
            self.circuit.failed(FAULT, probe=call[1])
            self.probes -= call[1]
            assert not call[1] or self.circuit.state == "open"
            if self.circuit.opened > opened:
                assert OPEN_S <= self.circuit.seconds <= LONGEST_S

    @rule(call=consumes(calls))
    def leave(self, call: tuple[str, bool]) -> None:
        if call[0] == "under way":
            self.circuit.left(probe=call[1])
            self.probes -= call[1]

    @rule(call=consumes(calls), seconds=st.integers(0, 1000))
    def limit(self, call: tuple[str, bool], seconds: int) -> None:
        if call[0] == "under way":
            limited = ProviderError("slow down", upstream_status=429, retry_after=str(seconds))
            self.circuit.failed(limited, probe=call[1])
            self.probes -= call[1]
            self.held_until = max(self.held_until, self.clock.now + seconds)
            assert seconds == 0 or self.circuit.state == "open"

    @rule()
    def break_down(self) -> None:
        for _ in range(LEAST):
            if self.circuit.state == "closed":
                self.circuit.failed(FAULT, probe=self.circuit.enter())

    @rule(seconds=st.floats(0.1, 100))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(lambda self: self.circuit.state == "open")
    @rule()
    def wait_it_out(self) -> None:
        self.clock.now += self.circuit.seconds
        assert self.circuit.state != "open"

    @invariant()
    def one_call_decides(self) -> None:
        assert self.probes in (0, 1)
        assert self.circuit.state != "half-open" or self.circuit.ready == (self.probes == 0)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)


def test_it_opens_at_its_share_of_failures_and_not_before_there_are_enough() -> None:
    clock = Clock()
    circuit = opened(clock, LEAST - 1)
    assert circuit.state == "closed"
    circuit.worked()
    assert circuit.state == "closed"
    circuit.failed(FAULT)
    assert (circuit.state, circuit.opened) == ("open", 1)
    assert f"{LEAST} of {LEAST + 1} calls failed" in circuit.reason and "It says 500." in circuit.reason


def test_more_good_than_bad_keeps_it_closed() -> None:
    circuit = Circuit("m", 0.5, Clock())
    for _ in range(1000):
        circuit.worked()
        circuit.worked()
        circuit.failed(FAULT)
    assert circuit.state == "closed"


def test_old_failures_are_forgotten() -> None:
    clock = Clock()
    circuit = opened(clock, LEAST - 1)
    clock.now += WINDOW_S
    circuit.failed(FAULT)
    assert circuit.state == "closed"


def test_it_is_left_alone_for_twice_as_long_each_time_it_has_not_come_back() -> None:
    clock = Clock()
    circuit = opened(clock)
    waits = [circuit.seconds]
    for _ in range(8):
        clock.now += circuit.seconds
        circuit.failed(FAULT, probe=circuit.enter())
        waits.append(circuit.seconds)
    assert waits == [min(OPEN_S * 2**n, LONGEST_S) for n in range(9)]
    clock.now += circuit.seconds
    circuit.worked(probe=circuit.enter())
    for _ in range(LEAST):
        circuit.failed(FAULT)
    assert circuit.seconds == OPEN_S


def test_a_call_from_before_it_opened_decides_nothing() -> None:
    clock = Clock()
    circuit = opened(clock)
    circuit.worked()
    assert circuit.state == "open"
    clock.now += circuit.seconds
    assert circuit.enter()
    circuit.failed(FAULT)
    circuit.worked()
    assert circuit.state == "half-open"


@pytest.mark.parametrize("step", ["400", "401"])
def test_a_refused_request_is_the_answer_of_a_healthy_model(step: Step) -> None:
    circuit = Circuit("m", 0.5, Clock())
    model = Scripted([step for _ in range(100)])

    async def work() -> None:
        for _ in range(100):
            await Client().ask(Breaker(metered(model), circuit))

    run(work())
    assert circuit.state == "closed"


def test_what_was_never_asked_says_nothing_of_a_model() -> None:
    class Keeps:
        """Lets nobody through."""

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            raise OverloadedError("full", status=429)
            yield

    clock = Clock()
    circuit = opened(clock)
    clock.now += circuit.seconds
    client = run(Client().ask(Breaker(Keeps(), circuit)))
    assert isinstance(client.error, OverloadedError)
    assert (circuit.state, circuit.ready) == ("half-open", True)


def test_while_one_is_left_alone_the_next_answers_without_a_call_to_it() -> None:
    clock, failing, well = Clock(), Scripted(down(LEAST)), Scripted()
    circuit = Circuit("a", 0.5, clock)
    chain = Fallback([("a", Breaker(metered(failing, "a"), circuit)), ("b", metered(well, "b"))])

    async def ask(times: int) -> list[Client]:
        return [await Client().ask(chain) for _ in range(times)]

    clients = run(ask(LEAST + 3))
    assert all(client.text == ANSWER for client in clients)
    assert len(failing.calls) == LEAST
    assert clients[-1].causes == ["fallback"]
    assert "a is passed over: a is left alone for 2 s more: 10 of 10 calls failed" in clients[-1].notes[0]
    clock.now += OPEN_S
    assert run(ask(1))[0].causes == ["answer"]
    assert circuit.state == "closed"


def test_a_client_that_leaves_leaves_the_next_one_to_decide() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += circuit.seconds
    breaker = Breaker(metered(Scripted(["silent"]), first_s=100.0), circuit)

    async def leave() -> None:
        try:
            async with asyncio.timeout(1):
                await Client().ask(breaker)
        except TimeoutError:
            pass

    run(leave())
    assert (circuit.state, circuit.ready) == ("half-open", True)


def test_a_call_decides_once_and_not_again_when_it_breaks_off_long_after() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += circuit.seconds

    async def work() -> None:
        breaker = Breaker(metered(Scripted(["cut"])), circuit)
        first = breaker.generate(Client().request())
        await anext(first)
        assert circuit.state == "closed"
        for _ in range(LEAST):
            circuit.failed(FAULT, probe=circuit.enter())
        clock.now += circuit.seconds
        assert circuit.enter()
        with pytest.raises(ProviderError):
            async for _ in first:
                pass
        assert (circuit.state, circuit.ready) == ("half-open", False)
        circuit.worked(probe=True)
        assert circuit.state == "closed"

    run(work())
