"""Classes of questions told by examples: each class has a model, and what is like none of them is passed on."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec
from msgspec import Meta, Struct

from regista.core.digest import digest
from regista.core.errors import ConfigurationError, MissingExtraError
from regista.core.registry import option, port
from regista.serve.router import Asked, Choice, ModelName, policies
from regista.serve.routing.vectors import Questions

if TYPE_CHECKING:
    from regista.serve.routing.intents import Intents, Reader

Share = Annotated[float, Meta(ge=0, lt=1)]
POOR = 0.6
"""An accuracy on left out examples below which a word of warning is due."""
_log = logging.getLogger(__name__)


class Class(Struct, frozen=True):
    """`[router.semantic.classes.<name>]`: questions such as these are answered by `model`."""

    model: ModelName
    examples: tuple[str, ...]


class Heads(Protocol):
    """Where trained heads are kept, by a digest of what they were trained on. Its methods block."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, body: bytes) -> None: ...


@policies.add
@dataclass
class Semantic:
    """Sorts a question into a class, unless it is less like its examples than `lost` of them are like each other.

    Raises:
        ConfigurationError: there are too few classes, or one example stands in two of them.
    """

    classes: Mapping[str, Class] = option((), "Classes by name, as tables: [router.semantic.classes.NAME].")
    lost: Share = option(0.1, "Share of a class's own questions that may be passed on; more lets fewer strangers in.")
    strength: float = option(3.0, "How far the head follows the examples: less is smoother.")
    questions: Questions | None = port()
    heads: Heads | None = port()
    intents: "Intents | None" = field(default=None, init=False, repr=False)
    """The trained head, once prepared."""
    _reader: "Reader | None" = field(default=None, init=False, repr=False)
    _threshold: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self) -> None:
        self.classes = dict(self.classes)
        if len(self.classes) < 2:
            raise ConfigurationError("The policy semantic needs two classes at least: [router.semantic.classes.NAME].")
        if self.strength <= 0:
            raise ConfigurationError("[router.semantic] strength must be above 0.")
        seen: dict[str, str] = {}
        for name, one in self.classes.items():
            for example in one.examples:
                if seen.setdefault(example, name) != name:
                    raise ConfigurationError(
                        f"{example!r} is an example of two classes, {seen[example]!r} and {name!r}."
                    )

    async def prepare(self) -> None:
        """Train the head, or read it where the same examples were trained on before."""
        if self.questions is None:
            raise MissingExtraError("The routing policy 'semantic'", "numpy", "rag")
        from regista.serve.routing import intents as heads  # noqa: PLC0415 - numpy is an extra

        embedding = self.questions.embedding
        await embedding.start()
        key = digest(["intents", embedding.name, self.strength, msgspec.to_builtins(self.classes)])
        kept = await asyncio.to_thread(self.heads.get, key) if self.heads is not None else None
        found = heads.decode(kept) if kept is not None else None
        if found is None:
            examples = [(at, text) for at, one in enumerate(self.classes.values()) for text in one.examples]
            vectors = await embedding.embed([text for _, text in examples], bulk=True)
            of = [at for at, _ in examples]
            found = await asyncio.to_thread(heads.train, vectors, list(self.classes), of, self.strength)
            if self.heads is not None:
                await asyncio.to_thread(self.heads.put, key, heads.encode(found))
        self.intents, self._reader, self._threshold = found, found.reader(), found.threshold(self.lost)
        right = sum(found.trial.right) / len(found.trial.right)
        if right < POOR:
            advice = "`regista route intents` shows which it mixes up"
            _log.warning(
                "The router's classes are told apart in %.0f %% of cases (%s); %s.", right * 100, embedding.name, advice
            )

    async def choose(self, asked: Asked) -> Choice:
        """See `Policy.choose`. Scores are the classes' probabilities; the runner-up is the next class's model."""
        if self.questions is None or self._reader is None:
            raise RuntimeError("A policy that prepares is asked after it is prepared.")
        if not asked.question.strip():
            return Choice(reason="there is no question")
        found = self._reader.find(await self.questions.vector(asked.question))
        detail = {"class": found.name, "likeness": found.likeness, "least": self._threshold}
        if found.likeness < self._threshold:
            reason = f"like no class: {found.likeness:.2f} to {found.name}, {self._threshold:.2f} needed"
            return Choice("", reason, found.probability, "", found.shares, detail)
        models = {name: one.model for name, one in self.classes.items()}
        ranked = sorted(found.shares, key=lambda name: -found.shares[name])
        chosen = models[found.name]
        other = next((models[name] for name in ranked if models[name] != chosen), "")
        reason = f"{found.name} ({found.probability:.0%}, then {found.second})"
        return Choice(chosen, reason, found.probability, other, found.shares, detail)
