"""What the conventions call things: the tables by which `mapping` reads every span, whoever sent it.

- OpenTelemetry's `gen_ai`, the latest: https://github.com/open-telemetry/semantic-conventions-genai
- `gen_ai` up to 1.36: https://github.com/open-telemetry/semantic-conventions/tree/v1.36.0/docs/gen-ai
- OpenInference: https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
- OpenLLMetry, whose `traceloop` and indexed `gen_ai` names many instrumentations took over:
  https://github.com/traceloop/openllmetry
- `regista`, for what our own traces say and none of these has a word for.

A span may follow several at once: of the names of one thing, those that come first count.
"""

from regista.core.nouns import Usage

SCHEMA_URL = "https://opentelemetry.io/schemas/gen-ai/1.42.0"
"""The conventions that `export` follows."""

STAGES: dict[str, dict[str, str]] = {
    "regista.stage": {},
    "openinference.span.kind": {
        "llm": "generate",
        "tool": "tools",
        "retriever": "retrieve",
        "embedding": "embed",
        "guardrail": "guard",
        "reranker": "rerank",
        "evaluator": "evaluate",
        "decision": "decide",
        "prompt": "prompt",
        "agent": "agent",
        "chain": "chain",
    },
    "gen_ai.operation.name": {
        "chat": "generate",
        "text_completion": "generate",
        "generate_content": "generate",
        "execute_tool": "tools",
        "retrieval": "retrieve",
        "embeddings": "embed",
        "create_agent": "agent",
        "invoke_agent": "agent",
        "plan": "agent",
        "invoke_workflow": "chain",
        "search_memory": "memory",
        "create_memory": "memory",
        "update_memory": "memory",
        "upsert_memory": "memory",
        "delete_memory": "memory",
        "create_memory_store": "memory",
        "delete_memory_store": "memory",
    },
    "traceloop.span.kind": {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tools"},
    "llm.request.type": {"chat": "generate", "completion": "generate", "embedding": "embed", "rerank": "rerank"},
}
"""Which attribute says of what kind a span is, and the stage of each kind. Without kinds, the value is the stage."""

EVIDENCE = {
    "gen_ai.tool.name": "tools",
    "tool.name": "tools",
    "gen_ai.usage.output_tokens": "generate",
    "gen_ai.usage.completion_tokens": "generate",
    "llm.token_count.completion": "generate",
    "gen_ai.request.model": "generate",
    "gen_ai.agent.name": "agent",
}
"""The stage of a span that does not say what it is, but has one of these."""

TEXTS: dict[str, tuple[str, ...]] = {
    "model": (
        "gen_ai.response.model",
        "gen_ai.request.model",
        "llm.response.model_name",
        "llm.model_name",
        "llm.request.model_name",
        "embedding.model_name",
        "reranker.model_name",
        "decision.model_name",
    ),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "decision.provider"),
    "session": ("session.id", "gen_ai.conversation.id", "traceloop.association.properties.session_id"),
    "user": ("user.id", "enduser.id", "traceloop.association.properties.user_id"),
    "question": (
        "input.value",
        "traceloop.entity.input",
        "gen_ai.retrieval.query.text",
        "gen_ai.memory.query.text",
        "gen_ai.tool.call.arguments",
        "reranker.query",
    ),
    "answer": ("output.value", "traceloop.entity.output", "gen_ai.tool.call.result"),
    "question_type": ("input.mime_type",),
    "answer_type": ("output.mime_type",),
    "error_type": ("error.type",),
    "decision": ("regista.decision",),
    "reason": ("regista.reason",),
}

COUNTS: dict[str, tuple[str, ...]] = {
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "decision.token_count.input",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "decision.token_count.output",
    ),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    "audio_tokens": ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
}

USAGE = {name: f"regista.usage.{name}" for name in Usage.__struct_fields__}
"""Our own names for counts, which tell what the conventions cannot: they go before all others."""

NUMBERS: dict[str, tuple[str, ...]] = {
    "cost_nano": ("regista.cost_nano",),
    "cost": ("llm.cost.total", "gen_ai.usage.cost"),
    "first_token_s": ("gen_ai.response.time_to_first_chunk",),
    "first_token_ns": ("regista.first_token_ns",),
}
"""`cost` is in dollars, `first_token_s` in seconds."""

VALUES: dict[str, tuple[str, ...]] = {
    "messages": ("gen_ai.input.messages", "gen_ai.prompt"),
    "answers": ("gen_ai.output.messages", "gen_ai.completion"),
    "system": ("gen_ai.system_instructions",),
    "documents": ("gen_ai.retrieval.documents",),
}
"""Lists as such, or as JSON text."""

INDEXED = {
    "llm.input_messages": "messages",
    "llm.output_messages": "answers",
    "gen_ai.prompt": "messages",
    "gen_ai.completion": "answers",
    "llm.prompts": "messages",
    "llm.choices": "answers",
    "retrieval.documents": "documents",
    "reranker.output_documents": "documents",
    "annotations": "span",
    "evaluations": "span",
    "trace.annotations": "trace",
    "trace.evaluations": "trace",
    "session.annotations": "session",
    "session.evaluations": "session",
}
"""Lists whose elements are attributes of their own: `llm.input_messages.0.message.role`."""

SILENT = frozenset(
    {"message", "message_content", "tool_call", "function", "document", "annotation", "evaluation", "prompt"}
    | {"completion"}
)
"""What stands within such names and says nothing: `tool_call.function.arguments` is `arguments`."""

MESSAGES = {
    "gen_ai.system.message": ("messages", "system"),
    "gen_ai.user.message": ("messages", "user"),
    "gen_ai.assistant.message": ("messages", "assistant"),
    "gen_ai.tool.message": ("messages", "tool"),
    "gen_ai.choice": ("answers", "assistant"),
    "gen_ai.content.prompt": ("messages", "user"),
    "gen_ai.content.completion": ("answers", "assistant"),
}
"""Events that are a message: in which list, and its role where it has none."""

CONTENT = ("gen_ai.event.content", "gen_ai.prompt", "gen_ai.completion")
"""Attributes of such events that hold the whole message, or several, as JSON text."""

DETAILS = "gen_ai.client.inference.operation.details"
"""The event whose attributes are those of its span."""

RESULT = "gen_ai.evaluation.result"
RESULTS = {
    "name": "gen_ai.evaluation.name",
    "score": "gen_ai.evaluation.score.value",
    "label": "gen_ai.evaluation.score.label",
    "explanation": "gen_ai.evaluation.explanation",
}
"""The event that is a score, and what its parts are called."""

FIRST_TOKEN = frozenset({"First Token Stream Event", "llm.content.completion.chunk"})
"""Events of which the first says when the answer began."""

CANCELLED = frozenset({"cancelled", "canceled", "CancelledError", "asyncio.exceptions.CancelledError"})
"""Values of `error.type` and `exception.type` that are no failure: somebody left."""

SERVICE = "service.name"
UNNAMED = "unknown_service"
"""How SDKs begin the name of a service that was given none."""
