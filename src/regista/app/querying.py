"""Asks a question in SQL over closed days, in a process of its own that is ended when its time is up.

Knows the process and its bounds; not what is in the days.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from regista.app.querying_process import Answer, Query, decode_answer, encode
from regista.core.errors import MissingExtraError, NotFoundError, OverloadedError
from regista.store.parquet import files

TIME_S = 10.0
AT_ONCE = 2
"""Questions answered at once; a further one is refused."""
LONGEST = 20_000
"""Characters of a question."""
_KEPT = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")
"""What of the environment the process has: it holds secrets."""


class Querying:
    """Answers questions, a few at once. Use it from one event loop."""

    def __init__(self, time_s: float = TIME_S) -> None:
        self._time_s = time_s
        self._running = 0

    async def ask(self, folder: Path, sql: str, first: int = 0, count: int = 100) -> Answer:
        """Rows of one statement over the days in a folder, named from the root, from the `first` on.

        Raises:
            MissingExtraError: DuckDB is not installed.
            NotFoundError: no day was exported.
            OverloadedError: others are asking.
        """
        if find_spec("duckdb") is None:
            raise MissingExtraError("Asking in SQL", "duckdb", "sql")
        if not await asyncio.to_thread(files, folder):
            raise NotFoundError(f"No day is in {folder} yet.")
        if len(sql) > LONGEST:
            return Answer(error=f"This is longer than {LONGEST:,} characters.")
        if self._running >= AT_ONCE:
            raise OverloadedError(f"{AT_ONCE} questions are being answered already. Ask again in a moment.")
        self._running += 1
        try:
            return await self._answered(Query(str(folder), sql, first, count))
        finally:
            self._running -= 1

    async def _answered(self, query: Query) -> Answer:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "regista.app.querying_process"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
        try:
            async with asyncio.timeout(self._time_s):
                said, _ = await process.communicate(encode(query))
            return decode_answer(said)
        except TimeoutError:
            return Answer(error=f"It took longer than {self._time_s:g} s, and was ended. Ask for fewer days, or less.")
        except msgspec.DecodeError:
            return Answer(error="It ended without an answer: it may have needed more memory than it may have.")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
