"""The tool loop: ask the model, run the tools it calls, give it what they returned, until it answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, Json, Message, Response, ToolCall, Usage
from regista.models.anthropic_wire import sealed
from regista.serve.agents.tools import Toolbox
from regista.serve.collector import Collector
from regista.serve.exchange import Exchange, Handler
from regista.serve.stages.guard import Guards, decide, look


def act(below: Handler, toolbox: Toolbox, max_steps: int, guards: Guards) -> Handler:
    """Let the model use the application's tools for at most `max_steps` rounds.

    A call of a tool that is the client's own ends the turn: the client runs it, as ever.
    """
    names = {tool.name for tool in toolbox.tools}

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        exchange.request = replace(exchange.request, tools=toolbox.tools)
        total = Usage()
        for _ in range(max_steps):
            turn = Collector()
            async with aclosing(below(exchange)) as deltas:
                async for delta in deltas:
                    turn.add(delta)
                    if delta.text or delta.citations or delta.reasoning:
                        yield replace(delta, tool_calls=(), finish=None, usage=None, raw=None, seal="")
            response = turn.response()
            total += response.usage or Usage()
            calls = response.tool_calls
            if not calls or not all(call.name in names for call in calls):
                yield Delta("", turn.parts(), response.finish, total)
                return
            results = await _run(exchange, toolbox, calls, guards)
            said = (*exchange.request.messages, _called(response), *results)
            exchange.request = replace(exchange.request, messages=said)
        raise ProviderError(f"The model called tools {max_steps} times and gave no answer.", code="too_many_steps")

    return handler


async def _run(exchange: Exchange, toolbox: Toolbox, calls: tuple[ToolCall, ...], guards: Guards) -> list[Message]:
    """The calls of one turn, side by side; their results are screened like any text from outside."""
    with exchange.recorder.span("tools", ", ".join(call.name for call in calls)) as span:
        texts = await asyncio.gather(*(toolbox.run(call) for call in calls))
        messages: list[Message] = []
        for call, text in zip(calls, texts, strict=True):
            passed, verdicts = look(text, guards)
            if verdicts:
                with exchange.recorder.span("guard context", call.name) as guarded:
                    decide(guarded, verdicts)
            if any(verdict.action == "block" for verdict in verdicts):
                passed = "error: a guardrail kept the result of this tool back."
            exchange.tool_texts.append((f"tool:{call.name}", passed))
            messages.append(Message("tool", passed, {"tool_call_id": call.id}))
        failed = sum(message.text.startswith("error:") for message in messages)
        span.decide(f"{len(calls) - failed} of {len(calls)} answered")
        span.set(calls=[{"name": c.name, "arguments": c.arguments} for c in calls], results=[m.text for m in messages])
    return messages


def _called(response: Response) -> Message:
    """The turn in which the model called tools, with what it thought: some want that back with the results."""
    wire: list[Json] = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
        for c in response.tool_calls
    ]
    blocks = [block for thought in response.thoughts for block in sealed(thought.text, thought.seal)]
    thought = {"reasoning_content": response.reasoning, "thinking_blocks": blocks}
    rest = {"tool_calls": wire, **{name: value for name, value in thought.items() if value}}
    return Message("assistant", response.text or None, rest)
