"""The semantic cache: a kept answer for the same question in other words. Needs numpy.

A question is laid beside those of its place (`keys.py`) by their vectors, then by rules (`agreement.py`). What passes
is served from a likeness on that labels have shown to keep the share of false hits within a bound; until they have,
nothing is. A sample of what lies near is answered afresh and compared, whatever the threshold: its labels set the
threshold, and end it where it no longer holds. It writes nothing: `taken` gives what is to be kept and learned.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import time_ns
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
from msgspec import Struct

from regista.core.errors import RegistaError
from regista.core.nouns import Response
from regista.models.embeddings import Embed
from regista.serve.caches.agreement import compare
from regista.serve.caches.exact import NANO
from regista.serve.caches.keys import question_key
from regista.serve.caches.reading import Reading, read
from regista.serve.caches.shelf import Shelf
from regista.serve.caches.worth_head import depends
from regista.store.caches import Answer, Calibration, Label

if TYPE_CHECKING:
    from regista.serve.caches.shelf import Vector

Agrees = Callable[[str, Response, Response], Awaitable[bool]]
"""Whether two answers to a question say the same."""

FLOOR = 0.7
"""The likeness below which nobody takes two questions for one: not served, not compared, not learned from."""
MOST = 20_000
"""Answers held in memory: to so many, looking at all of a place takes a millisecond."""
PATIENCE_S = 0.5
"""How long a question waits for its vector."""
NEIGHBOURS = 5
UNMATCHED, REPLACED = 0.05, 0.1
"""What a word that only one question has takes off their likeness, and one that stands for another besides."""
COMPARING = 64
"""Answers that may be compared at once; further ones are not learned from."""
_decode = msgspec.msgpack.Decoder(Response).decode
_encode = msgspec.msgpack.Encoder().encode
_log = logging.getLogger(__name__)


class Kept(Struct, frozen=True):
    """An answer with its question taken apart."""

    row: Answer
    reading: Reading

    @property
    def response(self) -> Response:
        return _decode(self.row.answer)


class Look(Struct, frozen=True):
    """What was found for a question. `kept` is None where nothing lay near.

    A `hit` may be served; a `sample` could be, or could be learned from, and is answered afresh; `miss` says in
    `reason` what stood between. `vector` is None where the question could not be measured.
    """

    decision: Literal["hit", "sample", "miss"]
    reason: str
    question: str
    place: bytes
    vector: "Vector | None" = None
    reading: Reading | None = None
    kept: Kept | None = None
    likeness: float = 0.0


class SemanticCache:
    """Kept answers of an application. `embedder` names what makes the vectors; `share` is that of the sample.

    `agrees` compares two answers. Use it from one event loop.
    """

    def __init__(
        self, embed: Embed, embedder: str, agrees: Agrees, *, entries: int, ttl_s: float, share: float
    ) -> None:
        self.epoch = 0
        self.embedder = embedder
        self.calibration: Calibration | None = None
        self.problems = 0
        """Questions that could not be measured, and answers that could not be compared."""
        self._embed = embed
        self._agrees = agrees
        self._entries = min(entries, MOST)
        self._ttl_ns = int(ttl_s * NANO)
        self._share = share
        self._order: OrderedDict[bytes, bytes] = OrderedDict()
        self._shelves: dict[bytes, Shelf[Kept]] = {}
        self._answers: list[Answer] = []
        self._labels: list[Label] = []
        self._comparing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._order)

    @property
    def threshold(self) -> float | None:
        """The likeness from which answers are served; None while none is."""
        made = self.calibration
        return None if made is None or made.off else made.threshold

    async def look(self, place: bytes, question: str, draw: float) -> Look:
        """What may answer a question of a place. `draw`, from 0 to 1 and even, chooses the sample."""
        reading = read(question)
        if reading is None:
            return Look("miss", "the question cannot be taken apart", question, place)
        try:
            async with asyncio.timeout(PATIENCE_S):
                (vector,) = await self._embed([question])
        except (RegistaError, TimeoutError) as error:
            self.problems += 1
            return Look("miss", f"no vector: {error or type(error).__name__}", question, place)
        if depends(self.embedder, vector):
            return Look("miss", "its answer may depend on when or by whom it is asked", question, place)
        likeness, kept, objection = self._best(place, reading, vector)
        if kept is None:
            return Look("miss", objection or "nothing near", question, place, vector, reading)
        threshold = self.threshold
        serves = threshold is not None and likeness >= threshold
        if draw < self._share or threshold is None:
            why = "sampled" if serves else "not calibrated" if threshold is None else "below the threshold, sampled"
            return Look("sample", why, question, place, vector, reading, kept, likeness)
        if serves:
            return Look("hit", "", question, place, vector, reading, kept, likeness)
        return Look("miss", "below the threshold", question, place, vector, reading, kept, likeness)

    def _best(self, place: bytes, reading: Reading, vector: "Vector") -> tuple[float, Kept | None, str]:
        """The likeliest kept answer with its likeness; or why the nearest is none."""
        shelf, now = self._shelves.get(place), time_ns()
        found: list[tuple[float, Kept]] = []
        objection = ""
        for cosine, kept in shelf.nearest(vector, NEIGHBOURS) if shelf is not None else ():
            if cosine < FLOOR or kept.row.expires_ns <= now:
                continue
            likeness, why = liken(cosine, reading, kept.reading)
            if why or likeness < FLOOR:
                where = f"trace {kept.row.trace}" if kept.row.trace else "another question"
                objection = objection or f"{why or 'other words'} in {where}"
            else:
                found.append((likeness, kept))
        best, kept = max(found, key=lambda each: each[0], default=(0.0, None))
        return best, kept, objection

    def keep(self, look: Look, response: Response, trace: str = "") -> None:
        """Keep a fresh answer to a question that was looked for, in that trace."""
        if look.vector is None or look.reading is None:
            return
        now = time_ns()
        vector = look.vector.astype("<f2").tobytes()
        key = question_key(look.place, look.question)
        row = Answer(key, look.place, look.question, vector, _encode(response), now, now + self._ttl_ns, trace)
        self._put(row, look.reading)
        self._answers.append(row)
        del self._answers[: -self._entries]

    def learn(self, look: Look, response: Response, trace: str = "") -> None:
        """Compare a fresh answer with the one that was kept, beside all else."""
        if look.kept is None or len(self._comparing) >= COMPARING:
            return
        task = asyncio.create_task(self._compare(look, look.kept, response, trace), name="cache")
        self._comparing.add(task)
        task.add_done_callback(self._comparing.discard)

    async def _compare(self, look: Look, kept: Kept, response: Response, trace: str) -> None:
        try:
            same = await self._agrees(look.question, response, kept.response)
        except RegistaError as error:
            self.problems += 1
            _log.warning("Two answers were not compared: %s", error.message)
            return
        now = time_ns()
        key = question_key(kept.row.id, f"{look.question} {now}")
        row = kept.row
        words = look.question, row.question, trace, row.trace
        self._labels.append(Label(key, self.embedder, now, look.likeness, same, *words))

    async def settled(self) -> None:
        """Wait until nothing is compared any more."""
        await asyncio.gather(*self._comparing, return_exceptions=True)

    # what is exchanged with the store

    def taken(self) -> tuple[list[Answer], list[Label]]:
        """What was kept and learned since this was asked before."""
        answers, self._answers = self._answers, []
        labels, self._labels = self._labels, []
        return answers, labels

    def give_back(self, answers: Sequence[Answer], labels: Sequence[Label]) -> None:
        """What was taken and could not be stored."""
        self._answers[:0] = answers
        self._labels[:0] = labels
        del self._answers[: -self._entries]
        del self._labels[: -self._entries]

    def absorb(self, rows: Iterable[Answer]) -> None:
        """Answers that are in the store, newest first: those of other processes, and at the start all."""
        for row in reversed(list(rows)):
            if row.id not in self._order and (reading := read(row.question)) is not None:
                self._put(row, reading)

    def begin(self, epoch: int) -> None:
        """Forget all answers for another epoch."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._order.clear()
            self._shelves.clear()
            self._answers.clear()

    def _put(self, row: Answer, reading: Reading) -> None:
        vector = np.frombuffer(row.vector, "<f2").astype(np.float32)
        shelf = self._shelves.setdefault(row.place, Shelf(len(vector)))
        shelf.put(row.id, vector, Kept(row, reading))
        self._order[row.id] = row.place
        self._order.move_to_end(row.id)
        while len(self._order) > self._entries:
            oldest, place = self._order.popitem(last=False)
            self._shelves[place].drop(oldest)
            if not self._shelves[place]:
                del self._shelves[place]


def liken(cosine: float, asked: Reading, kept: Reading) -> tuple[float, str]:
    """How like two questions are, 1 at most, and what certainly tells them apart, if something does."""
    found = compare(asked, kept)
    unlike = UNMATCHED * (found.more + found.less) + REPLACED * min(found.more, found.less)
    return cosine - unlike, found.objection
