"""Which requests are turns of one conversation, by digests of the history that each of them carries.

A client sends the whole talk again with every question. So a request whose history ends in a question and answer that
went through before goes on from there, without an id or a line of client code. Instructions (system and developer
messages) do not count, since many clients write the date into them, nor does spacing. It keeps nothing: whoever calls
it stores `keys` and looks digests up.
"""

import unicodedata
from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

from regista.core.nouns import Message
from regista.feedback.turns import Way

INSTRUCTIONS = frozenset({"system", "developer"})
TELLING = 80
"""From so many characters on, a question and its answer together tell a conversation without what came before."""
_encode = msgspec.json.Encoder(order="deterministic").encode


class Link(Struct, frozen=True):
    """What a request follows. `trace` is that of the turn it goes on from, repeats or rewords; else empty.

    `returned` is the last answer as the request holds it, where that is not what went out. `sure` is False where only
    the last question and answer told, since a client that cuts its history off sends no more.
    """

    way: Way = "begins"
    trace: str = ""
    returned: str = ""
    sure: bool = True


class History(Struct, frozen=True):
    """A request as digests: `heads[i]` is that of its first `i` messages. `last` is the place of its last question.

    `answer` is the place of the assistant's message next before that question, None where there is none. `step` says
    that it hands back what tools said and asks nothing new.
    """

    scope: str
    heads: tuple[bytes, ...]
    messages: tuple[Message, ...]
    last: int
    answer: int | None
    step: bool


def history(messages: Sequence[Message], scope: str) -> History:
    """A request's messages as digests. Those of one `scope` only (tenant, key, user, application) are ever linked."""
    said = tuple(message for message in messages if message.role not in INSTRUCTIONS)
    heads = [_digest(b"", "scope", scope)]
    for message in said:
        heads.append(_digest(heads[-1], message.role, *_parts(message)))
    asked = [at for at, message in enumerate(said) if message.role == "user"]
    last = asked[-1] if asked else 0
    answers = [at for at, message in enumerate(said[:last]) if message.role == "assistant"]
    step = bool(said) and said[-1].role in ("tool", "function")
    return History(scope, tuple(heads), said, last, answers[-1] if answers else None, step)


def keys(history: History, answer: str, calls: Sequence[str] = ()) -> tuple[bytes, ...]:
    """The digests (16 bytes) under which a turn is found again once its answer is known. All stand for its trace.

    `calls` are the ids of the tool calls in the answer.
    """
    head = history.heads[-1]
    found = [_digest(head, "asked"), _digest(head, "assistant", _spaced(answer), *calls)]
    if history.last:
        found.append(_digest(history.heads[history.last], "after"))
    question = history.messages[history.last].text if history.messages else ""
    if pair := _pair(history.scope, question, answer):
        found.append(pair)
    return tuple(found)


def link(history: History, find: Callable[[bytes], str]) -> Link:
    """What a request follows. `find` gives the trace stored last under a digest, or nothing.

    A request that only hands back the results of tools goes on with its turn, so it `continues` it with no question.
    """
    if trace := find(_digest(history.heads[-1], "asked")):
        return Link("regenerates", trace)
    if history.step:
        return _stepped(history, find)
    if history.answer is None:
        return Link()
    if trace := find(history.heads[history.answer + 1]):
        # Examples that a client sends before every question are no answers of ours: only what went out is reworded.
        reworded = find(_digest(history.heads[history.last], "after"))
        return Link("rewords", reworded) if reworded else Link("continues", trace)
    answer = history.messages[history.answer].text
    if trace := find(_digest(history.heads[history.answer], "asked")):
        return Link("continues", trace, answer)
    question = next((m.text for m in reversed(history.messages[: history.answer]) if m.role == "user"), "")
    pair = _pair(history.scope, question, answer)
    return Link("continues", trace, sure=False) if pair and (trace := find(pair)) else Link()


def _stepped(history: History, find: Callable[[bytes], str]) -> Link:
    """The turn whose answer was the calls that this request hands the results of."""
    called = (at for at in range(len(history.messages) - 1, -1, -1) if history.messages[at].role == "assistant")
    at = next(called, None)
    trace = "" if at is None else find(history.heads[at + 1])
    return Link("continues", trace) if trace else Link()


def _parts(message: Message) -> tuple[object, ...]:
    """What of a message counts: its words, what it shows beside them, and which tools it calls."""
    parts = () if isinstance(message.content, str) else message.content or ()
    shown = tuple(part for part in parts if part.get("type") != "text")
    calls = tuple(call.id for call in message.tool_calls) if message.role == "assistant" else ()
    return (_spaced(message.text), *calls, *shown)


def _pair(scope: str, question: str, answer: str) -> bytes:
    """The digest of a question with its answer, or nothing where they are too short to be of one talk only."""
    question, answer = _spaced(question), _spaced(answer)
    return _digest(b"", "pair", scope, question, answer) if len(question) + len(answer) >= TELLING else b""


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _digest(before: bytes, *parts: object) -> bytes:
    # Lone surrogates are text to some clients, and none to an encoder.
    plain = [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts]
    return blake2b(before + _encode(plain), digest_size=16).digest()
