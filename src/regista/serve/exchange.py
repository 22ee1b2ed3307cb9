"""One request on its way through the pipeline, with what the stages have added to it so far."""

from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from regista.core.nouns import Call, Cause, Delta, Hold, Message, Request, Variant
from regista.observe.recorder import Recorder
from regista.serve.vault import Vault

FIRST_CAUSE: ContextVar[Cause] = ContextVar("first_cause", default="answer")
"""Why the first call of a request is made: `batch` in the tasks that run one."""


@dataclass(slots=True)
class Exchange:
    """What the stages share. `request` is replaced as it is masked, given context and routed.

    `calls` lists every call to a model in the order they ended, failed and abandoned ones included.
    """

    request: Request
    variant: Variant
    tenant: str
    recorder: Recorder
    key: str = ""
    """The name of the caller's key."""
    question: str = ""
    """What the trace keeps of the question: masked where the guardrails mask."""
    vault: Vault = field(default_factory=Vault)
    fresh: bool = False
    """The client asked for an answer that is not from a cache."""
    cached: str = ""
    tool_texts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """What tools returned in this request, each with `tool:<name>`: sources that citations may point into."""
    calls: list[Call] = field(default_factory=list[Call])
    shadowed: Request | None = None
    """What the model was asked, where another one is to be asked the same after the answer."""
    said: tuple[Message, ...] = ()
    """What the client sent, word for word, where it is told from it what is thought of the answers."""
    hold: Hold | None = None
    """Asked before each call to a model, where the caller's key has limits."""


Handler = Callable[[Exchange], AsyncGenerator[Delta]]
"""Answers an exchange. A stage takes the handler below it and is one itself."""
