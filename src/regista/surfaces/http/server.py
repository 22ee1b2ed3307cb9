"""Runs the gateway on a socket until it is told to stop. What the gateway does is not known here."""

import asyncio
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from regista.app.platform import Platform
from regista.core.errors import ConfigurationError
from regista.surfaces.http.gateway import Gateway

DRAIN_S = 20
"""How long requests under way may take to end after a stop was asked for."""


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again after its end, before traces are stored."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(platform: Platform, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; then finish what is under way. A second signal does not wait."""
    config = uvicorn.Config(
        Gateway(platform),
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_S,
    )
    _spare_the_interpreter()
    server = _Server(config)

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    task = asyncio.create_task(server.serve([listener]))
    ready()
    await task


def _spare_the_interpreter() -> None:
    """Two costs of every request that buy a server nothing (docs/log.md has what they are)."""
    # What is loaded by now stays: the collector need not look at it again at every turn.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
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
