"""The HTTP client: pooled keep-alive connections to named origins, each pinned to a checked address."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from regista.core.errors import ConfigurationError, ProviderError, ProviderTimeoutError
from regista.egress import Patience
from regista.egress.connection import Connection, HttpReply

SWEEP_S = 0.1
"""How often overdue waits are looked for: one timer for all connections instead of one for each."""
IDLE_S = 60.0
NOT_CONNECTED = "not_connected"
"""The code of errors after which the other side has seen nothing of the request."""
NEVER = tuple(
    ipaddress.ip_network(n) for n in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "0.0.0.0/32", "::/128")
)
"""Link-local addresses, where clouds keep machine credentials: refused even when a name leads there."""


class Target(NamedTuple):
    """A URL taken apart: where to connect, and what to ask for."""

    origin: str
    scheme: str
    host: str
    port: int
    path: str


@lru_cache(1024)
def target(url: str) -> Target:
    """Take a URL apart; raises `ConfigurationError` for anything but http(s) with a host.

    >>> target("https://api.example.com/v1/chat").origin
    'https://api.example.com:443'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ConfigurationError(f"{url!r} is not a URL of the form https://host[:port]/path.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Target(f"{parts.scheme}://{host}:{port}", parts.scheme, parts.hostname, port, path)


class Client:
    """The egress client. Only origins given here or to `allow` are contacted."""

    def __init__(self, origins: Iterable[str] = (), connections: int = 512) -> None:
        self._allowed = {target(url).origin for url in origins}
        self._idle: dict[str, list[tuple[float, Connection]]] = {}
        self._busy: set[Connection] = set()
        self._limit = connections
        self._tls: ssl.SSLContext | None = None
        self._heads: dict[tuple[str, str, tuple[tuple[str, str], ...]], bytes] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def allow(self, url: str) -> None:
        """Add the origin of a URL that the configuration names."""
        self._allowed.add(target(url).origin)

    async def open(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        patience: Patience = Patience(),
        more: bytes = b"",
    ) -> HttpReply:
        """See `regista.egress.Transport`."""
        where = target(url)
        if where.origin not in self._allowed:
            raise ConfigurationError(f"{where.origin} is not named in the configuration, so nothing is sent there.")
        head = self._head(method, url, where, tuple(headers), len(body), more)
        kept = True
        while True:
            connection = self._reuse(where.origin) if kept else None
            connection = connection or await self._connect(where, patience.connect)
            self._busy.add(connection)
            # Here and not before it was connected: a sweep in between would have found nothing, and been the last.
            self._sweep_later(connection.loop)
            reply = connection.send(head, body)
            reply.patience = patience.between
            try:
                await reply.head(patience.first)
            except ProviderError as error:
                # The server closed an idle connection as we wrote: it is asked again, once, on a new one. It may have
                # read the first, and who asked on all that are idle would be billed for each.
                if error.code == "no_answer" and connection.used > 1:
                    kept = False
                    continue
                raise
            except asyncio.CancelledError:
                reply.close()
                raise
            finally:
                if not connection.open:
                    self._busy.discard(connection)
            return reply

    async def close(self) -> None:
        """Close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in [*self._busy, *(c for idle in self._idle.values() for _, c in idle)]:
            connection.close()
        self._busy.clear()
        self._idle.clear()
        await asyncio.sleep(0)

    def _head(
        self, method: str, url: str, where: Target, headers: tuple[tuple[str, str], ...], length: int, more: bytes
    ) -> bytes:
        start = self._heads.get((method, url, headers))
        if start is None:
            default_port = where.port == (443 if where.scheme == "https" else 80)
            host = where.origin.split("://")[1].rpartition(":")[0] if default_port else where.origin.split("://")[1]
            lines = [
                f"{method} {where.path} HTTP/1.1",
                f"host: {host}",
                "accept-encoding: identity",
                "user-agent: regista",
            ]
            lines += [f"{name}: {value}" for name, value in headers]
            if any("\r" in line or "\n" in line for line in lines):
                raise ConfigurationError("A header of an outgoing request holds a line break.")
            start = ("\r\n".join(lines) + "\r\ncontent-length: ").encode("latin-1")
            if len(self._heads) > 1024:
                self._heads.clear()
            self._heads[method, url, headers] = start
        return b"%b%d\r\n%b\r\n" % (start, length, more)

    def _reuse(self, origin: str) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            _, connection = idle.pop()
            if connection.open:
                return connection
        return None

    async def _connect(self, where: Target, seconds: float) -> Connection:
        loop = asyncio.get_running_loop()
        reasons: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                for address in await self._addresses(where):
                    try:
                        _, connection = await loop.create_connection(
                            lambda: Connection(where.origin, self._free, loop),
                            address,
                            where.port,
                            ssl=self._context() if where.scheme == "https" else None,
                            server_hostname=where.host if where.scheme == "https" else None,
                        )
                    except OSError as error:
                        reasons.append(f"{address}: {error.strerror or error}")
                    else:
                        return connection
        except TimeoutError:
            raise ProviderTimeoutError(
                f"No connection to {where.origin} within {seconds:g} s.", code=NOT_CONNECTED
            ) from None
        raise ProviderError(
            f"No connection to {where.origin} ({'; '.join(reasons)}). Is it running, and is base_url right?",
            code=NOT_CONNECTED,
        )

    async def _addresses(self, where: Target) -> list[str]:
        """The addresses of a host, checked; connecting to these and not to the name again defeats DNS rebinding."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ProviderError(
                f"The host {where.host!r} is not known ({error.strerror}). Is base_url right?", code=NOT_CONNECTED
            ) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            plain = ipaddress.ip_address(address.partition("%")[0])
            plain = getattr(plain, "ipv4_mapped", None) or plain
            if any(plain in network for network in NEVER if network.version == plain.version):
                raise ConfigurationError(f"{where.host!r} leads to {address}, an address that is never contacted.")
        return addresses

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _free(self, connection: Connection) -> None:
        self._busy.discard(connection)
        idle = self._idle.setdefault(connection.origin, [])
        if len(idle) < self._limit:
            idle.append((connection.loop.time(), connection))
        else:
            connection.close()

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_S, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in [c for c in self._busy if c.overdue(now)]:
            connection.expire()
        self._busy = {c for c in self._busy if c.open}
        for idle in self._idle.values():
            while idle and idle[0][0] < now - IDLE_S:
                idle.pop(0)[1].close()
        self._sweeper = None
        if self._busy or any(self._idle.values()):
            self._sweep_later(loop)
