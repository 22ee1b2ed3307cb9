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
print(os.nice(0), GROUP.read_text().split()[-1] if GROUP.exists() else 7)
"""


@pytest.mark.parametrize(("own", "group"), [(True, 7), (False, None)])
def test_a_process_is_nicer_and_so_is_its_session_where_that_is_its_own(own: bool, group: int | None) -> None:
    before = GROUP.read_text().split()[-1] if GROUP.exists() else "0"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], start_new_session=own, capture_output=True, text=True, check=True
    )
    nice, told = done.stdout.split()
    assert int(nice) >= 7
    assert int(told) == group if group is not None else told in (before, "7")
    assert not GROUP.exists() or GROUP.read_text().split()[-1] == before
