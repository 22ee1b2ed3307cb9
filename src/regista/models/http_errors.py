"""What an upstream's error status means, in words that say what to do. Knows no provider's wire."""

import re

from regista.core.errors import ProviderError, ProviderTimeoutError
from regista.egress import Reply

ADVICE = {
    400: ("provider_refused_request", 400, "The provider does not take this request as it is."),
    401: ("provider_key_refused", 502, "The provider refused the key: set {key_env} to a valid one."),
    403: ("provider_key_refused", 502, "The key in {key_env} may not use this model."),
    404: (
        "model_not_found",
        404,
        "The provider does not know this model or path: check the model's name and base_url.",
    ),
    408: ("provider_timeout", 504, "The provider gave up waiting."),
    413: ("too_large", 413, "The request is larger than the provider takes."),
    422: ("provider_refused_request", 422, "The provider does not take this request as it is."),
    429: ("rate_limited", 429, "The provider's rate limit is reached: wait, or ask it for more."),
    529: ("provider_overloaded", 503, "The provider is overloaded: try again later."),
}
"""Upstream status to (code, our status, advice)."""
OTHER = ("provider_error", 502, "The provider failed: try again, or look at its status page.")
KEY_LIKE = re.compile(r"(?i)\b(?:sk|rk|key|bearer)[-_ ][\w\-*]{6,}")


async def error_of(reply: Reply, provider: str, model: str, key_env: str) -> ProviderError:
    """The error of a reply whose status is not 200. Whatever looks like a key in its body is left out."""
    data = await reply.read()
    code, status, advice = ADVICE.get(reply.status, OTHER)
    variable = key_env or "the variable that api_key_env names (it names none)"
    said = KEY_LIKE.sub("***", " ".join(data[:400].decode("utf-8", "replace").split()))
    said = "an HTML page" if said.startswith("<") else said or "nothing"
    kind = ProviderTimeoutError if status == 504 else ProviderError
    return kind(
        f"{provider} answered {reply.status} for model {model!r}. {advice.format(key_env=variable)} It said: {said}",
        upstream_status=reply.status,
        code=code,
        status=status,
        retry_after=reply.headers.get("retry-after"),
    )


def expect_events(reply: Reply, provider: str, model: str) -> None:
    """Raise `ProviderError` where a stream was asked for and something else came."""
    kind = reply.headers.get("content-type", "")
    if "event-stream" not in kind:
        raise ProviderError(
            f"{provider} was asked to stream {model!r} and sent {kind or 'no content type'} instead of events. "
            "Is base_url right?",
            upstream_status=reply.status,
        )
