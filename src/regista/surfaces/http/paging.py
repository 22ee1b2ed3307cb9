"""Lists in pages, as OpenAI's clients go through them: `after`, `limit` and `order` in, `has_more` out."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.surfaces.http.wire import Scope

MOST = 32
"""Parameters a URL may have."""


def query_of(scope: Scope) -> dict[str, str]:
    """The parameters of the URL; of one that comes twice, the last."""
    raw: bytes = scope.get("query_string", b"")
    try:
        return dict(parse_qsl(raw.decode("latin-1"), max_num_fields=MOST))
    except ValueError:
        raise RequestError(f"The URL has more than {MOST} parameters.", code="too_many_parameters") from None


def limit_of(query: dict[str, str], usual: int, most: int) -> int:
    """How many are asked for; raises `RequestError` for what is no such number."""
    return whole_number(query.get("limit", str(usual)), "limit", 1, most)


def whole_number(given: str, name: str, least: int, most: int) -> int:
    """The number that is written in `given`; raises `RequestError` where it is none or out of bounds."""
    digits = given.isascii() and given.isdecimal() and len(given) <= len(str(most))
    if not digits or not least <= int(given) <= most:
        raise RequestError(f"{name!r} is {given[:20]!r}: give a number from {least} to {most}.", param=name)
    return int(given)


def oldest_first(query: dict[str, str]) -> bool:
    """Whether `order` is `asc`; the newest come first without it."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise RequestError(f"'order' is {order[:20]!r}: give asc or desc.", param="order")
    return order == "asc"


def page(rows: Sequence[Json], limit: int) -> Json:
    """A page of a list that was read one row further than `limit`."""
    shown = list(rows[:limit])
    ends = {"first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None}
    return {"object": "list", "data": shown, **ends, "has_more": len(rows) > limit}
