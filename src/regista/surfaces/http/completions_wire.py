"""Legacy completions on the wire: prompts made into chats, their answers written as completions. No I/O.

https://platform.openai.com/docs/api-reference/completions. Models that chat are asked with the prompt as the user's
message: none continues a text here, so what only such a model can do is refused.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from regista.core.errors import RegistaError, RequestError
from regista.core.nouns import Delta, Json, Message, Request, Response, Usage
from regista.surfaces.http.answering import Asked
from regista.surfaces.http.chat_wire import usage_wire
from regista.surfaces.http.reading import Choices, Penalty, Positive, Share, Temperature, read, refuse
from regista.surfaces.http.wire import encode, error_body

MAX_CHOICES = 128
"""Prompts times `n` that one request may have."""
_CHAT = "Ask at /v1/chat/completions."
REFUSED: dict[str, tuple[tuple[object, ...], str]] = {
    "best_of": ((1,), "Ask for that many with 'n' and choose."),
    "functions": ((), _CHAT),
    "messages": ((), _CHAT),
    "suffix": (("",), "No model here fills in between two texts."),
    "tools": (([],), _CHAT),
}
"""Fields that cannot be honoured, with the values that ask for nothing and what to do instead."""
TRANSLATED = ("echo", "logprobs", "max_tokens", "model", "n", "prompt", "stream")
FINISH = {"tool_calls": "stop"}


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Completion(Struct):
    """The fields Regista reads or has bounds for; others that chat completions have too pass through unread."""

    model: str
    prompt: str | list[Any] = ""
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    echo: bool | None = None
    n: Choices | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    max_tokens: Positive | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None


def requests_of(body: Json) -> list[Request]:
    """A chat request for each choice that is asked for; raises `RequestError` naming what is wrong."""
    refuse(body, REFUSED)
    asked = read(body, _Completion, "a completion")
    prompts: list[Any] = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
    if not prompts or not all(isinstance(prompt, str) and prompt for prompt in prompts):
        raise RequestError(
            "'prompt' takes a text or a list of texts, none of them empty. Lists of tokens are not known here: "
            "every model has its own.",
            param="prompt",
        )
    if len(prompts) * (asked.n or 1) > MAX_CHOICES:
        raise RequestError(f"{len(prompts)} prompts times 'n' make more than {MAX_CHOICES} choices.", param="n")
    if asked.echo and asked.logprobs is not None:
        raise RequestError("The log-probabilities of a prompt are not known: leave out 'echo'.", param="echo")
    rest = {name: value for name, value in body.items() if value is not None and name not in (*TRANSLATED, *REFUSED)}
    rest |= {"max_completion_tokens": asked.max_tokens} if asked.max_tokens is not None else {}
    rest |= {"logprobs": True, "top_logprobs": asked.logprobs} if asked.logprobs is not None else {}
    messages = [(Message("user", prompt),) for prompt in prompts for _ in range(asked.n or 1)]
    return [Request(asked.model, message, bool(asked.stream), rest=rest) for message in messages]


def whole(asked: Sequence[Asked]) -> bytes:
    """All answers as one `text_completion`, their usage added up."""
    choices = [_choice(index, one, one.serving.response) for index, one in enumerate(asked)]
    used = sum((one.serving.response.usage or Usage() for one in asked), Usage())
    return encode(_head(asked[0]) | {"choices": choices, "usage": usage_wire(used)} | _extension(asked[0]))


class Chunks:
    """Writes the deltas of one choice after the other as `text_completion` events, and `[DONE]` when all are whole."""

    def __init__(self, first: Asked) -> None:
        self._head = _head(first)
        self._offset = 0

    def begin(self, index: int, asked: Asked) -> bytes:
        """The prompt of a choice, where it is to be said too."""
        self._offset = 0
        return self._event([_said(index, asked.request.question)]) if asked.body.get("echo") else b""

    def write(self, index: int, delta: Delta) -> bytes:
        """The event of a delta; none where it adds nothing."""
        if not delta.text and delta.finish is None:
            return b""
        logprobs = _logprobs(delta.logprobs, self._offset)
        self._offset += len(delta.text)
        finish = FINISH.get(delta.finish or "", delta.finish)
        return self._event([_said(index, delta.text) | {"logprobs": logprobs, "finish_reason": finish}])

    def end(self, asked: Sequence[Asked]) -> bytes:
        """Regista's own field, the usage where it was asked for, and `[DONE]`."""
        options: Json = asked[0].body.get("stream_options") or {}
        extension = _extension(asked[0])
        used = sum((one.serving.response.usage or Usage() for one in asked), Usage())
        events = self._event([_said(0, "")], **extension) if extension else b""
        events += self._event([], usage=usage_wire(used)) if options.get("include_usage") else b""
        return events + b"data: [DONE]\n\n"

    def fail(self, error: RegistaError) -> bytes:
        """The error, and no `[DONE]`."""
        return b"data: " + encode(error_body(error)) + b"\n\n"

    def _event(self, choices: list[Json], **fields: Any) -> bytes:
        return b"data: " + encode({**self._head, "choices": choices, **fields}) + b"\n\n"


def _head(asked: Asked) -> Json:
    head = {"id": f"cmpl-{asked.id}", "object": "text_completion", "created": asked.created}
    return head | {"model": asked.request.model}


def _extension(asked: Asked) -> Json:
    extension = asked.extension()
    return {"regista": extension} if extension is not None else {}


def _choice(index: int, asked: Asked, response: Response) -> Json:
    prompt = asked.request.question if asked.body.get("echo") else ""
    finish = response.finish or "stop"
    ended = {"logprobs": _logprobs(response.logprobs, 0), "finish_reason": FINISH.get(finish, finish)}
    return _said(index, prompt + response.text) | ended


def _said(index: int, text: str) -> Json:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": None}


def _logprobs(entries: Sequence[Json], offset: int) -> Json | None:
    """Log-probabilities as completions have them: lists side by side, each token's place counted in characters."""
    if not entries:
        return None
    offsets: list[int] = []
    for entry in entries:
        offsets.append(offset)
        offset += len(entry["token"])
    return {
        "tokens": [entry["token"] for entry in entries],
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [
            {other["token"]: other["logprob"] for other in entry.get("top_logprobs") or ()} for entry in entries
        ],
        "text_offset": offsets,
    }
