"""Whether an answer says only what its sources say: claim by claim, by rules or a model. It knows no right answer."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from msgspec.structs import asdict

from regista.core.errors import ConfigurationError
from regista.core.evaluation import Better, Case, Output, Score, unscored
from regista.core.nouns import Json, Usage
from regista.core.registry import option, port
from regista.evaluate.claims.reading import read
from regista.evaluate.claims.sources import read_sources
from regista.evaluate.claims.support import check
from regista.evaluate.claims.verdicts import SYSTEM, Asks, verdict
from regista.evaluate.scorers import scorers
from regista.text.refusals import declines
from regista.text.sentences import sentences

_MARKER = re.compile(r"[ \t]*\[\d{1,3}\](?!\()")

_COURTESY = re.compile(r"(?:i hope|let me know|feel free|please (?:let|ask)|you(?:'re| are) welcome|thank)\b", re.I)


@scorers.add
@dataclass
class Faithfulness:
    """The share of an answer's claims that the passages retrieved and the results of tools bear out.

    Each sentence is a claim, but for questions, courtesies, refusals and introductions. Without a `model` rules
    compare it with the sources: its numbers with what they count, names and nearly all else must stand in one passage,
    with no opposite and no denial in their place. The rules infer nothing, so true claims in wholly other words or by
    arithmetic count as unsupported. With a `model`, that model judges each claim.
    """

    model: str = option("", "the model that judges each claim (`default`, `openai/…`); none: rules alone judge")
    reference: str = option("context", "the reference with further texts the answer may rest on, where a case has one")
    asks: Asks | None = port()
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @property
    def needs(self) -> Mapping[str, Any]:
        return {self.reference: str | list[str] | None}

    @property
    def identity(self) -> Json:
        """What the scores depend on beside the options."""
        return {"prompt": SYSTEM} if self.model else {}

    async def score(self, case: Case, output: Output) -> Score:
        claims = list(claims_of(output.text))
        if not claims:
            return unscored("the answer claims nothing that sources could bear out")
        given: str | list[str] | None = case.references.get(self.reference)
        texts = [given] if isinstance(given, str) else given or []
        if self.model:
            return await self._judged(output, claims, texts)
        return _score(await asyncio.to_thread(_checked, claims, output, texts))

    async def _judged(self, output: Output, claims: Sequence[str], texts: Sequence[str]) -> Score:
        if self.asks is None:
            raise ConfigurationError(
                f"The scorer 'faithfulness' with model = {self.model!r} needs a language model, and none is "
                'configured. Type into regista.toml: [models.judge] model = "openai/<a model>"; and model = "judge" '
                "among the scorer's options."
            )
        ask, findings, usage = self.asks(self.model), list[tuple[str, str]](), Usage()
        sources = _written(output, texts)
        for claim in claims:
            found = await verdict(ask, self.model, {"sources": sources, "answer": output.text, "claim": claim})
            usage += found.usage
            if found.supported is None:
                return Score(None, "unscored", f"{claim!r}: {found.reason}", {"usage": asdict(usage)})
            findings.append((claim, "" if found.supported else found.reason))
        score = _score(findings)
        return Score(score.value, reason=score.reason, detail=score.detail | {"usage": asdict(usage)})


def claims_of(answer: str) -> Iterator[str]:
    """The sentences of an answer that say something sources could bear out.

    >>> list(claims_of("Here is what they say:\\n- The winger stays wide [1].\\n\\nShall I go on?"))
    ['The winger stays wide.']
    """
    text = _MARKER.sub("", answer)
    for start, end in sentences(text):
        sentence = text[start:end]
        kinds = [token.kind for token in read(sentence) if token.kind != "break"]
        says = "number" in kinds or ("word" in kinds and len(kinds) > 2 and not sentence.endswith(":"))
        if says and not (sentence.endswith("?") or _COURTESY.match(sentence) or declines(sentence)):
            yield sentence


def _written(output: Output, texts: Sequence[str]) -> str:
    """All sources, each under its name."""
    named = [(hit.title or hit.document, hit.text) for hit in output.hits]
    named += [(f"{step.tool} {step.arguments}", step.result) for step in output.steps]
    named += [("context", text) for text in texts]
    return "\n\n".join(f"{name}:\n{text}" for name, text in named) or "(none)"


def _checked(claims: Sequence[str], output: Output, texts: Sequence[str]) -> list[tuple[str, str]]:
    sources = read_sources(output.hits, output.steps, texts)
    found = [(claim, check(claim, sources)) for claim in claims]
    return [(claim, "" if finding.supported else finding.reason) for claim, finding in found]


def _score(findings: Sequence[tuple[str, str]]) -> Score:
    """From each claim and why it is not supported, nothing where it is."""
    unsupported = [{"claim": claim, "reason": reason} for claim, reason in findings if reason]
    return Score(
        1 - len(unsupported) / len(findings),
        reason="; ".join(f"{each['claim']!r}: {each['reason']}" for each in unsupported[:2]),
        detail={"claims": len(findings), "unsupported": unsupported},
    )
