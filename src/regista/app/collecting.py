"""Where an application's traces go beside the store: what `[observe]` says of a collector, with its headers read."""

import os

from regista.app.schema import Observe
from regista.core.errors import ConfigurationError
from regista.core.secret import Secret
from regista.egress.client import Client
from regista.observe.otel.sending import PATH, Collector, read


def collector_of(observe: Observe, egress: Client) -> Collector | None:
    """The collector, whose origin becomes one that may be contacted; None where none is named.

    Raises:
        ConfigurationError: the variable with its headers is not set, or holds none.
    """
    if observe.otlp is None:
        return None
    written = os.environ.get(observe.headers_env) if observe.headers_env else ""
    if written is None:
        raise ConfigurationError(
            f"[observe] headers_env names {observe.headers_env}, which is not set. Type: "
            f"export {observe.headers_env}='authorization=Bearer ...'"
        )
    headers = Secret(written)
    read(headers)
    url = observe.otlp.rstrip("/") + PATH
    egress.allow(url)
    return Collector(url, headers, observe.content)
