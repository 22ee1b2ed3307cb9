"""Credentials are found by kind; what only looks like one is not."""

import pytest

from regista.core.nouns import Finding
from regista.serve.guardrails.secrets import Secrets
from regista.serve.screen import StreamScreen, screen


def test_every_kind_is_found_and_nothing_beside_it(planted: tuple[str, str, str]) -> None:
    kind, secret, text = planted
    start = text.index(secret)
    assert Secrets().find(text) == [Finding(kind, start, start + len(secret), f"[SECRET:{kind}]")]


def test_no_character_of_a_secret_split_at_any_offset_leaves(planted: tuple[str, str, str]) -> None:
    kind, secret, text = planted
    end = text.index(secret) + len(secret)
    for cut in range(len(text) + 1):
        stream = StreamScreen([("secrets", Secrets())])
        early = stream.push(text[:cut])
        assert cut > end or (text.startswith(early) and len(early) <= text.index(secret))
        assert early + stream.push(text[cut:]) + stream.finish() == text.replace(secret, f"[SECRET:{kind}]")


def test_a_secret_that_arrives_by_the_character_is_masked_whole(planted: tuple[str, str, str]) -> None:
    kind, secret, text = planted
    stream = StreamScreen([("secrets", Secrets())])
    assert "".join(map(stream.push, text)) + stream.finish() == text.replace(secret, f"[SECRET:{kind}]")


@pytest.mark.parametrize(
    "text",
    [
        "sk-" + "x" * 48,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-proj-your-api-key-goes-here-please",
        "commit 3bb579b06a7a90c7d3c59a892561935234b88c13",
        "69bfaed6-89df-10e3-c359-56a86e71c1e9",
        "sha256:17fdb27c4e6e748c04bb9829e4f7e076d3014136dcca1c4c4db370cfd43a06fd",
        "data:image/png;base64,iVBORw0KGgolo+GRXZy6S4BZtIV6PNKDQv+5NWM8SWSNxrCXqvy7rH2fY54vVmY0rFvE",
        "password: changeme",
        'token = os.environ["GITHUB_TOKEN"]',
        "AWS_SECRET_ACCESS_KEY=${AWS_SECRET}",
        'api_key="<YOUR_API_KEY>"',
        "postgres://user:password@localhost/app",
        "https://example.com/a/hyCrEnrQNY?page=10",
        "tokenizer = AutoTokenizer.from_pretrained(name)",
        "max_tokens: 4096, temperature: 0.2",
        "Explain the difference between a bearer token and an API key.",
        "The line -----BEGIN RSA PRIVATE KEY----- opens a key file.",
        "getHandlerUserServiceProviderConfig",
        "Basic understanding1 of chemistry",
    ],
)
def test_placeholders_hashes_and_code_are_no_secrets(text: str) -> None:
    assert Secrets().find(text) == []


def test_a_private_key_without_its_end_is_found_to_its_last_line() -> None:
    text = "-----BEGIN PRIVATE" + " KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\\nBKcwggSjAgEAAoIBAQC7"
    assert screen(text, [("secrets", Secrets())])[0] == "[SECRET:private_key]"


def test_of_an_endless_private_key_nothing_leaves_and_memory_is_bounded() -> None:
    stream = StreamScreen([("secrets", Secrets())], limit=1000)
    pieces = ["see -----BEGIN PRIVATE" + " KEY-----\n", *["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo3\n"] * 40, "bye"]
    assert "".join(map(stream.push, pieces)) + stream.finish() == "see "
    assert stream.blocked and "1000 characters" in stream.blocked.reason
