"""OpenAI's Batch API, and hosts that speak it: https://platform.openai.com/docs/api-reference/batch."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterable, Sequence

import msgspec
from msgspec import Struct

from regista.models.batches import Asked, Outcome, State, UnknowableError
from regista.models.batches.reach import Reach

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
MARK = "regista"
PAGE = 100


class _Named(Struct):
    id: str


class _Error(Struct):
    code: str | None = None
    message: str | None = None
    line: int | None = None


class _Errors(Struct):
    data: list[_Error] | None = None


class _Batch(Struct):
    id: str
    status: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: _Errors | None = None
    metadata: dict[str, str] | None = None


class _Page(Struct):
    data: list[_Batch]
    has_more: bool | None = None


class _Response(Struct):
    status_code: int
    body: msgspec.Raw


class _Line(Struct):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


class OpenAIBatches:
    """See `regista.models.batches.BatchApi`."""

    most = 50_000
    most_bytes = 100 << 20

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def submit(self, mark: str, requests: Sequence[Asked]) -> str:
        """See `BatchApi.submit`."""
        # What a provider is sent is below its base_url, and what a line says is below OpenAI's own.
        prefix = self._reach.base_url.partition("://")[2].partition("/")[2]
        endpoint = "/v1" + requests[0].path.removeprefix(f"/{prefix}" if prefix else "")
        lines = (
            msgspec.json.encode(
                {"custom_id": asked.name, "method": "POST", "url": endpoint, "body": msgspec.Raw(asked.body)}
            )
            for asked in requests
        )
        boundary = secrets.token_hex(16)
        form = await asyncio.to_thread(_form, boundary, lines, f"{mark}.jsonl")
        kind = f"multipart/form-data; boundary={boundary}"
        file = await self._reach.read(_Named, "POST", "/files", form, kind)
        order = {"input_file_id": file.id, "endpoint": endpoint, "completion_window": "24h", "metadata": {MARK: mark}}
        return (await self._reach.read(_Named, "POST", "/batches", msgspec.json.encode(order))).id

    async def find(self, mark: str) -> str | None:
        """See `BatchApi.find`."""
        last = ""
        while True:
            after = f"&after={last}" if last else ""
            page = await self._reach.read(_Page, "GET", f"/batches?limit={PAGE}{after}")
            for batch in page.data:
                if (batch.metadata or {}).get(MARK) == mark:
                    return batch.id
            if not page.has_more or not page.data:
                return None
            if page.data[-1].id == last:
                raise UnknowableError("It lists the same batches again, whatever comes after them is asked for.")
            last = page.data[-1].id

    async def look(self, batch: str) -> State:
        """See `BatchApi.look`."""
        found = await self._batch(batch)
        errors = (found.errors.data if found.errors is not None else None) or [_Error()]
        problem = errors[0].message or "it says no reason" if found.status == "failed" else ""
        return State(found.status in ENDED, problem)

    async def outcomes(self, batch: str) -> AsyncGenerator[Outcome]:
        """See `BatchApi.outcomes`."""
        found = await self._batch(batch)
        for file in (found.output_file_id, found.error_file_id):
            if not file:
                continue
            async for line in self._reach.lines(f"/files/{file}/content", _Line):
                if line.response is not None:
                    yield Outcome(line.custom_id, line.response.status_code, bytes(line.response.body))
                else:
                    error = line.error or _Error()
                    yield Outcome(line.custom_id, 0, b"", error.message or error.code or "it says no reason")

    async def cancel(self, batch: str) -> None:
        """See `BatchApi.cancel`."""
        if (await self._batch(batch)).status not in ENDED:
            await self._reach.read(_Named, "POST", f"/batches/{batch}/cancel", b"{}")

    async def _batch(self, batch: str) -> _Batch:
        return await self._reach.read(_Batch, "GET", f"/batches/{batch}")


def _form(boundary: str, lines: Iterable[bytes], name: str) -> bytes:
    """A form with a purpose and a file: https://datatracker.ietf.org/doc/html/rfc7578."""
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
        "content-type: application/jsonl\r\n\r\n"
    )
    return b"".join((head.encode(), *(line + b"\n" for line in lines), f"\r\n--{boundary}--\r\n".encode()))
