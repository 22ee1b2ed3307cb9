"""The process in which a user is erased while a server serves: the order comes on stdin, what was done goes to stdout.

`python -m regista.app.erasing_process`. The order holds the store's URL, and so no argument for all to see.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from regista.app.erasing import Erasure, Forget, erase
from regista.core.errors import RegistaError, StoreError
from regista.observe.priority import make_way
from regista.serve.caches.shared import SharedAnswers
from regista.store import connect
from regista.store.redis import connect as connect_redis


class Order(Struct, frozen=True):
    """Whom to erase, and where: the store's URL, the application's folder and name, Redis if there is one."""

    url: str
    user: str
    tenant: str
    folder: str
    redis: str = ""


class _Told(Struct, frozen=True):
    """What came of it: either of the two."""

    erasure: Erasure | None = None
    error: str = ""


def run(order: Order) -> Erasure:
    """Erase, in this process. Raises as `erase`."""
    database = connect(order.url)
    try:
        return erase(database, order.user, order.tenant, Path(order.folder), _forget_in(order.redis))
    finally:
        database.close()


async def run_beside(order: Order) -> Erasure:
    """Erase, in a process of its own. Raises `StoreError` where that fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "regista.app.erasing_process"), stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    said, _ = await process.communicate(msgspec.json.encode(order))
    try:
        told = msgspec.json.decode(said, type=_Told)
    except msgspec.DecodeError:
        told = _Told(error=f"The process that erases ended with status {process.returncode}: the log says why.")
    if told.erasure is None:
        raise StoreError(f"{told.error} Some may still be kept: ask for it again.")
    return told.erasure


def _forget_in(url: str) -> Forget | None:
    """How to take answers out of the Redis of a URL, if there is one."""
    return (lambda keys: asyncio.run(_forget_shared(url, keys))) if url else None


async def _forget_shared(url: str, keys: Sequence[tuple[str, str]]) -> None:
    shared = connect_redis(url)
    try:
        for application in {application for application, _ in keys}:
            await SharedAnswers(shared, application).forget(key for of, key in keys if of == application)
    finally:
        await shared.close()


def main() -> None:
    """Do what the order says."""
    make_way(10)  # an answer goes first
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        told = _Told(run(order))
    except RegistaError as error:
        told = _Told(error=error.message)
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
