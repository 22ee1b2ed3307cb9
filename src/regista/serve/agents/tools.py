"""Typed functions as tools: `@tool` marks one, `Toolbox` describes a module's tools and runs them.

It knows neither models nor providers: a call comes in as a `ToolCall`, a text goes out. Whatever
goes wrong with a call is answered as text that starts with `error:`, so that a model can mend it.
"""

import asyncio
import contextvars
import inspect
import logging
import re
import textwrap
import threading
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Struct

from regista.core.errors import ConfigurationError, RegistaError, UnknownNameError
from regista.core.nouns import Json, Tool, ToolCall

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__regista_tool__"
_log = logging.getLogger(__name__)


class Facts(Struct, frozen=True):
    """What a tool found: sentences that may be quoted as they stand, and the rows they rest on.

    >>> print(Facts(("Two matches.",), ({"match": 1, "score": "2-1"}, {"match": 2, "score": "0-0"})).text())
    Two matches.
    <BLANKLINE>
    | match | score |
    | --- | --- |
    | 1 | 2-1 |
    | 2 | 0-0 |
    """

    statements: tuple[str, ...]
    rows: tuple[dict[str, Any], ...] = ()

    def text(self) -> str:
        """Statements, one per line; then a blank line and the rows as a Markdown table."""
        lines = [" ".join(statement.split()) for statement in self.statements]
        if not self.rows:
            return "\n".join(lines)
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        table = [columns, ["---"] * len(columns)]
        table += [[_cell(row.get(column)) for column in columns] for row in self.rows]
        return "\n".join([*lines, "", *("| " + " | ".join(cells) + " |" for cells in table)])


def tool(*, asks: tuple[str, ...] = (), writes: bool = False) -> Callable[[F], F]:
    """Mark a typed function as a tool; the function itself stays as it is.

    Its description is the first paragraph of its docstring. An argument is documented in a section
    `Args:` (`name: what it is`) or by `Annotated[str, "what it is"]`. `asks` are regular expressions
    with one named group per argument (see `Tool`); `writes` says that the tool changes something.
    """

    def mark(function: F) -> F:
        parameters = inspect.signature(function).parameters
        for pattern in asks:
            if unknown := set(re.compile(pattern).groupindex) - set(parameters):
                raise ConfigurationError(
                    f"The tool {function.__name__} has no argument {min(unknown)!r}, which its pattern "
                    f"{pattern!r} names. Its arguments: {', '.join(parameters) or 'none'}."
                )
        setattr(function, _MARK, (asks, writes))
        return function

    return mark


@dataclass(frozen=True)
class _Entry:
    tool: Tool
    function: Callable[..., Any]
    arguments: type[Struct]


@dataclass(frozen=True)
class Toolbox:
    """The tools of an application, in the order they are written."""

    entries: Mapping[str, _Entry] = field(default_factory=dict[str, _Entry])
    seconds: float = 10.0

    @classmethod
    def of(cls, module: ModuleType, *, seconds: float = 10.0) -> "Toolbox":
        """The marked functions of a module, imported ones included; each may run for `seconds`."""
        marked = [f for f in vars(module).values() if inspect.isfunction(f) and hasattr(f, _MARK)]
        return cls({function.__name__: _describe(function) for function in marked}, seconds)

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(entry.tool for entry in self.entries.values())

    async def run(self, call: ToolCall) -> str:
        """The result of a call as text: a string as it is, `Facts` as their text, anything else as JSON."""
        entry = self.entries.get(call.name)
        if entry is None:
            return f"error: {UnknownNameError('tool', call.name, self.entries)}"
        try:
            arguments = msgspec.json.decode(call.arguments or "{}", type=entry.arguments)
        except msgspec.DecodeError as error:
            return f"error: wrong arguments for {call.name}: {error}. It takes: {_signature(entry.tool)}."
        if entry.tool.writes:
            return f"{call.name} changes something and needs a person's approval first. It was not run."
        named = {name: getattr(arguments, name) for name in arguments.__struct_fields__}
        try:
            async with asyncio.timeout(self.seconds):
                return _text(await _in_thread(entry.function, named))
        except TimeoutError:
            return f"error: {call.name} was given up after {self.seconds:g} s. Ask for less at once."
        except RegistaError as error:
            return f"error: {error.message}"
        except Exception as error:  # noqa: BLE001 - the edge between a person's function and the model
            _log.warning("The tool %s failed", call.name, exc_info=error)
            return f"error: {call.name} failed ({type(error).__name__}: {error})."


async def _in_thread(function: Callable[..., Any], named: Json) -> object:
    """Call a function off the event loop.

    The thread is a daemon of its own: a function that never returns then holds up neither the
    event loop's pool nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: object, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result: object = None
        failure: BaseException | None = None
        try:
            result = context.run(function, **named)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - handed to the waiting coroutine, which answers it
            # A future refuses StopIteration, which would leave its waiter waiting, and SystemExit would end the server.
            is_told = not isinstance(error, StopIteration | SystemExit)
            failure = error if is_told else RuntimeError(type(error).__name__)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=f"tool {function.__name__}", daemon=True).start()
    return await future


def _text(result: object) -> str:
    if isinstance(result, str):
        return result
    if isinstance(result, Facts):
        return result.text()
    return msgspec.json.encode(result).decode()


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).replace("|", "\\|").split())


def _describe(function: Callable[..., Any]) -> _Entry:
    asks, writes = cast("tuple[tuple[str, ...], bool]", getattr(function, _MARK))
    docstring = inspect.getdoc(function) or ""
    if not docstring:
        raise ConfigurationError(
            f"The tool {function.__name__} has no docstring, which is its description for a model."
        )
    arguments = _arguments(function, _argument_docs(docstring))
    description = " ".join(docstring.split("\n\n")[0].split())
    return _Entry(Tool(function.__name__, description, _schema(arguments), asks, writes), function, arguments)


def _arguments(function: Callable[..., Any], documented: Mapping[str, str]) -> type[Struct]:
    """A struct whose fields are the function's parameters: what validates a call and yields its schema."""
    hints = typing.get_type_hints(function, include_extras=True)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in hints or parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigurationError(f"The tool {function.__name__}: give its argument {name!r} a name and a type.")
        hint = _with_help(hints[name], documented.get(name, ""))
        required = parameter.default is inspect.Parameter.empty
        fields.append((name, hint) if required else (name, hint, parameter.default))
    return msgspec.defstruct(function.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def _with_help(hint: Any, documented: str) -> Any:
    """The type with its help as msgspec's metadata, where a schema takes its description from."""
    inner, *extras = (hint.__origin__, *hint.__metadata__) if typing.get_origin(hint) is Annotated else (hint,)
    written = next((extra for extra in extras if isinstance(extra, str)), documented)
    for meta in (extra for extra in extras if isinstance(extra, msgspec.Meta)):
        inner = Annotated[inner, meta]
    return Annotated[inner, msgspec.Meta(description=written)] if written else inner


def _schema(arguments: type[Struct]) -> Json:
    (_,), components = msgspec.json.schema_components((arguments,), ref_template="#/$defs/{name}")
    own = components.pop(arguments.__name__)
    own.pop("title", None)
    return own | ({"$defs": components} if components else {})


def _argument_docs(docstring: str) -> dict[str, str]:
    """The entries of a docstring's section `Args:`; an entry may go on in further-indented lines.

    >>> _argument_docs("What it does.\\n\\nArgs:\\n    name: A player's\\n        name.\\n    n: How many.\\n")
    {'name': "A player's name.", 'n': 'How many.'}
    """
    section = re.search(r"^Args:[ \t]*\n((?:[ \t]+.*(?:\n|$)|\n)+)", docstring, re.MULTILINE)
    if section is None:
        return {}
    entries = re.findall(r"^(\w+)[^:\n]*:[ \t]*(.*(?:\n[ \t]+.*)*)", textwrap.dedent(section[1]), re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _signature(described: Tool) -> str:
    required = described.parameters.get("required", [])
    properties = cast("dict[str, Json]", described.parameters.get("properties", {}))
    return (
        ", ".join(
            f"{name} ({schema.get('type', 'value')}{'' if name in required else ', optional'})"
            for name, schema in properties.items()
        )
        or "nothing"
    )
