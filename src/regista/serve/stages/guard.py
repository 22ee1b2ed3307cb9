"""Guardrails on the way in and on the way out, as stages."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

from msgspec.structs import replace

from regista.core.errors import NotAllowedError
from regista.core.nouns import Content, Delta, Hit, Json, Message, Verdict
from regista.observe.recorder import OpenSpan
from regista.serve.collector import rewrite
from regista.serve.exchange import Exchange, Handler
from regista.serve.guardrails import Guardrail
from regista.serve.screen import StreamScreen, finds_nothing, screen
from regista.serve.vault import Restorer, Vault

Guards = Sequence[tuple[str, Guardrail]]


def guard_request(below: Handler, guards: Guards) -> Handler:
    """Screen what the user wrote. What is masked is restored in the answer, for this request alone."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        verdicts: list[Verdict] = []
        with exchange.recorder.span("guard request") as span:
            messages = tuple(_screened(m, guards, exchange.vault, verdicts) for m in exchange.request.messages)
            decide(span, verdicts)
        if verdicts:
            exchange.request = replace(exchange.request, messages=messages)
            # The trace keeps the masked question; what is refused it does not keep at all.
            exchange.question = "" if any(v.action == "block" for v in verdicts) else exchange.request.question
        refuse(verdicts, "request")
        if not exchange.vault:
            async with aclosing(below(exchange)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        restorer = Restorer(exchange.vault)
        async with aclosing(below(exchange)) as deltas:
            async for delta in rewrite(deltas, restorer.push, restorer.finish):
                yield delta

    return handler


def guard_response(below: Handler, guards: Guards) -> Handler:
    """Screen the answer as it streams: what could still become a finding waits, what is one never leaves."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        stream = StreamScreen(guards, None)

        def checked(passed: str) -> str:
            if stream.blocked is not None:
                refuse([stream.blocked], "answer")
            return passed

        def push(text: str) -> str:
            return checked(stream.push(text))

        def finish(text: str) -> str:
            return checked(stream.finish(text))

        try:
            async with aclosing(below(exchange)) as deltas:
                async for delta in rewrite(deltas, push, finish):
                    # Nobody screened the model's reasoning, the tokens it spells out, or what else is in its bytes.
                    if delta.raw is not None or delta.reasoning or delta.seal or delta.logprobs:
                        delta = replace(delta, raw=None, reasoning="", seal="", logprobs=())
                    yield _without_leaking_quotes(delta, guards) if delta.citations else delta
        finally:
            with exchange.recorder.span("guard response") as span:
                decide(span, notable(stream.verdicts))

    return handler


def screen_hits(hits: Sequence[Hit], guards: Guards) -> tuple[list[Hit], list[Verdict]]:
    """Retrieved text after its guardrails; a blocked passage is left out."""
    kept: list[Hit] = []
    verdicts: list[Verdict] = []
    for hit in hits:
        text, found = look(hit.text, guards)
        verdicts += found
        if not any(verdict.action == "block" for verdict in found):
            kept.append(replace(hit, text=text) if found else hit)
    return kept, verdicts


def look(text: str, guards: Guards, vault: Vault | None = None) -> tuple[str, list[Verdict]]:
    """`text` as the guardrails let it go on, with the verdicts that say more than that nothing was found."""
    if finds_nothing(text, guards):
        return text, []
    text, verdicts = screen(text, guards, vault)
    return text, notable(verdicts)


def notable(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts on something found."""
    return [verdict for verdict in verdicts if verdict.action != "pass" or verdict.findings]


def decide(span: OpenSpan, verdicts: Sequence[Verdict]) -> None:
    """Put the strongest of the verdicts on the span, with who gave each and why."""
    if not verdicts:
        span.decide("pass", "nothing found")
        return
    strongest = next((action for action in ("block", "mask") if any(v.action == action for v in verdicts)), "pass")
    span.decide(strongest, "; ".join(f"{v.guardrail}: {v.reason}" for v in verdicts))
    span.set(verdicts=[{"guardrail": v.guardrail, "action": v.action} for v in verdicts])


def refuse(verdicts: Sequence[Verdict], what: str) -> None:
    """Raise for a verdict that blocks."""
    for verdict in verdicts:
        if verdict.action == "block":
            message = f"The guardrail {verdict.guardrail!r} stopped this {what}: {verdict.reason}"
            raise NotAllowedError(message, code="blocked_by_guardrail", param=verdict.guardrail)


def _screened(message: Message, guards: Guards, vault: Vault, verdicts: list[Verdict]) -> Message:
    def rewritten(text: str) -> str:
        text, found = look(text, guards, vault)
        verdicts.extend(found)
        return text

    content: Content = message.content
    if isinstance(content, str):
        content = rewritten(content)
    elif content is not None:
        content = [
            {**part, "text": rewritten(cast("str", part["text"]))} if _is_text(part) else part for part in content
        ]
    return message if content is message.content else replace(message, content=content)


def _is_text(part: Json) -> bool:
    return part.get("type") == "text" and isinstance(part.get("text"), str)


def _without_leaking_quotes(delta: Delta, guards: Guards) -> Delta:
    kept = tuple(citation for citation in delta.citations if not look(citation.quote, guards)[1])
    return delta if len(kept) == len(delta.citations) else replace(delta, citations=kept)
