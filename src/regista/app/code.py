"""Reads an application's Python files without running them: whether each parses, and its tools are whole."""

import ast
from collections.abc import Iterator

from msgspec import Struct

from regista.app.mistakes import Mistake

Function = ast.FunctionDef | ast.AsyncFunctionDef


class ToolFunction(Struct, frozen=True):
    """A function that is marked with `@tool`."""

    name: str
    line: int
    writes: bool


def parse(file: str, source: bytes) -> tuple[ast.Module | None, list[Mistake]]:
    """The module's tree, or why it does not parse and where."""
    try:
        return ast.parse(source, file), []
    except SyntaxError as error:
        return None, [Mistake(file, error.lineno or 1, f"This is not valid Python: {error.msg}.")]
    except (ValueError, RecursionError, MemoryError) as error:
        return None, [Mistake(file, 1, f"This is not valid Python: {error}.")]


def tools(file: str, module: ast.Module) -> tuple[list[ToolFunction], list[Mistake]]:
    """The tools a module defines, and what keeps a model from using them."""
    found: dict[str, ToolFunction] = {}
    mistakes: list[Mistake] = []
    for function in module.body:
        if not isinstance(function, Function) or (mark := _mark(function)) is None:
            continue
        line = function.lineno
        if function.name in found:
            first = found[function.name].line
            mistakes.append(
                Mistake(file, line, f"There are two tools {function.name!r}; the other is on line {first}.")
            )
        mistakes += (Mistake(file, at, message) for at, message in _flaws(function))
        writes = any(keyword.arg == "writes" and _is_true(keyword.value) for keyword in mark.keywords)
        found[function.name] = ToolFunction(function.name, line, writes)
    return list(found.values()), mistakes


def _mark(function: Function) -> ast.Call | None:
    """The call `tool(…)` or `regista.tool(…)` above a function; a bare `@tool` counts as one."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if (isinstance(called, ast.Name) and called.id == "tool") or (
            isinstance(called, ast.Attribute) and ast.unparse(called) == "regista.tool"
        ):
            return decorator if isinstance(decorator, ast.Call) else ast.Call(called, [], [])
    return None


def _flaws(function: Function) -> Iterator[tuple[int, str]]:
    name, arguments = function.name, function.args
    if any(not isinstance(d, ast.Call) and ast.unparse(d) in ("tool", "regista.tool") for d in function.decorator_list):
        yield function.lineno, f"Write @tool() above {name}, with the parentheses."
    if not ast.get_docstring(function):
        yield function.lineno, f"The tool {name} has no docstring, which is its description for a model."
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.annotation is None:
            yield argument.lineno, f"The tool {name}: give its argument {argument.arg!r} a type."
    for argument in filter(None, (arguments.vararg, arguments.kwarg)):
        yield argument.lineno, f"The tool {name}: a model cannot fill *{argument.arg}; name each argument."


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True
