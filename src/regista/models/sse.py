"""Server-sent events, taken apart as bytes: https://html.spec.whatwg.org/multipage/server-sent-events.html.

It does not know what an event means. Comments and every field but `data` and `event` are passed over.
"""

from typing import NamedTuple

from regista.core.errors import ProviderError

CARRIAGE_RETURN = ord("\r")
"""Looked for as a number, which takes a quarter of the time: there is a block for nearly every token."""


LONGEST = 16 * 1024 * 1024
"""Bytes of the longest event, which may hold a picture: one that never ends is not kept."""


class Event(NamedTuple):
    """One event: its name, often empty, and its data."""

    name: bytes
    data: bytes


class Splitter:
    """Cuts a stream of blocks into events; what is left of a broken one is in `rest`."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, block: bytes) -> list[Event]:
        """The events that became whole with this block.

        >>> [e.data for e in Splitter().feed(b'data: 1\\n\\ndata: 2\\r\\n\\r\\ndata: 3')]
        [b'1', b'2']
        """
        return [event for part in self.parts(block) if (event := read(part)) is not None]

    def parts(self, block: bytes) -> list[bytes]:
        """As `feed`, each event as its bytes without the blank line that ends it.

        Raises `ProviderError` for an event of more than `LONGEST` bytes.
        """
        if self.rest:
            block = self.rest + block
            if len(block) > LONGEST:
                raise ProviderError(f"An event of the stream has more than {LONGEST >> 20} MB. Is base_url right?")
        if CARRIAGE_RETURN in block:
            block = block.replace(b"\r\n", b"\n")
        whole = block.split(b"\n\n")
        self.rest = whole.pop()
        return whole


def read(part: bytes) -> Event | None:
    """The event in these bytes; None where they hold no data, or empty data, as some do to keep a connection alive."""
    name, data = b"", list[bytes]()
    for line in part.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    said = b"\n".join(data)
    return Event(name, said) if said else None
