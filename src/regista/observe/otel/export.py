"""Our own traces as OpenTelemetry's spans, by the latest conventions; what was said goes out only if asked for.

A trace is a span of its own (the root), one for each of its stages and one for each call of a provider. Knows no
encoding: see `decode.Form.write`.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from regista.core.nouns import Call, Json, Span, Trace, Usage
from regista.observe.otel.conventions import COUNTS, RESULT, RESULTS, SCHEMA_URL, SERVICE, USAGE
from regista.observe.otel.grouping import OWN
from regista.observe.otel.identity import ROOT, span_id
from regista.observe.otel.nouns import CLIENT, ERROR, SERVER, Event, OtlpSpan, Score

SCOPE = "regista"
INTERNAL = 1
NANO = 1_000_000_000

OPERATIONS = {"retrieve": "retrieval", "tools": "execute_tool", "embed": "embeddings"}
"""Stages the conventions have an operation for. `generate` has none: the calls made in it are the inferences."""

PRIVATE = frozenset({"authenticate"})
"""Stages whose reason is the name of a key."""

PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Providers the conventions have another name for."""


def spans_of(trace: Trace, scores: Sequence[Score] = (), *, content: bool = False) -> list[OtlpSpan]:
    """A trace as spans, the root first. `scores` become events of it, each a `gen_ai.evaluation.result`.

    With `content`, question and answer, the user, the reasons of stages and all texts among their attributes go out
    too; without, only what stages decided, their figures and messages of errors do. Neither the tenant nor the key
    ever does.
    """
    resource: Json = {SERVICE: trace.application or SCOPE}
    root = _root(trace, scores, resource, content)
    stages = [_stage(trace, index, span, resource, content) for index, span in enumerate(trace.spans)]
    calls = [_call(trace, index, call, resource) for index, call in enumerate(trace.calls)]
    return [root, *stages, *calls]


def scored(trace: Trace, scores: Sequence[Score]) -> OtlpSpan:
    """Scores of a trace that has gone out already, as a span below its root. There is at least one."""
    first = min(score.time_ns for score in scores)
    last = max(score.time_ns for score in scores)
    return OtlpSpan(
        trace.id,
        _id(trace.id, trace.started_ns, "scores", *(msgspec.json.encode(score) for score in scores)),
        span_id(trace.id, trace.started_ns),
        "evaluate",
        INTERNAL,
        first,
        last,
        {"regista.stage": "evaluate"},
        _events(scores),
        resource={SERVICE: trace.application or SCOPE},
        scope=SCOPE,
        schema_url=SCHEMA_URL,
    )


def _root(trace: Trace, scores: Sequence[Score], resource: Json, content: bool) -> OtlpSpan:
    provider, named, _ = trace.model.partition("/")
    operation = "invoke_workflow" if trace.application else "chat"
    known: Json = {
        "gen_ai.operation.name": operation,
        "gen_ai.workflow.name": trace.application,
        "gen_ai.provider.name": _provider(provider) if named else "",
        "gen_ai.request.model": trace.model,
        "error.type": _error_type(trace.status),
    }
    attributes: Json = {name: value for name, value in known.items() if value}
    attributes |= {USAGE[name]: count for name, count in _counts(trace.usage).items()}
    attributes |= {attribute: getattr(trace, name) for name, attribute in OWN.items() if getattr(trace, name)}
    if trace.cost_nano is not None:
        attributes["regista.cost_nano"] = trace.cost_nano
    if trace.first_token_ns:
        attributes["gen_ai.response.time_to_first_chunk"] = trace.first_token_ns / NANO
        attributes["regista.first_token_ns"] = trace.first_token_ns
    if content:
        attributes |= _said(trace)
    # Where the caller's own trace goes on here, the first stage has kept its place (see `context.Context.attributes`).
    came = trace.spans[0].attributes if trace.spans else {}
    return OtlpSpan(
        trace.id,
        span_id(trace.id, trace.started_ns),
        str(came.get("parent_id", "")),
        f"{operation} {trace.application or trace.model}".strip(),
        SERVER,
        trace.started_ns,
        trace.started_ns + trace.duration_ns,
        attributes,
        _events(scores),
        status=_code(trace.status),
        message=trace.error,
        state=str(came.get("state", "")),
        resource=resource,
        scope=SCOPE,
        schema_url=SCHEMA_URL,
    )


def _stage(trace: Trace, index: int, span: Span, resource: Json, content: bool) -> OtlpSpan:
    known: Json = {
        "regista.stage": span.stage,
        "gen_ai.operation.name": OPERATIONS.get(span.stage, ""),
        "gen_ai.tool.name": span.name if span.stage == "tools" else "",
        "regista.decision": span.decision,
        "regista.reason": span.reason if content and span.stage not in PRIVATE else "",
        "error.type": _error_type(span.decision),
    }
    figures: Json = {
        f"regista.attributes.{name}": value
        for name, value in span.attributes.items()
        if content or isinstance(value, bool | int | float)
    }
    return OtlpSpan(
        trace.id,
        span_id(trace.id, trace.started_ns, index),
        span_id(trace.id, trace.started_ns, span.parent),
        f"{span.stage} {span.name}".strip(),
        INTERNAL,
        trace.started_ns + span.start_ns,
        trace.started_ns + span.start_ns + span.duration_ns,
        {**figures, **{name: value for name, value in known.items() if value}},
        status=_code(span.decision),
        message=span.reason if span.decision == "error" else "",
        resource=resource,
        scope=SCOPE,
        schema_url=SCHEMA_URL,
    )


def _call(trace: Trace, index: int, call: Call, resource: Json) -> OtlpSpan:
    counts = _counts(call.usage)
    attributes: Json = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(call.biller),
        "gen_ai.request.model": call.model,
        **{names[0]: counts[name] for name, names in COUNTS.items()},
        "regista.cause": call.cause,
        "regista.exact": call.exact,
    }
    if call.cost_nano is not None:
        attributes["regista.cost_nano"] = call.cost_nano
    if call.first_token_ns:
        attributes["gen_ai.response.time_to_first_chunk"] = call.first_token_ns / NANO
    if call.status != "ok":
        attributes["error.type"] = _error_type(call.status)
    return OtlpSpan(
        trace.id,
        _id(trace.id, trace.started_ns, "call", index),
        span_id(trace.id, trace.started_ns, _around(trace, call)),
        f"chat {call.model}",
        CLIENT,
        call.started_ns,
        call.started_ns + call.duration_ns,
        attributes,
        status=_code(call.status),
        message=call.reason,
        resource=resource,
        scope=SCOPE,
        schema_url=SCHEMA_URL,
    )


def _around(trace: Trace, call: Call) -> int:
    """The index of the last stage to begin of those that were under way when a call was made."""
    at = call.started_ns - trace.started_ns
    under_way = (
        (span.start_ns, index)
        for index, span in enumerate(trace.spans)
        if span.start_ns <= at <= span.start_ns + span.duration_ns
    )
    return max(under_way, default=(0, ROOT))[1]


def _said(trace: Trace) -> Json:
    """Who asked, question and answer. As JSON text: structured attributes are new, and few can read them yet."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": trace.question}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": trace.answer}], "finish_reason": "stop"}]
    said: dict[str, Any] = {"user.id": trace.user} if trace.user else {}
    if trace.question:
        said["gen_ai.input.messages"] = msgspec.json.encode(asked).decode()
    if trace.answer:
        said["gen_ai.output.messages"] = msgspec.json.encode(answered).decode()
    return said


def _events(scores: Iterable[Score]) -> tuple[Event, ...]:
    events: list[Event] = []
    for score in scores:
        parts = (score.name, score.value, score.label, score.explanation)
        known = zip(RESULTS.values(), parts, strict=True)
        attributes: Json = {name: part for name, part in known if part not in ("", None)}
        events.append(Event(RESULT, score.time_ns, attributes))
    return tuple(events)


def _counts(usage: Usage) -> dict[str, int]:
    counts: dict[str, int | None] = msgspec.structs.asdict(usage)
    return {name: count for name, count in counts.items() if count is not None}


def _provider(name: str) -> str:
    return PROVIDERS.get(name, name)


def _code(status: str) -> int:
    return ERROR if status in ("error", "cancelled") else 0


def _error_type(status: str) -> str:
    """The conventions want one with every failure: we know a sentence, and no class of it."""
    return {"error": "_OTHER", "cancelled": "cancelled"}.get(status, "")


def _id(trace_id: str, started_ns: int, *what: object) -> str:
    # Several requests may share a trace, but they do not start at once.
    digest = blake2b(repr((trace_id, started_ns, *what)).encode(), digest_size=8).hexdigest()
    return digest if digest.strip("0") else "1".zfill(16)
