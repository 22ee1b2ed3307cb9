"""Lists in pages, as OpenAI's clients go through them: `after`, `limit` and `order` in, `has_more` out."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.surfaces.http.wire import Scope


def query_of(scope: Scope) -> dict[str, str]:
    """The parameters of the URL; of one that comes twice, the last."""
    raw: bytes = scope.get("query_string", b"")
    return dict(parse_qsl(raw.decode("latin-1"), max_num_fields=32))


def limit_of(query: dict[str, str], usual: int, most: int) -> int:
    """How many are asked for; raises `RequestError` for what is no such number."""
    given = query.get("limit", str(usual))
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise RequestError(f"'limit' is {given[:20]!r}: give a number from 1 to {most}.", param="limit")
    return int(given)


def page(rows: Sequence[Json], limit: int) -> Json:
    """A page of a list that was read one row further than `limit`."""
    shown = list(rows[:limit])
    ends = {"first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None}
    return {"object": "list", "data": shown, **ends, "has_more": len(rows) > limit}
