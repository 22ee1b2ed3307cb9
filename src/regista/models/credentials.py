"""Which key goes where: a provider's usual key goes to its own origin alone, any other must be named."""

import os

from regista.core.errors import ConfigurationError
from regista.core.secret import Secret


def key_for(named: str, usual: str, base_url: str, home: str) -> tuple[str, Secret]:
    """The variable that holds the key for `base_url`, and the key; both empty for a server without one.

    A configuration that moves `base_url` elsewhere and names no variable sends no key there: the key of
    `home` is not another's to see.

    >>> key_for("", "OPENAI_API_KEY", "http://127.0.0.1:8080/v1", "https://api.openai.com/v1")
    ('', Secret('***'))
    """
    variable = named or (usual if base_url == home else "")
    key = Secret(os.environ.get(variable, "") if variable else "")
    return variable, key


def require(key: Secret, provider: str, variable: str, base_url: str, home: str) -> None:
    """Raise `ConfigurationError` where the provider's own origin is called without a key."""
    if not key and base_url == home:
        raise ConfigurationError(f"{provider} needs a key: set the environment variable {variable}.")
