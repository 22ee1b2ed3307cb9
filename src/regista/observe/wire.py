"""What the serving process and the writer say to each other, framed, in two pipes.

Down go first the orders, with the URL of the store, which may hold a password and so is no argument for all to see, and
then batches of traces, our own and those received from elsewhere; up come acknowledgements. A batch is taken by its
number; the traces in it are encoded one by one, so that one that cannot be read spoils no other.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from regista.core.nouns import Trace
from regista.observe.capture import Capture


class Orders(msgspec.Struct, frozen=True, array_like=True):
    """What a writer is to know before all else.

    `masking` is where the function is that hides what is personal in a text, as `module:name`. `booted` is what
    `observe.clock` says of the server's start, where it is known.
    """

    url: str
    masking: str = ""
    keep_s: int = 0
    booted: float | None = None


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Traces on their way down, each still in its own encoding.

    `keep_s` is for how long traces are kept, from now on; one of number 0 says nothing but that.
    """

    number: int
    traces: Sequence[msgspec.Raw]
    keep_s: int | None = None


class Masked(msgspec.Struct, frozen=True, array_like=True):
    """A trace that is stored with what is personal in it hidden."""

    trace: Trace


class Gathered(msgspec.Struct, frozen=True, array_like=True):
    """Spans of one trace that somebody sent, as they came. They are made a trace where it is stored."""

    spans: Sequence[msgspec.Raw]
    tenant: str
    capture: Capture = "full"


class Acknowledgement(msgspec.Struct, frozen=True, array_like=True):
    """`done`: the batch is settled, but for `refused` traces no store will ever take.

    Of `bared` nothing that was said is stored, as what is personal in it could not be hidden.
    Not `done`: it is still being tried, and `error` says what is in the way.
    """

    number: int
    done: bool
    refused: int = 0
    error: str = ""
    bared: int = 0


def thinned(trace: Trace) -> Trace:
    """A trace without what was said and done, which is most of it: what remains is what the ledger enters."""
    return replace(trace, question="", answer="", citations=(), spans=())


encode_trace = msgspec.msgpack.Encoder().encode
decode_trace = msgspec.msgpack.Decoder(Trace).decode
decode_gathered = msgspec.msgpack.Decoder(Gathered).decode
decode_masked = msgspec.msgpack.Decoder(Masked).decode
decode_orders = msgspec.msgpack.Decoder(Orders).decode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_acknowledgement = msgspec.msgpack.Decoder(Acknowledgement).decode
