"""A folder of components, by name: the folder is the registry, a file is a component.

Its files are imported on first use, so a component's optional packages stay optional. The
registry does not know what its components do.
"""

import dataclasses
import importlib
import importlib.metadata
import importlib.resources
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar, get_type_hints

from regista.core.errors import ConfigurationError, UnknownNameError, did_you_mean, near

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
F = TypeVar("F", bound=Callable[..., Any])


class Rows(Protocol[C_co]):
    """Components that are rows of a table and not files: one file makes them all."""

    def names(self) -> Iterable[str]:
        """Their names, without importing what makes them."""
        ...

    def factory(self, name: str) -> Callable[..., C_co]:
        """The class or function behind the row of that name."""
        ...


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a component, read off its constructor: what documentation and checks derive from."""

    name: str
    type: Any
    default: Any
    help: str
    required: bool


class Registry(Generic[C]):
    """Components of one protocol. Made in a folder's `__init__` as `Registry[Protocol](__name__, "noun")`.

    With `rows` there are further ones by the names of a table; a file of the same name goes before its row.
    """

    def __init__(self, package: str, noun: str, rows: Rows[C] | None = None) -> None:
        self.package = package
        self.noun = noun
        self._rows = rows
        self._factories: dict[str, Callable[..., C]] = {}

    def add(self, factory: F) -> F:
        """Register the class or function of a component file; its name is the file's name."""
        self._factories[factory.__module__.rpartition(".")[2]] = factory
        return factory

    def names(self) -> list[str]:
        """All names, without importing any: this folder's files and installed entry points of its dotted name."""
        files = (entry.name for entry in importlib.resources.files(self.package).iterdir())
        own = {name[:-3] for name in files if name.endswith(".py") and not name.startswith("_")}
        own |= {point.name for point in importlib.metadata.entry_points(group=self.package)}
        return sorted(own | self._row_names())

    def factory(self, name: str) -> Callable[..., C]:
        """The class or function behind a name; imports its file."""
        if name not in self._factories:
            if name not in self.names():
                raise UnknownNameError(self.noun, name, self.names())
            points = importlib.metadata.entry_points(group=self.package, name=name)
            for point in points:
                self._factories[name] = point.load()
            if not points and self._is_file(name):
                importlib.import_module(f"{self.package}.{name}")
            elif not points and self._rows is not None:
                self._factories[name] = self._rows.factory(name)
        if name not in self._factories:
            raise ConfigurationError(f"{self.package}.{name} registers no {self.noun}: decorate its class or function.")
        return self._factories[name]

    def options(self, name: str) -> list[Option]:
        """The options of a component: its dataclass fields, less those the platform supplies (`port()`)."""
        factory = self.factory(name)
        if not dataclasses.is_dataclass(factory):
            return []
        fields = [field for field in dataclasses.fields(factory) if field.init and not field.metadata.get("port")]
        # Ports are left alone: their types may name packages that only a type checker imports.
        written = any(isinstance(field.type, str) for field in fields)
        hints = get_type_hints(factory) if written else {field.name: field.type for field in fields}
        return [
            Option(
                field.name,
                hints[field.name],
                None if field.default is dataclasses.MISSING else field.default,
                str(field.metadata.get("help", "")),
                field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            )
            for field in fields
        ]

    def build(self, name: str, ports: dict[str, Any] | None = None, **options: Any) -> C:
        """Make a component. `ports` are what the platform has to offer; a component takes those it names."""
        factory = self.factory(name)
        known = {option.name: option for option in self.options(name)}
        for given in options:
            if given not in known:
                raise ConfigurationError(
                    f"The {self.noun} {name!r} has no option {given!r}.{did_you_mean(near(given, known))}"
                )
        for option in known.values():
            if option.required and option.name not in options:
                raise ConfigurationError(f"The {self.noun} {name!r} needs the option {option.name!r}: {option.help}")
        offered = {name: value for name, value in (ports or {}).items() if name in self._ports(factory)}
        return factory(**options, **offered)

    def _row_names(self) -> set[str]:
        return set(self._rows.names()) if self._rows is not None else set()

    def _is_file(self, name: str) -> bool:
        return (importlib.resources.files(self.package) / f"{name}.py").is_file()

    def _ports(self, factory: object) -> set[str]:
        fields = dataclasses.fields(factory) if dataclasses.is_dataclass(factory) else ()
        return {field.name for field in fields if field.metadata.get("port")}


def option(default: Any, help: str) -> Any:
    """A dataclass field that is an option of a component, with its line of help."""
    if isinstance(default, (list, dict, set)):
        raise TypeError("An option's default must be immutable: use a tuple.")
    return dataclasses.field(default=default, metadata={"help": help})


def port(default: Any = None) -> Any:
    """A dataclass field that the platform supplies (an embedder, a transport): never an option."""
    return dataclasses.field(default=default, metadata={"port": True}, repr=False)
