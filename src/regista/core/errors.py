"""The exception tree. Every message says what happened, what was known and what to do next.

RegistaError
├── ConfigurationError      an application folder or a setting is wrong
│   ├── UnknownNameError    no component of that name; says the near ones
│   └── MissingExtraError   a component needs a package that is not installed
├── RequestError            the caller must change the request          (HTTP 400)
│   ├── AuthenticationError                                             (401)
│   ├── NotAllowedError     a guardrail or policy refused               (403)
│   ├── NotFoundError                                                   (404)
│   ├── TooLargeError                                                   (413)
│   └── OverLimitError      the caller's key has used what it may       (429)
├── ProviderError           the model's provider failed                 (502, or its own status)
│   ├── ProviderTimeoutError                                            (504)
│   └── StreamCutError      an answer ended before it was whole         (502)
├── DocumentError           one document could not be read
├── StoreError              the database is locked, read-only, full or of another version (503)
└── OverloadedError         a bounded queue is full                     (503)
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RegistaError(Exception):
    """Base of all errors Regista raises on purpose; `status` and `code` are their HTTP form.

    `retry_after` is what the header of that name says: seconds, or a date.
    """

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.code = code or type(self).code
        self.status = status or type(self).status


class ConfigurationError(RegistaError):
    code = "configuration_error"


class UnknownNameError(ConfigurationError):
    """A name that nothing answers to.

    >>> print(UnknownNameError("chunker", "strcture", ["structure", "fixed"]))
    There is no chunker 'strcture'. Did you mean 'structure'? Known: fixed, structure.
    """

    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.near = near(name, known)
        super().__init__(
            f"There is no {kind} {name!r}.{did_you_mean(self.near)} Known: {', '.join(sorted(known)) or 'none'}."
        )


class MissingExtraError(ConfigurationError):
    """A component's optional package is absent; `extra` is Regista's extra that brings it."""

    code = "missing_package"

    def __init__(self, component: str, package: str, extra: str) -> None:
        super().__init__(
            f"{component} needs the package {package!r}, which is not installed. Type: pip install 'regista[{extra}]'"
        )


class RequestError(RegistaError):
    status = 400
    code = "invalid_request"


class AuthenticationError(RequestError):
    status = 401
    code = "invalid_api_key"


class NotAllowedError(RequestError):
    status = 403
    code = "not_allowed"


class NotFoundError(RequestError):
    status = 404
    code = "not_found"


class TooLargeError(RequestError):
    status = 413
    code = "too_large"


class OverLimitError(RequestError):
    status = 429
    code = "rate_limited"


class ProviderError(RegistaError):
    """A provider failed. `upstream_status` is its HTTP status, 0 where there was none."""

    status = 502
    code = "provider_error"

    def __init__(
        self,
        message: str,
        *,
        upstream_status: int = 0,
        code: str | None = None,
        status: int | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, retry_after=retry_after)
        self.upstream_status = upstream_status


class ProviderTimeoutError(ProviderError):
    status = 504
    code = "provider_timeout"


class StreamCutError(ProviderError):
    code = "stream_cut"


class DocumentError(RegistaError):
    status = 422
    code = "document_error"


class StoreError(RegistaError):
    status = 503
    code = "store_unavailable"


class OverloadedError(RegistaError):
    status = 503
    code = "overloaded"


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a mistyped one, if any is close."""
    return next(iter(get_close_matches(name, list(known), 1, 0.6)), None)


def did_you_mean(name: str | None) -> str:
    """A sentence that offers a near name, with a leading space, or nothing."""
    return f" Did you mean {name!r}?" if name else ""
