"""A stream that broke after something was said is gone on with from there, or ends as an error: never as if whole.

Tool calls and structured output are not continued: half of one that is joined to half of another is neither.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from msgspec.structs import replace

from regista.core.errors import ProviderError, RegistaError, StreamCutError
from regista.core.nouns import Call, Delta, Json, Request, Usage
from regista.models.providers import Provider
from regista.models.resilience import faults
from regista.models.resilience.prefill import Prefill, going_on, thinks
from regista.models.resilience.seam import Seam, cut_back
from regista.models.resilience.turns import UNSAID, because, says

LIMITS = ("max_tokens", "max_completion_tokens")
"""Fields that bound an answer: what was said counts."""
SHAPED = ("guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs", "grammar")
"""Fields beside `response_format` that ask for structured output."""


class Successor(NamedTuple):
    """A model that may go on with another's answer, and how it takes the beginning of one."""

    provider: Provider
    prefill: Prefill | None


@dataclass
class Continuation:
    """Asks `provider`, and each of `successors` once, in their order, to go on with a stream that broke.

    Its client sees one answer, with one finish and the usage of all calls that gave a part of it.
    """

    provider: Provider
    successors: Sequence[Successor]

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises `StreamCutError` where nobody can go on."""
        answer = _Answer(request)
        successors = iter(self.successors)
        provider, asked = self.provider, answer.asked
        while True:
            deltas = provider.generate(asked)
            try:
                async for delta in deltas:
                    told = answer.add(delta)
                    if told is not None:
                        yield told
                if (held := answer.held()) is not None:
                    yield held
                return
            except RegistaError as error:
                if answer.finished:
                    return
                broken = error
            finally:
                await deltas.aclose()
            provider, asked = answer.go_on(broken, successors)


class _Answer:
    """What was said so far, over all calls that gave a part of it."""

    def __init__(self, request: Request) -> None:
        self.finished = False
        self._calls: list[Call] = []
        self.asked = _heard(request, self._calls)
        self._texts: list[str] = []
        self._break: ProviderError | None = None
        """How the first call broke."""
        self._seam: Seam | None = None
        self._used = Usage()
        """By the calls before this one."""
        self._counted: Usage | None = None
        """By this one, so far."""
        self._deltas = 0
        self._spoke = self._calls_tools = False

    def add(self, delta: Delta) -> Delta | None:
        """Take a delta of the call under way in; what the client is told of it, if anything."""
        if not self._spoke:
            self._spoke = self._deltas >= UNSAID or says(delta)
            self._deltas += 1
        self._counted = delta.usage or self._counted
        if self._seam is not None:
            delta = self._joined(delta, self._seam)
            if not (says(delta) or delta.usage):
                return None
        if delta.text:
            self._texts.append(delta.text)
        self._calls_tools = self._calls_tools or bool(delta.tool_calls)
        self.finished = self.finished or delta.finish is not None
        return delta

    def held(self) -> Delta | None:
        """What is still to be told at the end of a stream that had no finish."""
        text = self._seam.finish() if self._seam is not None else ""
        return Delta(text) if text else None

    def go_on(self, error: RegistaError, successors: Iterator[Successor]) -> tuple[Provider, Request]:
        """Who goes on after this call broke, and what it is asked; raises what the answer ends with if nobody does."""
        if self._break is None:
            if not self._spoke or not isinstance(error, ProviderError):
                raise error
            self._break = error
            if reason := self._unfit():
                raise StreamCutError(f"{error.message} The answer is not whole, and {reason}.") from error
        elif not faults.elsewhere(error):
            raise self._given_up(error) from error
        successor = next(successors, None)
        if successor is None:
            raise self._given_up(error) from error
        self._settle()
        return successor.provider, self._continued(successor)

    def _settle(self) -> None:
        """Count what the call that broke has used, where it gave a part of the answer."""
        if self._spoke:
            # Its stream seldom came to the count; whoever meters the call has told it.
            metered = next((call.usage for call in reversed(self._calls) if call.first_token_ns), Usage())
            self._used += self._counted or metered
        self._spoke, self._deltas, self._counted = False, 0, None
        self._calls.clear()

    def _continued(self, successor: Successor) -> Request:
        said, rest = "".join(self._texts), dict(self.asked.rest)
        for limit in LIMITS:
            if isinstance(given := rest.get(limit), int):
                rest[limit] = max(given - self._used.output_tokens, 1)
        prefill = None if thinks(self.asked) else successor.prefill
        self._seam = Seam(said, words=prefill is None)
        asked = because(replace(self.asked, rest=rest), "continuation")
        return going_on(asked, said if prefill is not None else cut_back(said), prefill)

    def _joined(self, delta: Delta, seam: Seam) -> Delta:
        """A delta of a later call: without what was said before, nor bytes that would begin the stream again."""
        text = seam.push(delta.text)
        if delta.finish is not None:
            text += seam.finish()
        usage = None if delta.usage is None else self._used + delta.usage
        return replace(delta, text=text, usage=usage, raw=None, reasoning="", logprobs=())

    def _unfit(self) -> str:
        """Why the answer cannot be gone on with, if it cannot."""
        rest = self.asked.rest
        form = cast("Json", rest.get("response_format") or {"type": "text"})
        shaped = form.get("type") != "text"
        if self._calls_tools:
            return "half of a tool call cannot be continued"
        if shaped or any(field in rest for field in SHAPED):
            return "half of a structured output cannot be continued"
        if rest.get("n") not in (None, 1) or rest.get("logprobs"):
            return "neither several answers nor log-probabilities can be continued"
        return ""

    def _given_up(self, error: RegistaError) -> StreamCutError:
        first = self._break
        said = first.message if first is not None else ""
        why = "" if error is first else f" Nobody could go on with it: {error.message}"
        return StreamCutError(f"{said} The answer is not whole.{why}")


def _heard(request: Request, calls: list[Call]) -> Request:
    """The request, with every call made for it put down in `calls` too."""
    account = request.account

    def tell(call: Call) -> None:
        calls.append(call)
        if account.tell is not None:
            account.tell(call)

    return replace(request, account=replace(account, tell=tell))
