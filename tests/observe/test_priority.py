"""A process that makes way, in a session of its own and in this one's."""

import subprocess
import sys
from pathlib import Path

import pytest

GROUP = Path("/proc/self/autogroup")
PROGRAM = """
import os
from regista.observe.priority import GROUP, make_way
make_way(7)
print(os.nice(0), *(GROUP.read_text().split()[-1:] if GROUP.exists() else ()))
"""


def weight() -> list[str]:
    """The niceness of this session; nothing where Linux does not group processes so, as in many containers."""
    return GROUP.read_text().split()[-1:] if GROUP.exists() else []


@pytest.mark.parametrize("start", [(), ("nice", "-n", "10")])
@pytest.mark.parametrize("own", [True, False])
def test_a_process_is_nicer_and_so_is_its_session_where_that_is_its_own(own: bool, start: tuple[str, ...]) -> None:
    before = weight()
    command = [*start, sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, start_new_session=own, capture_output=True, text=True, check=True)
    nice, *told = done.stdout.split()
    assert int(nice) >= 7
    assert told in ([str(7 + sum(map(int, before)))], []) if own else told == before
    assert weight() == before
