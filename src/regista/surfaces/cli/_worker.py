"""`python -m regista.surfaces.cli._worker CALLS CONNECTIONS`: a worker of `regista up --workers`.

The arguments are the descriptors of two sockets that it inherits; all else it is told over the first.
"""

import logging
import os
import socket
import sys

from rich.console import Console
from rich.logging import RichHandler

from regista.surfaces.cli._loop import run_async
from regista.surfaces.workers.worker import Worker


def main() -> None:
    """Run one worker."""
    handler = RichHandler(console=Console(stderr=True, highlight=False), show_path=False)
    logging.basicConfig(level=logging.WARNING, format=f"worker {os.getpid()}: %(message)s", handlers=[handler])
    calls, connections = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    connections.setblocking(False)
    run_async(Worker(calls, connections).run())


if __name__ == "__main__":
    main()
