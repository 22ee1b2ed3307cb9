"""Tells another system of alarms: signed requests over HTTP, each until it was taken, beside all else.

As Standard Webhooks has it (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
who receives one checks the signature, and knows by its id one that came before. It knows no store.
"""

import asyncio
import base64
import binascii
import hmac
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from regista.core.errors import ConfigurationError, ProviderError, RegistaError
from regista.core.nouns import Json
from regista.core.secret import Secret
from regista.egress import Patience, Transport

PREFIX = "whsec_"
LEAST, MOST = 24, 64
"""Bytes of a secret, as the specification has them."""
TYPE = "alarm.opened"
PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1_800.0)
"""How long the other side is left alone after so many failures in a row."""
PATIENCE = Patience(5.0, 15.0, 15.0)
LOOK_S = 300.0
"""How long it is at most until it is looked for what is still to be told."""


class Event(NamedTuple):
    """What is told: its own id, when it happened, and what it was."""

    id: str
    at_ns: int
    data: Json


class Hook(NamedTuple):
    """Where events go. `key` reads the secret."""

    url: str
    secret: Secret


Untold = Callable[[], Awaitable[Sequence[Event]]]
"""What is still to be told, the oldest first."""
Claim = Callable[[str], Awaitable[bool]]
"""Whether the event of an id is for this one to tell, and nobody else, for the time it takes."""
Told = Callable[[str, bool], Awaitable[None]]
"""Notes whether the event of an id was taken; if not, it may be claimed again."""


class Webhook:
    """Sends events to a hook, if there is one. Use it from one event loop.

    `sent` counts events that were taken; `problem` is why the last request failed, empty where it did not.
    """

    def __init__(
        self, transport: Transport, untold: Untold, claim: Claim, told: Told, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self.sent = 0
        self.problem = ""
        self._transport = transport
        self._untold = untold
        self._claim = claim
        self._told = told
        self._pauses_s = pauses_s
        self._hook: Hook | None = None
        self._due, self._anew = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def aim(self, hook: Hook | None) -> None:
        """Send to this hook from now on, or to none. Raises `ConfigurationError` where its secret is none."""
        if hook is not None:
            key(hook.secret)
        self._hook, self.problem = hook, ""
        if hook is not None and self._task is None:
            self._task = asyncio.create_task(self._run(), name="webhook")
        self._anew.set()
        self.wake()

    def wake(self) -> None:
        """Look for what is to be told. Never waits."""
        self._due.set()

    async def close(self) -> None:
        """End. What was not taken is told by the next one."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while True:
            if failures:
                # What is new does not hurry a side that is down; another side may be up.
                await _wait(self._anew, self._pauses_s[min(failures, len(self._pauses_s)) - 1])
            else:
                # Another server may have died before it told what it had claimed.
                await _wait(self._due, LOOK_S)
            failures = 0 if self._anew.is_set() else failures
            self._anew.clear()
            self._due.clear()
            try:
                await self._send_all()
                failures, self.problem = 0, ""
            except RegistaError as error:
                failures, self.problem = failures + 1, f"An alarm is not told: {error.message}"
            except Exception as error:  # noqa: BLE001 - the next ones are told all the same, and it is said
                failures, self.problem = failures + 1, f"An alarm is not told: {type(error).__name__}."

    async def _send_all(self) -> None:
        hook = self._hook
        for event in await self._untold() if hook is not None else ():
            if hook is not self._hook:
                return self.wake()
            assert hook is not None, "without one there is nothing to send"  # noqa: S101
            if await self._claim(event.id):
                await self._tell(hook, event)
        return None

    async def _tell(self, hook: Hook, event: Event) -> None:
        taken = False
        try:
            await self._send(hook, event)
            self.sent += 1
            taken = True
        finally:
            await self._told(event.id, taken)

    async def _send(self, hook: Hook, event: Event) -> None:
        happened = datetime.fromtimestamp(event.at_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
        body = msgspec.json.encode({"type": TYPE, "timestamp": happened, "data": event.data})
        signed = signature(hook.secret, event.id, sent_s := int(time.time()), body)
        more = f"webhook-id: {event.id}\r\nwebhook-timestamp: {sent_s}\r\nwebhook-signature: {signed}\r\n"
        headers = (("content-type", "application/json"),)
        reply = await self._transport.open("POST", hook.url, headers, body, PATIENCE, more.encode())
        async with reply:
            with suppress(RegistaError):
                await reply.read()  # so that the connection is kept
        if reply.status // 100 != 2:
            # Not the whole URL, whose path may be a secret.
            parts = urlsplit(hook.url)
            raise ProviderError(f"{parts.scheme}://{parts.hostname} answered HTTP {reply.status}; it is tried again.")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, for so long at most."""
    # `wait_for` would not do: in Python 3.11 who is cancelled right after the event was set is not told, and goes on.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def key(secret: Secret) -> bytes:
    """The bytes of a secret: `whsec_` and their base64. Raises `ConfigurationError`, without a word of what it holds.

    >>> len(key(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
    24
    """
    written = secret.reveal()
    try:
        found = base64.b64decode(written.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not written.startswith(PREFIX) or not LEAST <= len(found) <= MOST:
        raise ConfigurationError(
            f"A webhook's secret is {PREFIX} and the base64 of {LEAST} to {MOST} random bytes. To make one, type: "
            f'echo "{PREFIX}$(openssl rand -base64 32)"'
        )
    return found


def signature(secret: Secret, id: str, sent_s: int, body: bytes) -> str:
    """What the header webhook-signature holds.

    >>> secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    made = hmac.digest(key(secret), f"{id}.{sent_s}.".encode() + body, sha256)
    return f"v1,{base64.b64encode(made).decode()}"
