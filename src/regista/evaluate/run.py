"""Runs a suite on a target: every case answered and scored once, kept by content, resumed where it stopped.

An output is kept under what it was made from (case, target, repetition), a score under what it is of
(the output's content, the case, the scorer): what is there is not made again, whoever made it. What failed
is. It knows no statistics and no terminal.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import isfinite
from typing import NamedTuple, ParamSpec, TypeVar

import msgspec

from regista.core.digest import content_key, digest, score_key
from regista.core.errors import ConfigurationError, RegistaError, StoreError
from regista.core.evaluation import Case, Output, Report, Score
from regista.evaluate.scorers import Scorer
from regista.evaluate.suite import Suite, check_needs, inspect, scorer_digest, suite_digest
from regista.evaluate.targets import Target
from regista.store import Database, evaluations
from regista.store.evaluations import Batch, Kept, Result

LOOKED_UP = 128
"""Cases whose outputs and scores are asked for at once."""
WRITTEN = 256
"""Results that are written together at most."""
WRITE_S = 0.25
"""Seconds that a result waits for the disk at most: what a crash may cost."""

P = ParamSpec("P")
T = TypeVar("T")
_encode = msgspec.msgpack.Encoder().encode


@dataclass
class Tally:
    """How far a run is. `reused` outputs were there before; `cost_nano` is what the new ones cost, if known."""

    total: int
    done: int = 0
    reused: int = 0
    errors: int = 0
    cost_nano: int = 0
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Plan:
    """What is run: a suite on a target, each case `repeat` times, `concurrency` at once.

    `fresh` makes every output anew. `limit` takes the first cases only.
    """

    suite: Suite
    target: Target
    scorers: Mapping[str, Scorer]
    application: str = ""
    variant: str = ""
    repeat: int = 1
    limit: int | None = None
    concurrency: int = 16
    fresh: bool = False
    models: str = ""
    """The digest of what the names of judges' models stand for."""

    @property
    def digests(self) -> dict[str, str]:
        """The digest of every scorer, by its name."""
        return {name: scorer_digest(self.suite, name, scorer, self.models) for name, scorer in self.scorers.items()}

    @property
    def run(self) -> str:
        """The run's id: the same plan has the same id."""
        suite = self.suite
        tried = [self.variant, self.target.digest, self.repeat, self.limit]
        return digest(
            [self.application, suite.name, suite.digest, suite.headline, suite.gate.level, self.digests, *tried]
        )


class _Work(NamedTuple):
    """One case to be tried once: `kept` is its output where there is one, `scorers` are those still to be asked."""

    n: int
    repetition: int
    case: Case
    digest: bytes
    key: bytes
    kept: Kept | None
    scorers: tuple[str, ...]


async def run_suite(database: Database, plan: Plan, progress: Callable[[Tally], None] | None = None) -> Report:
    """The report of a plan. A whole one without errors comes from the store as it is.

    Cancelled, it keeps what is done: the same plan goes on from there.

    Raises:
        ConfigurationError: a case cannot be used, or a scorer cannot work here at all.
        StoreError: results cannot be kept.
    """
    if not plan.fresh:
        report = await asyncio.to_thread(evaluations.report_of, database, plan.run)
        if report is not None and not any(estimate.error for estimate in report.estimates):
            return report
    # Here, for a run that is whole needs no scipy; and before the first case, for without scipy there is no report.
    from regista.evaluate.estimates import report_of  # noqa: PLC0415

    disk = _Disk()
    try:
        count = await disk(inspect, plan.suite, plan.scorers, plan.limit)
        run = _entered(plan, count)
        await disk(evaluations.begin, database, run)
        await _Running(database, plan, Tally(count * plan.repeat), progress, disk).all()
        if await disk(suite_digest, plan.suite) != plan.suite.digest:
            raise ConfigurationError(f"The files of {plan.suite.name!r} were changed while it ran. Type it again.")
        tried = await disk(evaluations.count, database, run.id)
        if tried != count * plan.repeat:
            wanted = f"{count * plan.repeat} outputs were to be made and {tried} are kept"
            raise StoreError(f"The run of {plan.suite.name!r} is not whole: {wanted}. Type it again.")
        report = await disk(report_of, database, run, plan.suite, plan.scorers)
        await disk(evaluations.finish, database, report)
    finally:
        disk.close()
    return report


class _Disk:
    """A run's one thread for its store: one connection with its pages in memory, and writes in their order."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "evaluation")

    async def __call__(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments, **named))

    def close(self) -> None:
        self._thread.shutdown()


def _entered(plan: Plan, count: int) -> evaluations.Run:
    return evaluations.Run(
        id=plan.run,
        application=plan.application,
        suite=plan.suite.name,
        suite_digest=plan.suite.digest,
        variant=plan.variant,
        variant_digest=plan.target.digest,
        target=plan.target.name,
        repeat=plan.repeat,
        headline=plan.suite.headline,
        scorers=plan.digests,
        only={name: plan.suite.scorings[name].only for name in plan.scorers if plan.suite.scorings[name].only},
        cases=count,
        started_ns=time.time_ns(),
    )


class _Running:
    """One run under way."""

    def __init__(
        self,
        database: Database,
        plan: Plan,
        tally: Tally,
        progress: Callable[[Tally], None] | None,
        disk: _Disk,
    ) -> None:
        self._database = database
        self._plan = plan
        self._tally = tally
        self._progress = progress
        self._digests = {name: value.encode() for name, value in plan.digests.items()}
        self._run = plan.run
        self._batch = Batch([], [], [], [])
        self._writing = asyncio.Lock()
        self._disk = disk

    async def all(self) -> None:
        """Try every case; what is done is written whatever ends this."""
        queue: asyncio.Queue[_Work | None] = asyncio.Queue(self._plan.concurrency)
        try:
            async with _raising_alone(), asyncio.TaskGroup() as tasks:
                workers = [tasks.create_task(self._work(queue)) for _ in range(self._plan.concurrency)]
                writer = tasks.create_task(self._write_now_and_then())
                await self._feed(queue)
                for _ in workers:
                    await queue.put(None)
                await asyncio.wait(workers)
                writer.cancel()
        finally:
            await self._write()

    async def _feed(self, queue: "asyncio.Queue[_Work | None]") -> None:
        tries = self._tries()
        while some := list(islice(tries, LOOKED_UP)):
            for work in await self._disk(self._looked_up, some):
                await queue.put(work)

    def _tries(self) -> Iterator[_Work]:
        """Every case as often as the plan says, nothing known of it yet."""
        target = self._plan.target.digest
        needs = {name: scorer.needs for name, scorer in self._plan.scorers.items()}
        for n, case in enumerate(self._plan.suite.cases(self._plan.limit)):
            case = check_needs(self._plan.suite, case, needs)
            scorers = tuple(name for name in self._digests if self._plan.suite.scorings[name].applies(case))
            asked = _encode((case.id, case.input, target))
            case_digest = content_key(_encode(msgspec.structs.replace(case, line=0)))
            for repetition in range(self._plan.repeat):
                yield _Work(n, repetition, case, case_digest, content_key(asked, b"%d" % repetition), None, scorers)

    def _looked_up(self, tries: list[_Work]) -> list[_Work]:
        """The same with what the store has of them. Blocks."""
        if self._plan.fresh:
            return tries
        outputs = evaluations.outputs(self._database, [work.key for work in tries])
        keys = {
            (work.key, name): self._score_key(kept.digest, work.digest, name)
            for work in tries
            if (kept := outputs.get(work.key)) is not None
            for name in work.scorers
        }
        there = evaluations.scored(self._database, list(keys.values()))
        return [
            work._replace(kept=kept, scorers=tuple(name for name in work.scorers if keys[work.key, name] not in there))
            if (kept := outputs.get(work.key)) is not None
            else work
            for work in tries
        ]

    async def _work(self, queue: "asyncio.Queue[_Work | None]") -> None:
        while (work := await queue.get()) is not None:
            kept = work.kept or await self._answered(work)
            output = kept.output
            if not output.error:
                for name in work.scorers:
                    score = await scored(self._plan.scorers[name], work.case, output)
                    self._batch.scores.append((self._score_key(kept.digest, work.digest, name), score))
            self._batch.cases.append((work.digest, work.case))
            self._batch.results.append(Result(work.n, work.repetition, work.digest, work.key, kept.digest))
            self._count(work, output)
            if len(self._batch.results) >= WRITTEN:
                await self._write()

    async def _answered(self, work: _Work) -> Kept:
        try:
            output = await self._plan.target.answer(work.case, work.repetition)
        except ConfigurationError:
            raise
        except RegistaError as error:
            output = Output(error=error.message)
        except asyncio.CancelledError:
            _pass_on_cancelling()
            output = Output(error="The target gave the case up.")
        body = _encode(output)
        kept = Kept(content_key(body), output)
        self._batch.outputs.append((work.key, kept.digest, body, output))
        return kept

    def _score_key(self, output: bytes, case: bytes, scorer: str) -> bytes:
        return score_key(output, case, self._digests[scorer])

    def _count(self, work: _Work, output: Output) -> None:
        tally = self._tally
        tally.done += 1
        tally.errors += bool(output.error)
        if work.kept is not None:
            tally.reused += 1
        else:
            tally.cost_nano += output.cost_nano or 0
        if self._progress is not None:
            self._progress(tally)

    async def _write_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(WRITE_S)
            await self._write()

    async def _write(self) -> None:
        # Whoever waits for it may be cancelled before the thread has begun: what is done is written all the same, and
        # one at a time.
        await asyncio.shield(self._written())

    async def _written(self) -> None:
        async with self._writing:
            batch, self._batch = self._batch, Batch([], [], [], [])
            if not any(batch):
                return
            try:
                await self._disk(evaluations.write, self._database, batch, self._run)
            except StoreError:
                # It ends the run, and is tried once more then: what was asked for is paid for.
                cases, outputs, scores, results = self._batch
                self._batch = Batch(
                    batch.cases + cases, batch.outputs + outputs, batch.scores + scores, batch.results + results
                )
                raise


async def scored(scorer: Scorer, case: Case, output: Output) -> Score:
    """The score, whatever the scorer does: only what is wrong with the whole suite ends a run."""
    try:
        return _sound(await scorer.score(case, output), scorer)
    except ConfigurationError:
        raise
    except asyncio.CancelledError:
        _pass_on_cancelling()
        return Score(None, "error", "The scorer gave the case up.")
    except Exception as error:  # noqa: BLE001 - a scorer is a component: its failure is recorded and counted
        return Score(None, "error", f"{type(error).__name__}: {error}")


def _pass_on_cancelling() -> None:
    """Raise what was caught if this task is being cancelled; else something below it was, and that is an error."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _sound(score: Score, scorer: Scorer) -> Score:
    """The score, checked: by types, for a scorer may be anybody's, and by its own bounds."""
    score = msgspec.convert(msgspec.structs.asdict(score), Score)
    msgspec.json.encode(score.detail)
    if score.status != "ok":
        return msgspec.structs.replace(score, value=None)
    low, high = scorer.bounds
    if score.value is None or not isfinite(score.value):
        return Score(None, "error", f"The scorer gave no number but {score.value}.", score.detail)
    if not low <= score.value <= high:
        return Score(None, "error", f"The scorer gave {score.value:g}, outside of {low:g} to {high:g}.", score.detail)
    return score


@asynccontextmanager
async def _raising_alone() -> AsyncGenerator[None]:
    """The first of the errors that ended a group of tasks, as if there had been but one task."""
    try:
        yield
    except ExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
