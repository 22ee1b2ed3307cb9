"""The lines of a batch's file: what is wrong with one is told, whatever it is."""

import json
from typing import Any

import pytest

from regista.app.batches import lines

LONGEST = 1 << 20


def told(raw: bytes) -> list[tuple[str, str | None]]:
    """What is wrong with a file of one line."""
    return [(trouble.code, trouble.param) for trouble in lines.check([(1, raw)], "/v1/x", LONGEST).troubles]


def line(**changes: Any) -> bytes:
    return json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/x", "body": {"model": "m"}} | changes).encode()


def test_a_line_that_is_right_has_nothing_to_be_told() -> None:
    assert lines.check([(1, line())], "/v1/x", LONGEST) == (1, "m", [])


@pytest.mark.parametrize(
    "raw",
    [
        b'{"custom_id": 5, "method',
        b'{"custom_id": 5, "x": nonsense}',
        b'{"custom_id": 5, "x": ' + b"[" * 100_000,
        b'{"custom_id": 5, "x": "\xff"}',
        b'{"custom_id": "a", "method": "POST", "url": "/v1/x", "body": {"model": 5, "x": nonsense}}',
    ],
)
def test_a_line_that_breaks_off_after_a_wrong_field_is_no_json(raw: bytes) -> None:
    assert told(raw) == [("invalid_json_line", None)]


@pytest.mark.parametrize("field", ["custom_id", "method", "url"])
def test_what_is_told_of_a_long_line_is_short(field: str) -> None:
    raw = line(**{field: "x" * 100_000})
    found = lines.check([(1, raw), (2, raw)], "/v1/x", LONGEST).troubles
    assert found and all(len(trouble.message) < 300 for trouble in found)
