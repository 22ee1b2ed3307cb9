"""Reads a `regista.toml`: text in, typed settings and every mistake out. It opens no other file.

Which components there are and what options they take is asked of the registries, so a new component
is known here by its existence.
"""

import dataclasses
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from regista.app.choosing import named_models, struct_of
from regista.app.lines import Lines, Path
from regista.app.loops import loops
from regista.app.mistakes import Mistake
from regista.app.schema import (
    Agents,
    App,
    Batch,
    Cache,
    Context,
    Evaluation,
    Feedback,
    Guardrails,
    Model,
    Name,
    Observe,
    Price,
    Router,
    Settings,
)
from regista.app.secrets import secrets
from regista.app.words import plainly
from regista.core.errors import ConfigurationError, UnknownNameError, did_you_mean, near
from regista.core.nouns import Json
from regista.core.registry import Registry
from regista.models.capabilities import Capabilities
from regista.models.embeddings import embedders
from regista.models.providers import providers
from regista.serve.context.chunkers import chunkers
from regista.serve.context.loaders import loaders
from regista.serve.context.retrievers import retrievers
from regista.serve.guardrails import guardrails
from regista.serve.router import policies

FILE = "regista.toml"
SECTIONS = (
    "app",
    "models",
    "context",
    "guardrails",
    "cache",
    "batch",
    "agents",
    "router",
    "evaluation",
    "feedback",
    "observe",
    "prices",
    "capabilities",
)
KINDS: dict[str, Registry[Any]] = {
    "chunkers": chunkers,
    "retrievers": retrievers,
    "embedders": embedders,
    "loaders": loaders,
}
"""The component folders that `[context.<kind>.<component>]` may set options of."""
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "chunker": ("chunkers", ()),
    "retriever": ("retrievers", ()),
    "embedder": ("embedders", ("auto", "none")),
}
"""The keys of `[context]` that name a component: its kind, and what may stand there besides."""
PLACES = ("request", "context", "response")

_AT = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
S = TypeVar("S", bound=Struct)


def parse(text: str) -> tuple[Settings, Lines | None, list[Mistake]]:
    """The settings of a configuration, where its keys stand (None if it is no TOML), and its mistakes.

    What is wrong is left out of the settings, so that the rest can be checked further.
    """
    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Settings(), None, [syntax(FILE, text, error)]
    reader = _Reader(document, Lines(text))
    return reader.settings(), reader.lines, reader.mistakes


def parse_variant(text: str, over: str, file: str) -> tuple[Settings, Lines | None, list[Mistake]]:
    """The settings of a configuration with the keys of `over`, a variant's file, in place of its own; as `parse`.

    `text` must be without a mistake: those found are the variant's.
    """
    try:
        changes = tomllib.loads(over.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Settings(), None, [syntax(file, over, error)]
    text = text.removeprefix("\ufeff")
    reader = _Reader(_merged(tomllib.loads(text), changes), Lines(over.removeprefix("\ufeff"), Lines(text)), file)
    return reader.settings(), reader.lines, reader.mistakes


def _merged(document: Json, changes: Json) -> Json:
    """The document with the changes laid over it: tables key by key, everything else whole."""
    merged = dict(document)
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _merged(cast("Json", below), cast("Json", value))
        else:
            merged[key] = value
    return merged


def syntax(file: str, text: str, error: Exception) -> Mistake:
    """The mistake behind an error of `tomllib`."""
    if isinstance(error, RecursionError):
        return Mistake(file, 1, "The values are nested too deeply.")
    match = _AT.search(str(error))
    line = int(match["line"]) if match and match["line"] else max(len(text.splitlines()), 1)
    return Mistake(file, line, f"This is not valid TOML: {_AT.sub('', str(error))}.")


def is_name(text: str) -> bool:
    """Whether an application may be called so."""
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError:
        return False
    return True


class _Reader:
    """One reading of one document."""

    def __init__(self, document: Json, lines: Lines, file: str = FILE) -> None:
        self.file = file
        self.document = document
        self.lines = lines
        self.mistakes: list[Mistake] = []
        self.secret = secrets(document)
        self._names: dict[str, list[str]] = {}

    def settings(self) -> Settings:
        for path, message in self.secret.items():
            self.wrong(path, message)
        for section in self.document:
            if section not in SECTIONS:
                self.unknown((section,), SECTIONS, "section")
        models = {name: model for name in self.table("models") if (model := self.model(name))}
        self.references(models)
        prices = {name: price for name in self.table("prices") if (price := self.price(name))}
        facts = {name: found for name in self.table("capabilities") if (found := self.facts(name))}
        return Settings(
            app=self.struct(App, ("app",))[0] or App(),
            models=models,
            context=self.context() if "context" in self.document else None,
            guardrails=self.guardrails(),
            cache=self.struct(Cache, ("cache",))[0] or Cache(),
            batch=self.struct(Batch, ("batch",))[0] or Batch(),
            agents=self.struct(Agents, ("agents",))[0] or Agents(),
            router=self.router() if "router" in self.document else None,
            evaluation=self.struct(Evaluation, ("evaluation",))[0] if "evaluation" in self.document else None,
            observe=self.struct(Observe, ("observe",))[0] or Observe(),
            feedback=self.struct(Feedback, ("feedback",))[0] if "feedback" in self.document else None,
            prices=prices,
            capabilities=facts,
        )

    def model(self, name: str) -> Model | None:
        at = ("models", name)
        model, options = self.struct(Model, at, more=True)
        if model is None:
            return None
        if model.balance or "balance" in self.table(*at):
            return self.pool(name, model, options)
        written = self.table(*at).get("model")
        if written is None:
            self.wrong(at, f"{_dotted(at)} needs the key 'model'.")
        if not isinstance(written, str):
            return None
        if not model.provider or not model.name:
            known = ", ".join(self.names(providers))
            self.wrong((*at, "model"), f'A model is written "provider/model". Providers: {known}.')
            return None
        if not self.named(providers, model.provider, (*at, "model")):
            return None
        self.choosing(name, model)
        options = self.options(providers, model.provider, options, at, besides=_keys(Model))
        return msgspec.structs.replace(model, options=options)

    def choosing(self, name: str, model: Model) -> None:
        """Who verifies answers stands where answers are verified, and nowhere else."""
        at = ("models", name, "verifier")
        if model.choose == "verifier" and not model.verifier:
            written = 'another of [models.*], or a function: "tools.py:score"'
            self.wrong(("models", name, "choose"), f"{_dotted(at[:2])} needs the key 'verifier': {written}.")
        if model.verifier and (model.choose != "verifier" or model.samples == 1):
            self.wrong(at, 'It verifies nothing: write samples = 5 and choose = "verifier" beside it.')

    def pool(self, name: str, model: Model, rest: Json) -> Model:
        """A model that is one of several."""
        at = ("models", name)
        if model.model:
            self.wrong((*at, "balance"), f"{_dotted(at)} has `model` and `balance`: a pool has no model of its own.")
            return model
        if len(set(model.balance)) < 2:
            self.wrong((*at, "balance"), f"{_dotted(at)} balances fewer than two models: name another, or write model.")
        for key in rest:
            self.unknown((*at, key), _keys(Model), "key")
        self.choosing(name, model)
        return msgspec.structs.replace(model, model=f"pool/{name}")

    def references(self, models: Mapping[str, Model]) -> None:
        """Models that others name: each must be there, and none may lead back to itself."""
        known = self.table("models")
        verifiers = {name: () if ":" in model.verifier else (model.verifier,) for name, model in models.items()}
        verifiers = {name: tuple(filter(None, verifier)) for name, verifier in verifiers.items()}
        graph = {name: (*model.balance, *model.fallbacks, *verifiers[name]) for name, model in models.items()}
        for name, model in models.items():
            for other in verifiers[name]:
                if other not in known:
                    self.wrong(("models", name, "verifier"), UnknownNameError("model", other, known).message)
            for key, others in (("balance", model.balance), ("fallbacks", model.fallbacks)):
                for position, other in enumerate(others):
                    if other not in known:
                        self.wrong(("models", name, key, position), UnknownNameError("model", other, known).message)
        for first, *way in loops(graph):
            keys = {key: getattr(models[first], key) for key in ("balance", "fallbacks")}
            key = next((key for key, others in keys.items() if way[0] in others), "verifier")
            told = " → ".join((first, *way))
            self.wrong(("models", first, key), f"These models lead back to themselves and would never end: {told}.")

    def price(self, name: str) -> Price | None:
        at = ("prices", name)
        provider, _, model = name.partition("/")
        if not model:
            self.wrong(at, f'A price is that of a model: [prices."provider/{name}"].')
        elif self.named(providers, provider, at):
            return self.struct(Price, at)[0]
        return None

    def facts(self, name: str) -> Capabilities | None:
        at = ("capabilities", name)
        provider, _, model = name.partition("/")
        if not model:
            self.wrong(at, f'Capabilities are those of a model: [capabilities."provider/{name}"].')
        elif self.named(providers, provider, at):
            return self.struct(Capabilities, at)[0]
        return None

    def context(self) -> Context:
        context, rest = self.struct(Context, ("context",), more=True)
        context = context or Context()
        options: dict[str, dict[str, Json]] = {}
        for kind in rest:
            if kind not in KINDS:
                self.unknown(("context", kind), [*_keys(Context), *KINDS], "key")
            for name in self.table("context", kind) if kind in KINDS else ():
                at = ("context", kind, name)
                if self.named(KINDS[kind], name, at):
                    options.setdefault(kind, {})[name] = self.options(KINDS[kind], name, self.table(*at), at)
        for key, (kind, besides) in CHOICES.items():
            chosen: str = getattr(context, key)
            if chosen in besides or chosen in options.get(kind, {}):
                continue
            if self.named(KINDS[kind], chosen, ("context", key), besides):
                filled = self.options(KINDS[kind], chosen, {}, ("context", key))
                options.setdefault(kind, {})[chosen] = filled
        return msgspec.structs.replace(context, options=options)

    def guardrails(self) -> Guardrails:
        chosen, rest = self.struct(Guardrails, ("guardrails",), more=True)
        chosen = chosen or Guardrails()
        options: dict[str, Json] = {}
        for place in PLACES:
            for position, name in enumerate(cast("tuple[str, ...]", getattr(chosen, place))):
                at = ("guardrails", place, position)
                if self.named(guardrails, name, at) and name not in options:
                    given = self.table("guardrails", name)
                    options[name] = self.options(guardrails, name, given, ("guardrails", name) if given else at)
        for name in rest:
            at = ("guardrails", name)
            if name in options:
                continue
            if name not in self.names(guardrails):
                self.unknown(at, [*PLACES, *self.names(guardrails)], "key or guardrail")
            elif self.lines.get(at):  # a variant need not use what the document below it sets up
                self.wrong(at, f"{name} is set up here and runs nowhere: name it in request, context or response.")
        return msgspec.structs.replace(chosen, options=options)

    def router(self) -> Router:
        chosen, rest = self.struct(Router, ("router",), more=True)
        chosen = chosen or Router()
        options: dict[str, Json] = {}
        for position, name in enumerate(chosen.policies):
            at = ("router", "policies", position)
            if self.named(policies, name, at) and name not in options:
                given = self.table("router", name)
                at = ("router", name) if given else at
                before = len(self.mistakes)
                options[name] = self.options(policies, name, given, at)
                if len(self.mistakes) == before:
                    self.alone(policies, name, options[name], at)
        for name in rest:
            at = ("router", name)
            if name not in self.names(policies):
                self.unknown(at, [*_keys(Router), *self.names(policies)], "key or policy")
            elif name not in options and self.lines.get(at):  # a variant need not use what is below it
                self.wrong(at, f"{name} is set up here and never asked: name it in policies.")
        self.routed(chosen, options)
        return msgspec.structs.replace(chosen, options=options)

    def routed(self, chosen: Router, options: dict[str, Json]) -> None:
        """The models that the router names: each must be there."""
        known = self.table("models")
        named = [*named_models(options), *([(("shadow",), chosen.shadow)] if chosen.shadow else [])]
        for path, name in named:
            if name not in known:
                self.wrong(("router", *path), UnknownNameError("model", name, known).message)

    def struct(self, kind: type[S], at: Path, *, more: bool = False) -> tuple[S | None, Json]:
        """A table as a struct, and its other keys: with `more` they are the caller's, else mistakes.

        None if a required key is missing or wrong.
        """
        fields = _keys(kind)
        right: Json = {}
        rest: Json = {}
        for key, value in self.table(*at).items():
            if key in fields:
                self.convert(value, fields[key].type, (*at, key), lambda v, key=key: right.update({key: v}))
            elif more:
                rest[key] = value
            else:
                self.unknown((*at, key), fields, "key")
        required = [name for name, field in fields.items() if field.required]
        for name in required:
            if name not in self.table(*at):
                self.wrong(at, f"{_dotted(at)} needs the key {name!r}.")
        return (kind(**right) if all(name in right for name in required) else None), rest

    def structs(self, kind: type[S], at: Path) -> dict[str, S]:
        """A table of tables as structs by name, in their order; what is wrong is left out."""
        made: dict[str, S] = {}
        for name in self.table(*at):
            one, _ = self.struct(kind, (*at, name))
            if one is not None:
                made[name] = one
        return made

    def options(self, registry: Registry[Any], name: str, given: Json, at: Path, besides: Iterable[str] = ()) -> Json:
        """A component's options: what is given, checked against its constructor, over its defaults.

        `besides` are keys that stand beside them and may have been meant.
        """
        try:
            known = {option.name: option for option in registry.options(name)}
        except (ConfigurationError, ImportError) as error:
            self.wrong(at, str(error))
            return given
        right = {key: option.default for key, option in known.items() if option.default is not None}
        for key, value in given.items():
            if key not in known:
                self.unknown((*at, key), [*known, *besides], f"option of the {registry.noun} {name}")
            elif (kind := struct_of(known[key].type)) is not None:
                right[key] = self.structs(kind, (*at, key))
            else:
                self.convert(value, known[key].type, (*at, key), lambda v, key=key: right.update({key: v}))
        for key, option in known.items():
            if option.required and key not in given:
                self.wrong(at, f"The {registry.noun} {name} needs the option {key!r}: {option.help}")
        if right.keys() >= given.keys():
            self.together(registry, name, right, at)
        return right

    def together(self, registry: Registry[Any], name: str, options: Json, at: Path) -> None:
        """Make a component that needs nothing of the platform: its constructor says whether its options fit."""
        factory = registry.factory(name)
        if dataclasses.is_dataclass(factory) and not any(f.metadata.get("port") for f in dataclasses.fields(factory)):
            self.alone(registry, name, options, at)

    def alone(self, registry: Registry[Any], name: str, options: Json, at: Path) -> None:
        """Make a component without the platform, for its constructor to say what is wrong with its options."""
        try:
            registry.build(name, **options)
        except ConfigurationError as error:
            self.wrong(at, error.message)

    def convert(self, value: object, kind: Any, at: Path, keep: Callable[[Any], None]) -> None:
        try:
            keep(msgspec.convert(value, kind))
        except msgspec.ValidationError as error:
            if at not in self.secret:
                self.wrong(at, f"{_dotted(at)}: {plainly(error, kind, value)}")

    def named(self, registry: Registry[Any], name: str, at: Path, besides: tuple[str, ...] = ()) -> bool:
        known = [*besides, *self.names(registry)]
        if name not in known:
            self.wrong(at, UnknownNameError(registry.noun, name, known).message)
        return name in known

    def names(self, registry: Registry[Any]) -> list[str]:
        """A registry's names, asked for once a reading: the answer takes a look at every installed package."""
        if registry.noun not in self._names:
            self._names[registry.noun] = registry.names()
        return self._names[registry.noun]

    def table(self, *at: str | int) -> Json:
        """The table at a path; empty where there is none. Something else there is a mistake, told once."""
        table = self.document
        for place, key in enumerate(at):
            value: object = table.get(str(key), {})
            if not isinstance(value, dict):
                self.wrong(at[: place + 1], f"{_dotted(at[: place + 1])} must be a table: write [{_dotted(at)}].")
                return {}
            table = cast("Json", value)
        return table

    def unknown(self, at: Path, known: Iterable[str], noun: str) -> None:
        if at not in self.secret:
            key, known = str(at[-1]), sorted(known)
            near_name = did_you_mean(near(key, known))
            self.wrong(at, f"There is no {noun} {key!r}.{near_name} Known: {', '.join(known) or 'none'}.")

    def wrong(self, at: Path, message: str) -> None:
        mistake = Mistake(self.file, self.lines.near(at), message)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)


def _keys(kind: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The keys of a table that also holds options of components, less those."""
    return {field.name: field for field in msgspec.structs.fields(kind) if field.name != "options"}


def _dotted(at: Path) -> str:
    return ".".join(str(key) if re.fullmatch(r"[\w-]+", str(key)) else f'"{key}"' for key in at)
