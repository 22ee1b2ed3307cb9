"""One at a time across threads and processes, by a lock on a file that the system drops when its holder dies."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from regista.core.errors import StoreError

_POLL_SECONDS = 0.1


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold the lock of `path`, waiting for it. Blocks: for short work in a thread."""
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def held_within(path: Path, seconds: float, work: str) -> AsyncGenerator[None]:
    """Hold the lock of `path`, waiting for at most `seconds`; `work` names what it is for.

    Raises `StoreError`, which says who holds it, when the time is up.
    """
    with _opened(path) as file:
        until = time.monotonic() + seconds
        while not _taken(file):
            if time.monotonic() >= until:
                raise StoreError(
                    f"{work} waits for {_holder(file)}, which has held {path} for more than {seconds:g} s. "
                    "Wait until it is done, or stop it, and try again."
                )
            await asyncio.sleep(_POLL_SECONDS)
        _sign(file)
        yield


@contextmanager
def served_alone(url: str) -> Generator[None]:
    """Be the one server of the store at this URL, where that is a file. Which processes one server has is its own.

    Raises `StoreError`, which says who serves it already.
    """
    scheme, _, path = url.partition("://")
    if scheme != "sqlite":
        yield
        return
    with _opened(Path(f"{path}.server")) as file:
        if not _taken(file):
            raise StoreError(
                f"{path} is served already, by {_holder(file)}. Two servers would each count what keys may use, and a "
                "limit would be two. Stop the other one; or serve by more processes of one (--workers 2); or let both "
                "count in one Redis (REGISTA_REDIS) or store in one PostgreSQL (REGISTA_STORE)."
            )
        _sign(file)
        yield


@contextmanager
def _opened(path: Path) -> Generator[int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"The lock {path} cannot be had: {error.strerror}. Make its folder writable.") from error
    try:
        yield file
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: int) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)


def _holder(file: int) -> str:
    pid = os.pread(file, 20, 0).decode("ascii", "replace")
    return f"process {pid}" if pid else "another process"
