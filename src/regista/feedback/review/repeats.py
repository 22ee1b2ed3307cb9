"""When somebody is asked again about what they have judged before, without being told. Knows no store."""

from hashlib import blake2b

APART = 5
"""Own votes that lie between a vote and the time one is asked again: enough to have forgotten the keystroke."""
FROM = 200
"""Of the last so many of one's votes, one is asked again."""


def is_due(share: float, *turn: object) -> bool:
    """Whether this turn is to be a repeat, in a share of all turns: by a hash, so that no rhythm gives it away.

    >>> is_due(0, "ann", 1), sum(is_due(0.1, "ann", n) for n in range(1000))
    (False, 103)
    """
    return drawn(1 << 32, *turn) < share * (1 << 32)


def drawn(of: int, *turn: object) -> int:
    """A number from 0 to below `of`, the same for the same turn.

    >>> drawn(1, "ann", 7)
    0
    """
    said = "\0".join(map(str, turn)).encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest()) % of
