"""Requests to export traces, as OTLP/HTTP sends them, into a flat sequence of spans; and what they are answered.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-request. Knows neither HTTP (whoever calls it has undone any
compression) nor conventions.
"""

import sys
from importlib import import_module
from typing import Protocol, cast

from regista.core.errors import RequestError
from regista.observe.otel.bounds import Rest, at_once
from regista.observe.otel.nouns import Decoded, OtlpSpan

FORMS = {
    "application/json": "regista.observe.otel.json_form",
    "application/x-protobuf": "regista.observe.otel.protobuf_form",
}
"""The module of each encoding: that of protobuf needs an extra, and takes 70 ms to import."""


class Form(Protocol):
    """An encoding of requests and their answers."""

    def read(self, body: bytes, rest: Rest = at_once) -> Decoded:
        """The spans of an `ExportTraceServiceRequest`. Raises `RequestError` where it cannot be read at all.

        `rest` is called every few spans, for who shares the interpreter with someone in a hurry.
        """
        ...

    def write(self, spans: list[OtlpSpan]) -> bytes:
        """An `ExportTraceServiceRequest` of these spans."""
        ...

    def reply(self, rejected: int, reason: str) -> bytes:
        """An `ExportTraceServiceResponse`; empty fields where all were taken."""
        ...


def form_of(media: str) -> Form:
    """The encoding a content type names, parameters aside.

    Raises:
        RequestError: it names none of OTLP's (HTTP 415).
        MissingExtraError: it needs `regista[otel]`.
    """
    name = media.partition(";")[0].strip().lower()
    if name not in FORMS:
        raise RequestError(
            f"Traces come as application/x-protobuf or application/json, not as {name or 'nothing'!r}. "
            "Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf where they are sent from.",
            code="unsupported_media_type",
            status=415,
        )
    return cast("Form", import_module(FORMS[name]))


def is_loaded(media: str) -> bool:
    """Whether nothing has to be imported for a content type."""
    return FORMS.get(media.partition(";")[0].strip().lower(), "sys") in sys.modules


def decode(body: bytes, media: str, rest: Rest = at_once) -> Decoded:
    """The spans in a body of this content type, in their order. See `form_of` and `Form.read` for what is raised."""
    return form_of(media).read(body, rest)


def reply(decoded: Decoded, media: str) -> bytes:
    """The body to answer with, in the encoding of the request: HTTP 200 even where some spans were rejected."""
    return form_of(media).reply(decoded.rejected, decoded.reason)
