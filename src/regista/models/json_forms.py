"""JSON in a text: found, checked against a schema, and mended where what is meant is sure. It asks no model.

Schemas are JSON Schema of any draft (https://json-schema.org), 2020-12 where they name none. Nothing is fetched, and
patterns are matched in linear time, so that a client's schema cannot keep a process busy. `format` is an annotation.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

import jsonschema_rs
import msgspec
from msgspec import Struct

from regista.core.errors import RequestError
from regista.core.nouns import Json

LONGEST = 300
"""Characters of what is told to be wrong."""
_FENCE = re.compile(r"```[ \t]*+[\w+-]*+[ \t]*+\n(.*?)```", re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\\?\Z))|,(?=\s*+[}\]])', re.DOTALL)
"""Strings, so that they are passed over, and commas too many. A string without an end is passed over to the end: looked
for once more at each of its quotation marks, it would take the square of its length.
"""
_ENDS = {"{": "}", "[": "]"}
_encode = msgspec.json.Encoder().encode


class Form(Struct, frozen=True):
    """What an answer must be: JSON that meets `schema` (as JSON text), or any object where that is empty.

    `strict` says that the provider is asked to make it so.
    """

    schema: bytes = b""
    strict: bool = False

    @property
    def words(self) -> str:
        """The same for a model that takes no schema."""
        if not self.schema:
            return "Answer with one JSON object and nothing else."
        return f"Answer with JSON that meets this JSON Schema, and nothing else:\n{self.schema.decode()}"


def form_of(wanted: object) -> Form | None:
    """The form that a `response_format` asks for, or None where it asks for text.

    Raises:
        RequestError: its schema is none.
    """
    asked = cast("Json", wanted) if isinstance(wanted, dict) else {}
    if asked.get("type") == "json_object":
        return Form()
    if asked.get("type") != "json_schema":
        return None
    named: Json = asked.get("json_schema") or {}
    schema = named.get("schema", {})
    form = Form(_encode(schema), bool(named.get("strict")))
    _validator(form.schema)
    return form


def checked(text: str, form: Form) -> tuple[str, str]:
    """The JSON that the text is, or surely holds, with nothing wrong; else the text, and what is wrong with it.

    >>> checked('Here you are:\\n```json\\n{"a": [1, 2,],}\\n```', Form())
    ('{"a": [1, 2]}', '')
    >>> checked('{"a": 1', Form())[1]
    'It is not JSON: Input data was truncated.'
    """
    first = ""
    for candidate in _candidates(text):
        problem = wrong(candidate, form)
        if not problem:
            return candidate, ""
        # What is wrong with JSON says more than that the words around it are none.
        if not first or (first.startswith("It is not JSON") and not problem.startswith("It is not JSON")):
            first = problem
    return text, first


def _candidates(text: str) -> Iterator[str]:
    """The text, and what in it may be meant by it: the whole first, so that what is right is left as it is."""
    yield text
    bare = text.strip().removeprefix("\ufeff")
    fences: list[str] = _FENCE.findall(bare)
    pieces = [bare, *(fence.strip() for fence in fences if len(fences) == 1)]
    spans = [(bare.find(mark), bare.rfind(end)) for mark, end in _ENDS.items()]
    spans = [(begin, end) for begin, end in spans if 0 <= begin < end]
    # Of two that lie apart it is not sure which is meant.
    outer = [(b, e) for b, e in spans if all(b <= begin and end <= e for begin, end in spans)]
    pieces += [bare[begin : end + 1] for begin, end in outer]
    for piece in pieces:
        yield piece
        yield _COMMA.sub(r"\1", piece)


def wrong(text: str, form: Form) -> str:
    """What keeps a text, as it stands, from being of a form; nothing where it is."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return f"It is not JSON: {str(error)[:LONGEST]}."
    if not form.schema:
        return "" if isinstance(value, dict) else "It is JSON and no object."
    error = next(iter(_validator(form.schema).iter_errors(value)), None)
    if error is None:
        return ""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    return f"At ${path}: {error.message[:LONGEST]}."


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    options: Any = jsonschema_rs.RegexOptions()
    try:
        return jsonschema_rs.validator_for(schema.decode(), pattern_options=options, offline=True)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        said = str(error).partition("\n")[0][:LONGEST]
        raise RequestError(
            f"The schema of response_format cannot be used: {said}.", code="invalid_schema", param="response_format"
        ) from None
