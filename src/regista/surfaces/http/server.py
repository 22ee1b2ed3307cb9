"""Runs the gateway on a socket until it is told to stop. What the gateway does is not known here."""

import asyncio
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from regista.app.batches.runner import BatchRunner
from regista.app.platform import Platform
from regista.core.errors import ConfigurationError
from regista.surfaces.http.gateway import NOTHING, Gateway, Open
from regista.surfaces.http.inside import asking, request_of
from regista.surfaces.http.protocol import Protocol

POLITE_S = 1.0
"""How long connections with nothing under way are kept after a stop: what is on its way to them is still answered."""


class _Uvicorn(uvicorn.Server):
    """Uvicorn less its signals, which it would raise again after its end, before traces are stored; and politer.

    Connections come from a listener, or one by one over `dealt`, from who listens for several.
    """

    def __init__(self, config: uvicorn.Config, dealt: socket.socket | None) -> None:
        super().__init__(config)
        self._dealt = dealt
        self._beginning: set[asyncio.Task[None]] = set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._dealt is not None:
            asyncio.get_running_loop().add_reader(self._dealt.fileno(), self._take)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more; who has a connection learns with the next answer that it is the last one on it."""
        for server in self.servers:
            server.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        clock = asyncio.get_running_loop().time
        end = clock() + POLITE_S
        while self.server_state.connections and clock() < end and not self.force_exit:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
        if self._dealt is not None:
            asyncio.get_running_loop().remove_reader(self._dealt.fileno())
        await super().shutdown(sockets)

    def _take(self) -> None:
        """Begin on the connections that were dealt."""
        assert self._dealt is not None, "only then is it read"  # noqa: S101
        loop = asyncio.get_running_loop()
        try:
            while (dealt := socket.recv_fds(self._dealt, 1, 1))[0]:
                for number in dealt[1]:
                    task = loop.create_task(self._begin(socket.socket(fileno=number)))
                    self._beginning.add(task)
                    task.add_done_callback(self._beginning.discard)
        except BlockingIOError:
            return
        except OSError:
            pass
        loop.remove_reader(self._dealt.fileno())

    async def _begin(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection.setblocking(False)
        protocol: Any = self.config.http_protocol_class

        def answer() -> asyncio.Protocol:
            return protocol(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )

        with suppress(OSError):  # it may have been closed while it waited
            await loop.connect_accepted_socket(answer, connection)


class Server:
    """Answers for one platform until SIGINT or SIGTERM; then finishes what is under way. A second signal does not wait.

    SIGHUP reads the folder anew, or ends it where it was started from a terminal that is gone.
    """

    def __init__(
        self,
        platform: Platform,
        drain_s: int,
        dealt: socket.socket | None = None,
        mounted: Mapping[str, Open] = NOTHING,
    ) -> None:
        """`drain_s` is how long answers under way may take to end, `mounted` what the gateway has beside its routes.

        `dealt` brings connections from a process that listens for several. Signals may then come from there and from
        elsewhere: only `hurry` does not wait.
        """
        self._platform = platform
        self._dealt = dealt
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                Gateway(platform, mounted),
                http=Protocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=drain_s,
            ),
            dealt,
        )
        self._batches = BatchRunner(platform, asking(platform), request_of)
        self._reloading: asyncio.Task[None] | None = None

    async def run(self, listeners: list[socket.socket], ready: Callable[[], None]) -> None:
        """Serve until it is stopped."""
        _spare_the_interpreter()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, self.stop if os.isatty(0) else self._reload)
        ready()
        task = asyncio.create_task(self._uvicorn.serve(listeners))
        self._batches.start()
        try:
            await task
        finally:
            await self._batches.close()

    def stop(self) -> None:
        """End politely: finish what is under way."""
        self._platform.draining = True
        self._uvicorn.should_exit = True
        self._batches.leave()

    def hurry(self) -> None:
        """End without waiting."""
        self._uvicorn.force_exit = True
        self.stop()

    def _signalled(self) -> None:
        if self._uvicorn.should_exit and self._dealt is None:
            self.hurry()
        self.stop()

    def _reload(self) -> None:
        self._reloading = asyncio.ensure_future(self._platform.reload())


def _spare_the_interpreter() -> None:
    """Two costs of every request that buy a server nothing (docs/log.md has what they are)."""
    # What is loaded by now stays: the collector need not look at it again at every turn.
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    # The loop keeps a weak set of all async generators, to close forgotten ones. Here who opens one closes it.
    sys.set_asyncgen_hooks(None, None)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; raises `ConfigurationError` saying what to do where the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        advice = (
            f"Something listens there already: choose another with --port {port + 1}." if taken else "Choose another."
        )
        raise ConfigurationError(f"{host}:{port} cannot be served on ({error.strerror}). {advice}") from None
    listener.setblocking(False)
    return listener
