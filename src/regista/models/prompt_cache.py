"""Where a prompt cache can find a request's beginning again: what stays the same from one request to the next.

Providers charge more for what they are told to keep and less for what they find again, so a beginning that changes is
not worth marking. It knows no wire: how a mark is written comes from who calls.
"""

from collections import OrderedDict
from collections.abc import Callable

from regista.core.digest import digest
from regista.core.nouns import Json, Request

KNOWN_BY = 200
"""Characters by which two texts are taken for versions of one."""
REMEMBERED = 256

Mark = Callable[[list[Json], int], None]
"""Marks the block at an index of a list: what stands up to there is to be kept."""


def key_of(request: Request) -> str:
    """One key for all requests with the same tools and the same system messages, as OpenAI's `prompt_cache_key`."""
    system = [message.content for message in request.messages if message.role in ("system", "developer")]
    return digest([request.rest.get("tools"), [tool.name for tool in request.tools], system])


class Heads:
    """Learns of texts that begin alike how far they stay the same: a system prompt up to its first passage."""

    def __init__(self) -> None:
        self._heads: OrderedDict[str, str] = OrderedDict()

    def stable(self, text: str) -> int:
        """How many characters of a text have stood at the head of every text like it; all of one never seen.

        >>> heads = Heads()
        >>> heads.stable("Be brief.\\nIt is noon."), heads.stable("Be brief.\\nIt is one.")
        (21, 10)
        """
        known_by = text[:KNOWN_BY] if len(text) > 2 * KNOWN_BY else ""
        head = _common(self._heads.get(known_by, text), text)
        self._heads[known_by] = head
        self._heads.move_to_end(known_by)
        if len(self._heads) > REMEMBERED:
            self._heads.popitem(last=False)
        return len(head)


def place(
    heads: Heads,
    tools: list[Json],
    system: list[Json],
    turns: list[Json],
    mark: Mark,
    is_document: Callable[[Json], bool],
) -> None:
    """Mark what stays: the tools with the system prompt, then documents, then a conversation that goes on.

    At most three marks, of the four that providers take. A system prompt that changes further down is cut in two, and
    what stands below it is left alone: nothing after a change is found again.
    """
    if not _mark_system(heads, tools, system, mark):
        return
    first = next((turn["content"] for turn in turns if turn["role"] == "user"), list[Json]())
    last_document = max((index for index, block in enumerate(first) if is_document(block)), default=-1)
    if last_document >= 0:
        mark(first, last_document)
    if turns and turns[-1]["role"] == "user" and any(turn["role"] == "assistant" for turn in turns):
        mark(turns[-1]["content"], len(turns[-1]["content"]) - 1)


def _mark_system(heads: Heads, tools: list[Json], system: list[Json], mark: Mark) -> bool:
    """Whether all of the system prompt stays."""
    for index, block in enumerate(system):
        text = str(block.get("text", ""))
        length = heads.stable(text)
        if length < len(text):
            if length:
                system[index : index + 1] = [block | {"text": text[:length]}, block | {"text": text[length:]}]
                mark(system, index)
            elif index or tools:
                mark(system if index else tools, (index or len(tools)) - 1)
            return False
    if system or tools:
        mark(system or tools, len(system or tools) - 1)
    return True


def _common(one: str, other: str) -> str:
    """What two texts begin with alike, up to the end of a line where they part in the midst of one."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return one[:high]
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return one[: one.rfind("\n", 0, low) + 1]
