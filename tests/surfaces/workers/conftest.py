"""Servers of several workers, started as a user would."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from tests.surfaces.http.conftest import Live, Start, start

__all__ = ["start"]

ECHO = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n'
WITHIN_S = 40


@pytest.fixture
def three(start: Start) -> Live:
    """Three workers that echo."""
    return start(ECHO, "--port", "0", "--workers", "3")


def workers(live: Live) -> list[int]:
    """The process ids of a server's workers, the first of them the one that leads."""
    return children(live.process.pid, "_worker")


def children(pid: int, module: str) -> list[int]:
    """A process's children that run a module of a name ending so, in the order they were started."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().split("\0")
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid and any(word.endswith(module) for word in command):
            found.append(int(process.name))
    return sorted(found)


def until(check: Callable[[], object], what: str, live: Live | None = None) -> None:
    end = time.monotonic() + WITHIN_S
    while not check():
        assert time.monotonic() < end, (what, live.log.read_text() if live is not None else "")
        time.sleep(0.05)


def figure(live: Live, name: str, token: str = "") -> float:
    """The sum of a figure's series."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    lines = httpx2.get(f"{live.url}/metrics", headers=headers, timeout=30).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.partition("{")[0].partition(" ")[0] == name)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
