"""An application's caches, kept in step with the store and so with other processes: epoch, answers, threshold, labels.

It knows no request.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from regista.app.schema import Cache
from regista.app.team import Embedder
from regista.core.errors import MissingExtraError, StoreError
from regista.observe.figures import Figure
from regista.serve.caches.exact import NANO, ExactCache
from regista.serve.caches.shared import SharedAnswers
from regista.store import Database, caches
from regista.store.caches import Answer, Calibration, Label
from regista.store.redis import Shared

if TYPE_CHECKING:
    from regista.serve.caches.measure import FalseHits
    from regista.serve.caches.semantic import SemanticCache

STEP_S = 0.5
"""How often the store is asked and told."""
OVERLAP_NS = 30 * NANO
"""How far back it is asked for answers of others: their clocks may be behind, and their writes late."""
_log = logging.getLogger(__name__)


class _News(NamedTuple):
    """What the store says."""

    epoch: int
    answers: Sequence[Answer]
    calibration: Calibration | None
    measured: "FalseHits | None"


class Caches:
    """What `[cache]` asks for. Make it with `open`, and `close` it."""

    def __init__(
        self, application: str, settings: Cache, database: Database, shared: Shared | None, embedder: Embedder | None
    ) -> None:
        self.measured: FalseHits | None = None
        """The share of false hits since the calibration, from the sample."""
        self._application = application
        self._settings = settings
        self._database = database
        self._embedder = embedder
        self._problem = ""
        self._shared = SharedAnswers(shared, application) if shared is not None and settings.exact else None
        self.exact = (
            ExactCache(settings.entries, settings.ttl_s, settings.brief_ttl_s, self._shared) if settings.exact else None
        )
        self.semantic = _semantic(settings, embedder) if settings.semantic else None
        self._version = -1
        self._answers_ns = self._labels_ns = 0
        self._stepping = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, application: str, settings: Cache, database: Database, shared: Shared | None, embedder: Embedder | None
    ) -> "Caches":
        """The caches as the store has them, followed from now on.

        Raises:
            MissingExtraError: there is nothing to measure questions with.
            StoreError: the store cannot be read.
        """
        if settings.semantic and embedder is not None:
            await embedder.start()
        made = cls(application, settings, database, shared, embedder)
        if made.exact is not None or made.semantic is not None:
            made._apply(await asyncio.to_thread(made._exchange, (), (), 0))
            made._task = asyncio.create_task(made._follow(), name="caches")
        return made

    def fits(self, application: str, settings: Cache, embedder: Embedder | None) -> bool:
        """Whether these are what other settings ask for too: then they are kept, with all that is in them."""
        same = self._embedder is embedder or not settings.semantic
        return same and self._application == application and self._settings == settings

    async def close(self) -> None:
        """Store what was kept and learned, and follow no longer."""
        if self._task is None:
            return
        async with self._stepping:  # not in the middle of a step, with which what it has taken would be lost
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self.semantic is not None:
            await self.semantic.settled()
        await self.step()
        if self._shared is not None:
            await self._shared.close()

    async def step(self) -> None:
        """Tell the store and ask it, once. One that cannot be reached is told later."""
        async with self._stepping:
            answers, labels = self.semantic.taken() if self.semantic is not None else ([], [])
            epoch = self.semantic.epoch if self.semantic is not None else 0
            try:
                news = await asyncio.to_thread(self._exchange, answers, labels, epoch)
            except StoreError as error:
                self._problem = error.message
                self._version = -1  # what is new may not have been read
                if self.semantic is not None:
                    self.semantic.give_back(answers, labels)
                return
            self._problem = ""
            self._apply(news)

    @property
    def problems(self) -> list[str]:
        """What is wrong just now, for a person to read."""
        made = self.semantic.calibration if self.semantic is not None else None
        off = f"The semantic cache switched itself off: {made.off}." if made is not None and made.off else ""
        return [problem for problem in (self._problem, off) if problem]

    def figures(self) -> tuple[Figure, ...]:
        """Figures for Prometheus."""
        found: list[Figure] = []
        if self._shared is not None:
            count = ("regista_cache_shared_problems_total", (), float(self._shared.problems))
            about = "Misses and losses for want of Redis."
            found.append(Figure("regista_cache_shared_problems", "counter", about, (count,)))
        semantic, measured = self.semantic, self.measured
        if semantic is not None:
            found += [
                _gauge("entries", "Answers held for questions in other words.", len(semantic)),
                _gauge("serving", "1 while a calibrated threshold holds.", float(semantic.threshold is not None)),
                _gauge("problems", "Questions not measured, answers not compared.", semantic.problems),
            ]
            if semantic.threshold is not None:
                found.append(_gauge("threshold", "The likeness from which answers are served.", semantic.threshold))
            if measured is not None and measured.hits:
                ends = (("share", measured.share), ("low", measured.low), ("high", measured.high))
                samples = tuple(("regista_semantic_cache_false_hits", (("value", name),), end) for name, end in ends)
                about = "Share of sampled hits that were false, with its interval."
                found.append(Figure("regista_semantic_cache_false_hits", "gauge", about, samples))
                found.append(_gauge("sampled", "Sampled hits since the calibration.", measured.hits))
        return tuple(found)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            await self.step()

    def _exchange(self, answers: Sequence[Answer], labels: Sequence[Label], epoch: int) -> _News | None:
        """In a thread: write, then read what may have changed; None where nothing has."""
        database, application, now = self._database, self._application, time.time_ns()
        if answers:
            caches.keep(database, application, answers, self._settings.entries, now, epoch)
        if labels:
            caches.learn(database, application, labels)
        version = database.version()
        if version == self._version and not labels:
            return None
        self._version = version
        epoch = caches.epoch(database, application)
        if self.semantic is None:
            return _News(epoch, (), None, None)
        since = 0 if epoch != self.semantic.epoch else max(0, self._answers_ns - OVERLAP_NS)
        rows = caches.answers(database, application, since, now, self._settings.entries)
        self._answers_ns = max((row.made_ns for row in rows), default=self._answers_ns)
        known = {made.embedder: made for made in caches.calibrations(database, application)}
        made = known.get(self.semantic.embedder)
        measured = self._measure(made) if made is not None else None
        return _News(epoch, rows, made, measured)

    def _measure(self, made: Calibration) -> "FalseHits | None":
        """What the sample says of a calibration, which it may end; measured anew where there are new labels."""
        from regista.serve.caches.measure import broken, false_hits  # noqa: PLC0415 - needs numpy

        newest = caches.newest_label(self._database, self._application, made.embedder)
        before = self.semantic.calibration if self.semantic is not None else None
        if newest == self._labels_ns and before == made:
            return self.measured
        self._labels_ns = newest
        measured = false_hits(made, caches.labels(self._database, self._application, made.embedder, made.made_ns))
        if not made.off and (why := broken(made, measured)):
            caches.switch_off(self._database, self._application, made, why)
            _log.warning("The semantic cache switches itself off: %s. Type: regista cache calibrate", why)
            self._version = -1  # what was just written is read with the next step
        return measured

    def _apply(self, news: _News | None) -> None:
        if news is None:
            return
        if self.exact is not None:
            self.exact.begin(news.epoch)
        if self.semantic is not None:
            self.semantic.begin(news.epoch)
            self.semantic.absorb(news.answers)
            self.semantic.calibration = news.calibration
            self.measured = news.measured


def _semantic(settings: Cache, embedder: Embedder | None) -> "SemanticCache":
    if embedder is None:
        raise MissingExtraError("The semantic cache", "numpy", "rag")
    from regista.app.agreement import AnswerAgreement  # noqa: PLC0415 - needs numpy
    from regista.serve.caches.semantic import SemanticCache  # noqa: PLC0415

    return SemanticCache(
        embedder.embed,
        embedder.name,
        AnswerAgreement(embedder.embed),
        entries=settings.entries,
        ttl_s=settings.ttl_s,
        share=settings.shadow,
    )


def _gauge(name: str, about: str, value: float) -> Figure:
    name = f"regista_semantic_cache_{name}"
    return Figure(name, "gauge", about, ((name, (), float(value)),))
