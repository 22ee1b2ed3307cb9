"""The nouns every part of Regista speaks: frozen values, in the shape they cross folders in.

They know nothing about files, networks, databases or models. Text offsets are Python string indices
(code points) into the document's extracted text; times are nanoseconds; money is an integer number of
nano-dollars. Those made for every request hold no cycle and are kept from the garbage collector
(`gc=False`), which would walk them for nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, cast

from msgspec import Struct

Json = dict[str, Any]
Content = str | list[Json] | None
"""What a message may hold: text, OpenAI content parts, or nothing beside tool calls."""


class ToolCall(Struct, frozen=True, gc=False):
    """A model's wish to call a tool; `arguments` is JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class Message(Struct, frozen=True):
    """One turn. `rest` keeps every field Regista does not read, so nothing a client sends is lost."""

    role: str
    content: Content = None
    rest: Json = {}

    @property
    def text(self) -> str:
        """The text of the message; parts that are not text (images, audio) are left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part.get("text", "")) for part in self.content or () if part.get("type") == "text")

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of functions an assistant message carries, in order; other kinds of calls are left out."""
        calls = cast("list[Json]", self.rest.get("tool_calls") or [])
        functions = [(c["id"], c["function"]) for c in calls if c.get("function")]
        return tuple(ToolCall(call_id, function["name"], function["arguments"]) for call_id, function in functions)


class Tool(Struct, frozen=True):
    """A function a model may call. `parameters` is its JSON Schema.

    `asks` are regular expressions with one named group per argument. A provider without a
    language model (`embedded/reader`) calls the tool when the question matches one of them;
    others ignore them. `writes` marks tools that change something and so need approval.
    """

    name: str
    description: str
    parameters: Json
    asks: tuple[str, ...] = ()
    writes: bool = False


class Document(Struct, frozen=True):
    """A source after loading: `text` is what all offsets refer to; `id` is its path below `documents/`.

    `digest` is that of the source file's bytes and so says when a document must be loaded again.
    """

    id: str
    title: str
    text: str
    media_type: str
    digest: str


class Chunk(Struct, frozen=True, gc=False):
    """A passage of a document: `text == document.text[start:end]`; `heading` is the path above it."""

    document: str
    start: int
    end: int
    text: str
    title: str = ""
    heading: str = ""


class Hit(Struct, frozen=True, gc=False):
    """A retrieved chunk with its score (higher is better; comparable within one query only)."""

    document: str
    start: int
    end: int
    text: str
    score: float
    title: str = ""
    heading: str = ""


class Citation(Struct, frozen=True, gc=False):
    """Where a statement comes from: `quote` is the source's text from `start` to `end`, verified.

    `document` is a document's id, or `tool:<name>` for text a tool returned in this request.
    `marker` is the number that stands in the answer as `[n]`.
    """

    document: str
    start: int
    end: int
    quote: str
    marker: int = 0


class Usage(Struct, frozen=True, gc=False):
    """Tokens of one call as the provider counted them.

    Those read from and written to the provider's prompt cache are part of the input, reasoning ones of the output.
    `cache_write_1h_tokens` are those written that are kept for an hour, `audio_tokens` those of the input that were
    spoken and not read from the cache. `charged_nano` is what the provider says the call cost, where it says so.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_tokens: int = 0
    charged_nano: int | None = None

    def __add__(self, other: "Usage") -> "Usage":
        charged = [usage.charged_nano for usage in (self, other) if usage.charged_nano is not None]
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            self.audio_tokens + other.audio_tokens,
            sum(charged) if charged else None,
        )


Cause = Literal[
    "answer", "retry", "fallback", "hedge", "continuation", "sample", "repair", "shadow", "route", "batch", "judge"
]
"""Why a provider was called: the first try of a request is an `answer`."""


class Call(Struct, frozen=True, array_like=True, gc=False):
    """One call of a provider, as the ledger has it: every try is one, failed and abandoned ones too.

    `usage` is what the provider counted where `exact`, else an estimate from what was sent and what came. `cost_nano`
    is None where no price is known. `reason` says what went wrong. `biller` is whose prices hold.
    """

    biller: str
    model: str
    cause: Cause
    status: Literal["ok", "error", "cancelled"]
    usage: Usage
    exact: bool
    cost_nano: int | None
    started_ns: int
    duration_ns: int
    first_token_ns: int = 0
    reason: str = ""


class Estimate(Struct, frozen=True, gc=False):
    """The most a call is thought to use before it is made at `started_ns`. `model` is `provider/its name there`.

    `cost_nano` is None where no price is known.
    """

    model: str
    usage: Usage
    cost_nano: int | None
    started_ns: int


Hold = Callable[[Estimate], Awaitable[Callable[[Call], None]]]
"""Asked before a call is made: raises where it may not be. What it returns is told how the call ended."""


class Account(Struct, frozen=True):
    """On whose account a provider is called, and why. `tell` is told every call made, once, when it has ended.

    `note` is told what was decided on the way without a call: a wait, a model passed over. `until` is by when the
    answer must be whole, in seconds of the event loop's clock; 0 for no such time. `hold` keeps a key to its limits.
    `headers` are lines of HTTP that say in which span of a trace the call is made (W3C), each ended by CRLF.
    """

    tenant: str = ""
    cause: Cause = "answer"
    tell: Callable[[Call], None] | None = None
    note: Callable[[str], None] | None = None
    until: float = 0.0
    hold: Hold | None = None
    headers: bytes = b""


class Upstream(Struct, frozen=True):
    """How a model does just now, for whoever watches: calls under way and waiting, and what was refused so far.

    `state` is that of its circuit breaker, empty without one; an open one lets the next call through in `seconds`.
    """

    name: str
    running: int = 0
    waiting: int = 0
    shed: int = 0
    state: Literal["", "closed", "open", "half-open"] = ""
    opened: int = 0
    seconds: float = 0.0
    reason: str = ""


class Request(Struct, frozen=True):
    """What a provider is asked. `rest` holds all other fields of the call, passed on as they came.

    `hits` is the retrieved context. A prompt has already written it into the messages; a
    provider that reads rather than generates takes it from here. Of `account`, only its `headers` leave the process.
    """

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    tools: tuple[Tool, ...] = ()
    hits: tuple[Hit, ...] = ()
    rest: Json = {}
    account: Account = Account()

    @property
    def question(self) -> str:
        """The text of the last user message, or nothing."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return ""


class ToolCallPart(Struct, frozen=True, gc=False):
    """A fragment of a tool call in a stream: fragments of one `index` are joined in order."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class Delta(Struct, frozen=True, gc=False):
    """A piece of an answer as it arrives. A whole answer is a stream of one.

    `raw` holds the upstream's own bytes in OpenAI's shape (server-sent events, or one JSON body
    where the request did not stream): a surface forwards them unchanged while no later step
    replaced the delta. `finish` is OpenAI's finish reason and comes at most once. `usage` counts the whole call so
    far: the last one holds. `reasoning` is what a model thought aloud; `logprobs` are OpenAI's entries, one a token.
    `seal` is what the provider wants back with its reasoning, unread (Anthropic's signature). `refused` says that the
    text is the model's refusal.
    """

    text: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    finish: str | None = None
    usage: Usage | None = None
    citations: tuple[Citation, ...] = ()
    raw: bytes | None = None
    reasoning: str = ""
    logprobs: tuple[Json, ...] = ()
    seal: str = ""
    refused: bool = False


class Thought(Struct, frozen=True, gc=False):
    """A stretch of reasoning, and the provider's seal on it: both go back to it unchanged."""

    text: str
    seal: str = ""


class Response(Struct, frozen=True, gc=False):
    """A collected stream of deltas."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str | None = None
    usage: Usage | None = None
    citations: tuple[Citation, ...] = ()
    logprobs: tuple[Json, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    refused: bool = False

    @property
    def reasoning(self) -> str:
        """All that the model thought aloud."""
        return "".join(thought.text for thought in self.thoughts)


class Finding(Struct, frozen=True, gc=False):
    """What a guardrail found in a text, without the text itself: a finding may be logged.

    `replacement` stands in for `text[start:end]` where the guardrail's action is to mask.
    """

    kind: str
    start: int
    end: int
    replacement: str = ""


Action = Literal["pass", "mask", "block"]


class Verdict(Struct, frozen=True, gc=False):
    """A guardrail's decision on one text: what it did, why, and the text that may go on."""

    guardrail: str
    action: Action
    text: str
    reason: str = ""
    findings: tuple[Finding, ...] = ()


class Span(Struct, frozen=True, array_like=True, gc=False):
    """One stage of a request: what it decided and why. Times count from the start of the trace."""

    stage: str
    name: str
    parent: int
    start_ns: int
    duration_ns: int
    decision: str = ""
    reason: str = ""
    attributes: Json = {}


class Trace(Struct, frozen=True, array_like=True, gc=False):
    """Everything that happened to one request. `status` is ok, error or cancelled; `key` is the name of the caller's.

    `cost_nano` is None where no price is known: an unknown cost is not a cost of nothing. `user` is whom the caller
    asked for, by a name of its own (`core/user.py`).
    """

    id: str
    application: str
    variant: str
    model: str
    tenant: str
    started_ns: int
    duration_ns: int
    first_token_ns: int
    status: str
    error: str
    cached: str
    usage: Usage
    cost_nano: int | None
    price_version: str
    question: str
    answer: str
    citations: tuple[Citation, ...]
    spans: tuple[Span, ...]
    calls: tuple[Call, ...] = ()
    key: str = ""
    user: str = ""


class Evidence(Struct, frozen=True, array_like=True, gc=False):
    """The words a finding rests on: `text` is that of a trace's question or answer from `start` to `end`.

    `returned` is the last answer before, as the trace's request gave it back.
    """

    trace: str
    of: Literal["question", "answer", "returned"]
    start: int
    end: int
    text: str


FeedbackKind = Literal["thumb", "score", "label", "comment", "correction", "preference", "signal"]


class Feedback(Struct, frozen=True, array_like=True, gc=False):
    """What somebody thinks of an answer, or what the gateway takes what they did to mean.

    It is about a trace, one span of it (its place in the trace), or a `session` as a whole, then without a trace.
    What counts is, by its `kind`: of a thumb `value` 1 or -1; of a score `value` and `name`, what was scored; of a
    label `name`; of a comment `text`; of a correction `text`, the answer as it should have been; of a preference
    `other`, the trace it was preferred to (`value` 0 where neither was), and `side`, where the preferred one was
    shown; of a signal `name`, `value` as that signal defines it, and the `evidence`. `confidence` is how often such a
    finding is right, 1 for what was said outright. `by` names who gave it.
    """

    kind: FeedbackKind
    source: Literal["user", "reviewer", "gateway"]
    made_ns: int
    trace: str = ""
    span: int | None = None
    session: str = ""
    name: str = ""
    value: float | None = None
    text: str = ""
    other: str = ""
    side: Literal["", "a", "b"] = ""
    by: str = ""
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()


class Prompt(Struct, frozen=True):
    """A prompt file: its front matter and its template body. `digest` is that of the file's text."""

    name: str
    body: str
    digest: str
    model: str = ""
    input: Json = {}
    output: Json = {}


class Variant(Struct, frozen=True):
    """A configuration of the pipeline: what is served, evaluated, improved and released.

    `digest` is the hash of its contents (prompts, models, retrieval, guardrails, tools): the same
    folder has the same digest on every machine. `epoch` names the document index it answers from.
    """

    application: str
    digest: str
    epoch: int


class Answer(Struct, frozen=True):
    """What `ask` gives back: the answer, what it rests on, and what it cost (`cost` is in dollars)."""

    answer: str
    citations: tuple[Citation, ...]
    trace_id: str
    variant: str
    usage: Usage
    cost: float
    cached: bool
