"""What an error of a provider means for the next step: the same again, another model, or neither. Knows no wrapper."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from regista.core.errors import ConfigurationError, OverloadedError, ProviderError, RegistaError

LEFT_ALONE = "left_alone"
"""The code of a call that was not made because its model keeps failing."""
TOO_LATE = "deadline_exceeded"
"""The code of an answer that was not whole when it had to be."""
PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 that another try may not meet."""
BROKEN = frozenset({"not_connected", "no_answer", "stream_cut", "provider_timeout"})
"""Codes of errors without a status that another try may not meet."""
REFUSED = frozenset({400, 422})
"""Statuses that blame the request: another model would refuse it too, unless it was only too long for this one."""
TOO_LONG = frozenset({"too_large", "context_length_exceeded"})
_TOO_LONG = re.compile(
    r"context.?length|context.?window|maximum context|too many (?:input )?tokens|(?:prompt|input) is too long"
    r"|exceeds? the (?:maximum|limit)[^.]{0,40}tokens",
    re.IGNORECASE,
)


def may_pass(error: RegistaError) -> bool:
    """Whether the same call may well succeed in a while."""
    if not isinstance(error, ProviderError) or error.code in (LEFT_ALONE, TOO_LATE):
        return False
    status = error.upstream_status
    return status in PASSING or status >= 500 or (not status and error.code in BROKEN)


def elsewhere(error: RegistaError) -> bool:
    """Whether another model may well answer what this one did not: all but what is wrong with the request itself."""
    if error.code in TOO_LONG:
        return True
    if isinstance(error, ProviderError):
        if error.upstream_status in REFUSED:
            return _TOO_LONG.search(error.message) is not None
        return error.code != TOO_LATE
    return isinstance(error, ConfigurationError | OverloadedError)


def blames(error: RegistaError) -> bool:
    """Whether an error speaks against the health of its upstream. A refusal is the answer of a healthy one."""
    if not isinstance(error, ProviderError) or error.code in (LEFT_ALONE, TOO_LATE):
        return False
    status = error.upstream_status
    return not 400 <= status < 500 or status in PASSING


def retry_after(error: RegistaError, now: datetime | None = None) -> float | None:
    """Seconds until the time an error names to come back; None where it names none that can be read.

    Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after.

    >>> retry_after(ProviderError("busy", retry_after="7"))
    7.0
    """
    told = (error.retry_after or "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", told):
        return float(told)
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return None
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max((date - (now or datetime.now(UTC))).total_seconds(), 0.0)
