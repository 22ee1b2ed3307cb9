"""A strong model where it is worth it, else a weak one: told by a head that `regista route train` has trained."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from regista.core.errors import ConfigurationError, MissingExtraError
from regista.core.registry import option, port
from regista.serve.router import Asked, Choice, ModelName, policies
from regista.serve.routing import HEAD
from regista.serve.routing.vectors import Questions

if TYPE_CHECKING:
    from regista.serve.routing.strength import Strength
    from regista.stats.logistic import Logistic

Share = Annotated[float, Meta(ge=0, le=1)]


@policies.add
@dataclass
class Learned:
    """Calls the strong model for the share of questions on which the weak one is least likely to suffice."""

    strong: ModelName = option("", "The model that answers better.")
    weak: ModelName = option("", "The model that costs less.")
    share: Share = option(0.5, "Share of questions that the strong model gets.")
    questions: Questions | None = port()
    folder: Path | None = port()
    strength: "Strength | None" = field(default=None, init=False, repr=False)
    """The trained head, once prepared."""
    threshold: float = field(default=0.0, init=False, repr=False)
    _head: "Logistic | None" = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.strong or not self.weak or self.strong == self.weak:
            raise ConfigurationError("The policy learned needs two models: [router.learned] strong and weak.")

    async def prepare(self) -> None:
        """Read the head, which must have been trained on the vectors that questions get here."""
        if self.questions is None or self.folder is None:
            raise MissingExtraError("The routing policy 'learned'", "numpy", "rag")
        from regista.serve.routing import strength  # noqa: PLC0415 - numpy is an extra

        path = self.folder / HEAD
        try:
            body = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise ConfigurationError(
                f"The policy learned has no head: {HEAD} cannot be read ({error.strerror}). Evaluate "
                "a variant with each model, then type: regista route train SUITE --strong VARIANT --weak VARIANT"
            ) from None
        self.strength = strength.read(body)
        embedding = self.questions.embedding
        await embedding.start()
        if self.strength.embedder != embedding.name:
            raise ConfigurationError(
                f"{HEAD} was trained on vectors of {self.strength.embedder}, and here are those of "
                f"{embedding.name}. Train it again: regista route train"
            )
        self._head, self.threshold = self.strength.head(), self.strength.threshold(self.share)

    async def choose(self, asked: Asked) -> Choice:
        """See `Policy.choose`. The score is the probability that the weak model suffices."""
        if self.questions is None or self._head is None:
            raise RuntimeError("A policy that prepares is asked after it is prepared.")
        if not asked.question.strip():
            return Choice(reason="there is no question")
        if self.weak not in asked.candidates:
            return Choice(self.strong, f"{self.weak} cannot take it")
        score = float(self._head.probabilities(await self.questions.vector(asked.question))[0, 1])
        weak = score >= self.threshold
        sign = "at least" if weak else "under"
        reason = f"{self.weak} suffices with {score:.0%}, {sign} {self.threshold:.0%} (share {self.share:.0%})"
        chosen, other = (self.weak, self.strong) if weak else (self.strong, self.weak)
        scores = {self.weak: score, self.strong: 1 - score}
        return Choice(chosen, reason, score, other, scores, {"threshold": self.threshold})
