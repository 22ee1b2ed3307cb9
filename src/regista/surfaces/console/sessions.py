"""What opens the console and keeps it open: a ticket made at every start, and signed cookies. Knows no page.

All processes that serve one folder share a file in it, which only its owner may read. Calls block.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from regista.core.errors import StoreError

FILE = "console.json"
LASTS_S = 12 * 3_600
"""Seconds a session lasts."""


class Session(Struct, frozen=True, array_like=True):
    """Who is in, and until when in seconds since 1970. `key` begins the key it was opened with; empty: a ticket."""

    key: str
    until_s: int


class _Kept(Struct, frozen=True):
    """What the file holds: the secret cookies are signed with, and the digest of the last start's ticket."""

    secret: str
    ticket: str = ""


class Sessions:
    """The sessions of one application folder, whose state is kept in `folder`."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._secret = b""

    def begin(self) -> str:
        """A new ticket, which opens the console until the next start. Sessions that are open stay so."""
        ticket = secrets.token_urlsafe(24)
        self._keep(_Kept(self._read_or_made().secret, _digest(ticket)))
        return ticket

    def admits(self, ticket: str) -> bool:
        """Whether this is the ticket of the last start."""
        kept = self._read()
        return kept is not None and bool(kept.ticket) and hmac.compare_digest(_digest(ticket), kept.ticket)

    def open(self, key: str = "") -> str:
        """The cookie of a new session."""
        body = msgspec.msgpack.encode(Session(key, int(self._clock()) + LASTS_S))
        return f"{_text(body)}.{_text(self._signature(body))}"

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None where it is over, or was not signed here."""
        body, _, signature = cookie.partition(".")
        try:
            told, signed = _bytes(body), _bytes(signature)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(signed, self._signature(told)):
            return None
        session = msgspec.msgpack.decode(told, type=Session)
        return session if session.until_s > self._clock() else None

    @property
    def cookie(self) -> str:
        """What the cookie is called. Cookies are of a host, not of a port: every folder has a name of its own."""
        return f"regista_{hashlib.sha256(self._key()).hexdigest()[:8]}"

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._key(), b"console session\0" + body, "sha256")

    def _key(self) -> bytes:
        if not self._secret:
            kept = self._read_or_made()
            self._secret = bytes.fromhex(kept.secret)
        return self._secret

    def _read(self) -> _Kept | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"{self._path} cannot be read ({error}). Remove it: it is made anew.") from None

    def _read_or_made(self) -> _Kept:
        kept = self._read()
        if kept is None:
            self._keep(_Kept(secrets.token_hex(32)), fresh=True)
            kept = self._read()
        assert kept is not None, "it was just made"  # noqa: S101
        return kept

    def _keep(self, kept: _Kept, *, fresh: bool = False) -> None:
        """Write the file whole or not at all; a `fresh` one only where there is none, so that the first one holds."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(kept))
        try:
            if fresh:
                os.link(beside, self._path)
            else:
                os.replace(beside, self._path)
        except FileExistsError:
            pass
        finally:
            beside.unlink(missing_ok=True)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
