"""What `regista.toml` may say, as types: the keys, their defaults and their bounds. It reads no files.

`options` are those of components, by name, with the components' own defaults filled in.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from regista.core.nouns import Json
from regista.models.capabilities import Capabilities

Name = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9-]*$",
        max_length=40,
        description="Write lower-case letters, digits and hyphens, a letter first.",
    ),
]
PythonFile = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_]\w*\.py$",
        description="Name a Python file at the top of the application folder, such as tools.py.",
    ),
]
Dollars = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]+(\.[0-9]{1,6})?$",
        description='Write dollars per million tokens as text, such as "0.15", so that they stay exact.',
    ),
]

Url = Annotated[
    str,
    Meta(pattern=r"^https?://[^\s/@?#]+[^\s?#]*$", description="Write a URL, such as http://127.0.0.1:4318."),
]
Origin = Annotated[
    str,
    Meta(
        pattern=r"^https?://[a-z0-9.\-]+(:[0-9]{1,5})?$|^https?://\[[0-9a-f:]+\](:[0-9]{1,5})?$",
        description='Write an origin as a browser sends it, such as "https://shop.example": no path, no slash.',
    ),
]

Span = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,3}[hdw]$",
        description='Write a time such as "30d": a number of hours (h), days (d) or weeks (w).',
    ),
]
_SECONDS = {"h": 3_600, "d": 86_400, "w": 604_800}

Factor = Annotated[
    str, Meta(pattern=r"^(0(\.[0-9]{1,3})?|1)$", description='Write a part of one as text, such as "0.5" for half.')
]


class App(Struct, frozen=True):
    """`[app]`. `prompt` is the file `prompts/<prompt>.prompt`, `model` one of `[models.*]`.

    `example` is a question that `regista up` shows as one to try. `finish_abandoned_s` is for how many seconds an
    answer whose client has left is still read, so that the provider counts it; at 0 it is cancelled, and estimated.
    """

    name: Name = ""
    description: str = ""
    example: str = ""
    prompt: str = "answer"
    model: str = "default"
    finish_abandoned_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0


class Model(Struct, frozen=True):
    """`[models.<name>]`: `model` is `provider/its name there`; other keys are options of the provider.

    A pool has `balance` instead, two or more of the other models, and is `pool/<name>`. What each key does is told in
    docs/resilience.md, of `repairs`, `samples`, `choose` and `verifier` in docs/generation.md. `breaker` is the share
    of failing calls that opens it: one half for a model that is not alone (it has `fallbacks`, or is one, or is in a
    pool), else none. `continuation` is on where there are `fallbacks`.
    """

    model: str = ""
    balance: tuple[Name, ...] = ()
    fallbacks: tuple[Name, ...] = ()
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    total_s: Annotated[float, Meta(gt=0)] | None = None
    hedge_s: Annotated[float, Meta(gt=0)] | None = None
    breaker: Annotated[float, Meta(gt=0, le=1)] | None = None
    continuation: bool | None = None
    concurrency: Annotated[int, Meta(ge=1)] | None = None
    queue: Annotated[int, Meta(ge=0, le=100_000)] = 256
    queue_s: Annotated[float, Meta(gt=0)] = 5.0
    repairs: Annotated[int, Meta(ge=0, le=5)] = 2
    samples: Annotated[int, Meta(ge=1, le=32)] = 1
    choose: Literal["majority", "verifier", "longest", "shortest"] = "majority"
    verifier: str = ""
    parameters: Json = {}
    options: Json = {}

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]

    @property
    def name(self) -> str:
        """The provider's own name for the model."""
        return self.model.partition("/")[2]


class Context(Struct, frozen=True):
    """`[context]`: what is retrieved, and how. `options` are by kind (`chunkers`, …), then by component."""

    documents: str = "documents"
    chunker: str = "structure"
    retriever: str = "hybrid"
    embedder: str = "auto"
    k: Annotated[int, Meta(ge=1, le=200)] = 8
    options: dict[str, dict[str, Json]] = {}


class Guardrails(Struct, frozen=True):
    """`[guardrails]`: which run on what comes in, on retrieved text and on what goes out, in this order."""

    request: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    options: dict[str, Json] = {}


class Cache(Struct, frozen=True):
    """`[cache]`: answers to the same words (`exact`) and to the same question in other words (`semantic`).

    What depends on the time is kept for `brief_ttl_s`, and for the same words alone. `false_hits` is the share of
    semantic hits that may be wrong: `regista cache calibrate` finds from which likeness on they keep to it, and before
    that none is served. A `shadow` share of what lies near is answered afresh and compared.
    """

    exact: bool = False
    semantic: bool = False
    ttl_s: Annotated[int, Meta(ge=1)] = 3600
    brief_ttl_s: Annotated[int, Meta(ge=1)] = 60
    entries: Annotated[int, Meta(ge=1)] = 10_000
    false_hits: Annotated[float, Meta(gt=0, le=0.5)] = 0.01
    shadow: Annotated[float, Meta(ge=0, le=1)] = 0.05


class Batch(Struct, frozen=True):
    """`[batch]`: how many lines of batches one process answers at once, and whether providers run whole batches.

    A provider that has a batch API gives it at a lower price, and takes up to a day.
    """

    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 16
    upstream: bool = False


class Router(Struct, frozen=True):
    """`[router]`: the policies that choose the model, in the order they are asked; `[app] model` answers otherwise.

    A policy that takes longer than `patience_ms` is passed over. `names` are further names a client may ask for the
    application by: rules can tell them apart. A `shadow_share` of the requests goes to the model `shadow` too, after
    the answer. `options` are by policy.
    """

    policies: tuple[str, ...] = ()
    patience_ms: Annotated[int, Meta(ge=1, le=60_000)] = 250
    names: tuple[Name, ...] = ()
    shadow: str = ""
    shadow_share: Annotated[float, Meta(gt=0, le=1)] = 0.05
    options: dict[str, Json] = {}


class Agents(Struct, frozen=True):
    """`[agents]`: where the tools are, how many rounds of them an answer may take and how long one may run.

    `tools` is empty for an application without any.
    """

    tools: PythonFile = "tools.py"
    max_steps: Annotated[int, Meta(ge=1, le=100)] = 4
    tool_timeout_s: Annotated[float, Meta(gt=0)] = 10.0


class Evaluation(Struct, frozen=True):
    """`[evaluation]`: a share of what is served is scored by the scorers of a suite, none of which needs a reference.

    Which requests those are follows from their trace ids, so that every process chooses the same.
    """

    suite: str
    share: Annotated[float, Meta(gt=0, le=1)] = 0.01


class Observe(Struct, frozen=True):
    """`[observe]`: how much is kept of what was said and for how long, and where it goes beside the store.

    `otlp` is a collector's endpoint, by OTLP over HTTP, as in OTEL_EXPORTER_OTLP_ENDPOINT. `headers_env` names the
    environment variable that holds its headers: name=value,name=value. What was said goes there only with `content`.
    Alarms go to `webhook`, signed with the secret in the variable that `webhook_env` names. `parquet` is the folder to
    which closed days are written.

    `capture` is how much of what was said is kept at all: everything, everything but what the guardrails `secrets` and
    `pii` find, or figures and decisions alone. With `keep`, what is older is deleted: docs/privacy.md.
    """

    otlp: Url | None = None
    headers_env: str = ""
    content: bool = False
    webhook: Url | None = None
    webhook_env: str = "REGISTA_WEBHOOK_SECRET"
    parquet: str = ""
    capture: Literal["full", "masked", "off"] = "full"
    keep: Span | None = None

    @property
    def keep_s(self) -> int:
        """The same in seconds; 0: all is kept."""
        return int(self.keep[:-1]) * _SECONDS[self.keep[-1]] if self.keep else 0


class Feedback(Struct, frozen=True):
    """`[feedback]`: whose conversations are looked at for `signals`, and which web pages may have the widget.

    Without it, signals are those of the application, and no answer has a token for feedback. A conversation is over
    when nobody went on with it for `over_after_s`. `origins` are pages elsewhere that may send feedback by a token.
    """

    signals: Literal["application", "all", "off"] = "application"
    over_after_s: Annotated[float, Meta(ge=1, le=604_800)] = 1800.0
    origins: tuple[Origin, ...] = ()


class Price(Struct, frozen=True):
    """`[prices."provider/model"]`, in dollars per million tokens. `context` is the model's window, in tokens.

    `cache_write` is input that the provider's prompt cache keeps, `cache_write_1h` for an hour; `batch` is the factor
    of the price of batches.
    """

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    cache_write: Dollars | None = None
    cache_write_1h: Dollars | None = None
    audio_input: Dollars | None = None
    batch: Factor | None = None
    context: Annotated[int, Meta(ge=1)] | None = None


class Settings(Struct, frozen=True):
    """A whole `regista.toml`, checked, with every default applied. Without `[context]` nothing is retrieved."""

    app: App = field(default_factory=App)
    models: dict[str, Model] = {}
    context: Context | None = None
    guardrails: Guardrails = field(default_factory=Guardrails)
    cache: Cache = field(default_factory=Cache)
    batch: Batch = field(default_factory=Batch)
    agents: Agents = field(default_factory=Agents)
    router: Router | None = None
    evaluation: Evaluation | None = None
    feedback: Feedback | None = None
    observe: Observe = field(default_factory=Observe)
    prices: dict[str, Price] = {}
    capabilities: dict[str, Capabilities] = {}
