"""What of a trace is compared over time: numbers, categories and rates, each with a name as people read it.

Knows one trace at a time, and nothing of samples.
"""

from collections.abc import Callable, Mapping
from typing import Literal, cast

from msgspec import Struct

from regista.core.nouns import Json, Span, Trace
from regista.text.scripts import script_of

MS, DOLLAR = 1e6, 1e9

Aspect = Literal["inputs", "retrieval", "outputs", "scores", "latency", "cost"]
Key = tuple[Aspect, str]
"""What a feature is of, and its name."""


class Features(Struct, frozen=True):
    """What is compared, by its key: None where a trace has none."""

    numbers: Mapping[Key, Callable[[Trace], float | None]] = {}
    categories: Mapping[Key, Callable[[Trace], str | None]] = {}
    rates: Mapping[Key, Callable[[Trace], bool | None]] = {}


def _spans(trace: Trace, stage: str) -> list[Span]:
    return [span for span in trace.spans if span.stage == stage]


def _hits(trace: Trace) -> list[Json] | None:
    """What was retrieved; None where nothing was looked for."""
    found = [span.attributes.get("hits") for span in _spans(trace, "retrieve")]
    listed = [cast("list[object]", hits) for hits in found if isinstance(hits, list)]
    return [cast("Json", hit) for hits in listed for hit in hits if isinstance(hit, dict)] if found else None


def documents_of(trace: Trace) -> set[str]:
    """The documents in which something was found for a trace."""
    return {document for hit in _hits(trace) or () if isinstance(document := hit.get("document"), str)}


def _best(trace: Trace) -> float | None:
    scores = [score for hit in _hits(trace) or () if isinstance(score := hit.get("score"), int | float)]
    return float(max(scores)) if scores else None


def _answerer(trace: Trace) -> str | None:
    made = [call for call in trace.calls if call.status == "ok"]
    return f"{made[-1].biller}/{made[-1].model}" if made else None


def _guarded(trace: Trace) -> str | None:
    said = [span.decision for span in trace.spans if span.stage.startswith("guard")]
    return next((what for what in ("block", "mask") if what in said), "pass") if said else None


def _whole(trace: Trace) -> bool:
    return trace.status == "ok"


FAILED: Key = ("outputs", "failed")
CANCELLED: Key = ("outputs", "cancelled")
CACHED: Key = ("cost", "from a cache")
DURATION: Key = ("latency", "ms to the end")
FIRST_TOKEN: Key = ("latency", "ms to the first token")
COST: Key = ("cost", "dollars")
MODEL: Key = ("inputs", "model asked for")
"""Features that are known of all traffic too, from the sums over it."""
MEANING: Key = ("inputs", "meaning of the question")
"""The feature that embeddings are."""

FEATURES = Features(
    numbers={
        ("inputs", "characters of the question"): lambda trace: float(len(trace.question)),
        ("inputs", "tokens in"): lambda trace: float(trace.usage.input_tokens) if trace.calls else None,
        ("retrieval", "passages"): lambda trace: None if (hits := _hits(trace)) is None else float(len(hits)),
        ("retrieval", "score of the best passage"): _best,
        ("outputs", "characters of the answer"): lambda trace: float(len(trace.answer)) if _whole(trace) else None,
        ("outputs", "tokens out"): lambda trace: float(trace.usage.output_tokens) if trace.calls else None,
        DURATION: lambda trace: trace.duration_ns / MS,
        FIRST_TOKEN: lambda trace: trace.first_token_ns / MS if trace.first_token_ns else None,
        COST: lambda trace: None if trace.cost_nano is None else trace.cost_nano / DOLLAR,
        ("cost", "calls of models"): lambda trace: float(len(trace.calls)),
    },
    categories={
        ("inputs", "script of the question"): lambda trace: script_of(trace.question) or None,
        MODEL: lambda trace: trace.model,
        ("inputs", "tenant"): lambda trace: trace.tenant,
        ("outputs", "guardrails"): _guarded,
        ("outputs", "how it ended"): lambda trace: next(
            (s.decision for s in _spans(trace, "generate") if s.decision), None
        ),
        ("cost", "answered by"): _answerer,
        ("cost", "cache"): lambda trace: trace.cached or None,
    },
    rates={
        FAILED: lambda trace: trace.status == "error",
        CANCELLED: lambda trace: trace.status == "cancelled",
    },
)
"""By what it is of, and its name as people read it."""
