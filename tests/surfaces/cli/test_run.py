"""The command line as a shell starts it."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("arguments", [("models", "hosts"), ("models", "hosts", "--json")])
def test_a_reader_that_has_had_enough_ends_a_command_without_a_traceback(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "regista", *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(writing)
    assert done.stderr == "" and done.returncode not in (0, -1)
