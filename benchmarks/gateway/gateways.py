"""The gateways that are measured: how each is set up and started, Regista three times and its peers."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PROVIDER_PORT, GATEWAY_PORT = 9401, 9402
PLAIN = f"""
[app]
name = "{{name}}"
[models.default]
model = "openai/mock"
base_url = "http://127.0.0.1:{PROVIDER_PORT}/v1"
[prices."openai/mock"]
input = "0.15"
output = "0.60"
"""
CONFIGURATION = f"""
[app]
name = "{{name}}"
[models.default]
model = "openai/mock"
base_url = "http://127.0.0.1:{PROVIDER_PORT}/v1"
retries = 2
fallbacks = ["second"]
hedge_s = 2.0
total_s = 30
concurrency = 512
[models.second]
model = "openai/mock-b"
base_url = "http://127.0.0.1:{PROVIDER_PORT}/v1"
[router]
policies = ["rules"]
[router.rules.when.long]
min_tokens = 100000
model = "second"
[cache]
exact = true
[prices."openai/mock"]
input = "0.15"
output = "0.60"
[prices."openai/mock-b"]
input = "0.15"
output = "0.60"
"""
GUARDRAILS = """
[guardrails]
request = ["size", "unicode", "secrets", "pii"]
response = ["canary", "secrets", "pii"]
"""
LIMITS = ("1000000000 requests/day", "1000000000000 tokens/day", "$1000000/month")
PROMPT = '{{role "system"}}\nAnswer in a few words. [{{canary}}]\n{{role "user"}}\n{{question}}\n'
LITELLM = f"""
model_list:
  - model_name: mock
    litellm_params: {{model: openai/mock, api_base: "http://127.0.0.1:{PROVIDER_PORT}/v1", api_key: none}}
general_settings: {{master_key: sk-bench}}
"""


TENSORZERO = """[gateway]
observability.enabled = false
[models.mock]
routing = ["a"]
[models.mock.providers.a]
type = "openai"
model_name = "mock"
api_base = "http://127.0.0.1:{port}/v1/"
api_key_location = "none"
"""
START_TENSORZERO = """
import asyncio, pathlib, sys, time
from openai import AsyncOpenAI
from tensorzero import patch_openai_client
async def start():
    client = AsyncOpenAI(api_key="none")
    return await patch_openai_client(client, config_file=sys.argv[1], clickhouse_url=None, async_setup=True)
client = asyncio.run(start())
pathlib.Path(sys.argv[2]).write_text(str(client.base_url.port))
time.sleep(100000)
"""
NGINX = f"""
daemon off; master_process off; worker_processes 1; pid nginx.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream provider {{ server 127.0.0.1:{PROVIDER_PORT}; keepalive 512; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{GATEWAY_PORT} backlog=4096;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


@dataclass
class Gateway:
    """What is measured: how it starts, and how it is asked. Without a command: what already runs."""

    name: str
    model: str
    command: list[str] = field(default_factory=list[str])
    key: str = ""
    port: int = GATEWAY_PORT
    path: str = "/v1/chat/completions"
    port_file: Path | None = None
    """Where a gateway that chooses its own port writes it."""


def ours(folder: Path) -> list[Gateway]:
    """Regista three times: a raw model, every feature of the gateway, and guardrails besides."""
    limited = [argument for limit in LIMITS for argument in ("--limit", limit)]
    whole = CONFIGURATION + GUARDRAILS
    return [
        regista(folder, "raw", "regista, raw model", "openai/mock", PLAIN, []),
        regista(folder, "gateway", "regista, limits, retries, router, cache", "gateway", CONFIGURATION, limited),
        regista(folder, "guarded", "regista, all that and guardrails", "guarded", whole, limited),
    ]


def regista(folder: Path, app: str, name: str, model: str, configuration: str, key: list[str]) -> Gateway:
    """An application folder with a key, and how it is served."""
    application = folder / app
    (application / "prompts").mkdir(parents=True)
    (application / "regista.toml").write_text(configuration.replace("{name}", app))
    (application / "prompts" / "answer.prompt").write_text(PROMPT)
    command = [sys.executable, "-m", "regista"]
    adding = [*command, "keys", "add", "bench", str(application), *key]
    said = subprocess.run(adding, check=True, capture_output=True, text=True).stdout
    token = next(word for word in said.split() if word.startswith("rk-"))
    return Gateway(name, model, [*command, "up", str(application), "--port", str(GATEWAY_PORT), "--no-reload"], token)


def peers(folder: Path, litellm: Path | None, tensorzero: Path | None, nginx: str | None) -> list[Gateway]:
    """The peers that are installed."""
    found: list[Gateway] = []
    if tensorzero is not None:
        # Not called as the package is: a script's folder comes first where Python looks for imports.
        configuration, script, port = (folder / f"start_tensorzero.{end}" for end in ("toml", "py", "port"))
        configuration.write_text(TENSORZERO.replace("{port}", str(PROVIDER_PORT)))
        script.write_text(START_TENSORZERO)
        command = [str(tensorzero / "python"), str(script), str(configuration), str(port)]
        path = "/openai/v1/chat/completions"
        found.append(
            Gateway("tensorzero, no log", "tensorzero::model_name::mock", command, "none", 0, path, port_file=port)
        )
    if litellm is not None:
        (folder / "litellm.yaml").write_text(LITELLM)
        command = [str(litellm / "litellm"), "--config", str(folder / "litellm.yaml"), "--host", "127.0.0.1"]
        command += ["--port", str(GATEWAY_PORT), "--num_workers", "1"]
        found.append(Gateway("litellm proxy, no log", "mock", command, "sk-bench"))
    if nginx is not None:
        (folder / "nginx.conf").write_text(NGINX)
        command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.err")]
        found.append(Gateway("nginx, bytes only", "mock", command))
    return found
