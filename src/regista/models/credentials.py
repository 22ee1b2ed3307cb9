"""Which key goes where: a provider's usual key goes to its own origins alone, any other must be named."""

import os
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from regista.core.errors import ConfigurationError
from regista.core.secret import Secret

USUAL_PORTS = {"https": ":443", "http": ":80"}


def origin(url: str) -> str:
    """Scheme, host and port of a URL, the port only where it is not the scheme's own.

    >>> origin("https://API.example.com:443/v1")
    'https://api.example.com'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(USUAL_PORTS.get(parts.scheme, ':'))}"


def at_home(base_url: str, homes: Iterable[str]) -> bool:
    """Whether a URL is at one of these origins, in which `*` stands for one label of a host's name.

    >>> at_home("https://club.openai.azure.com/openai/v1", ["https://*.openai.azure.com"])
    True
    >>> at_home("https://club.evil.example/x.openai.azure.com", ["https://*.openai.azure.com"])
    False
    """
    here = origin(base_url)
    return any(re.fullmatch(re.escape(home).replace(r"\*", "[a-z0-9-]+"), here) for home in homes)


def key_for(named: str, usual: str, base_url: str, homes: Iterable[str]) -> tuple[str, Secret]:
    """The variable that holds the key for `base_url`, and the key; both empty for a server without one.

    A configuration that moves `base_url` elsewhere and names no variable sends no key there: the key of
    `homes` is not another's to see.

    >>> key_for("", "OPENAI_API_KEY", "http://127.0.0.1:8080/v1", ["https://api.openai.com"])
    ('', Secret('***'))
    """
    variable = named or (usual if at_home(base_url, homes) else "")
    key = Secret(os.environ.get(variable, "") if variable else "")
    return variable, key


def require(key: Secret, provider: str, variable: str, base_url: str, homes: Iterable[str]) -> None:
    """Raise `ConfigurationError` where one of the provider's own origins is called without a key."""
    if not key and at_home(base_url, homes):
        raise ConfigurationError(
            f"{provider} needs a key: set the environment variable {variable}.", code="key_missing"
        )
