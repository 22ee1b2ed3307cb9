"""CPU seconds of `regista --version` and `import regista`: the median of eleven runs each.

python benchmarks/startup.py
"""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 11
BIN = Path(sys.executable).parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import regista": [sys.executable, "-c", "import regista"],
    "regista --version": [str(BIN / "regista"), "--version"],
    "regista --help": [str(BIN / "regista"), "--help"],
}


def cpu_seconds(command: list[str]) -> float:
    """CPU time of one run, children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    for name, command in COMMANDS.items():
        print(f"{name:20} {statistics.median(cpu_seconds(command) for _ in range(RUNS)):.3f} s CPU")
