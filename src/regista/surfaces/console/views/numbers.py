"""Numbers in addresses and forms, as people and programs write them. Knows no page."""

from collections.abc import Mapping

from regista.core.errors import RequestError

DIGITS = 9
"""More than anything here has of."""


def number(query: Mapping[str, str], name: str, of: str, default: str = "0") -> int:
    """The number of something, such as `a case`, that a query or a form gives by a name.

    Raises `RequestError` where it gives something else.
    """
    given = query.get(name) or default
    if not (given.isascii() and given.isdecimal() and len(given) <= DIGITS):
        raise RequestError(f"{name!r} is {given[:20]!r}: give the number of {of}.", param=name)
    return int(given)
