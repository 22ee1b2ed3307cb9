"""Responses in a Redis or Valkey that several gateways share. One that is gone is a miss, counted and told once.

It knows no question. Whoever reads is answered within `PATIENCE_S`, whoever writes does not wait.
"""

import asyncio
import logging
from collections.abc import Iterable

import msgspec

from regista.core.errors import StoreError
from regista.core.nouns import Response
from regista.store.redis import Shared

VERSION = b"\x01"
"""The first byte of a value: the form of what follows it. Another one is not read."""
PATIENCE_S = 0.1
LARGEST = 1 << 20
"""Bytes of a value; larger ones stay in the process that made them."""
WAITING = 256
"""Values that may wait to be written; further ones are not."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, Response]).decode
_log = logging.getLogger(__name__)


class SharedAnswers:
    """What `ExactCache` shares. `application` keeps applications on one server apart."""

    def __init__(self, shared: Shared, application: str) -> None:
        self.problems = 0
        """Reads and writes that did not succeed."""
        self._shared = shared
        self._prefix = f"regista:cache:{application}:".encode()
        self._down = False
        self._writing: set[asyncio.Task[None]] = set()

    async def get(self, key: bytes) -> tuple[int, Response] | None:
        """See `Elsewhere.get`."""
        try:
            with self._shared.reached(hurried=True):
                async with asyncio.timeout(PATIENCE_S):
                    value = await self._shared.client.get(self._prefix + key)
        except StoreError as error:
            self._failed(error)
            return None
        self._reached()
        if not isinstance(value, bytes) or value[:1] != VERSION:
            return None
        try:
            return _decode(value[1:])
        except msgspec.DecodeError:
            return None

    def put(self, key: bytes, expires_ns: int, response: Response) -> None:
        """See `Elsewhere.put`."""
        value = VERSION + _encode((expires_ns, response))
        if len(value) > LARGEST or len(self._writing) >= WAITING:
            return
        task = asyncio.create_task(self._write(key, expires_ns, value), name="cache")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def forget(self, keys: Iterable[str]) -> None:
        """Take away what is kept under these keys, in hexadecimal digits. Raises `StoreError`."""
        with self._shared.reached():
            for key in keys:
                await self._shared.client.delete(self._prefix + bytes.fromhex(key))

    async def close(self) -> None:
        """Write what waits."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _write(self, key: bytes, expires_ns: int, value: bytes) -> None:
        try:
            with self._shared.reached(hurried=True):
                async with asyncio.timeout(PATIENCE_S):
                    await self._shared.client.set(self._prefix + key, value, pxat=expires_ns // 1_000_000)
        except StoreError as error:
            self._failed(error)
        else:
            self._reached()

    def _failed(self, error: StoreError) -> None:
        self.problems += 1
        if not self._down:
            _log.warning("The cache is not shared for now. %s", error.message)
        self._down = True

    def _reached(self) -> None:
        if self._down:
            _log.info("The cache is shared again.")
        self._down = False
