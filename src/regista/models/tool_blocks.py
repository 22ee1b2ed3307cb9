"""Calls of tools in a stream whose content comes in numbered blocks, as Anthropic's and Bedrock's. Knows no wire."""

from regista.core.nouns import Delta, ToolCallPart


class ToolBlocks:
    """Numbers the calls of one answer in the order in which their blocks begin."""

    __slots__ = ("_bare", "_places")

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        """Block to position among the calls."""
        self._bare: set[int] = set()
        """Blocks of calls that have no arguments so far."""

    def open(self, block: int, call_id: str, name: str) -> Delta:
        """A block that is a call begins."""
        self._places[block] = len(self._places)
        self._bare.add(block)
        return Delta(tool_calls=(ToolCallPart(self._places[block], call_id, name),))

    def add(self, block: int, arguments: str) -> Delta | None:
        """A piece of a call's arguments; None where the block is no call, or nothing comes."""
        if not arguments or block not in self._places:
            return None
        self._bare.discard(block)
        return Delta(tool_calls=(ToolCallPart(self._places[block], arguments=arguments),))

    def close(self, block: int) -> Delta | None:
        """A block has ended: a call without arguments has an empty object of them."""
        if block not in self._bare:
            return None
        self._bare.discard(block)
        return Delta(tool_calls=(ToolCallPart(self._places[block], arguments="{}"),))
