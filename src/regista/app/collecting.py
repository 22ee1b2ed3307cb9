"""Where traces and alarms go beside the store: a collector and a webhook, as `[observe]` says, with their secrets."""

import os

from regista.app.schema import Observe
from regista.core.errors import ConfigurationError
from regista.core.secret import Secret
from regista.egress.client import Client
from regista.observe.otel.sending import PATH, Collector, read
from regista.observe.webhook import PREFIX, Hook, key


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


def hook_of(observe: Observe, egress: Client) -> Hook | None:
    """The webhook, whose origin becomes one that may be contacted; None where none is named.

    Raises:
        ConfigurationError: the variable with its secret is not set, or holds none.
    """
    if observe.webhook is None:
        return None
    written = os.environ.get(observe.webhook_env)
    if not written:
        raise ConfigurationError(
            f"[observe] webhook is signed with a secret, and {observe.webhook_env} is not set. Type: "
            f'export {observe.webhook_env}="{PREFIX}$(openssl rand -base64 32)"'
        )
    secret = Secret(written)
    key(secret)
    egress.allow(observe.webhook)
    return Hook(observe.webhook, secret)
