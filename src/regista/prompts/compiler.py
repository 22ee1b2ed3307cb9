"""Compiles a template's source to segments, checking every name against what the prompt may use.

Mistakes are collected with their lines; compilation goes on after each. The language is described in
`template.py`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from regista.core.errors import did_you_mean, near
from regista.core.nouns import Json
from regista.prompts.problems import Problem, PromptError
from regista.prompts.template import HISTORY, Each, If, Segment, Start, Template, Text, Value

ROLES = ("system", "user", "assistant")
DEEPEST = 16
"""Blocks within blocks."""


class _Token(NamedTuple):
    """A piece of source: text (`tag` is None) or the inside of a tag."""

    line: int
    text: str
    tag: str | None = None


_PATH = re.compile(r"(?:this|@index|@number|[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*")
_ALONE = re.compile(r"[#/!]|else\b|role\b|history$")
_CLOSERS = {"#each": "each", "#if": "if"}


def compile(
    source: str,
    variables: Mapping[str, Json] | None = None,
    *,
    optional: frozenset[str] = frozenset(),
    defaults: Mapping[str, Any] | None = None,
    name: str = "template",
    first_line: int = 1,
) -> Template:
    """Compile a template; raises `PromptError` with every mistake and its line.

    >>> template = compile('{{role "system"}}Be brief.{{role "user"}}{{question}}')
    >>> [turn.text for turn in template.render({"question": "What is {{this}}?"})]
    ['Be brief.', '', 'What is {{this}}?']

    `variables` maps each name the template may use to the JSON Schema of its value; without it any
    name goes. `optional` are those that may have no value, `defaults` the values of those that may be
    left out. `first_line` is the line of the file the source begins on.
    """
    compiler = _Compiler(source, variables, first_line)
    segments = compiler.compiled()
    if compiler.problems:
        raise PromptError(name, compiler.problems)
    defaults = defaults or {}
    required = frozenset(compiler.names - optional - defaults.keys())
    return Template(segments, frozenset(compiler.names), required, defaults)


class _TooDeep(Exception):
    """Raised to leave a nesting that would exhaust the stack."""


class _Compiler:
    """One pass over the tokens; mistakes are collected and compilation goes on after each."""

    def __init__(self, source: str, variables: Mapping[str, Json] | None, first_line: int) -> None:
        self.problems: list[Problem] = []
        self.names: set[str] = set()
        self.variables = variables
        self.histories = 0
        self.depth = 0
        self.tokens = list(self._tokens(source, first_line))
        self.at = 0

    def compiled(self) -> tuple[Segment, ...]:
        try:
            return self.block("", {})
        except _TooDeep:
            self.wrong(self.tokens[self.at - 1].line, f"Blocks are more than {DEEPEST} deep in each other.")
            return ()

    def block(
        self, opener: str, scope: dict[str, Json], line: int = 0, *, may_else: bool = False
    ) -> tuple[Segment, ...]:
        """Segments up to the tag that closes `opener`, or to an `else` where one may stand: the caller reads that."""
        segments: list[Segment] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.tag is None:
                segments.append(Text(token.text))
            elif token.tag == "else" and may_else:
                return tuple(segments)
            elif token.tag.startswith("/"):
                if opener and token.tag[1:].strip() == _CLOSERS[opener]:
                    return tuple(segments)
                self.wrong(token.line, f"{{{{{token.tag}}}}} closes nothing that is open here.")
            elif segment := self.tag(token.tag, token.line, scope):
                segments.append(segment)
            self.at += 1
        if opener:
            self.wrong(line, f"{{{{{opener}}}}} is never closed: write {{{{/{_CLOSERS[opener]}}}}} after it.")
        return tuple(segments)

    def tag(self, tag: str, line: int, scope: dict[str, Json]) -> Segment | None:
        word, _, rest = tag.partition(" ")
        rest = rest.strip()
        if word in _CLOSERS:
            return self.opened(word, rest, line, scope)
        if word == "role":
            return self.role(rest, line)
        if tag == "history":
            return self.history(line, scope)
        if word == "else":
            return self.wrong(line, "{{else}} stands outside of {{#if}}, or a second time in it.")
        if word.startswith("#"):
            guess = near(word, _CLOSERS)
            return self.wrong(line, f"There is no block {{{{{word}}}}}.{did_you_mean(guess)} Known: #each, #if.")
        path, schema = self.path(tag, line, scope)
        if schema.get("type") in ("array", "object"):
            how = f"write {{{{#each {tag}}}}}" if schema["type"] == "array" else f"name a field: {{{{{tag}.…}}}}"
            return self.wrong(line, f"{tag} is {_kind(schema)}, not text: {how}.")
        return Value(path)

    def opened(self, word: str, rest: str, line: int, scope: dict[str, Json]) -> Segment:
        path, schema = self.path(rest, line, scope)
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise _TooDeep
        segment = self.each(path, schema, rest, line) if word == "#each" else self.condition(path, line, scope)
        self.depth -= 1
        return segment

    def each(self, path: tuple[str, ...], schema: Json, text: str, line: int) -> Each:
        if schema.get("type", "array") != "array":
            self.wrong(line, f"{{{{#each}}}} needs a list, and {text} is {_kind(schema)}.")
        number: Json = {"type": "integer"}
        item = {"this": cast("Json", schema.get("items", {})), "@index": number, "@number": number}
        return Each(path, self.block("#each", item, line))

    def condition(self, path: tuple[str, ...], line: int, scope: dict[str, Json]) -> If:
        then = self.block("#if", scope, line, may_else=True)
        otherwise: tuple[Segment, ...] = ()
        if self.at < len(self.tokens) and self.tokens[self.at].tag == "else":
            self.at += 1
            otherwise = self.block("#if", scope, line)
        return If(path, then, otherwise)

    def role(self, rest: str, line: int) -> Segment | None:
        role = rest[1:-1] if len(rest) > 1 and rest[0] == rest[-1] and rest[0] in "\"'" else ""
        if role in ROLES:
            return Start(role)
        if not role:
            return self.wrong(line, 'A role is written in quotes: {{role "system"}}.')
        return self.wrong(
            line, f"There is no role {role!r}.{did_you_mean(near(role, ROLES))} Known: {', '.join(ROLES)}."
        )

    def history(self, line: int, scope: dict[str, Json]) -> Segment | None:
        self.histories += 1
        if self.histories > 1 or scope:
            return self.wrong(line, "{{history}} stands in a prompt once, and not inside of {{#each}}.")
        return Start(HISTORY.role)

    def path(self, text: str, line: int, scope: dict[str, Json]) -> tuple[tuple[str, ...], Json]:
        """The names of a path and the schema of the value it leads to; `{}` where that is not known."""
        if not _PATH.fullmatch(text):
            self.wrong(line, f"{text!r} is no name. Write {{{{name}}}}, {{{{a.b}}}} or {{{{#each name}}}}.")
            return (), {}
        first, *rest = text.split(".")
        if first in ("this", "@index", "@number"):
            if first not in scope:
                self.wrong(line, f"{first} has a meaning only inside of {{{{#each}}}}.")
                return (), {}
            schema = scope[first]
        else:
            schema = self.variable(first, line, scope)
        for name in rest:
            schema = self.field(text, name, schema, line)
        return (first, *rest), schema

    def variable(self, name: str, line: int, scope: dict[str, Json]) -> Json:
        if self.variables is None or name in self.variables:
            self.names.add(name)
            return (self.variables or {}).get(name, {})
        fields = cast("Json", scope.get("this", {}).get("properties", {}))
        guess = f"this.{name}" if name in fields else near(name, self.variables)
        known = ", ".join(sorted(self.variables))
        self.wrong(line, f"There is no variable {name!r}.{did_you_mean(guess)} Known: {known}.")
        return {}

    def field(self, path: str, name: str, schema: Json, line: int) -> Json:
        if schema.get("type", "object") != "object":
            self.wrong(line, f"{path} asks for the field {name!r} of {_kind(schema)}.")
            return {}
        fields = cast("dict[str, Json]", schema.get("properties", {}))
        if fields and name not in fields:
            known = ", ".join(sorted(fields))
            self.wrong(line, f"{path}: there is no field {name!r}.{did_you_mean(near(name, fields))} Known: {known}.")
        return fields.get(name, {})

    def wrong(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))

    def _tokens(self, source: str, first_line: int) -> Iterator[_Token]:
        done = 0
        while (start := source.find("{{", done)) >= 0:
            line = first_line + source.count("\n", 0, start)
            if source[max(start - 1, done) : start] == "\\":
                yield _Token(line, source[done : start - 1] + "{{")
                done = start + 2
                continue
            close = "--}}" if source.startswith("{{!--", start) else "}}"
            end = source.find(close, start)
            if end < 0:
                self.wrong(line, f"{{{{ is never closed: write {close} after it (or \\{{{{ to mean the braces).")
                done = len(source)
                break
            tag = source[start + 2 : end].strip()
            end += len(close)
            before, after = _line_of(source, start, end) if _ALONE.match(tag) else (start, end)
            yield _Token(line, source[done : max(before, done)])
            if not tag.startswith("!"):
                yield _Token(line, "", tag)
            done = after
        yield _Token(0, source[done:])


def _line_of(source: str, start: int, end: int) -> tuple[int, int]:
    """The span of the whole line, with its end, if `source[start:end]` stands alone on it; else the same span."""
    begin = source.rfind("\n", 0, start) + 1
    stop = source.find("\n", end)
    stop = len(source) if stop < 0 else stop
    if source[begin:start].strip() or source[end:stop].strip():
        return start, end
    return begin, min(stop + 1, len(source))


def _kind(schema: Json) -> str:
    names = {"array": "a list", "object": "a record", "string": "text", "boolean": "true or false"}
    return names.get(str(schema.get("type")), "a number")
