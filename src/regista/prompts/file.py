"""A `.prompt` file: YAML front matter between `---` lines, then a template. It does not know who asks for it.

---
description: Answers from the documents.
model: default                  # one of the application's [models.*]
input:
  schema: {tone?: string}       # names beside those of the request path
  default: {tone: plain}
output:
  schema: {answer: string}
---
{{role "system"}} …
"""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

import msgspec
import yaml
from yaml.nodes import MappingNode, Node

from regista.core.digest import digest_bytes
from regista.core.errors import did_you_mean, near
from regista.core.nouns import Json, Prompt
from regista.prompts.compiler import compile
from regista.prompts.problems import Problem, PromptError
from regista.prompts.schema import json_schema
from regista.prompts.template import Template
from regista.prompts.variables import VARIABLES

LARGEST_PROMPT = 1 << 20
LARGEST_FRONT_MATTER = 1 << 16
DEEPEST = 16
KEYS: dict[str, dict[str, type]] = {
    "": {"model": str, "description": str, "input": dict, "output": dict},
    "input": {"schema": object, "default": dict},
    "output": {"schema": object, "format": str},
}
"""The keys of front matter, by the table they stand in, with their types."""
_NAMES: dict[type, str] = {str: "text", dict: "a table"}
_OPENERS = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSERS = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_Path = tuple[str, ...]


class PromptFile(msgspec.Struct, frozen=True):
    """A prompt and its compiled template. `lines` are where the front matter's keys stand, for messages.

    `text` is the whole file as its digest has it.
    """

    prompt: Prompt
    template: Template
    lines: Mapping[_Path, int]
    text: str


def parse(name: str, text: str) -> PromptFile:
    """Read a prompt file's text; raises `PromptError` with every mistake and its line.

    The digest ignores how lines end and a byte-order mark, so that it is the same on every machine.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LARGEST_PROMPT:
        raise PromptError(name, [Problem(0, f"A prompt has at most {LARGEST_PROMPT:,} characters.")])
    problems: list[Problem] = []
    front, body, first_line = _split(text, problems)
    lines: dict[_Path, int] = {}
    matter = _front_matter(front, lines, problems)
    given = cast("Json", matter.get("input", {}))
    inputs = _with_schema("input", given, lines, problems)
    outputs = _with_schema("output", cast("Json", matter.get("output", {})), lines, problems)
    declared = cast("dict[str, Json]", inputs.get("schema", {}).get("properties", {}))
    optional = frozenset(declared) - frozenset(cast("list[str]", inputs.get("schema", {}).get("required", ())))
    default = cast("Json", inputs.get("default", {}))
    try:
        template = compile(
            body,
            {name: {} for name in default} | declared | VARIABLES,
            optional=optional,
            defaults=default,
            name=name,
            first_line=first_line,
        )
    except PromptError as error:
        raise PromptError(name, [*problems, *error.problems]) from None
    if problems:
        raise PromptError(name, problems)
    prompt = Prompt(name, body, digest_bytes(text.encode()), str(matter.get("model", "")), inputs, outputs)
    return PromptFile(prompt, template, lines, text)


def _split(text: str, problems: list[Problem]) -> tuple[str, str, int]:
    """Front matter, body, and the file's line the body begins on."""
    if not text.startswith("---\n"):
        return "", text, 1
    end = text.find("\n---", 3)
    stop = text.find("\n", end + 1)
    if end < 0 or text[end + 4 : stop if stop >= 0 else None].strip():
        problems.append(Problem(1, "The front matter is never closed: write --- on a line of its own after it."))
        return "", "", 1
    body = text[stop + 1 :] if stop >= 0 else ""
    return text[4 : end + 1], body, text.count("\n", 0, stop + 1) + 1


def _front_matter(front: str, lines: dict[_Path, int], problems: list[Problem]) -> Json:
    """The front matter as plain data, its mistakes and the line of every key (the file's first line is `---`)."""
    if len(front) > LARGEST_FRONT_MATTER:
        problems.append(Problem(1, f"Front matter has at most {LARGEST_FRONT_MATTER:,} characters."))
        return {}
    try:
        _refuse_tricks(front)
        _key_lines(yaml.SafeLoader(front).get_single_node(), (), lines, problems)
        matter: object = yaml.safe_load(front)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        problems.append(Problem(line, f"This is not valid YAML: {error.problem or error.context}."))
        return {}
    except yaml.YAMLError as error:
        problems.append(Problem(1, f"This is not valid YAML: {str(error).splitlines()[0]}."))
        return {}
    except ValueError as error:
        problems.append(Problem(1, f"A value cannot be read: {error}."))
        return {}
    if matter is None:
        return {}
    if not isinstance(matter, dict):
        problems.append(Problem(2, "Front matter is a table of keys and values, such as `model: default`."))
        return {}
    return _known("", cast("Json", matter), lines, problems)


def _refuse_tricks(front: str) -> None:
    """No aliases (a few lines of them make gigabytes) and no deep nesting (it would exhaust the stack)."""
    depth = 0
    scan = cast("Callable[[str, type], Iterator[yaml.Token]]", yaml.scan)  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
    for token in scan(front, yaml.SafeLoader):
        if isinstance(token, (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken)):
            raise yaml.MarkedYAMLError(problem="anchors, aliases and tags are not taken", problem_mark=token.start_mark)
        opens = isinstance(token, _OPENERS)
        closes = isinstance(token, _CLOSERS)
        depth += opens - closes
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"more than {DEEPEST} levels deep", problem_mark=token.start_mark)


def _key_lines(node: Node | None, path: _Path, lines: dict[_Path, int], problems: list[Problem]) -> None:
    if not isinstance(node, MappingNode):
        return
    for key, value in node.value:
        at = (*path, str(key.value))
        line = key.start_mark.line + 2
        if at in lines:
            problems.append(Problem(line, f"{'.'.join(at)} stands here twice; first on line {lines[at]}."))
        lines[at] = line
        _key_lines(value, at, lines, problems)


def _known(table: str, given: Json, lines: Mapping[_Path, int], problems: list[Problem]) -> Json:
    """Check one table's keys and types; what is right of it."""
    right: Json = {}
    for key, value in given.items():
        at = (table, str(key)) if table else (str(key),)
        kind = KEYS[table].get(str(key))
        if kind is None:
            known = ", ".join(sorted(KEYS[table]))
            guess = did_you_mean(near(str(key), KEYS[table]))
            problems.append(Problem(lines.get(at, 0), f"There is no key {'.'.join(at)!r}.{guess} Known: {known}."))
        elif not isinstance(value, kind):
            problems.append(Problem(lines.get(at, 0), f"{'.'.join(at)} must be {_NAMES[kind]}."))
        else:
            right[key] = _known(key, cast("Json", value), lines, problems) if key in KEYS else value
    return right


def _with_schema(table: str, given: Json, lines: Mapping[_Path, int], problems: list[Problem]) -> Json:
    """The table with its schema in JSON Schema."""
    if "schema" not in given:
        return given
    schema, wrong = json_schema(given["schema"])
    for at, message in wrong:
        path = (table, "schema", *at)
        problems.append(Problem(lines.get(path, lines.get((table, "schema"), 0)), message))
    return given | {"schema": schema}
