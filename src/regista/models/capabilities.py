"""What models hold and can do, as the catalogue says. What it does not say is unknown, which is neither yes nor no."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from regista.core.errors import ConfigurationError, did_you_mean, near
from regista.core.nouns import Json
from regista.models.catalogue import DATED, MONEY, catalogue, closest

Caching = Literal["automatic", "marked"]
Tokens = Annotated[int, Meta(ge=1)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", description='Write a day as text, such as "2027-01-31".')]


class Capabilities(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model holds, takes and gives; None where nobody said. `catalogue.toml` says what each field means."""

    context: Tokens | None = None
    answer: Tokens | None = None
    tools: bool | None = None
    images: bool | None = None
    documents: bool | None = None
    audio_input: bool | None = None
    json_schema: bool | None = None
    logprobs: bool | None = None
    reasoning: bool | None = None
    sampling: bool | None = None
    embeddings: bool | None = None
    caching: Caching | None = None
    retires: Day | None = None

    @property
    def features(self) -> tuple[str, ...] | None:
        """The names of what it is known to take and give; None where nothing is known."""
        known = {name: getattr(self, name) for name in FEATURES}
        return tuple(name for name, has in known.items() if has) if any(v is not None for v in known.values()) else None


FEATURES = tuple(
    name for name in Capabilities.__struct_fields__ if name not in ("context", "answer", "caching", "retires")
)
UNKNOWN = Capabilities()


class CapabilityTable:
    """The capabilities of models, by provider and model."""

    def __init__(self, rows: Mapping[tuple[str, str], Capabilities]) -> None:
        self.rows = rows

    @classmethod
    def load(cls) -> "CapabilityTable":
        """The table that comes with Regista."""
        apart = MONEY | DATED
        return cls(
            {
                key: msgspec.convert({name: row[name] for name in row if name not in apart}, Capabilities)
                for key, row in catalogue().rows.items()
            }
        )

    def with_overrides(self, overrides: Mapping[str, Json]) -> "CapabilityTable":
        """The same with an application's own facts, by `provider/model`, over what is known of a model.

        Raises `ConfigurationError` for a field that is none, or of another kind.
        """
        own: dict[tuple[str, str], Capabilities] = {}
        for name, facts in overrides.items():
            provider, _, model = name.partition("/")
            for field in facts:
                if field not in Capabilities.__struct_fields__:
                    hint = did_you_mean(near(field, Capabilities.__struct_fields__))
                    raise ConfigurationError(f"The capabilities of {name} have a field {field!r}.{hint}")
            known = msgspec.to_builtins(self.of(provider, model))
            try:
                own[provider, model] = msgspec.convert(known | facts, Capabilities)
            except msgspec.ValidationError as error:
                raise ConfigurationError(f"The capabilities of {name} are wrong: {error}.") from None
        return CapabilityTable({**self.rows, **own}) if own else self

    def of(self, provider: str, model: str) -> Capabilities:
        """What is known of a provider's model. A dated snapshot can what its model can.

        >>> CapabilityTable.load().of("openai", "gpt-4o-2024-08-06").images
        True
        """
        return closest(self.rows, provider, model) or UNKNOWN
