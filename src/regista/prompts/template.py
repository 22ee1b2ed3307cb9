"""Templates: a strict subset of Handlebars, as Dotprompt uses it, compiled once and rendered to messages.

    {{name}} {{a.b}}                    a value, inserted as data: what it contains is never read as a template
    {{#each hits}} … {{/each}}          once per item: {{this}}, {{this.text}}, {{@index}} from 0, {{@number}} from 1
    {{#if x}} … {{else}} … {{/if}}      empty text, an empty list, 0, false and nothing count as no
    {{role "system"}}                   starts a message; text before the first one is the user's
    {{history}}                         the conversation so far stands here; text after it is the user's
    {{! a comment }} {{!-- it may hold }} --}}    \\{{ is two braces as text

It departs from Handlebars where that guesses: a bare name is always a variable of the prompt, never a field
of the current item; an unknown name is a mistake, not nothing; there are no helpers, partials or HTML
escapes. A line that holds only a block tag, comment, role or history leaves no empty line.

This file renders; `compiler.py` reads the source. Neither knows files, models or requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import msgspec

from regista.core.errors import ConfigurationError


class Turn(NamedTuple):
    """A message of a rendered prompt."""

    role: str
    text: str


HISTORY: Final = Turn("history", "")
"""Where `{{history}}` stands. The caller puts the conversation's messages in its place, as they came:
rendered to text they would lose their images and tool calls."""


Scope = dict[str, Any]
"""What names mean at one place of a template. Only dictionaries are looked into: no attribute is reachable."""


class Text(str):
    """Text of the template itself, so that whitespace is dropped at the ends of a turn but never from a value."""

    __slots__ = ()

    def write(self, scope: Scope, turns: "Turns") -> None:
        turns.pieces.append(self)


@dataclass(frozen=True, slots=True)
class Value:
    """`{{path}}`."""

    path: tuple[str, ...]

    def write(self, scope: Scope, turns: "Turns") -> None:
        value = _lookup(self.path, scope)
        turns.pieces.append(value if type(value) is str else _text(value))


@dataclass(frozen=True, slots=True)
class Each:
    """`{{#each path}} body {{/each}}`."""

    path: tuple[str, ...]
    body: tuple["Segment", ...]

    def write(self, scope: Scope, turns: "Turns") -> None:
        inner = scope.copy()
        for index, item in enumerate(_lookup(self.path, scope) or ()):
            inner["this"], inner["@index"], inner["@number"] = item, index, index + 1
            for segment in self.body:
                segment.write(inner, turns)


@dataclass(frozen=True, slots=True)
class If:
    """`{{#if path}} then {{else}} otherwise {{/if}}`."""

    path: tuple[str, ...]
    then: tuple["Segment", ...]
    otherwise: tuple["Segment", ...]

    def write(self, scope: Scope, turns: "Turns") -> None:
        for segment in self.then if _lookup(self.path, scope) else self.otherwise:
            segment.write(scope, turns)


@dataclass(frozen=True, slots=True)
class Start:
    """A new turn: a role's, or the conversation and then the user's."""

    role: str

    def write(self, scope: Scope, turns: "Turns") -> None:
        turns.start(self.role)


Segment = Text | Value | Each | If | Start


@dataclass(frozen=True)
class Template:
    """A compiled template. `names` are the variables it uses, `required` those a request must bring;
    `defaults` stand in for others it leaves out."""

    segments: tuple[Segment, ...]
    names: frozenset[str]
    required: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def render(self, values: Mapping[str, Any]) -> list[Turn]:
        """The messages, in order, with `HISTORY` where the conversation belongs. Blank messages are left out.

        Where the template places no `{{history}}`, it comes before the last user message. Raises
        `ConfigurationError` if `values` lacks a variable the template requires.
        """
        if missing := self.required - values.keys():
            raise ConfigurationError(f"The prompt needs a value for {', '.join(sorted(missing))}.")
        turns = Turns()
        scope = {**self.defaults, **values}
        for segment in self.segments:
            segment.write(scope, turns)
        return turns.finish()


class Turns:
    """Collects the turns of one rendering."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.role = "user"
        self.pieces: list[str] = []

    def start(self, role: str) -> None:
        self._flush()
        if role == HISTORY.role:
            self.turns.append(HISTORY)
        self.role = "user" if role == HISTORY.role else role

    def finish(self) -> list[Turn]:
        self._flush()
        if HISTORY not in self.turns:
            users = [at for at, turn in enumerate(self.turns) if turn.role == "user"]
            self.turns.insert(users[-1] if users else len(self.turns), HISTORY)
        return self.turns

    def _flush(self) -> None:
        """End the turn. Whitespace at its ends is dropped where it is the template's, never a value's."""
        pieces = self.pieces
        while pieces and isinstance(pieces[0], Text) and not pieces[0].strip():
            del pieces[0]
        while pieces and isinstance(pieces[-1], Text) and not pieces[-1].strip():
            del pieces[-1]
        if pieces and isinstance(pieces[0], Text):
            pieces[0] = Text(pieces[0].lstrip())
        if pieces and isinstance(pieces[-1], Text):
            pieces[-1] = Text(pieces[-1].rstrip())
        text = "".join(pieces)
        if text.strip():
            self.turns.append(Turn(self.role, text))
        self.pieces = []


def _lookup(path: tuple[str, ...], scope: Scope) -> Any:
    value: Any = scope
    for name in path:
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    return "" if value is None else msgspec.json.encode(value).decode()
