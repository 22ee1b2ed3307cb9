"""What translations of OpenAI-shaped requests share: messages walked, fields merged, and what cannot be said refused.

It knows OpenAI's shapes (https://developers.openai.com/api/reference/resources/chat) and no other provider's words.
"""

import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Tool

SYSTEM = ("system", "developer")
HINTS = frozenset(
    (
        "logit_bias",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "store",
        "stream_options",
        "verbosity",
    )
)
"""OpenAI's fields that others would refuse and whose absence leaves the answer one to the same question."""
REFUSED: Mapping[str, tuple[object, ...]] = {
    "audio": (),
    "function_call": (),
    "functions": (),
    "modalities": (["text"],),
    "n": (1,),
    "web_search_options": (),
}
"""OpenAI's fields that are honoured nowhere else, with the values that ask for nothing."""
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[^,]*)?;base64,(.*)", re.DOTALL)
T = TypeVar("T")


class Words(Struct, frozen=True):
    """A provider's words for OpenAI's fields: those it has (`fields`), and what `other` makes of unknown ones.

    `refused` are those it cannot honour, with the values that ask for nothing; `dropped` ones are mere hints.
    """

    provider: str
    dropped: frozenset[str]
    refused: Mapping[str, tuple[object, ...]]
    fields: Mapping[str, Callable[[Any], Json]]
    other: Callable[[str, Any], Json] = lambda name, value: {name: value}

    def of(self, rest: Json) -> Json:
        """Fields of a request as the provider's own. Raises `RequestError` for what it cannot be asked for."""
        result: Json = {}
        for name, value in rest.items():
            if value is not None and name not in self.dropped:
                _merge(result, self._translated(name, value))
        return result

    def _translated(self, name: str, value: Any) -> Json:
        if name in self.refused:
            if value in self.refused[name]:
                return {}
            raise RequestError(f"{self.provider} has nothing like {name}={value!r} here: leave it out.", param=name)
        try:
            return self.fields[name](value) if name in self.fields else self.other(name, value)
        except (AttributeError, KeyError, TypeError) as error:
            raise RequestError(
                f"{name} is not shaped as OpenAI's API describes it ({type(error).__name__}: {error}).", param=name
            ) from None


def _merge(result: Json, more: Json) -> None:
    """Add fields; parts of one structure become one."""
    for name, value in more.items():
        before = result.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = cast("Json", before) | cast("Json", value)
        result[name] = value


def turns(
    messages: Iterable[Message],
    said: Callable[[Message], list[Json]],
    *,
    model: str = "assistant",
    content: str = "content",
) -> list[Json]:
    """Messages as turns of `user` and `model`; neighbours of one role become one turn, what says nothing is left out.

    Tool results are said by the user. System messages are left out: they have their own field. `said` gives a message's
    parts, which stand in the field `content`.
    """
    roles = {"user": "user", "tool": "user", "assistant": model}
    result: list[Json] = []
    for index, message in enumerate(messages):
        if message.role in SYSTEM:
            continue
        role = roles.get(message.role)
        if role is None:
            where, known = f"messages[{index}]", ", ".join((*SYSTEM, *roles))
            raise RequestError(f"{where} has the role {message.role!r}. Known: {known}.", param=f"{where}.role")
        with _shaped(index, message):
            parts = said(message)
        if parts and result and result[-1]["role"] == role:
            result[-1][content] += parts
        elif parts:
            result.append({"role": role, content: parts})
    return result


def system(messages: Iterable[Message], made: Callable[[Content], list[Json]]) -> list[Json]:
    """What system messages say, each content as `made` makes it."""
    result: list[Json] = []
    for index, message in enumerate(messages):
        if message.role in SYSTEM:
            with _shaped(index, message):
                result += made(message.content)
    return result


@contextmanager
def _shaped(index: int, message: Message) -> Generator[None]:
    """Says of a message that it is not shaped as it should be, where that shows."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        where = f"messages[{index}]"
        raise RequestError(
            f"{where} is not shaped as OpenAI's API describes a message of the role {message.role!r} "
            f"({type(error).__name__}: {error}).",
            param=where,
        ) from None


def parts_of(content: Content) -> list[Json]:
    """Content as a list of OpenAI's parts."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def arguments_of(written: str, provider: str) -> Json:
    """A call's arguments as an object; a call without arguments may have no text at all."""
    try:
        return msgspec.json.decode(written or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RequestError(
            f"The arguments of a tool call are not a JSON object ({error}): {written[:80]!r}. "
            f"{provider} takes no others: repair or leave out the call.",
            param="messages",
        ) from None


def file_of(part: Json, provider: str) -> dict[str, str]:
    """The file of a part, which has its data with it."""
    file = cast("dict[str, str]", part["file"])
    if "file_data" not in file:
        raise RequestError(f"A file for {provider} must come with its data: it does not know OpenAI's file ids.")
    return file


def data_of(url: str, what: str, takes: str) -> tuple[str, str]:
    """The media type of a data URL, and its data in base64. The error says that `what` `takes` something else."""
    found = DATA_URL.fullmatch(url)
    if found is None:
        raise RequestError(f"{what} {takes}, not {url[:40]!r}.", param="messages")
    return found[1], found[2]


def function_of(tool: Tool) -> Json:
    """An application's tool as a client's function."""
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def choice_of(choice: str, modes: Mapping[str, T]) -> T:
    """A `tool_choice` in a word, which a provider has another for."""
    if choice not in modes:
        known = ", ".join(modes)
        raise RequestError(f"tool_choice {choice!r} is unknown. Known: {known}, or a function.", param="tool_choice")
    return modes[choice]
