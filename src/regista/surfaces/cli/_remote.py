"""Asks an application at the server that is already running for its folder, if one is."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec

from regista.app.platform import STATE
from regista.core.errors import ProviderError, RegistaError
from regista.core.nouns import Answer, Citation, Json, Usage
from regista.core.settings import settings
from regista.egress import Patience
from regista.egress.client import Client
from regista.models.sse import Splitter

PATIENCE = Patience(connect=1.0, first=600.0, between=600.0)


async def running_server(folder: Path) -> str | None:
    """The URL of the server of this folder, if it answers and lets us ask."""
    note = folder / STATE / "server.json"
    if not note.is_file():
        return None
    client = Client()
    try:
        url = str(msgspec.json.decode(note.read_bytes())["url"])
        client.allow(url)
        async with await client.open("GET", f"{url}/v1/models", _headers(), b"", PATIENCE) as reply:
            return url if reply.status == 200 else None
    except (RegistaError, msgspec.DecodeError, KeyError):
        return None
    finally:
        await client.close()


async def ask_server(url: str, application: str, question: str) -> AsyncGenerator[str | Answer]:
    """The answer's text as it comes, then the answer itself."""
    client = Client([url])
    body = msgspec.json.encode(
        {
            "model": application,
            "messages": [{"role": "user", "content": question}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )
    try:
        async with await client.open("POST", f"{url}/v1/chat/completions", _headers(), body, PATIENCE) as reply:
            if reply.status != 200:
                raise _error(await reply.read())
            splitter, texts, usage, extension = Splitter(), list[str](), Usage(), dict[str, Any]()
            async for block in reply.blocks():
                for event in splitter.feed(block):
                    if event.data == b"[DONE]":
                        yield _answer("".join(texts), usage, extension)
                        return
                    chunk = msgspec.json.decode(event.data)
                    if "error" in chunk:
                        raise _error(event.data)
                    extension = chunk.get("regista", extension)
                    usage = _usage(chunk["usage"]) if chunk.get("usage") else usage
                    for choice in chunk["choices"]:
                        if text := choice["delta"].get("content"):
                            texts.append(text)
                            yield text
            raise ProviderError(f"{url} ended its answer before it was whole.", code="stream_cut")
    finally:
        await client.close()


def _headers() -> tuple[tuple[str, str], ...]:
    key = str(settings()["key"])
    return (("content-type", "application/json"), *((("authorization", f"Bearer {key}"),) if key else ()))


def _usage(wire: Json) -> Usage:
    return Usage(wire["prompt_tokens"], wire["completion_tokens"], wire["prompt_tokens_details"]["cached_tokens"])


def _answer(text: str, usage: Usage, extension: Json) -> Answer:
    citations = tuple(msgspec.convert(citation, Citation) for citation in extension.get("citations", ()))
    cost: float = extension.get("cost") or 0.0
    return Answer(
        text,
        citations,
        extension.get("trace_id", ""),
        extension.get("variant", ""),
        usage,
        cost,
        bool(extension.get("cached")),
    )


def _error(body: bytes) -> RegistaError:
    try:
        error = msgspec.json.decode(body)["error"]
        return RegistaError(str(error["message"]), code=error.get("code"))
    except (msgspec.DecodeError, KeyError, TypeError):
        return RegistaError("The server answered with something that is no error of Regista's.")
