"""The request path on one page: the stages of `regista.serve` in their order.

Each stage wraps the handler below it. One that is not configured is not in the compiled pipeline:
a bare model call is `generate` alone. Authentication comes before this, and the settlement of cost
and trace after it, in `regista.app.platform`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from regista.core.nouns import Json
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
from regista.serve.stages.remember import remember
from regista.serve.stages.retrieve import retrieve
from regista.serve.stages.write_prompt import write_prompt

Guards = Sequence[tuple[str, Guardrail]]


@dataclass(frozen=True)
class Parts:
    """What an application is made of. Everything but a model may be absent."""

    provider: Provider
    model: str
    parameters: Json = field(default_factory=dict[str, object])
    request_guards: Guards = ()
    cache: ExactCache | None = None
    library: Library | None = None
    passages: int = 8
    context_guards: Guards = ()
    prompt: PromptFile | None = None
    canary: str = ""
    response_guards: Guards = ()
    toolbox: Toolbox | None = None
    max_steps: int = 4


def compile_pipeline(parts: Parts) -> Handler:
    """Parts in, a handler out. An answer passes these lines downwards; its request met them from the last one up."""
    handler = generate(parts.provider, parts.model, parts.parameters)
    if parts.toolbox is not None:
        handler = act(handler, parts.toolbox, parts.max_steps, parts.context_guards)
    if parts.library is not None or parts.toolbox is not None:
        handler = cite(handler, parts.library)
    if parts.response_guards:
        handler = guard_response(handler, parts.response_guards)
    if parts.prompt is not None:
        handler = write_prompt(handler, parts.prompt, parts.canary)
    if parts.library is not None:
        handler = retrieve(handler, parts.library, parts.passages, parts.context_guards)
    if parts.cache is not None:
        handler = remember(handler, parts.cache)
    if parts.request_guards:
        handler = guard_request(handler, parts.request_guards)
    return handler
