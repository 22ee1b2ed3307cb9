"""How much of one span is kept. What is over is dropped and counted, so that no sender can fill a disk or stop a loop.

Bodies are bounded by whoever reads them: all work here is linear in their length.
"""

from collections.abc import Callable

SPANS = 20_000
"""Spans of a request; SDKs send 512 at a time."""
TOO_MANY = f"A request holds at most {SPANS} spans. Set OTEL_BSP_MAX_EXPORT_BATCH_SIZE where they are sent from."
ATTRIBUTES = 4_096
"""Attributes of a span, and of an event; SDKs keep 128 unless told otherwise, flattened conversations need more."""
EVENTS = 1_024
LINKS = 128
ELEMENTS = 20_000
"""Elements of all lists and mappings within the attributes of a span: a few embeddings."""
DEPTH = 32
"""Lists and mappings within each other."""
TEXT = 1_000_000
"""Characters of a text."""
SHOWN = 100_000
"""Characters of a question or an answer, as `regista.app.serving` keeps of its own."""
NAME = 1_000
"""Characters of a name: of a span, a model, a session."""
INT64 = (1 << 63) - 1
"""The highest number a database keeps."""


AT_A_TIME = 16
"""Spans of a request that are read between two rests: half a millisecond."""
Rest = Callable[[], object]
"""What is called now and then by work that takes long, for who shares the interpreter with someone in a hurry."""


def at_once() -> None:
    """No rest."""


def plain(text: str, most: int = NAME) -> str:
    """A text for a column: cut, and without the one character PostgreSQL keeps in none."""
    return text[:most].replace("\0", "\N{REPLACEMENT CHARACTER}")


class Room:
    """What is left for the elements of a span's attributes; `dropped` counts those that found none."""

    __slots__ = ("dropped", "left")

    def __init__(self) -> None:
        self.dropped = 0
        self.left = ELEMENTS

    def first(self, count: int, most: int | None = None) -> int:
        """How many of `count` things find room: of `most`, or of what is left for elements, which they then take."""
        kept = min(count, self.left if most is None else most)
        if most is None:
            self.left -= kept
        self.dropped += count - kept
        return kept
