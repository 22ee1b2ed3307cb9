"""What the serving process tells the one that follows conversations, and hears back, framed, in two pipes.

Down goes the URL of the store, and then answered requests as they were seen; up comes what was found. Requests are
encoded one by one, so that one that cannot be read spoils no other.
"""

from collections.abc import Sequence

import msgspec

from regista.core.nouns import Message
from regista.observe.capture import Capture


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request that has ended. `question` and `answer` are its trace's, masked where that is; `scope` is whose it is.

    `messages` are those the client sent, `out` is the answer as it went out where that is not `answer`, and `calls` are
    the ids of the tool calls in it. `returned` is the last answer that the client sent back, as a trace may keep it;
    None where it may keep it as it came. `named` says that one person is in the scope, `capture` how much of all this
    may be kept.
    """

    trace: str
    started_ns: int
    duration_ns: int
    status: str
    question: str
    answer: str
    refused: bool
    tenant: str
    application: str
    scope: str
    named: bool
    messages: tuple[Message, ...]
    out: str | None = None
    calls: tuple[str, ...] = ()
    returned: str | None = None
    capture: Capture = "full"


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Requests on their way down. A conversation is over when nobody went on with it for `idle_s`."""

    seen: Sequence[msgspec.Raw]
    idle_s: float


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What came of so many requests: how many were lost, how many signals were found, and what is in the way."""

    done: int
    lost: int
    found: int
    error: str = ""


encode_seen = msgspec.msgpack.Encoder().encode
decode_seen = msgspec.msgpack.Decoder(Seen).decode
decode_url = msgspec.msgpack.Decoder(str).decode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_told = msgspec.msgpack.Decoder(Told).decode
