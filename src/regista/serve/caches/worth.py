"""Whether the answer to one request may serve another: by what is asked, not by who asks. Rules in a table, no model.

An answer that depends on the hour, the person, chance, or what was said before is right once. It knows no cache.
"""

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from regista.core.nouns import Request
from regista.serve.caches.worth_rules import RULES
from regista.text.sieve import Sieve

Cause = Literal["", "time", "personal", "chance", "context", "act", "tools", "no text", "many"]
Keep = Literal["whole", "briefly", "not"]
EXACTLY: dict[Cause, Keep] = {"time": "briefly", "chance": "not", "act": "not", "many": "not"}
"""How long the answer to the very same words is kept, by why it is not for other words; all else is kept whole."""
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_\d+\]")


class Worth(Struct, frozen=True, gc=False):
    """`cause` says why an answer is not for the question in other words; empty where it is. `sign` is what told."""

    cause: Cause = ""
    sign: str = ""

    @property
    def exactly(self) -> Keep:
        """How long an answer is kept for the very same request."""
        return EXACTLY.get(self.cause, "whole")

    def __str__(self) -> str:
        return f"{self.cause}: {self.sign}" if self.sign else self.cause


def worth(request: Request) -> Worth:
    """What the answer to a request, as its guardrails left it, is worth to others.

    One with tools of the client's, for several choices, or without a last question in plain text is for itself alone.
    """
    rest = request.rest
    if rest.get("n") not in (None, 1):
        return Worth("many", "n")
    if rest.get("tools") or rest.get("functions"):
        return Worth("tools")
    last = request.messages[-1] if request.messages else None
    if last is None or last.role != "user" or not isinstance(last.content, str):
        return Worth("no text")
    return worth_of(last.content)


@lru_cache(maxsize=1_024)
def worth_of(question: str) -> Worth:
    """What the answer to a question is worth, by its words alone.

    >>> worth_of("What is the weather in Oslo?").cause, worth_of("What is the capital of Norway?").cause
    ('time', '')
    """
    if masked := _PLACEHOLDER.search(question):
        return Worth("personal", masked[0])
    text = " ".join(question.replace("’", "'").split()).casefold()
    for place in _SIEVE.may_hold(text):
        cause, signs, unless = _COMPILED[place]
        found = signs.search(text)
        if found and not (unless and unless.search(text)):
            return Worth(cause, found[0].strip())
    return Worth()


def _lines(table: str) -> list[str]:
    return [line.strip() for line in table.splitlines() if line.strip()]


def _either(signs: list[str]) -> str:
    return "|".join(signs)


def _pattern(signs: list[str]) -> re.Pattern[str]:
    """One pattern for any of the signs, as whole words."""
    return re.compile(rf"(?<!\w)(?:{_either(signs)})(?!\w)")


_ALL = [rule for rules in RULES.values() for rule in rules]
_COMPILED: list[tuple[Cause, re.Pattern[str], re.Pattern[str] | None]] = [
    (rule.cause, _pattern(_lines(rule.signs)), _pattern(_lines(rule.unless)) if rule.unless else None) for rule in _ALL
]
# Most questions have no sign at all. To ask the rules one by one takes a hundred times as long as to be told so.
_SIEVE = Sieve([_either(_lines(rule.signs)) for rule in _ALL])
