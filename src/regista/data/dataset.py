"""A dataset as files: a folder with a file of examples and one of their lineage for each version, named by content.

The same examples make the same version, whoever makes them. What stands in a version is never changed.
"""

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

import msgspec
from msgspec import Struct

from regista.core.digest import digest_bytes
from regista.core.errors import ConfigurationError, NotFoundError, UnknownNameError
from regista.core.nouns import Json
from regista.store.locks import held

FOLDER = "evals/datasets"
"""Where an application keeps its datasets: beside its suites, which name files below themselves only."""
LOCK = ".regista/datasets.lock"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Example(Struct, frozen=True, omit_defaults=True):
    """One line of a dataset: a case for suites (`id`, `input`), with what was answered and where it comes from.

    `reference` is the answer as it should have been, where somebody gave it: the case's reference `answer`.
    """

    id: str
    input: str
    output: str
    trace: str
    variant: str
    model: str
    status: str
    started_ns: int
    reference: str = msgspec.field(default="", name="answer")


class Lineage(Struct, frozen=True):
    """Where a version comes from. `filters` are what was asked for; `left_out` counts traces not taken, by why.

    `masked` counts what was hidden by kind. `created_ns` is in nanoseconds since 1970. `parent` is the version it was
    made of by adding to it, empty for one made at once. `erased` are examples that were taken out for good.
    """

    name: str
    version: str
    application: str
    created_ns: int
    examples: int
    filters: Json
    left_out: Mapping[str, int]
    masked: Mapping[str, int]
    parent: str = ""
    erased: int = 0


@contextmanager
def changing(folder: Path) -> Generator[None]:
    """Alone in changing what datasets of an application there are, across threads and processes. Blocks."""
    with held(folder / LOCK):
        yield


def keep(folder: Path, examples: Sequence[Example], lineage: Lineage) -> Lineage:
    """Write a version of `lineage.name` into an application's folder, its `version` being what the examples come to.

    Where it is there already nothing is written, and the lineage that it has is returned.

    Raises:
        ConfigurationError: the name is none that a folder should have, or there are no examples.
    """
    check_name(lineage.name)
    if not examples:
        raise ConfigurationError("There are no examples to keep.")
    body = b"".join(msgspec.json.encode(example) + b"\n" for example in examples)
    made = msgspec.structs.replace(lineage, version=digest_bytes(body), examples=len(examples))
    place = folder / FOLDER / lineage.name
    known = place / f"{made.version}.json"
    if known.is_file():
        return _read(known)
    place.mkdir(parents=True, exist_ok=True)
    # The lineage last: a version is there once it is.
    _write(place / f"{made.version}.jsonl", body)
    write_lineage(folder, made)
    return made


def renew(folder: Path, lineage: Lineage, created_ns: int) -> Lineage:
    """Make a version that is there the newest: what stands in it was made again at that time."""
    made = msgspec.structs.replace(lineage, created_ns=created_ns)
    write_lineage(folder, made)
    return made


def check_name(name: str) -> str:
    """The name, if a dataset may have it.

    Raises:
        ConfigurationError: the name is none that a folder should have.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name of a dataset: use a-z, 0-9, - and _, such as 'failures'.")
    return name


def versions(folder: Path, name: str = "") -> list[Lineage]:
    """All versions of all datasets of an application, or of one, the newest first.

    Raises:
        UnknownNameError: there is no dataset of that name.
    """
    place = folder / FOLDER
    names = sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []
    if name and name not in names:
        raise UnknownNameError("dataset", name, names)
    files = [file for one in ([name] if name else names) for file in (place / one).glob("*.json")]
    return sorted(map(_read, files), key=lambda one: (-one.created_ns, one.name))


def find(folder: Path, name: str, version: str = "") -> Lineage:
    """One version, by the beginning of its digest; the newest where none is given.

    Raises:
        UnknownNameError: there is no dataset of that name.
        NotFoundError: it has no such version, or several begin so.
    """
    there = versions(folder, name)
    found = [one for one in there if one.version.startswith(version)]
    if len(found) == 1 or (found and not version):
        return found[0]
    known = ", ".join(one.version[:8] for one in there)
    raise NotFoundError(f"{len(found)} versions of {name} begin with {version!r}. It has: {known}.")


def path_of(folder: Path, lineage: Lineage) -> Path:
    """The file of a version's examples: JSON Lines, which a suite can name among its cases."""
    return folder / FOLDER / lineage.name / f"{lineage.version}.jsonl"


def read(folder: Path, lineage: Lineage) -> Iterator[Example]:
    """The examples of a version, in its order.

    Raises:
        NotFoundError: its file is gone.
        ConfigurationError: it is no file of examples.
    """
    file = path_of(folder, lineage)
    decode = msgspec.json.Decoder(Example).decode
    try:
        with file.open("rb") as lines:
            for line in lines:
                yield decode(line)
    except FileNotFoundError:
        raise NotFoundError(f"{file} is gone. Bring it back, or remove {file.stem}.json beside it too.") from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{file} is no file of examples: {error}") from None


def write_lineage(folder: Path, lineage: Lineage) -> None:
    """Write the lineage of a version that is there, in place of the one it has."""
    body = msgspec.json.format(msgspec.json.encode(lineage), indent=2) + b"\n"
    _write(folder / FOLDER / lineage.name / f"{lineage.version}.json", body)


def _write(file: Path, body: bytes) -> None:
    """Write a file so that it is there whole, or not at all."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.{get_ident()}")
    beside.write_bytes(body)
    beside.replace(file)


def _read(file: Path) -> Lineage:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Lineage)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{file} is no lineage of a dataset: {error}") from None
