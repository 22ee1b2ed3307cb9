"""A live server on the loopback interface: `regista up` as a user starts it, over a folder made for the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import msgspec
import openai
import pytest
from tests._upstream.server import Upstream

PROMPT = '{{role "system"}}\nAnswer. [{{canary}}]\n{{history}}\n{{role "user"}}\n{{question}}\n'
START_S = 60


class Live:
    """A running server and its folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        environment = {**os.environ, "REGISTA_FLUSH_MS": "20"}
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "regista", "up", str(folder), *(arguments or ("--port", "0"))]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        note = folder / ".regista" / "server.json"
        end = time.monotonic() + START_S
        while True:
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
            try:
                self.url = str(msgspec.json.decode(note.read_bytes())["url"])
                httpx2.get(f"{self.url}/healthz").raise_for_status()
                return
            except (OSError, msgspec.DecodeError, httpx2.HTTPError):
                time.sleep(0.02)

    def stop(self) -> int:
        """End it as a supervisor would; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def ask(self, model: str, text: str = "hello", **fields: object) -> httpx2.Response:
        """One chat request."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return httpx2.post(f"{self.url}/v1/chat/completions", json=body, timeout=30)


Start = Callable[..., Live]
_clients: list[openai.OpenAI] = []


def sdk(live: Live, key: str = "unused") -> openai.OpenAI:
    """The official client of a server. It is closed when the test ends."""
    _clients.append(openai.OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0))
    return _clients[-1]


@pytest.fixture(autouse=True)
def clients_closed() -> Iterator[None]:
    """No connection is left to the garbage collector, which would complain of it in a test of anybody's."""
    yield
    while _clients:
        _clients.pop().close()


def write(folder: Path, configuration: str, prompt: str = PROMPT) -> Path:
    """An application folder."""
    (folder / "prompts").mkdir(parents=True, exist_ok=True)
    (folder / "prompts" / "answer.prompt").write_text(prompt)
    (folder / "regista.toml").write_text(configuration)
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server over a configuration; all are stopped when the test ends."""
    servers: list[Live] = []

    def begin(configuration: str, *arguments: str, folder: str = "shop") -> Live:
        servers.append(Live(write(tmp_path / folder, configuration), *arguments))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, running_upstream: Upstream) -> Iterator[Live]:
    """One server for a module: an application `shop`, and models that lead to every fault of the upstream."""
    models = [
        f'[models.{fault}]\nmodel = "openai/{fault}"\nbase_url = "{running_upstream.url(f"/{fault}")}"\n{SHORT}'
        for fault in FAULTS
    ]
    good = f'[models.default]\nmodel = "openai/good"\nbase_url = "{running_upstream.url()}"\n'
    good += f'[models.claude]\nmodel = "anthropic/claude"\nbase_url = "{running_upstream.url()}"\n'
    good += '[models.mirror]\nmodel = "echo/mirror"\nreceived = true\n'
    server = Live(write(tmp_path_factory.mktemp("live") / "shop", APPLICATION + good + "\n".join(models)))
    yield server
    server.stop()


FAULTS = ("s500", "s429", "s401", "html", "empty", "notjson", "cut", "cutclean", "silent", "stall", "endless", "slow")
SHORT = "first_s = 0.5\nbetween_s = 0.5\n"
APPLICATION = """
[app]
name = "shop"
[guardrails]
request = ["size", "unicode", "secrets", "pii"]
response = ["canary", "secrets", "pii"]
[cache]
exact = true
[prices."openai/good"]
input = "1.00"
output = "2.00"
context = 8000
"""
