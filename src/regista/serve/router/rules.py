"""Rules in the order they are written: the first whose every condition holds says which model answers."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct

from regista.core.errors import ConfigurationError
from regista.core.registry import option
from regista.serve.router import Asked, Choice, ModelName, policies
from regista.serve.routing.signals import Carries, language_of, prepare_language
from regista.text.scripts import script_of

Words = str | tuple[str, ...]
"""One, or a list of which one is enough."""
Script = Literal[
    "latin", "greek", "cyrillic", "armenian", "hebrew", "arabic", "devanagari", "bengali", "gurmukhi", "gujarati",
    "tamil", "telugu", "kannada", "malayalam", "sinhala", "thai", "georgian", "ethiopic", "kana", "hangul", "han",
]  # fmt: skip
Tokens = Annotated[int, Meta(ge=0)]


class Rule(Struct, frozen=True):
    """`[router.rules.when.<name>]`: which model answers where every condition given holds.

    `asked` (the model's name the client sent), `tenant` and values of `metadata` are patterns: `*` is any text.
    Tokens are those of the whole input, estimated. `language` is ISO 639-1.
    """

    model: ModelName
    asked: Words = ()
    tenant: Words = ()
    metadata: Mapping[str, Words] = {}
    min_tokens: Tokens = 0
    max_tokens: Tokens | None = None
    language: Words = ()
    script: Script | tuple[Script, ...] = ()
    carries: Carries | tuple[Carries, ...] = ()
    lacks: Carries | tuple[Carries, ...] = ()


@policies.add
@dataclass
class Rules:
    """Asks its rules in their order.

    Raises:
        ConfigurationError: a rule can never hold, or an earlier one holds wherever it does.
    """

    when: Mapping[str, Rule] = option((), "Rules by name, as tables: [router.rules.when.NAME].")
    _rules: tuple[tuple[str, Rule], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._rules = tuple(dict(self.when).items())
        if not self._rules:
            raise ConfigurationError("The policy rules has no rules: write [router.rules.when.NAME] with a model.")
        for problem in problems(self._rules).values():
            raise ConfigurationError(problem)

    async def prepare(self) -> None:
        """Read the detector of languages where a rule needs it."""
        if any(rule.language for _, rule in self._rules):
            await asyncio.to_thread(prepare_language)

    async def choose(self, asked: Asked) -> Choice:
        """See `Policy.choose`."""
        return self.decide(asked)

    def decide(self, asked: Asked) -> Choice:
        """See `Decides.decide`. The runner-up is the model of the next rule that holds and says another one."""
        chosen: tuple[str, Rule, str] | None = None
        tried: list[tuple[str, bool, str]] = []
        for name, rule in self._rules:
            holds, held = _judged(rule, asked)
            if holds and rule.model not in asked.candidates:
                holds, held = False, f"{held}; but {rule.model} cannot take it"
            tried.append((name, holds, held))
            if not holds:
                continue
            if chosen is None:
                chosen = (name, rule, held)
            elif rule.model != chosen[1].model:
                return _choice(*chosen, rule.model, tried)
        if chosen is None:
            return Choice(reason="no rule holds", detail={"rules": tried})
        return _choice(*chosen, "", tried)


def problems(rules: Sequence[tuple[str, Rule]]) -> dict[str, str]:
    """What is wrong with rules, by name: those that can never hold, and those an earlier one holds wherever they do."""
    found: dict[str, str] = {}
    for at, (name, rule) in enumerate(rules):
        both = sorted(set(_list(rule.carries)) & set(_list(rule.lacks)))
        if rule.max_tokens is not None and rule.max_tokens < rule.min_tokens:
            found[name] = (
                f"The rule {name!r} can never hold: no input has both at least min_tokens and at most max_tokens."
            )
        elif both:
            found[name] = f"The rule {name!r} can never hold: it wants {both[0]} carried and lacking."
        elif over := next((other for other, earlier in rules[:at] if covers(earlier, rule)), None):
            found[name] = f"The rule {name!r} never decides: {over!r} stands before it and holds wherever it does."
    return found


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether `earlier` holds wherever `later` does: each of its conditions is one of `later`'s, or wider.

    >>> covers(Rule("a", tenant="acme*"), Rule("b", tenant="acme-eu", min_tokens=9))
    True
    """
    return (
        earlier.min_tokens <= later.min_tokens
        and (earlier.max_tokens is None or (later.max_tokens is not None and earlier.max_tokens >= later.max_tokens))
        and _within(later.asked, earlier.asked)
        and _within(later.tenant, earlier.tenant)
        and all(key in later.metadata and _within(later.metadata[key], w) for key, w in earlier.metadata.items())
        and _within(later.language, earlier.language)
        and _within(later.script, earlier.script)
        # All that is carried must be there, so fewer things are the wider condition.
        and set(_list(earlier.carries)) <= set(_list(later.carries))
        and set(_list(earlier.lacks)) <= set(_list(later.lacks))
    )


def always(rule: Rule) -> bool:
    """Whether a rule has no condition.

    >>> always(Rule("small")), always(Rule("small", tenant="acme"))
    (True, False)
    """
    return covers(rule, Rule(rule.model))


def _choice(name: str, rule: Rule, held: str, runner_up: str, tried: Sequence[tuple[str, bool, str]]) -> Choice:
    return Choice(rule.model, f"{name}: {held}", None, runner_up, {}, {"rules": tried})


def _judged(rule: Rule, asked: Asked) -> tuple[bool, str]:
    """Whether all conditions hold, with what was found; else the first that does not."""
    held: list[str] = []
    for holds, words in _conditions(rule, asked):
        if not holds:
            return False, words
        held.append(words)
    return True, ", ".join(held) or "it has no condition"


def _conditions(rule: Rule, asked: Asked) -> Iterator[tuple[bool, str]]:
    """Each condition the rule has: whether it holds, and what was found. The dear ones come last."""
    if rule.min_tokens:
        yield asked.tokens >= rule.min_tokens, f"{asked.tokens:,} tokens, at least {rule.min_tokens:,}"
    if rule.max_tokens is not None:
        yield asked.tokens <= rule.max_tokens, f"{asked.tokens:,} tokens, at most {rule.max_tokens:,}"
    for thing in _list(rule.carries):
        yield thing in asked.carries, f"carries {thing}" if thing in asked.carries else f"carries no {thing}"
    for thing in _list(rule.lacks):
        yield thing not in asked.carries, f"carries no {thing}" if thing not in asked.carries else f"carries {thing}"
    if rule.asked:
        yield _matches(asked.request.model, rule.asked), f"asked for {asked.request.model}"
    if rule.tenant:
        yield _matches(asked.tenant, rule.tenant), f"tenant {asked.tenant}"
    for key, wanted in rule.metadata.items():
        value = asked.metadata.get(key)
        yield value is not None and _matches(value, wanted), f"metadata {key} = {value}"
    if rule.script:
        script = script_of(asked.question)
        yield script in _list(rule.script), f"script {script or 'none'}"
    if rule.language:
        language = language_of(asked.question)
        yield language in _list(rule.language), f"language {language or 'not told'}"


def _matches(value: str, wanted: Words) -> bool:
    patterns = _list(wanted)
    return value in patterns or any("*" in pattern and fnmatchcase(value, pattern) for pattern in patterns)


def _within(narrow: Any, wide: Any) -> bool:
    """Whether every value that `narrow` takes is one that `wide` takes; a condition not given takes all."""
    if not _list(wide):
        return True
    return bool(_list(narrow)) and all(any(fnmatchcase(v, pattern) for pattern in _list(wide)) for v in _list(narrow))


def _list(words: Any) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else cast("tuple[str, ...]", words)
