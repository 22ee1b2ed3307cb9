"""Streams that break in the block of bytes in which something was said: that is told first, and is not said again."""

import json

import pytest
from tests.models.providers.conftest import InOneBlock

from regista.core.errors import ProviderError
from regista.core.nouns import Json, Message, Request
from regista.egress.client import Client
from regista.models.providers import providers
from regista.models.resilience.retry import Retry

SAID: dict[str, Json] = {
    "openai": {"choices": [{"index": 0, "delta": {"content": "Hi"}}]},
    "anthropic": {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]},
}
BROKEN: dict[str, Json] = {
    "openai": {"error": {"message": "no"}},
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "no"}},
    "gemini": {"error": {"code": 503, "message": "no"}},
}


@pytest.mark.parametrize("broken", [b"half {", None], ids=["no JSON", "an error"])
@pytest.mark.parametrize("name", SAID)
async def test_what_was_said_reaches_the_client_before_the_error(
    name: str, broken: bytes | None, in_one_block: InOneBlock, transport: Client
) -> None:
    events = json.dumps(SAID[name]).encode(), broken or json.dumps(BROKEN[name]).encode()
    in_one_block.events = b"".join(b"data: " + data + b"\n\n" for data in events)
    provider = Retry(providers.build(name, {"transport": transport}, base_url=in_one_block.url), 2, first_s=0)
    texts: list[str] = []
    with pytest.raises(ProviderError) as raised:
        async for delta in provider.generate(Request("m", (Message("user", "hi"),), True)):
            texts.append(delta.text)
    assert (texts, in_one_block.asked) == (["Hi"], 1)
    assert "half" in raised.value.message or "no" in raised.value.message
