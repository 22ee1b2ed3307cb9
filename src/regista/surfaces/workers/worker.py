"""One worker: it serves what its supervisor deals it, and asks the supervisor for what all have in common.

It ends on SIGTERM, or when its supervisor does; either way what is under way is finished first.
"""

import logging
import socket
from pathlib import Path
from typing import Any

import msgspec

from regista.app.platform import Platform
from regista.core.errors import RegistaError
from regista.observe.figures import Figure
from regista.surfaces.console import MOUNTED
from regista.surfaces.http.server import Server
from regista.surfaces.workers.channel import Channel
from regista.surfaces.workers.team import WorkerTeam
from regista.surfaces.workers.words import Orders, Served


class Worker:
    """`calls` and `connections` are its ends of two socket pairs."""

    def __init__(self, calls: socket.socket, connections: socket.socket) -> None:
        self._calls = calls
        self._connections = connections
        self._team: WorkerTeam | None = None
        self._platform: Platform | None = None
        self._server: Server | None = None

    async def run(self) -> None:
        """Serve until told to end."""
        answers = {"figures": self._figures, "reload": self._reload, "hurry": self._hurry, "recall": self._recall}
        channel = await Channel.open(self._calls, answers)
        try:
            orders = msgspec.convert(await channel.call("begin"), Orders)
            logging.getLogger("regista").setLevel(logging.INFO if orders.leads else logging.WARNING)
            await self._serve(channel, orders)
        finally:
            channel.close()

    async def _serve(self, channel: Channel, orders: Orders) -> None:
        def progress(done: int, total: int, document: str) -> None:
            channel.tell("progress", done, total, document)

        self._team = WorkerTeam(channel, orders.leads)
        try:
            platform = await Platform.open(Path(orders.folder), orders.settings, progress, team=self._team)
        except RegistaError as error:
            await channel.call("failed", error.message)
            return
        self._platform = platform
        try:
            if orders.reload:
                platform.watch()
            platform.hearing.follow()
            if orders.leads:
                platform.upkeep.start()
            self._server = server = Server(platform, int(orders.settings["drain_s"]), self._connections, MOUNTED)
            channel.ended.add_done_callback(lambda _: server.stop())
            await server.run([], lambda: channel.tell("ready", served(platform)))
        finally:
            await platform.close()

    async def _figures(self) -> tuple[Figure, ...]:
        return tuple(self._platform.figures()) if self._platform is not None else ()

    async def _reload(self) -> None:
        if self._platform is not None:
            await self._platform.reload()

    async def _hurry(self) -> None:
        if self._server is not None:
            self._server.hurry()

    async def _recall(self, owner: str, claims: Any) -> list[int]:
        assert self._team is not None, "it has counted, so it has begun"  # noqa: S101
        return list(await self._team.recall(owner, claims))


def served(platform: Platform) -> Served:
    """What there is to say of a platform that is ready."""
    application = platform.application
    question = application.folder.settings.app.example or "What can you tell me?"
    required = platform.keyring.required
    return Served(application.name, application.variant.digest, question, platform.embedding, required)
