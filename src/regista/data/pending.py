"""Records that wait in a folder for a version to take them, one a line: on the disk once `append` returns.

It knows neither what a record says nor what becomes of it. Whoever calls is alone in changing the folder.
"""

import errno
import os
from io import FileIO
from pathlib import Path

WAITING = "pending"
TAKEN = "pending.taken"
"""What is being made a version of. By a name of its own: what comes after a crash is told apart from it."""


def append(folder: Path, record: bytes) -> None:
    """Put a record without a line's end behind the others; the folder is there. Time does not grow with their number.

    Raises:
        OSError: it cannot be written, and does not wait.
    """
    file = folder / WAITING
    is_new = not file.exists()
    line = record + b"\n"
    with file.open("a+b", buffering=0) as lines:
        size = _whole(lines)
        lines.truncate(size)
        try:
            if lines.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(lines.fileno())
        except OSError:
            lines.truncate(size)
            raise
    if is_new:
        sync(folder)


def waits(folder: Path) -> bool:
    """Whether any record is there."""
    return any((folder / name).exists() for name in (WAITING, TAKEN))


def take(folder: Path) -> list[bytes]:
    """The records that wait, in their order; the same ones until they are dropped, whatever is appended meanwhile."""
    taken = folder / TAKEN
    if not taken.exists():
        (folder / WAITING).replace(taken)
    return [line for line in taken.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def drop(folder: Path) -> None:
    """Forget what was taken: a version has it."""
    (folder / TAKEN).unlink()


def sync(folder: Path) -> None:
    """Have it on the disk which files a folder has, and by which names."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _whole(lines: FileIO) -> int:
    """Bytes of a file up to the end of its last whole line: a crash may have cut one off, which nobody was told of."""
    size = lines.seek(0, os.SEEK_END)
    lines.seek(max(0, size - 1))
    if lines.read(1) in (b"", b"\n"):
        return size
    lines.seek(0)
    return lines.readall().rfind(b"\n") + 1
