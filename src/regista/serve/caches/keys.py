"""What must be equal for one request's answer to serve another: digests of nouns. It knows no cache.

Tenant, Variant and the epochs of the index and of the cache are in every one, so that none is ever shared across them.
An access scope, where documents have one, belongs here too.
"""

from hashlib import blake2b

import msgspec

from regista.core.nouns import Json, Message, Request, Variant

NOT_ASKED = frozenset(
    {"stream", "stream_options", "user", "safety_identifier", "metadata", "store", "prompt_cache_key"}
)
"""Fields of a request that do not change what is asked."""
_encode = msgspec.json.Encoder(order="deterministic").encode


def request_key(request: Request, variant: Variant, tenant: str, epoch: int) -> bytes:
    """Of a whole request: equal for the same words, spacing at the ends aside. 16 bytes."""
    return _digest(variant, tenant, epoch, [_plain(message) for message in request.messages], request)


def place_key(request: Request, variant: Variant, tenant: str, epoch: int, embedder: str) -> bytes:
    """Of all but the last question, and of what measures questions: within a place they are compared. 16 bytes."""
    return _digest(variant, tenant, epoch, [embedder, *(_plain(message) for message in request.messages[:-1])], request)


def question_key(place: bytes, question: str) -> bytes:
    """Of a question in its place. 16 bytes."""
    return blake2b(question.strip().encode("utf-8", "surrogatepass"), key=place, digest_size=16).digest()


def _digest(variant: Variant, tenant: str, epoch: int, said: list[object], request: Request) -> bytes:
    rest: Json = {name: value for name, value in request.rest.items() if name not in NOT_ASKED}
    parts = (variant.application, variant.digest, variant.epoch, tenant, epoch, request.model, said, rest)
    return blake2b(_encode(parts), digest_size=16).digest()


def _plain(message: Message) -> object:
    content = message.content.strip() if isinstance(message.content, str) else message.content
    return message.role, content, message.rest
