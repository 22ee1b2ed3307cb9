"""Runs one program under a mechanism: starts it, reads what it writes, ends it, and everything it started.

It knows nothing about how the mechanism confines. A group of processes dies as a whole: nothing in the sandbox
can leave its group, because the filter has no setsid and no setpgid.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from typing import NamedTuple

from regista.evaluate.sandbox.folder import exceeds, make_folder, remove_folder
from regista.evaluate.sandbox.mechanisms import Mechanism
from regista.evaluate.sandbox.order import MIB, descriptor_of, launcher, order
from regista.evaluate.sandbox.program import Finished, Limits, Program, SandboxError, Status

START_SECONDS = 60.0
"""A launcher that has not said "ready" by then never will, however busy the machine."""
END_SECONDS = 10.0
LOOK_SECONDS = 0.05
"""How often the size of the folder is looked at."""
FIRST_USER, USERS, NOBODY = 61184, 4096, 65534
"""The user ids that runs by root go through: those systemd gives to services without a user of their own."""

_runs = count(os.getpid())


async def run_under(mechanism: Mechanism, program: Program, limits: Limits) -> Finished:
    """Run a program under a mechanism that is known to hold. Raises SandboxError where it was not run."""
    try:
        folder, user = _folder()
        try:
            return await _run(mechanism, program, limits, folder, user)
        finally:
            remove_folder(folder)
    except OSError as error:
        raise SandboxError(f"The sandbox {mechanism.name!r} could not run a program: {error}") from error


def _folder() -> tuple[str, int]:
    """A folder and the user to become: where this is root, one that no other run has."""
    if os.getuid() != 0:
        return make_folder(None), os.getuid()
    user = FIRST_USER + next(_runs) % USERS
    try:
        return make_folder(user), user
    except OSError:  # a container whose users end before
        pass
    try:
        return make_folder(NOBODY), NOBODY
    except OSError as error:
        raise OSError(error.errno, "root can become no other user here, as a program must") from error


class Drain(asyncio.Protocol):
    """Keeps the first `room` bytes of a pipe and calls `over` at the first beyond them."""

    def __init__(self, room: int, over: Callable[[], None]) -> None:
        self.content = bytearray()
        self.room = room
        self.over = over
        self.some = asyncio.Event()
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        left = self.room - len(self.content)
        self.content += data[:left]
        self.some.set()
        if len(data) > left:
            self.over()

    def connection_lost(self, exc: Exception | None) -> None:
        self.some.set()
        self.closed.set()


class Run:
    """A program while it runs: its pipes, and why it is to end ("" where it ended by itself)."""

    def __init__(self, room: int) -> None:
        self.why: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.report = Drain(4096, lambda: None)
        self.stdout = Drain(room, lambda: self.end("output"))
        self.stderr = Drain(room, lambda: self.end("output"))
        self.readers: list[asyncio.ReadTransport] = []

    def end(self, why: str) -> None:
        """Note why the program ends. The first reason counts."""
        if not self.why.done():
            self.why.set_result(why)

    async def pipe(self, drain: Drain, ours: ExitStack) -> int:
        """The writing end of a pipe into `drain`."""
        reading, writing = os.pipe()
        ours.callback(os.close, writing)
        end = open(reading, "rb", buffering=0)  # noqa: ASYNC230, SIM115  a pipe, which the transport closes
        reader, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: drain, end)
        self.readers.append(reader)
        return writing


async def _run(mechanism: Mechanism, program: Program, limits: Limits, folder: str, user: int) -> Finished:
    run = Run(limits.output_bytes)
    start = mechanism.start(folder, program)
    try:
        with ExitStack() as ours:  # our copies of what the child gets
            report, stdout, stderr = [await run.pipe(each, ours) for each in (run.report, run.stdout, run.stderr)]
            told = order(start, program, limits, user)
            given, stdin = [descriptor_of(each, ours) for each in (told, program.stdin)]
            child = subprocess.Popen(  # noqa: ASYNC220  vfork: it returns within a millisecond or two
                [*start.prefix, *launcher(), str(given), str(report)],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(given, report),
                env={},
                cwd="/",
                start_new_session=True,
            )
        return await _watch(mechanism, child, run, limits, folder)
    finally:
        for reader in run.readers:
            reader.close()


async def _watch(
    mechanism: Mechanism, child: "subprocess.Popen[bytes]", run: Run, limits: Limits, folder: str
) -> Finished:
    try:
        exited = os.pidfd_open(child.pid)
        asyncio.get_running_loop().add_reader(exited, run.end, "")
        try:
            # Not `asyncio.wait_for`: until Python 3.12 it loses a cancellation in the moment it has what it waits for.
            with suppress(TimeoutError):
                async with asyncio.timeout(START_SECONDS):
                    await run.report.some.wait()
            began = time.monotonic()
            why = await _until_end(run, began, limits, folder) if run.report.content else ""
            seconds = time.monotonic() - began
        finally:
            asyncio.get_running_loop().remove_reader(exited)
            os.close(exited)
    finally:
        await _end_all(child)
    for drain in (run.stdout, run.stderr):
        async with asyncio.timeout(END_SECONDS):
            await drain.closed.wait()
    if (told := bytes(run.report.content)) != b"ready":
        told = (told + b" " + run.stderr.content).decode(errors="replace").strip()
        raise SandboxError(f"The sandbox {mechanism.name!r} could not start a program: {told or 'it did not say why'}")
    ending = _ending(why, child.returncode, bytes(run.stderr.content), limits)
    return Finished(
        ending.status, ending.code, bytes(run.stdout.content), bytes(run.stderr.content), seconds, ending.reason
    )


async def _until_end(run: Run, began: float, limits: Limits, folder: str) -> str:
    while (left := began + limits.seconds - time.monotonic()) > 0:
        await asyncio.wait((run.why,), timeout=min(left, LOOK_SECONDS))
        if run.why.done():
            return run.why.result()
        if exceeds(folder, limits.disk_mb * MIB):
            return "disk"
    return "timeout"


async def _end_all(child: "subprocess.Popen[bytes]") -> None:
    """Kill the group while its leader, dead or alive, still holds its number: one call reaches all members."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.poll() is None:
        await asyncio.to_thread(child.wait, END_SECONDS)


class Ending(NamedTuple):
    """What came of a program, less what it wrote."""

    status: Status
    code: int | None
    reason: str


def _ending(why: str, code: int, stderr: bytes, limits: Limits) -> Ending:
    stopped: dict[str, Ending] = {
        "timeout": Ending("timeout", None, f"more than {limits.seconds:g} s"),
        "output": Ending("killed", None, f"more than {limits.output_bytes} bytes of output"),
        "disk": Ending("killed", None, f"more than {limits.disk_mb} MiB of files"),
    }
    if why:
        return stopped[why]
    number = -code if code < 0 else code - 128  # bubblewrap reports a signal as a shell does
    if number in set(signal.Signals):
        ended = Ending("killed", None, f"ended by {signal.Signals(number).name}")
        return stopped["timeout"] if number == signal.SIGXCPU else ended
    if code == 0:
        return Ending("ok", 0, "")
    if (stderr.rstrip().rpartition(b"\n")[2]).startswith(b"MemoryError"):
        return Ending("memory", code, f"more than {limits.memory_mb} MiB of memory")
    return Ending("failed", code, f"exit code {code}")
