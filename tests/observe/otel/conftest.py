"""What several tests of OpenTelemetry need: golden requests, and spans made by hand."""

from pathlib import Path
from typing import Any

from regista.core.nouns import Json
from regista.observe.otel.decode import decode
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import Event, OtlpSpan, Received

GOLDEN = Path(__file__).parent / "golden"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND


def golden(name: str) -> list[Received]:
    """The spans of a golden request in the order they started."""
    spans = decode((GOLDEN / f"{name}.pb").read_bytes(), PROTOBUF).spans
    return sorted((received(span) for span in spans), key=lambda span: (span.start_ns, span.id))


def sent(*events: Event, status: int = 0, message: str = "", **attributes: object) -> OtlpSpan:
    """A span of a second; `__` stands for a dot in the names of its attributes."""
    named: Json = {name.replace("__", "."): value for name, value in attributes.items()}
    return OtlpSpan(
        TRACE,
        "00f067aa0ba902b7",
        name="span",
        start_ns=START,
        end_ns=START + SECOND,
        attributes=named,
        events=events,
        status=status,
        message=message,
    )


def map_one(**attributes: Any) -> Received:
    """What a span with these attributes means."""
    return received(sent(**attributes))


def got(number: int, parent: int = 0, start: float = 0, duration: float = 1, **fields: object) -> Received:
    """A received span; times in seconds from `START`, ids from small numbers."""
    return Received(
        TRACE,
        f"{number:016x}",
        f"{parent:016x}" if parent else "",
        start_ns=START + round(start * SECOND),
        duration_ns=round(duration * SECOND),
        **fields,  # type: ignore[arg-type]
    )
