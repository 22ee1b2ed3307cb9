"""`regista models`: what an application's models cost and can do, and whether they are there."""

import socket

import pytest
from tests._upstream import answers
from tests._upstream.server import Upstream
from tests.surfaces.cli.conftest import Demo

from regista.surfaces.cli._run import run

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY")


@pytest.fixture(autouse=True)
def no_keys(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")


def configure(demo: Demo, more: str, default: str = 'model = "echo/it"\n') -> None:
    demo.write({"regista.toml": f'[app]\nname = "demo"\n[models.default]\n{default}{more}'})


def test_the_list_says_what_models_cost_hold_and_can_do(demo: Demo) -> None:
    configure(demo, '[models.strong]\nmodel = "anthropic/claude-opus-5-5"\n[models.odd]\nmodel = "groq/odd"\n')
    header, echo, strong, odd, version = demo.regista("models").splitlines()
    assert header.split()[:4] == ["name", "model", "input", "output"]
    assert strong.split()[:8] == ["strong", "anthropic/claude-opus-5-5", "4.00", "20.00", "0.20", "2.00", "1M", "128k"]
    assert "tools, images, json_schema, reasoning" in strong and "logprobs" not in strong
    assert echo.split()[2:4] == ["0.00", "0.00"]
    assert odd.split()[2:] == ["–"] * 6
    assert "2026-" in version


def test_the_list_as_json_has_every_price(demo: Demo) -> None:
    configure(demo, '[models.strong]\nmodel = "anthropic/claude-sonnet-4-6"\n')
    strong = demo.json("models")[1]
    assert (strong["write"], strong["write_1h"], strong["batch_input"]) == (3.75, 6.0, 1.5)
    assert (strong["context"], strong["logprobs"], strong["audio_input"]) == (1_000_000, False, None)
    assert strong["source"].startswith("https://")


def test_the_applications_own_prices_and_facts_are_listed(demo: Demo) -> None:
    own = '[prices."vllm/llama"]\ninput = "0.01"\noutput = "0.0125"\n[capabilities."vllm/llama"]\ncontext = 8192\n'
    configure(demo, f'[models.own]\nmodel = "vllm/llama"\n{own}')
    row = demo.json("models")[1]
    assert (row["input"], row["output"], row["context"]) == (0.01, 0.0125, 8192)
    assert "own vllm/llama 0.01 0.0125" in " ".join(demo.regista("models").split())


def test_a_model_of_one_host_behind_another_name_has_that_hosts_price(demo: Demo) -> None:
    moved = 'model = "openai/openai/gpt-oss-120b"\nbase_url = "https://api.groq.com/openai/v1"\n'
    configure(
        demo, f'[models.moved]\n{moved}[models.away]\nmodel = "openai/gpt-4o"\nbase_url = "http://127.0.0.1:1/v1"\n'
    )
    _, moved_row, away = demo.json("models")
    assert (moved_row["input"], away["input"], away["tools"]) == (0.15, None, None)


def test_a_hosts_models_are_listed_without_an_application(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    found = demo.json("models", "--host", "anthropic")
    assert {"claude-haiku-4-5", "claude-opus-5-5"} <= {row["name"] for row in found}
    assert "Did you mean 'groq'" in _error(capsys, "models", "--host", "groc")


def test_the_providers_are_listed_with_where_they_are_and_their_keys(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-not-to-be-shown")
    shown = demo.regista("models", "hosts")
    groq = next(line for line in shown.splitlines() if line.startswith("groq "))
    assert groq.split() == ["groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "yes"]
    assert "not-to-be-shown" not in shown
    rows = {row["name"]: row for row in demo.json("models", "hosts")}
    assert (rows["bedrock"]["set"], rows["ollama"]["key"], rows["azure"]["url"]) == (False, "", "")


def test_a_check_asks_each_model_once_and_says_how_it_did(demo: Demo, upstream: Upstream) -> None:
    priced = '[prices."openai/m"]\ninput = "1"\noutput = "2"\n'
    configure(demo, f'[models.there]\nmodel = "openai/m"\nbase_url = "{upstream.url()}"\n{priced}')
    default, there = demo.json("models", "check")
    assert (default["state"], default["cost_nano"]) == ("reached", 0)
    assert (there["state"], there["problem"]) == ("reached", "")
    assert there["usage"]["output_tokens"] == answers.OUTPUT
    assert there["cost_nano"] == 1000 * answers.INPUT + 2000 * answers.OUTPUT
    assert len(upstream.requests) == 1
    shown = demo.regista("models", "check", "there")
    assert shown.splitlines()[1].split()[:3] == ["there", "openai/m", "reached"]
    assert f"{answers.INPUT}+{answers.OUTPUT}" in shown


def test_a_check_takes_a_models_own_parameters_with_it(demo: Demo, upstream: Upstream) -> None:
    own = f'base_url = "{upstream.url()}"\nparameters = {{ temperature = 0.5, max_tokens = 4096 }}\n'
    configure(demo, f'[models.there]\nmodel = "openai/m"\n{own}')
    demo.regista("models", "check", "there")
    sent = upstream.requests[0].json
    assert (sent["temperature"], sent["max_completion_tokens"], "max_tokens" in sent) == (0.5, 16, False)


def test_every_way_to_fail_has_a_name_and_what_to_do(demo: Demo, upstream: Upstream) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    nowhere = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    free.close()
    ways = {
        "keyless": 'model = "groq/openai/gpt-oss-120b"\n',
        "refused": f'model = "openai/m"\nbase_url = "{upstream.url("/s404")}"\n',
        "broken": f'model = "openai/m"\nbase_url = "{upstream.url("/html")}"\n',
        "down": f'model = "openai/m"\nbase_url = "{nowhere}"\n',
        "mute": f'model = "openai/m"\nbase_url = "{upstream.url("/silent")}"\n',
    }
    configure(demo, "".join(f"[models.{name}]\n{said}" for name, said in ways.items()))
    told = {row["name"]: row for row in demo.json("models", "check", "--seconds", "0.5", status=1)}
    assert {name: row["state"] for name, row in told.items()} == {
        "default": "reached",
        "keyless": "key missing",
        "refused": "refused",
        "broken": "failed",
        "down": "not reached",
        "mute": "not reached",
    }
    says = {
        "keyless": "GROQ_API_KEY",
        "refused": "check the model's name",
        "broken": "not a chat",
        "down": "Is it running",
    }
    assert [part for name, part in says.items() if part not in told[name]["problem"]] == []
    shown = demo.regista("models", "check", "keyless", status=1)
    assert "key missing" in shown and "set the environment variable GROQ_API_KEY" in shown


def test_a_model_without_a_price_is_told_to_count_for_nothing(demo: Demo, upstream: Upstream) -> None:
    configure(demo, f'[models.there]\nmodel = "openai/m"\nbase_url = "{upstream.url()}"\n')
    assert '[prices."openai/m"]' in demo.regista("models", "check", "there")


def test_a_model_that_embeds_is_asked_for_a_vector(demo: Demo, upstream: Upstream) -> None:
    facts = '[capabilities."openai/e"]\nembeddings = true\n[prices."openai/e"]\ninput = "1"\noutput = "0"\n'
    configure(demo, f'[models.e]\nmodel = "openai/e"\nbase_url = "{upstream.url()}"\n{facts}')
    (found,) = demo.json("models", "check", "e")
    assert (found["state"], found["cost_nano"]) == ("reached", 1000)
    assert upstream.requests[0].path.endswith("/embeddings")


def test_a_model_that_is_not_there_is_told_with_those_that_are(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    configure(demo, "")
    assert "no model 'other'. It has: default" in _error(capsys, "models", "check", "other")


def _error(shown: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of a command that fails."""
    assert run(list(arguments)) == 1
    return shown.readouterr().err
