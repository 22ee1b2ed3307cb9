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
    503: ("provider_overloaded", 503, "The provider is overloaded: try again later."),
    529: ("provider_overloaded", 503, "The provider is overloaded: try again later."),
}
"""Upstream status to (code, our status, advice)."""
OTHER = ("provider_error", 502, "The provider failed: try again, or look at its status page.")
MEANT = {b"API_KEY_INVALID": 401}
"""What a body may hold that says more than its status: Gemini's for a wrong key is 400."""
KEY_LIKE = re.compile(
    r"(?i)\b(?:(?:sk|rk|gsk|csk|pplx|xai|fw|key|bearer)[-_ ][\w\-*]{6,}|AIza[\w\-]{16,}|(?:AKIA|ASIA|ABSK)[\w+/=]{12,})"
)
RETRY_DELAY = re.compile(rb'"retryDelay"\s*:\s*"([0-9.]+)s"')
"""When to come back, where Google says it: https://cloud.google.com/apis/design/errors#error_details."""


async def error_of(reply: Reply, provider: str, model: str, key_env: str) -> ProviderError:
    """The error of a reply whose status is not 200. Whatever looks like a key in its body is left out."""
    data = await reply.read()
    meant = next((status for mark, status in MEANT.items() if mark in data), reply.status)
    code, status, advice = ADVICE.get(meant, OTHER)
    variable = key_env or "the variable that api_key_env names (it names none)"
    said = without_keys(data[:400].decode("utf-8", "replace"))
    said = "an HTML page" if said.startswith("<") else said or "nothing"
    kind = ProviderTimeoutError if status == 504 else ProviderError
    return kind(
        f"{provider} answered {reply.status} for model {model!r}. {advice.format(key_env=variable)} It said: {said}",
        upstream_status=reply.status,
        code=code,
        status=status,
        retry_after=_retry_after(reply, data),
    )


def error_in_stream(provider: str, kind: str, upstream: int, said: str) -> ProviderError:
    """The error that came within a stream; `upstream` is the status it has when it comes before one."""
    code, status, advice = ADVICE.get(upstream, OTHER)
    advice = advice.format(key_env="the variable of its key")
    return ProviderError(
        f"{provider} ended its stream with {kind}: {without_keys(said)}. {advice}",
        upstream_status=upstream,
        code=code,
        status=status,
    )


def without_keys(text: str) -> str:
    """A text on one line, in which whatever looks like a key is left out."""
    return KEY_LIKE.sub("***", " ".join(text.split()))


def _retry_after(reply: Reply, data: bytes) -> str | None:
    """When to come back, in seconds or as a date."""
    milliseconds = reply.headers.get("retry-after-ms", "")
    if milliseconds.isdecimal():
        return f"{int(milliseconds) / 1000:g}"
    delay = RETRY_DELAY.search(data)
    return reply.headers.get("retry-after") or (delay[1].decode() if delay else None)


def expect_events(reply: Reply, provider: str, model: str) -> None:
    """Raise `ProviderError` where a stream was asked for and something else came."""
    kind = reply.headers.get("content-type", "")
    if "event-stream" not in kind:
        raise ProviderError(
            f"{provider} was asked to stream {model!r} and sent {kind or 'no content type'} instead of events. "
            "Is base_url right?",
            upstream_status=reply.status,
        )
