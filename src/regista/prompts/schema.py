"""Picoschema, the short form Dotprompt writes schemas in, to JSON Schema. A JSON Schema passes as it is.

name: string, the reader's name         a type and, after a comma, a description
tone?: string                           may be absent
tags(array, what it is about): string   a list; (object) and (enum) likewise
"""

import re
from typing import cast

from regista.core.errors import did_you_mean, near
from regista.core.nouns import Json

TYPES = ("string", "number", "integer", "boolean", "any")
_KEY = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<optional>\?)?(?:\((?P<kind>\w+)(?:,\s*(?P<about>[^)]*))?\))?")

Wrong = tuple[tuple[str, ...], str]
"""Where in the schema (the keys that lead there) and what is wrong."""


def json_schema(short: object) -> tuple[Json, list[Wrong]]:
    """The JSON Schema of a Picoschema, and what is wrong with it.

    >>> json_schema({"tone?": "string, how to speak"})[0]["properties"]
    {'tone': {'type': 'string', 'description': 'how to speak'}}
    """
    wrong: list[Wrong] = []
    return _schema(short, (), wrong), wrong


def _schema(short: object, at: tuple[str, ...], wrong: list[Wrong]) -> Json:
    if isinstance(short, str):
        return _scalar(short, at, wrong)
    if not isinstance(short, dict):
        wrong.append((at, "A schema is a type (string, number, …) or a table of names and types."))
        return {}
    fields = cast("dict[str, object]", short)
    if isinstance(fields.get("properties"), dict) and fields.get("type", "object") == "object":
        return fields
    return _record(fields, at, wrong)


def _scalar(short: str, at: tuple[str, ...], wrong: list[Wrong]) -> Json:
    kind, _, about = (part.strip() for part in short.partition(","))
    if kind not in TYPES:
        wrong.append((at, f"There is no type {kind!r}.{did_you_mean(near(kind, TYPES))} Known: {', '.join(TYPES)}."))
        return {}
    return ({} if kind == "any" else {"type": kind}) | ({"description": about} if about else {})


def _record(fields: dict[str, object], at: tuple[str, ...], wrong: list[Wrong]) -> Json:
    properties: dict[str, Json] = {}
    required: list[str] = []
    for key, short in fields.items():
        match = _KEY.fullmatch(str(key))
        if not match:
            wrong.append(((*at, str(key)), f"{key!r} is no name: write name, name? or name(array)."))
            continue
        schema = _of_kind(match["kind"], short, (*at, str(key)), wrong)
        properties[match["name"]] = schema | ({"description": match["about"]} if match["about"] else {})
        if not match["optional"]:
            required.append(match["name"])
    return {"type": "object", "properties": properties, "required": required}


def _of_kind(kind: str | None, short: object, at: tuple[str, ...], wrong: list[Wrong]) -> Json:
    if kind in (None, "object"):
        return _schema(short, at, wrong)
    if kind == "array":
        return {"type": "array", "items": _schema(short, at, wrong)}
    if kind == "enum" and isinstance(short, list):
        return {"enum": short}
    wrong.append((at, f"({kind}) is no kind of value here. Known: (array), (object), and (enum) with a list."))
    return {}
