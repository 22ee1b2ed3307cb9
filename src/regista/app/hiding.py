"""What is hidden where `[observe] capture = "masked"`: all that the guardrails `secrets` and `pii` find.

The trace writer finds `hide` by its name, and runs it in its own process.
"""

from functools import cache

from regista.core.errors import RegistaError
from regista.serve.guardrails import guardrails
from regista.serve.screen import Guards, screen

HIDE = f"{__name__}:hide"
"""Where `hide` is, as the trace writer is told it."""


def hide(text: str) -> str:
    """A text with a placeholder for each finding, such as `[EMAIL]`: for good.

    Raises:
        RegistaError: a guardrail failed; what it has not looked at is not to be kept.
    """
    shown, verdicts = screen(text, _guards())
    for verdict in verdicts:
        if verdict.action == "block":
            raise RegistaError(verdict.reason)
    return shown


@cache
def _guards() -> Guards:
    return [(name, guardrails.build(name)) for name in ("secrets", "pii")]
