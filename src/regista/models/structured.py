"""Answers in JSON, checked against the schema that was asked for, and mended where they do not fit.

First without a model, by what is surely meant (a code fence, words around it, a comma too many); then the model is told
what is wrong and asked again. What still does not fit is an error: what leaves here as an answer is valid.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from regista.core.errors import ProviderError, RequestError
from regista.core.nouns import Delta, Message, Request, Usage
from regista.models.answers import Answer, answer_of, collected
from regista.models.json_forms import Form, checked, form_of, wrong
from regista.models.providers import Provider
from regista.models.resilience.turns import because, note

INVALID = "invalid_output"
"""The code of an answer that is not what was asked for."""
LARGE = 50_000
"""Characters from which on an answer is checked beside the event loop."""
SAID = 4_000
"""Characters of a wrong answer that the model is shown again."""
T = TypeVar("T")


@dataclass
class Structured:
    """Asks `provider`, and up to `repairs` times more where its answer does not fit.

    A stream is held until it is known to fit, unless the provider is known to make it fit (`enforces`, for schemas that
    are strict): then it passes as it comes, and ends with an error in place of its finish where it does not fit after
    all, and nothing of it is mended. Without repairs it passes too. Where the provider is known to take no schema
    (`enforces` is False) it is told in words. Tool calls, refusals and answers that a filter ended are not checked.
    """

    provider: Provider
    repairs: int = 0
    enforces: bool | None = None

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises `RequestError` for a schema that is none, `ProviderError` as it says."""
        if "response_format" not in request.rest:
            return self.provider.generate(request)
        return self._formed(request)

    async def _formed(self, request: Request) -> AsyncGenerator[Delta]:
        form = form_of(request.rest["response_format"])
        if form is not None and request.rest.get("n") not in (None, 1):
            raise RequestError("With a response_format each answer is checked: ask for one, without 'n'.", param="n")
        if form is None:
            answer = self.provider.generate(request)
        elif request.stream and (not self.repairs or (form.strict and self.enforces)):
            answer = self._passed(request, form)
        else:
            answer = self._held(request, form)
        try:
            async for delta in answer:
                yield delta
        finally:
            await answer.aclose()

    async def _passed(self, request: Request, form: Form) -> AsyncGenerator[Delta]:
        """The stream as it comes; its end when it is known to fit."""
        heard, end = list[Delta](), list[Delta]()
        deltas = self.provider.generate(self._worded(request, form))
        try:
            async for delta in deltas:
                heard.append(delta)
                if end or delta.finish is not None:
                    end.append(delta)
                else:
                    yield delta
        finally:
            await deltas.aclose()
        answer = answer_of(heard)
        if not _is_exempt(answer) and (problem := await _beside(wrong, answer.text, form)):
            raise _invalid(request, problem, 1)
        for delta in end:
            yield delta

    async def _held(self, request: Request, form: Form) -> AsyncGenerator[Delta]:
        """The first answer that fits, whole."""
        worded = asked = self._worded(request, form)
        used: Usage | None = None
        problem = ""
        for _ in range(self.repairs + 1):
            answer = await collected(self.provider, asked)
            exempt = _is_exempt(answer)
            text, problem = (answer.text, "") if exempt else await _beside(checked, answer.text, form)
            if not problem:
                given = answer if text == answer.text else _mended(answer, text)
                usage = answer.usage or Usage()
                for delta in given.deltas if used is None else given.using(used + usage):
                    yield delta
                return
            note(request, f"the answer does not fit: {problem}")
            if answer.finish == "length":
                raise _invalid(request, f"{problem} It was cut off at its limit of tokens: raise max_tokens.", 1)
            used = (used or Usage()) + (answer.usage or Usage())
            asked = because(_told(worded, answer.text, problem), "repair")
        raise _invalid(request, problem, self.repairs + 1)

    def _worded(self, request: Request, form: Form) -> Request:
        """The request, for a provider that takes no schema: told in words."""
        if self.enforces is not False:
            return request
        rest = {name: value for name, value in request.rest.items() if name != "response_format"}
        return replace(request, rest=rest, messages=(*request.messages, Message("user", form.words)))


def _is_exempt(answer: Answer) -> bool:
    """Whether there is nothing to check: it calls tools, refuses, or was ended by a filter."""
    called = any(delta.tool_calls or delta.refused for delta in answer.deltas)
    return called or answer.finish == "content_filter"


async def _beside(check: Callable[[str, Form], T], text: str, form: Form) -> T:
    """What a check says of a text, beside the event loop where that takes a while."""
    return check(text, form) if len(text) < LARGE else await asyncio.to_thread(check, text, form)


def _mended(answer: Answer, text: str) -> Answer:
    """An answer with another text, and the thoughts it came with."""
    thoughts = [delta for delta in answer.deltas if delta.reasoning or delta.seal]
    said = Delta(text, finish=answer.finish or "stop", usage=answer.usage)
    return answer_of([*(Delta(reasoning=delta.reasoning, seal=delta.seal) for delta in thoughts), said])


def _told(request: Request, said: str, problem: str) -> Request:
    """The request, with the wrong answer and what is wrong with it."""
    words = f"This answer is not what was asked for: {problem} Answer again, with the corrected JSON and nothing else."
    shown = said if len(said) <= SAID else f"{said[:SAID]} …"
    return replace(request, messages=(*request.messages, Message("assistant", shown), Message("user", words)))


def _invalid(request: Request, problem: str, tries: int) -> ProviderError:
    again = f" It was asked {tries} times." if tries > 1 else ""
    said = f"{request.model} did not answer in the form that was asked for. {problem}{again}"
    return ProviderError(said, code=INVALID)
