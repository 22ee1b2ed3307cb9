"""The items of a Responses answer while they stream: each says how it begins, goes on and ends. No I/O.

https://platform.openai.com/docs/api-reference/responses-streaming. An event here is a name and its fields without a
number; whoever sends it counts.
"""

from regista.core.nouns import Json

Event = tuple[str, Json]


class Said:
    """A message with one part, of text or of refusal."""

    def __init__(self, answer_id: str, index: int, refused: bool) -> None:
        self.kind = ("message", refused)
        self._refused = refused
        self._id = f"msg_{answer_id}_{index}"
        self._place: Json = {"item_id": self._id, "output_index": index, "content_index": 0}
        self._index = index
        self._texts: list[str] = []
        self._logprobs: list[Json] = []

    def begin(self) -> list[Event]:
        item = message_item(self._id, [], "in_progress")
        return [
            ("response.output_item.added", {"output_index": self._index, "item": item}),
            ("response.content_part.added", {**self._place, "part": part("", (), self._refused)}),
        ]

    def add(self, text: str, logprobs: tuple[Json, ...]) -> list[Event]:
        self._texts.append(text)
        if self._refused:
            return [("response.refusal.delta", {**self._place, "delta": text})]
        self._logprobs += logprobs
        return [("response.output_text.delta", {**self._place, "delta": text, "logprobs": list(logprobs)})]

    def end(self, status: str) -> tuple[list[Event], Json]:
        text = "".join(self._texts)
        whole = part(text, tuple(self._logprobs), self._refused)
        item = message_item(self._id, [whole], status)
        done: Event = ("response.output_text.done", {**self._place, "text": text, "logprobs": self._logprobs})
        if self._refused:
            done = ("response.refusal.done", {**self._place, "refusal": text})
        return [
            done,
            ("response.content_part.done", {**self._place, "part": whole}),
            ("response.output_item.done", {"output_index": self._index, "item": item}),
        ], item


class Thought:
    """Reasoning, as a summary: what a provider shows of it is one."""

    def __init__(self, answer_id: str, index: int) -> None:
        self.kind = ("reasoning",)
        self.seal = ""
        self._id = f"rs_{answer_id}_{index}"
        self._place: Json = {"item_id": self._id, "output_index": index, "summary_index": 0}
        self._index = index
        self._texts: list[str] = []

    def begin(self) -> list[Event]:
        item = reasoning_item(self._id, "", "")
        return [("response.output_item.added", {"output_index": self._index, "item": item})]

    def add(self, text: str) -> list[Event]:
        empty = {"type": "summary_text", "text": ""}
        added: Event = ("response.reasoning_summary_part.added", {**self._place, "part": empty})
        events = [] if self._texts else [added]
        self._texts.append(text)
        return [*events, ("response.reasoning_summary_text.delta", {**self._place, "delta": text})]

    def end(self, status: str) -> tuple[list[Event], Json]:
        text = "".join(self._texts)
        item = reasoning_item(self._id, text, self.seal)
        done: list[Event] = [
            ("response.reasoning_summary_text.done", {**self._place, "text": text}),
            ("response.reasoning_summary_part.done", {**self._place, "part": {"type": "summary_text", "text": text}}),
        ]
        # One that is all seal (Anthropic's redacted thinking) has no summary, and so no part of one.
        return [
            *(done if text else ()),
            ("response.output_item.done", {"output_index": self._index, "item": item}),
        ], item


class Called:
    """A call of a function. `call` is its place among the calls of the answer."""

    def __init__(self, answer_id: str, index: int, call: int, call_id: str, name: str) -> None:
        self.kind = ("function_call", call)
        self._id = f"fc_{answer_id}_{index}"
        self._place: Json = {"item_id": self._id, "output_index": index}
        self._index = index
        self._call_id = call_id
        self._name = name
        self._arguments: list[str] = []

    def begin(self) -> list[Event]:
        item = call_item(self._id, self._call_id, self._name, "", "in_progress")
        return [("response.output_item.added", {"output_index": self._index, "item": item})]

    def add(self, arguments: str) -> list[Event]:
        self._arguments.append(arguments)
        return [("response.function_call_arguments.delta", {**self._place, "delta": arguments})] if arguments else []

    def end(self, status: str) -> tuple[list[Event], Json]:
        arguments = "".join(self._arguments)
        item = call_item(self._id, self._call_id, self._name, arguments, status)
        done = {**self._place, "name": self._name, "arguments": arguments}
        return [
            ("response.function_call_arguments.done", done),
            ("response.output_item.done", {"output_index": self._index, "item": item}),
        ], item


def part(text: str, logprobs: tuple[Json, ...], refused: bool) -> Json:
    """A part of a message."""
    if refused:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(logprobs)}


def message_item(item_id: str, content: list[Json], status: str) -> Json:
    """A message of the model's."""
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": content}


def reasoning_item(item_id: str, text: str, seal: str) -> Json:
    """What the model thought; the provider's seal is what the API calls encrypted content."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"id": item_id, "type": "reasoning", "summary": summary} | ({"encrypted_content": seal} if seal else {})


def call_item(item_id: str, call_id: str, name: str, arguments: str, status: str) -> Json:
    """A call of a function."""
    called = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": item_id, "type": "function_call", "status": status, **called}
