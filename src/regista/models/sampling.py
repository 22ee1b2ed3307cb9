"""What a model takes of how an answer is drawn: checked before it is asked, so that a refusal names what is wrong.

The facts are those of the catalogue; what it does not say is not checked, and what is not listed here passes unread.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from regista.core.errors import RequestError
from regista.core.nouns import Delta, Json, Request
from regista.models.capabilities import Capabilities
from regista.models.providers import Provider

RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "anthropic": {"temperature": (0, 1)},
    "bedrock": {"temperature": (0, 1)},
    "mistral": {"temperature": (0, 1.5)},
}
"""Where a provider's own bounds are narrower than those of OpenAI's API, which surfaces check."""
DRAWING = {"temperature": 1, "top_p": 1}
"""What a model without sampling does not take, with the value that asks for nothing."""
ANSWER = ("max_tokens", "max_completion_tokens")
LOGPROBS = ("logprobs", "top_logprobs")
NOTHING = (None, False, 0)


@dataclass
class Sampling:
    """Asks `provider` for what the model `name` takes; `parameters` are its own, where the request says nothing.

    Raises `RequestError` naming the parameter, what it may be and the model.
    """

    provider: Provider
    name: str
    capabilities: Capabilities
    parameters: Json = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        self._ranges = RANGES.get(self.name.partition("/")[0], {})
        known = self.capabilities
        self._checked = {
            *self._ranges,
            *(DRAWING if known.sampling is False else ()),
            *(ANSWER if known.answer is not None else ()),
            *(LOGPROBS if known.logprobs is False else ()),
        }

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        if self._checked and not (self._checked.isdisjoint(request.rest) and self._checked.isdisjoint(self.parameters)):
            self._check({**self.parameters, **request.rest})
        return self.provider.generate(request)

    def _check(self, given: Json) -> None:
        known = self.capabilities
        for name, neutral in DRAWING.items():
            if known.sampling is False and given.get(name) not in (None, neutral):
                raise self._wrong(name, "is not taken: this model draws its answers in its own way. Leave it out.")
        for name, (low, high) in self._ranges.items():
            value = given.get(name)
            if isinstance(value, int | float) and not low <= value <= high:
                raise self._wrong(name, f"is {value:g}: it may be {low:g} to {high:g}.")
        for name in ANSWER if known.answer is not None else ():
            value = given.get(name)
            if isinstance(value, int) and value > (known.answer or 0):
                raise self._wrong(name, f"is {value}: an answer has at most {known.answer} tokens.")
        for name in LOGPROBS if known.logprobs is False else ():
            if given.get(name) not in NOTHING:
                raise self._wrong(name, "is not taken: this model gives no log-probabilities. Leave it out.")

    def _wrong(self, name: str, said: str) -> RequestError:
        return RequestError(f"{name!r} of the model {self.name} {said}", code="unsupported_value", param=name)
