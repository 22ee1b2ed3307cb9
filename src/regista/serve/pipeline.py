"""The request path on one page: the stages of `regista.serve` in their order.

Each stage wraps the handler below it. One that is not configured is not in the compiled pipeline:
a bare model call is `generate` alone. Authentication comes before this, and the settlement of cost
and trace after it, in `regista.app.platform`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regista.models.providers import Provider
from regista.prompts.file import PromptFile
from regista.serve.agents.loop import act
from regista.serve.agents.tools import Toolbox
from regista.serve.caches.exact import ExactCache
from regista.serve.context.library import Library
from regista.serve.exchange import Handler
from regista.serve.guardrails import Guardrail
from regista.serve.stages.cite import cite
from regista.serve.stages.generate import generate
from regista.serve.stages.guard import guard_request, guard_response
from regista.serve.stages.recall import recall
from regista.serve.stages.remember import remember
from regista.serve.stages.retrieve import retrieve
from regista.serve.stages.route import Router, route
from regista.serve.stages.write_prompt import write_prompt

if TYPE_CHECKING:
    from regista.serve.caches.semantic import SemanticCache

Guards = Sequence[tuple[str, Guardrail]]


@dataclass(frozen=True)
class Parts:
    """What an application is made of. Everything but a model may be absent."""

    provider: Provider
    model: str
    request_guards: Guards = ()
    cache: ExactCache | None = None
    semantic: "SemanticCache | None" = None
    library: Library | None = None
    passages: int = 8
    context_guards: Guards = ()
    prompt: PromptFile | None = None
    canary: str = ""
    response_guards: Guards = ()
    toolbox: Toolbox | None = None
    max_steps: int = 4
    router: Router | None = None
    routed: Mapping[str, tuple[Provider, str]] = field(default_factory=dict[str, tuple[Provider, str]])
    """What the router may choose, by its names for them: a provider, and what it is known as."""


def compile_pipeline(parts: Parts) -> Handler:
    """Parts in, a handler out. An answer passes these lines downwards; its request met them from the last one up."""
    handler = _model(parts, parts.provider, parts.model)
    if parts.router is not None:
        handlers = {name: _model(parts, *chosen) for name, chosen in parts.routed.items()}
        handler = route(handlers, parts.router, always=frozenset({"tools"} if parts.toolbox is not None else ()))
    if parts.library is not None or parts.toolbox is not None:
        handler = cite(handler, parts.library)
    if parts.response_guards:
        handler = guard_response(handler, parts.response_guards)
    if parts.prompt is not None:
        handler = write_prompt(handler, parts.prompt, parts.canary)
    if parts.library is not None:
        handler = retrieve(handler, parts.library, parts.passages, parts.context_guards)
    if parts.semantic is not None:
        handler = recall(handler, parts.semantic)
    if parts.cache is not None:
        handler = remember(handler, parts.cache)
    if parts.request_guards:
        handler = guard_request(handler, parts.request_guards)
    return handler


def compile_shadow(parts: Parts, provider: Provider, name: str) -> Handler:
    """Another model, asked what the model was asked. Its tools are not run: what they do must not be done twice."""
    handler = generate(provider, name)
    return guard_response(handler, parts.response_guards) if parts.response_guards else handler


def _model(parts: Parts, provider: Provider, name: str) -> Handler:
    """A model with the application's tools: one model answers all turns of a request."""
    handler = generate(provider, name)
    return handler if parts.toolbox is None else act(handler, parts.toolbox, parts.max_steps, parts.context_guards)
