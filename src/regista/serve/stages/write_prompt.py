"""The application's prompt as a stage: written around the conversation, with the passages found for it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from regista.core.errors import RequestError
from regista.core.nouns import Delta, Json, Message
from regista.prompts.file import PromptFile
from regista.prompts.template import HISTORY
from regista.prompts.variables import values
from regista.serve.exchange import Exchange, Handler

INSTRUCTING = ("system", "developer")


def write_prompt(below: Handler, prompt: PromptFile, canary: str) -> Handler:
    """Write the prompt. In an application a client's own system messages have no say: they are left out."""

    form = form_of(prompt)

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        request = exchange.request
        if request.rest.get("n") not in (None, 1):
            # Further choices would leave unread, and so unscreened.
            raise RequestError("An application gives one answer: leave out 'n'.", param="n")
        with exchange.recorder.span("prompt", prompt.prompt.name) as span:
            said = [message for message in request.messages if message.role not in INSTRUCTING]
            left_out = len(request.messages) - len(said)
            span.decide(
                prompt.prompt.digest, f"{left_out} system message(s) of the client left out" if left_out else ""
            )
            last = max((i for i, message in enumerate(said) if message.role == "user"), default=None)
            if last is None:
                raise RequestError("The conversation holds no user message to answer.", param="messages")
            history, question, after = said[:last], said[last], said[last + 1 :]
            messages: list[Message] = []
            for turn in prompt.template.render(values(question.text, request.hits, history, canary)):
                messages += history if turn == HISTORY else [Message(turn.role, turn.text)]
            if messages and isinstance(question.content, list):
                # Images stand beside the text that the prompt wrote around the question.
                messages[-1] = replace(
                    messages[-1], content=[{"type": "text", "text": messages[-1].text}, *_media(question)]
                )
        rest = request.rest if form is None else {"response_format": form, **request.rest}
        exchange.request = replace(request, messages=(*messages, *after), rest=rest)
        async with aclosing(below(exchange)) as deltas:
            async for delta in deltas:
                yield delta

    return handler


def form_of(prompt: PromptFile) -> Json | None:
    """The `response_format` that a prompt file's output asks for: its schema, or any JSON."""
    output = prompt.prompt.output
    if "schema" in output:
        return {"type": "json_schema", "json_schema": {"name": prompt.prompt.name, "schema": output["schema"]}}
    return {"type": "json_object"} if output.get("format") == "json" else None


def _media(message: Message) -> list[dict[str, object]]:
    return [part for part in message.content or () if isinstance(part, dict) and part.get("type") != "text"]
