"""What a provider sent, as what it should be, or an error that shows what came instead. It knows no provider's wire."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from regista.core.errors import ProviderError
from regista.models.http_errors import without_keys

T = TypeVar("T")


def decoded(data: bytes, decode: Callable[[bytes], T], otherwise: str) -> T:
    """JSON as `decode` reads it. Raises `ProviderError` saying `otherwise`, why, and what came."""
    try:
        return decode(data)
    except msgspec.MsgspecError as error:
        raise ProviderError(f"{otherwise} ({error}): {shown(data)}. Is base_url right?") from None


def shown(data: bytes) -> str:
    """How bytes begin, for a person to read."""
    return repr(without_keys(data[:200].decode("utf-8", "replace"))) if data else "it is empty"
