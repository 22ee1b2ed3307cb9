"""How a process beside the server makes way for it. It knows nothing of what either does."""

import os
from contextlib import suppress
from pathlib import Path

GROUP = Path("/proc/self/autogroup")
"""The weight of a session's processes together, where Linux groups them so: https://man7.org/linux/man-pages/man7/sched.7.html"""


def make_way(by: int) -> None:
    """Be `by` nicer (1 to 19) than who started this process.

    Linux shares a processor between sessions first, and niceness counts within one: a process with a session of its own
    has half of a busy core however nice it is, unless its session is as much nicer than that of who started it.
    """
    os.nice(by)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            # A session begins with a niceness of 0, whatever its first process has.
            above = Path(f"/proc/{os.getppid()}/autogroup").read_text().split()
            GROUP.write_text(str(min(19, int(above[-1] if above else 0) + by)))
