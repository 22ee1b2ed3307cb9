"""What a program may use, met for real under each mechanism; and nothing of it left behind."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from regista.evaluate.sandbox.mechanisms import Mechanism
from regista.evaluate.sandbox.process import Run, run_under
from regista.evaluate.sandbox.program import Limits, Program

from .conftest import Confined, Trace

SHORT = Limits(seconds=0.5)
SOME = 20
"""More than the 8 processes it may have: where a user cannot be alone, those that end meanwhile make room."""


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import os; os.read(os.pipe()[0], 1)",
        "import signal\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "try:\n  while True: pass\nfinally:\n  while True: pass",
        "import re; re.match('(a+)+b', 'a' * 60)",
        "10 ** 10 ** 10",
    ],
)
async def test_a_program_without_end_is_ended(confined: Confined, source: str) -> None:
    finished = await confined(source, SHORT)
    assert (finished.status, finished.exit_code, finished.reason) == ("timeout", None, "more than 0.5 s")
    assert finished.seconds >= 0.5


async def test_what_it_wrote_before_its_time_was_up_is_kept(confined: Confined) -> None:
    finished = await confined("print('so far', flush=True)\nwhile True: pass", SHORT)
    assert (finished.status, finished.stdout) == ("timeout", b"so far\n")


@pytest.mark.parametrize(
    "source",
    [
        "bytearray(1 << 30)",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "x = 'a'\nwhile True: x += x",
        "x = {}\nwhile True: x[len(x)] = str(len(x))",
        "[0] * (1 << 40)",
    ],
)
async def test_memory_has_an_end(confined: Confined, source: str) -> None:
    finished = await confined(source, Limits(memory_mb=128))
    assert (finished.status, finished.reason) == ("memory", "more than 128 MiB of memory")


async def test_memory_below_the_limit_is_there(confined: Confined) -> None:
    assert (await confined("bytearray(64 << 20)", Limits(memory_mb=128))).status == "ok"


async def test_memory_outside_the_address_space_is_not_there(confined: Confined) -> None:
    """Files in memory and shared memory are not counted against a process: there are none."""
    program = "import mmap, os\ntry: os.memfd_create('x')\nexcept OSError: mmap.mmap(-1, 1 << 30)"
    assert (await confined(program, Limits(memory_mb=128))).status == "failed"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_output_without_end_ends_the_program(confined: Confined, stream: str) -> None:
    program = f"import sys\nwhile True: sys.{stream}.write('x' * 1000)"
    finished = await confined(program, Limits(output_bytes=10_000))
    assert (finished.status, finished.reason) == ("killed", "more than 10000 bytes of output")
    assert getattr(finished, stream) == b"x" * 10_000


async def test_output_as_large_as_the_limit_is_whole(confined: Confined) -> None:
    finished = await confined("print('x' * 999_999)", Limits(output_bytes=1_000_000))
    assert (finished.status, len(finished.stdout)) == ("ok", 1_000_000)


async def test_a_file_has_a_largest_size(confined: Confined) -> None:
    program = "with open('large', 'wb') as file:\n  while True: file.write(bytes(1 << 16))"
    finished = await confined(program, Limits(disk_mb=1))
    assert finished.status in ("failed", "killed")  # it may be seen before it reads the error
    assert finished.stderr.rstrip().endswith(b"File too large") or finished.reason == "more than 1 MiB of files"


@pytest.mark.parametrize(
    "source",
    [
        "for n in range(10**9): open(str(n), 'wb').write(bytes(1 << 19))",
        "for n in range(10**9): open(str(n), 'wb')",
        "import os\nfor n in range(10**9): os.mkdir(str(n))",
        "import os\nwhile True: os.mkdir('d'); os.chdir('d')",
        "import os\nfor n in range(10**9): os.symlink('x' * 1000, str(n))",
    ],
)
async def test_many_files_are_too_many(confined: Confined, trace: Trace, source: str) -> None:
    finished = await confined(source, Limits(disk_mb=1))
    assert (finished.status, finished.reason) == ("killed", "more than 1 MiB of files")


async def test_a_fork_bomb_ends_with_its_limit(confined: Confined, trace: Trace) -> None:
    program = (
        "import os, sys, time\n"
        "def exec_again(): os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(1000)', word])\n"
        "word = sys.stdin.read()\n"
        "made = 0\n"
        "while made < 100:\n"
        "  try:\n"
        "    if os.fork() == 0: exec_again()\n"
        "    made += 1\n"
        "  except OSError: break\n"
        "print(made)"
    )
    finished = await confined(program, Limits(processes=8), stdin=trace.word.encode())
    assert finished.status == "ok"
    assert 0 < int(finished.stdout) <= SOME
    assert trace.gone()


async def test_a_fork_bomb_that_goes_on_is_ended_with_all_its_processes(confined: Confined, trace: Trace) -> None:
    program = (
        "import os, subprocess, sys\n"
        "word = sys.stdin.read()\n"
        "while True:\n"
        "  try: os.fork()\n"
        "  except OSError: os.execv(sys.executable, [sys.executable, '-c', 'while True: pass', word])"
    )
    finished = await confined(program, Limits(seconds=2, processes=8), stdin=trace.word.encode())
    assert finished.status == "timeout"
    assert trace.gone()


async def test_a_single_process_can_make_no_other_and_no_thread(confined: Confined) -> None:
    for source in ("import os; os.fork()", "import threading; threading.Thread(target=print).start()"):
        finished = await confined(source)
        assert finished.status == "failed"
        assert b"Error" in finished.stderr


async def test_threads_have_an_end(confined: Confined) -> None:
    program = (
        "import threading\n"
        "stop, made = threading.Event(), []\n"
        "try:\n"
        "  while len(made) < 100:\n"
        "    made.append(threading.Thread(target=stop.wait)); made[-1].start()\n"
        "except RuntimeError: made.pop()\n"
        "print(len(made)); stop.set()"
    )
    finished = await confined(program, Limits(processes=8))
    assert finished.status == "ok"
    assert 0 < int(finished.stdout) <= SOME


async def test_a_child_in_the_background_does_not_outlive_its_program(confined: Confined, trace: Trace) -> None:
    program = (
        "import os, subprocess, sys\n"
        "word = sys.stdin.read()\n"
        "deaf = 'import os, time; os.closerange(0, 64); time.sleep(1000)'\n"
        "null = open(os.devnull)\n"
        "child = subprocess.Popen([sys.executable, '-c', deaf, word], stdin=null, stdout=null, stderr=null)\n"
        "os._exit(0)"
    )
    assert (await confined(program, Limits(processes=4), stdin=trace.word.encode())).status == "ok"
    assert trace.gone()


async def test_a_cancelled_run_leaves_nothing(mechanism: Mechanism, trace: Trace) -> None:
    program = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(1000)', sys.stdin.read()])"
    )
    limits = Limits(seconds=100, processes=4)
    running = asyncio.create_task(run_under(mechanism, Program(program, trace.word.encode()), limits))
    async with asyncio.timeout(60):
        while not trace.alive():  # noqa: ASYNC110  another process
            await asyncio.sleep(0.01)
    assert os.listdir(trace.folder) != []
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert trace.gone()


@pytest.mark.parametrize("turns", range(5))
async def test_a_run_that_is_cancelled_in_the_moment_its_program_begins_is_ended(
    mechanism: Mechanism, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    runs: list[Run] = []

    class Seen(Run):
        def __init__(self, room: int) -> None:
            super().__init__(room)
            runs.append(self)

    monkeypatch.setattr("regista.evaluate.sandbox.process.Run", Seen)
    running = asyncio.create_task(run_under(mechanism, Program("while True: pass"), Limits(seconds=1)))
    async with asyncio.timeout(60):
        while not runs or not runs[0].report.content:  # noqa: ASYNC110  in every turn of the loop
            await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_program_ends_with_the_process_that_runs_it(mechanism: Mechanism) -> None:
    """However that ends; only the folder is left."""
    trace = Trace(Path())
    program = f"import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'while True: pass', {trace.word!r}])"
    runner = (
        "import asyncio\n"
        "from regista.evaluate.sandbox.mechanisms import MECHANISMS\n"
        "from regista.evaluate.sandbox.process import run_under\n"
        "from regista.evaluate.sandbox.program import Limits, Program\n"
        f"by_name = {{each.name: each for each in MECHANISMS}}\n"
        f"asyncio.run(run_under(by_name[{mechanism.name!r}], Program({program!r}), Limits(seconds=100)))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with subprocess.Popen([sys.executable, "-c", runner], env=os.environ | {"TMPDIR": folder}) as process:
            while not trace.alive() and process.poll() is None:
                time.sleep(0.01)
            process.kill()
        assert trace.gone()
        assert process.returncode == -9


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ("", "ok", 0),
        ("raise SystemExit(3)", "failed", 3),
        ("1 / 0", "failed", 1),
        ("(", "failed", 1),
        ("import ctypes; ctypes.string_at(0)", "killed", None),
        ("print('\\ud800')", "failed", 1),
    ],
)
async def test_how_a_program_ended_is_told(confined: Confined, source: str, status: str, code: int | None) -> None:
    finished = await confined(source)
    assert (finished.status, finished.exit_code) == (status, code)


async def test_a_program_that_leaves_odd_things_leaves_nothing(confined: Confined, trace: Trace) -> None:
    outside = Path(tempfile.gettempdir()).parent
    program = (
        "import os\n"
        f"os.symlink({str(outside)!r}, 'link')\n"
        "os.mkdir('closed', 0)\n"
        "os.mkdir('deep'); os.chdir('deep')\n"
        "for n in range(3000): os.mkdir('d' * 200); os.chdir('d' * 200)\n"
        "open('bottom', 'w')\n"
    )
    finished = await confined(program, Limits(disk_mb=64))
    assert finished.status in ("ok", "killed")
    assert outside.exists()
