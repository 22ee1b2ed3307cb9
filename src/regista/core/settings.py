"""The settings of a running Regista: name, default, one line of help. Environment variables override them.

What belongs to an application stands in its `regista.toml` instead.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regista.core.errors import ConfigurationError, did_you_mean, near


@dataclass(frozen=True)
class Setting:
    """One setting; the environment variable is `REGISTA_` and its name in capitals."""

    name: str
    default: str | int | float
    help: str

    @property
    def variable(self) -> str:
        return f"REGISTA_{self.name.upper()}"


SETTINGS = (
    Setting("host", "127.0.0.1", "Address to serve on. Other than loopback needs at least one key."),
    Setting("port", 8000, "Port to serve on."),
    Setting("workers", 1, "Processes that serve. About one for each core that is to work."),
    Setting("drain_s", 20, "Seconds that answers under way may take to end once the server is told to."),
    Setting("store", "", "Database URL. Empty: sqlite in the application's .regista folder."),
    Setting("max_body_mb", 10, "Largest request body taken, in megabytes."),
    Setting("max_file_mb", 200, "Largest file taken for a batch, in megabytes."),
    Setting("trace_queue", 10_000, "Traces that may wait for the writer whole; of further ones only the cost is kept."),
    Setting("flush_ms", 100, "How long a trace waits at most before it is handed to the writer."),
    Setting("connections", 512, "Connections kept to one provider origin."),
    Setting("redis", "", "URL of a Redis or Valkey that several servers share. Empty: each counts for itself."),
    Setting("limits_without_redis", "refuse", "While Redis is gone, keys with limits are told 503 (refuse), or allow."),
    Setting("ray", "", "Where `regista batch` runs lines: ray://host:port, or local. Empty: in its own process."),
    Setting("key", "", "Key that `regista ask` sends to a running server that wants one."),
    Setting("models", "", "Folder of embedding models. Empty: ~/.cache/regista/models."),
)


def settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> dict[str, Any]:
    """All settings, by name: defaults, then `REGISTA_*` variables, then `overrides` that are not None.

    >>> settings({"REGISTA_PORT": "9000"})["port"]
    9000
    """
    environment = os.environ if environment is None else environment
    known = {setting.variable: setting for setting in SETTINGS}
    for variable in environment:
        if variable.startswith("REGISTA_") and variable not in known:
            raise ConfigurationError(
                f"The environment sets {variable}, which is no setting.{did_you_mean(near(variable, known))}"
            )
    values: dict[str, Any] = {s.name: _read(s, environment.get(s.variable)) for s in SETTINGS}
    return values | {name: value for name, value in overrides.items() if value is not None}


def _read(setting: Setting, text: str | None) -> str | int | float:
    if text is None:
        return setting.default
    try:
        return type(setting.default)(text)
    except ValueError:
        raise ConfigurationError(
            f"{setting.variable}={text!r} is not a {type(setting.default).__name__}. {setting.help}"
        ) from None
