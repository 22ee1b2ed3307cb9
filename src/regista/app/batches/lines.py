"""The lines of a batch: read and checked on their way in, written on their way out. It runs none of them.

https://platform.openai.com/docs/api-reference/batch
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from regista.core.errors import RegistaError
from regista.core.nouns import Usage
from regista.store.batches import Batch, Result, Trouble

MOST = 1_000_000
"""Lines a batch may have."""
TOLD = 100
"""Mistakes that are told of one file, and characters of what is wrong."""
_FIELDS = {"custom_id": str, "method": str, "url": str, "body": dict}
_encode = msgspec.json.Encoder().encode


class Line(NamedTuple):
    """One request of a batch: `body` is its JSON."""

    n: int
    custom_id: str
    body: bytes


class Checked(NamedTuple):
    """What a file holds: how many lines, the model all of them ask (or nothing), and what is wrong with them."""

    total: int
    model: str
    troubles: list[Trouble]


class Reply(NamedTuple):
    """What came of a request: HTTP's status, the JSON body, and its trace's id.

    `wait_s` is how long to wait before it is asked again, where that was said.
    """

    status: int
    body: bytes
    trace_id: str = ""
    wait_s: float | None = None


class _Wire(Struct):
    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


class _Asked(Struct):
    model: str
    stream: bool | None = None


class _Wrong(Exception):
    """A line that is no request."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


_wire = msgspec.json.Decoder(_Wire).decode
_asked = msgspec.json.Decoder(_Asked).decode


def check(lines: Iterable[tuple[int, bytes]], endpoint: str, longest: int) -> Checked:
    """Read a whole file; every mistake is told with its line, up to a hundred of them."""
    troubles: list[Trouble] = []
    seen: set[bytes] = set()
    models: set[str] = set()
    total = 0
    for n, raw in lines:
        if not raw.strip():
            continue
        total += 1
        try:
            if total > MOST:
                raise _Wrong("too_many_lines", f"A batch has at most {MOST:,} lines: split the file.")
            wire, asked = _read(raw, endpoint, longest)
            # A digest takes the same room however long an id is.
            mark = hashlib.blake2b(wire.custom_id.encode(), digest_size=16).digest()
            if mark in seen:
                raise _Wrong(
                    "duplicate_custom_id", f"The custom_id {wire.custom_id[:TOLD]!r} stands on an earlier line too."
                )
            seen.add(mark)
            models.add(asked.model)
        except _Wrong as wrong:
            troubles.append(Trouble(wrong.code, str(wrong), n, wrong.param))
            if len(troubles) == TOLD or total > MOST:
                break
    if not total:
        troubles.append(Trouble("empty_file", "The file has no lines: write one request a line, in JSON."))
    return Checked(total, models.pop() if len(models) == 1 else "", troubles)


def read(n: int, raw: bytes) -> Line:
    """A line of a file that has been checked."""
    wire = _wire(raw)
    return Line(n, wire.custom_id, bytes(wire.body))


def _read(raw: bytes, endpoint: str, longest: int) -> tuple[_Wire, _Asked]:
    if len(raw) > longest:
        raise _Wrong("line_too_large", f"The line is larger than {longest >> 20} MB, the most a request may be.")
    try:
        wire = _wire(raw)
        asked = _asked(wire.body)
    except msgspec.ValidationError as error:
        raise _of_fields(raw, error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_json(error) from None
    if not wire.custom_id:
        raise _Wrong("missing_required_parameter", "'custom_id' is empty.", "custom_id")
    if wire.method != "POST":
        raise _Wrong("invalid_method", f"'method' is {wire.method[:TOLD]!r}: only POST is taken.", "method")
    if wire.url != endpoint:
        raise _Wrong("mismatched_url", f"'url' is {wire.url[:TOLD]!r}, and the batch is for {endpoint}.", "url")
    if asked.stream:
        raise _Wrong("stream_not_supported", "A batch has no streams: leave out 'stream'.", "body.stream")
    return wire, asked


def _no_json(error: Exception) -> _Wrong:
    return _Wrong("invalid_json_line", f"The line is not JSON: {error}.")


def _of_fields(raw: bytes, error: msgspec.ValidationError) -> _Wrong:
    """What a line lacks, by its field."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as worse:  # it was not read to its end before
        return _no_json(worse)
    if not isinstance(value, dict):
        return _Wrong("invalid_json_line", "The line is JSON but not an object.")
    for name, kind in _FIELDS.items():
        if name not in value:
            return _Wrong("missing_required_parameter", f"{name!r} is missing.", name)
        if not isinstance(value[name], kind):
            form = "an object" if kind is dict else "text"
            return _Wrong("invalid_type", f"{name!r} must be {form}.", name)
    message, _, path = str(error).partition(" - at ")
    field = path.strip("`").replace("$", "body", 1) or "body"
    code = "missing_required_parameter" if "missing required" in message else "invalid_type"
    return _Wrong(code, f"{message} at {field}.".replace("`", "'"), "body.model" if "model" in message else field)


# Out: https://platform.openai.com/docs/guides/batch#5-retrieve-the-results


class _Response(Struct):
    status_code: int
    request_id: str
    body: msgspec.Raw


class _Error(Struct):
    code: str
    message: str


class _Written(Struct):
    id: str
    custom_id: str
    response: _Response | None
    error: _Error | None


Tokens = Annotated[int, Meta(ge=0, le=1 << 40)]
"""More than that is no count, and could not be added up in a database."""


class _Details(Struct):
    cached_tokens: Tokens | None = None
    reasoning_tokens: Tokens | None = None


class _Used(Struct):
    """Usage as chat completions and as responses write it."""

    prompt_tokens: Tokens | None = None
    completion_tokens: Tokens | None = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Body(Struct):
    usage: _Used | None = None


_body = msgspec.json.Decoder(_Body).decode


def answered(batch: Batch, line: Line, reply: Reply) -> Result:
    """A line with the answer it got, or the error it got as one: those go into the error file."""
    # An upstream's JSON may be set in lines of its own, and here a line is an answer.
    body = msgspec.json.format(reply.body, indent=-1)
    response = _Response(reply.status, reply.trace_id, msgspec.Raw(body))
    written = _Written(_id(batch, line), line.custom_id, response, None)
    return Result(line.n, reply.status == 200, _encode(written) + b"\n", _usage(body))


def unanswered(batch: Batch, line: Line, error: RegistaError) -> Result:
    """A line that was not run, with the reason."""
    written = _Written(_id(batch, line), line.custom_id, None, _Error(error.code, error.message))
    return Result(line.n, False, _encode(written) + b"\n")


def _id(batch: Batch, line: Line) -> str:
    return f"batch_req_{batch.id.removeprefix('batch_')}_{line.n}"


def _usage(body: bytes) -> Usage:
    try:
        used = _body(body).usage or _Used()
    except msgspec.MsgspecError:
        return Usage()
    read = used.prompt_tokens_details or used.input_tokens_details or _Details()
    written = used.completion_tokens_details or used.output_tokens_details or _Details()
    return Usage(
        used.prompt_tokens or used.input_tokens or 0,
        used.completion_tokens or used.output_tokens or 0,
        read.cached_tokens or 0,
        written.reasoning_tokens or 0,
    )
