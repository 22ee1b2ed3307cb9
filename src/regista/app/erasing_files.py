"""Lines of batches that ask for a user, or say what was answered in their traces: found in the files, and taken out.

Of what was uploaded an empty line stays, so that the others keep their numbers. Calls block.
"""

from collections.abc import Set
from typing import Any

import msgspec
from msgspec import Struct

from regista.core.user import forms, user_of
from regista.store import Database, files
from regista.store.batches import OUTPUT

INPUT = "batch"
"""The purpose of the files that batches are made from."""


_NOTHING = msgspec.Raw(b"{}")


class _Line(Struct):
    """What is looked at of a line, of either file: what it asks, and what came of it."""

    body: msgspec.Raw = _NOTHING
    response: msgspec.Raw = _NOTHING


class _Asked(Struct):
    user: Any = None
    safety_identifier: Any = None
    metadata: Any = None


class _Answered(Struct):
    request_id: str = ""


_line = msgspec.json.Decoder(_Line).decode
_asked = msgspec.json.Decoder(_Asked).decode
_answered = msgspec.json.Decoder(_Answered).decode


def erase_lines(database: Database, user: str, tenant: str, traces: Set[str]) -> int:
    """Take out the lines that ask for a user, and those of what was answered in these traces; how many there were."""
    names = set(forms(user))
    gone = 0
    for file in files.of_purpose(database, tenant, INPUT):
        gone += files.empty_lines(database, file, lambda line: bool(names & _users(line)))
    for file in files.of_purpose(database, tenant, OUTPUT):
        gone += files.drop_parts(database, file, lambda line: _trace(line) in traces)
    return gone


def _users(line: bytes) -> set[str]:
    """Whom a line asks for, by what OpenAI's and Anthropic's requests call them."""
    try:
        asked = _asked(_line(line).body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return set()
    metadata = asked.metadata  # whatever it is: the line may have been refused for it
    named = [asked.user or asked.safety_identifier, metadata.get("user_id") if hasattr(metadata, "get") else None]
    return {user_of({"user": one}) for one in named if one}


def _trace(line: bytes) -> str:
    """The trace in which a line was answered; empty where it was not."""
    try:
        return _answered(_line(line).response).request_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
