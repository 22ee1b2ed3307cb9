"""Anthropic's Message Batches API: https://platform.claude.com/docs/en/build-with-claude/batch-processing."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec
from msgspec import Struct

from regista.models.batches import Asked, Outcome, State, UnknowableError
from regista.models.batches.reach import Reach

STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status an error of this type has where it comes alone; any other is 500."""
PATH = "/v1/messages/batches"


class _Batch(Struct):
    id: str
    processing_status: str


class _Kind(Struct, frozen=True):
    type: str = ""


class _Error(Struct):
    error: _Kind = _Kind()


class _Result(Struct):
    type: str
    message: msgspec.Raw = msgspec.Raw(b"{}")
    error: msgspec.Raw = msgspec.Raw(b"{}")


class _Line(Struct):
    custom_id: str
    result: _Result


class AnthropicBatches:
    """See `regista.models.batches.BatchApi`."""

    most = 10_000
    most_bytes = 100 << 20

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def submit(self, mark: str, requests: Sequence[Asked]) -> str:
        """See `BatchApi.submit`."""
        rows = [{"custom_id": asked.name, "params": msgspec.Raw(asked.body)} for asked in requests]
        body = await asyncio.to_thread(msgspec.json.encode, {"requests": rows})
        return (await self._reach.read(_Batch, "POST", PATH, body)).id

    async def find(self, mark: str) -> str | None:
        """See `BatchApi.find`: these batches bear no mark."""
        raise UnknowableError(
            "It is not known whether Anthropic took the last requests: the process ended while it handed them over. "
            "Look at the console: if they are not there, `regista batch resume` hands them over again."
        )

    async def look(self, batch: str) -> State:
        """See `BatchApi.look`."""
        return State((await self._batch(batch)).processing_status == "ended")

    async def outcomes(self, batch: str) -> AsyncGenerator[Outcome]:
        """See `BatchApi.outcomes`."""
        async for line in self._reach.lines(f"{PATH}/{batch}/results", _Line):
            result = line.result
            if result.type == "succeeded":
                yield Outcome(line.custom_id, 200, bytes(result.message))
            elif result.type == "errored":
                kind = msgspec.json.decode(result.error, type=_Error).error.type
                yield Outcome(line.custom_id, STATUS.get(kind, 500), bytes(result.error))
            else:
                yield Outcome(line.custom_id, 0, b"", f"The provider ended the batch before this line: {result.type}.")

    async def cancel(self, batch: str) -> None:
        """See `BatchApi.cancel`."""
        if (await self._batch(batch)).processing_status == "in_progress":
            await self._reach.read(_Batch, "POST", f"{PATH}/{batch}/cancel", b"{}")

    async def _batch(self, batch: str) -> _Batch:
        return await self._reach.read(_Batch, "GET", f"{PATH}/{batch}")
