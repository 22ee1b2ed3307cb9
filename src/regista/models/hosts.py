"""The hosts that speak OpenAI's API, as rows of `hosts.toml`: where they are, which key they take, what is odd there.

It knows no wire and sends nothing. A host is added by a row, and is then a provider of that name.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from regista.models.credentials import at_home


class Host(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One host. `hosts.toml` says what each field means."""

    title: str
    source: str = ""
    base_url: str = ""
    homes: tuple[str, ...] = ()
    key: str = ""
    key_needed: bool = True
    header: str = ""
    stream_options: tuple[str, ...] = ("include_usage",)
    rename: Mapping[str, str] = {}
    drop: frozenset[str] = frozenset()
    cache_key: bool = False
    charges: str = ""
    reasoning: str = "reasoning_content"


PLAIN = Host(title="an OpenAI-compatible URL", key_needed=False)
"""What is taken for granted of a server that is no known host."""


@cache
def hosts() -> Mapping[str, Host]:
    """All rows, by name."""
    table = tomllib.loads((files("regista.models") / "hosts.toml").read_text("utf-8"))
    return msgspec.convert(table, dict[str, Host])


def host_at(base_url: str) -> Host:
    """The host whose origin a URL has, told by its name alone: what listens on this machine may be anything.

    >>> host_at("https://api.groq.com/openai/v1").title, host_at("http://127.0.0.1:8000/v1").title
    ('Groq', 'an OpenAI-compatible URL')
    """
    known = (host for host in hosts().values() if at_home(base_url, (h for h in host.homes if h.startswith("https"))))
    return next(known, PLAIN)
