import threading
from types import ModuleType
from typing import Annotated, Literal

import pytest

from regista.core.errors import ConfigurationError, RequestError
from regista.core.nouns import ToolCall
from regista.serve.agents.tools import Facts, Toolbox, tool

stop = threading.Event()


@tool(asks=(r"who is (?P<name>.+)\?",))
def find(name: str, limit: Annotated[int, "at most so many"] = 3, side: Literal["left", "right"] = "left") -> Facts:
    """Find a person
    by name.

    More that a model need not read.

    Args:
        name: Any part of the name,
            accents or not.
    """
    return Facts((f"Found {name}\n{limit} times on the {side}.",), ({"id": 1, "name": "a|b"}, {"id": 2, "age": None}))


@tool()
def count() -> dict[str, int]:
    """Count."""
    return {"n": 3}


@tool()
def say(words: list[str]) -> str:
    """Say words."""
    return " ".join(words)


@tool(writes=True)
def erase() -> str:
    """Erase everything."""
    raise AssertionError("a tool that writes must not run")


@tool()
def refuse() -> str:
    """Refuse."""
    raise RequestError("Not on a Sunday.")


@tool()
def fail(how: str) -> str:
    """Fail."""
    raise {"stop": StopIteration, "exit": SystemExit}.get(how, ValueError)("no such thing")


@tool()
def hang() -> str:
    """Hang."""
    stop.wait(30)
    return "late"


def plain() -> str:
    return "not a tool"


@pytest.fixture
def box() -> Toolbox:
    module = ModuleType("tools")
    for value in (find, count, say, erase, refuse, fail, hang, plain):
        setattr(module, value.__name__, value)
    return Toolbox.of(module, seconds=5)


def call(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall("c1", name, arguments)


def test_only_marked_functions_are_tools_in_the_order_they_are_written(box: Toolbox) -> None:
    assert [t.name for t in box.tools] == ["find", "count", "say", "erase", "refuse", "fail", "hang"]
    assert [t.name for t in box.tools if t.writes] == ["erase"]


def test_a_tool_is_described_by_its_docstring_and_its_types(box: Toolbox) -> None:
    described = box.tools[0]
    assert described.description == "Find a person by name."
    assert described.asks == (r"who is (?P<name>.+)\?",)
    assert described.parameters == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Any part of the name, accents or not."},
            "limit": {"type": "integer", "description": "at most so many", "default": 3},
            "side": {"enum": ["left", "right"], "default": "left"},
        },
        "required": ["name"],
        "additionalProperties": False,
    }


async def test_facts_come_back_as_lines_then_a_table(box: Toolbox) -> None:
    assert await box.run(call("find", '{"name": "Ann", "limit": 2}')) == (
        "Found Ann 2 times on the left.\n\n| id | name | age |\n| --- | --- | --- |\n| 1 | a\\|b |  |\n| 2 |  |  |"
    )


async def test_a_string_comes_back_as_it_is_and_anything_else_as_json(box: Toolbox) -> None:
    assert await box.run(call("say", '{"words": ["well", "played"]}')) == "well played"
    assert await box.run(call("count", "")) == '{"n":3}'


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("{}", "missing required field `name`"),
        ('{"name": 3}', "Expected `str`, got `int`"),
        ('{"name": "x", "side": "up"}', "Invalid enum value 'up'"),
        ('{"name": "x", "nmae": "y"}', "unknown field `nmae`"),
        ('{"name": "x"', "truncated"),
        ("[]", "Expected `object`"),
    ],
)
async def test_wrong_arguments_are_answered_with_what_is_wrong_and_what_it_takes(
    box: Toolbox, arguments: str, says: str
) -> None:
    answer = await box.run(call("find", arguments))
    assert answer.startswith("error: wrong arguments for find:")
    assert says in answer
    assert "name (string), limit (integer, optional)" in answer


async def test_an_unknown_tool_is_answered_with_the_near_name(box: Toolbox) -> None:
    answer = await box.run(call("fnd"))
    assert answer.startswith("error: There is no tool 'fnd'. Did you mean 'find'?")


async def test_a_tool_that_writes_waits_for_approval(box: Toolbox) -> None:
    assert "needs a person's approval" in await box.run(call("erase"))


async def test_a_failure_is_answered_not_raised(box: Toolbox) -> None:
    assert await box.run(call("refuse")) == "error: Not on a Sunday."
    assert await box.run(call("fail", '{"how": "value"}')) == "error: fail failed (ValueError: no such thing)."
    assert await box.run(call("fail", '{"how": "stop"}')) == "error: fail failed (RuntimeError: StopIteration)."
    assert await box.run(call("fail", '{"how": "exit"}')) == "error: fail failed (RuntimeError: SystemExit)."


async def test_a_tool_that_hangs_is_given_up(box: Toolbox) -> None:
    try:
        answer = await Toolbox(box.entries, seconds=0.05).run(call("hang"))
    finally:
        stop.set()
    assert answer == "error: hang was given up after 0.05 s. Ask for less at once."


def test_a_pattern_that_names_no_argument_is_refused_when_it_is_written() -> None:
    with pytest.raises(ConfigurationError, match="no argument 'player'"):
        tool(asks=(r"who is (?P<player>.+)",))(say)


def test_a_tool_without_docstring_or_types_is_refused() -> None:
    @tool()
    def bare() -> str:
        return ""

    @tool()
    def untyped(x) -> str:  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]
        """Untyped."""
        return str(x)  # pyright: ignore[reportUnknownArgumentType]

    marked: list[tuple[object, str]] = [(bare, "no docstring"), (untyped, "argument 'x'")]
    for function, says in marked:
        module = ModuleType("tools")
        module.__dict__["f"] = function
        with pytest.raises(ConfigurationError, match=says):
            Toolbox.of(module)
