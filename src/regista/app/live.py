"""A share of what is served, scored as it comes by the scorers of a suite: the same objects as offline and in CI.

It takes what is left over: a request never waits for it, and where it falls behind it leaves some out and counts
them. What it finds is a run like any other, named by its suite and variant.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from regista.app.asking import models_digest
from regista.app.folder import Folder
from regista.app.hiding import hide
from regista.app.outputs import output_of
from regista.core.digest import content_key, digest, score_key
from regista.core.errors import ConfigurationError, RegistaError
from regista.core.evaluation import Case, Output, Score, input_of
from regista.core.nouns import Trace
from regista.evaluate.run import scored
from regista.evaluate.suite import Suite, build_scorers, live_scorers, read_suite, scorer_digest
from regista.observe.capture import Capture, figures, hidden_in
from regista.serve.exchange import Exchange
from regista.store import Database, evaluations

WAITING = 100
"""Traces that may wait to be scored; further ones are left out."""
TARGET = "live traces"
_encode = msgspec.msgpack.Encoder().encode
_log = logging.getLogger(__name__)


class LiveScoring:
    """Scores a share of an application's traces. `offer` each; `close` it.

    Raises:
        ConfigurationError: the suite cannot be used, or one of its scorers needs a reference.
    """

    def __init__(self, folder: Folder, variant: str, database: Database, ports: Mapping[str, Any]) -> None:
        settings = folder.settings.evaluation
        assert settings is not None, "made only where [evaluation] is"  # noqa: S101
        self.suite: Suite = read_suite(folder.path / "evals", settings.suite)
        self.left_out = 0
        self._begun = self._ended = 0
        self._scorers = live_scorers(self.suite, build_scorers(self.suite, ports))
        if not self._scorers:
            raise ConfigurationError(
                f"[evaluation] suite = {settings.suite!r}: each of its scorers is for some slices."
            )
        for name, scorer in self._scorers.items():
            needed = [reference for reference, kind in scorer.needs.items() if not _may_be_absent(kind)]
            if needed:
                raise ConfigurationError(
                    f"[evaluation] suite = {settings.suite!r}: its scorer {name!r} needs the reference {needed[0]!r}, "
                    "which live traffic has not. Name a suite of scorers without references."
                )
        models = models_digest(folder.settings)
        self._digests = {n: scorer_digest(self.suite, n, scorer, models) for n, scorer in self._scorers.items()}
        self._below = int(settings.share * (1 << 32))
        self._database = database
        self._capture: Capture = folder.settings.observe.capture
        self._queue: asyncio.Queue[tuple[Case, Output]] = asyncio.Queue(WAITING)
        self._run = evaluations.Run(
            id=digest(["live", folder.name, variant, self._digests]),
            application=folder.name,
            suite=self.suite.name,
            suite_digest=self.suite.digest,
            variant=f"{folder.variant or 'base'} live",
            variant_digest=variant,
            target=TARGET,
            repeat=1,
            headline=self.suite.headline if self.suite.headline in self._scorers else next(iter(self._scorers)),
            scorers=self._digests,
            only={},
            cases=0,
            started_ns=time.time_ns(),
        )
        self._task = asyncio.create_task(self._score(), name="live scoring")

    def offer(self, trace: Trace, exchange: Exchange, text: str) -> None:
        """Take a trace if it is of the share; never waits."""
        if int(trace.id[-8:], 16) >= self._below or trace.status != "ok" or trace.tenant == "evaluation":
            return
        case = Case(trace.id, input_of(trace.question))
        try:
            self._queue.put_nowait((case, output_of(trace, exchange, text)))
        except asyncio.QueueFull:
            self.left_out += 1

    async def empty(self, patience_s: float = 10.0) -> None:
        """Leave out what waits, and let what is being scored be stored; raises `TimeoutError` if that takes longer."""
        while not self._queue.empty():
            self._queue.get_nowait()
            self._queue.task_done()
            self.left_out += 1
        until = self._begun
        async with asyncio.timeout(patience_s):
            while self._ended < until:  # noqa: ASYNC110 - asked where somebody is erased alone
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Score what waits, for five seconds at most, and end."""
        try:
            async with asyncio.timeout(5):
                await self._queue.join()
        except TimeoutError:
            self.left_out += self._queue.qsize()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _score(self) -> None:
        while True:
            case, output = await self._queue.get()
            self._begun += 1
            try:
                await self._one(case, output)
            except Exception as error:  # noqa: BLE001 - the next trace may be scored: this one is counted and told
                self.left_out += 1
                why = f": {error}" if self._capture == "full" else ""  # what is wrong with a text may quote it
                _log.warning("A live trace was not scored: %s%s", type(error).__name__, why)
            finally:
                self._ended += 1
                self._queue.task_done()

    async def _one(self, case: Case, output: Output) -> None:
        scores = {name: await scored(scorer, case, output) for name, scorer in self._scorers.items()}
        if self._capture != "full":
            case, output, scores = await asyncio.to_thread(_kept, self._capture, case, output, scores)
        body = _encode(output)
        case_digest, key, content = (
            content_key(_encode(case)),
            content_key(b"live", case.id.encode()),
            content_key(body),
        )
        found = [
            (score_key(content, case_digest, self._digests[name].encode()), score) for name, score in scores.items()
        ]
        batch = evaluations.Batch([(case_digest, case)], [(key, content, body, output)], found, [])
        await asyncio.to_thread(evaluations.append, self._database, self._run, batch, case_digest, key, content)


def _kept(
    capture: Capture, case: Case, output: Output, scores: Mapping[str, Score]
) -> tuple[Case, Output, dict[str, Score]]:
    """What is stored of a case that was scored: see `[observe] capture`. What cannot be masked is not kept."""
    if capture == "masked":
        try:
            plain: Any = hidden_in(msgspec.to_builtins((case, output, scores)), hide)
            shown, said, found = msgspec.convert(plain, tuple[Case, Output, dict[str, Score]])
            return replace(shown, id=case.id), replace(said, trace_id=output.trace_id), found
        except RegistaError:
            pass
    figures_of = {
        name: Score(score.value, score.status, detail=figures(score.detail)) for name, score in scores.items()
    }
    said = Output(
        usage=output.usage,
        cost_nano=output.cost_nano,
        duration_ns=output.duration_ns,
        first_token_ns=output.first_token_ns,
        trace_id=output.trace_id,
    )
    return Case(case.id, ()), said, figures_of


def _may_be_absent(kind: Any) -> bool:
    try:
        msgspec.convert(None, kind)
    except msgspec.ValidationError:
        return False
    return True
