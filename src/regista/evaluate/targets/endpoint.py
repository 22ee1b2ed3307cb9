"""A model behind a provider: any OpenAI-compatible URL, or a provider of an application. Knows no pipeline."""

import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from regista.core.digest import digest
from regista.core.evaluation import Case, Output, Token
from regista.core.nouns import Json, Request
from regista.models.providers import Provider
from regista.serve.collector import Collector


class _Alternative(msgspec.Struct):
    logprob: float


class _Token(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_Alternative] | None = None


class Endpoint:
    """Asks `model` of a provider, with `parameters`; `place` is what tells it from others (its URL)."""

    def __init__(self, provider: Provider, model: str, place: str, parameters: Mapping[str, Any]) -> None:
        self.name = f"{model} at {place}"
        self._parameters: Json = dict(parameters)
        self.digest = digest([place, model, self._parameters])
        self._provider = provider
        self._model = model
        self._wants_tokens = bool(self._parameters.get("logprobs"))

    async def answer(self, case: Case, repetition: int) -> Output:
        """The model's answer to the case's messages, without a stream. Its cost is not known here."""
        request = Request(self._model, case.input, rest=self._parameters)
        collector = Collector()
        logprobs: list[Json] = []
        started = time.perf_counter_ns()
        async with aclosing(self._provider.generate(request)) as deltas:
            async for delta in deltas:
                collector.add(delta)
                logprobs += delta.logprobs
        duration = time.perf_counter_ns() - started
        response = collector.response()
        return Output(
            text=response.text,
            tool_calls=response.tool_calls,
            tokens=_tokens(logprobs) if self._wants_tokens else (),
            finish=response.finish,
            usage=response.usage,
            duration_ns=duration,
        )


def _tokens(logprobs: list[Json]) -> tuple[Token, ...]:
    """The log-probabilities of an answer, as OpenAI writes them; none of them where one is written otherwise."""
    try:
        tokens = msgspec.convert(logprobs, list[_Token])
    except msgspec.ValidationError:
        return ()
    return tuple(Token(t.token, t.logprob, tuple(a.logprob for a in t.top_logprobs or ())) for t in tokens)
