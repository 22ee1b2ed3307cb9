"""A dataset as files: a folder with a file of examples and one of their lineage for each version, named by content.

The same examples make the same version, whoever makes them. What stands in a version is never changed. An example that
was added by itself waits beside the versions until somebody reads them: then all that wait make one version.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

import msgspec
from msgspec import Struct

from regista.core.digest import digest_bytes
from regista.core.errors import ConfigurationError, NotFoundError, StoreError, UnknownNameError
from regista.core.nouns import Json
from regista.data import pending
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


class Added(Struct, frozen=True):
    """An example that waits for the next version: what was hidden in it is counted by kind."""

    example: Example
    masked: Mapping[str, int]
    application: str


_decode = msgspec.json.Decoder(Added).decode


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


def follow(folder: Path, newest: Lineage | None, examples: Sequence[Example], lineage: Lineage) -> Lineage:
    """Write what comes after the newest version, as `keep`; it is the newest then. For who is alone in changing."""
    now = max(time.time_ns(), newest.created_ns + 1 if newest is not None else 0)
    filters = dict(lineage.filters)
    # What is hidden nowhere in some of them is not hidden in all of them.
    if newest is not None and newest.filters.get("mask") is False:
        filters["mask"] = False
    parent = newest.version if newest is not None else ""
    made = msgspec.structs.replace(lineage, created_ns=now, filters=filters, parent=parent)
    kept = keep(folder, examples, made)
    if newest is None or kept.created_ns >= newest.created_ns:
        return kept
    # What was added came to what an older version has.
    kept = msgspec.structs.replace(kept, created_ns=now)
    write_lineage(folder, kept)
    return kept


def wait(folder: Path, name: str, added: Added) -> None:
    """Have an example wait for a dataset's next version. For who is alone in changing.

    Raises:
        StoreError: it cannot be kept.
    """
    place = folder / FOLDER / check_name(name)
    try:
        place.mkdir(parents=True, exist_ok=True)
        pending.append(place, msgspec.json.encode(added))
    except OSError as error:
        raise StoreError(f"Nothing was added to {name}: {place} cannot be written ({error.strerror}).") from error


def settle(folder: Path, name: str = "") -> None:
    """Make one version of all that waits to be in a dataset, or in any. Blocks."""
    if any(pending.waits(folder / FOLDER / one) for one in _names(folder, name)):
        with changing(folder):
            settled(folder, name)


def settled(folder: Path, name: str = "") -> list[Lineage]:
    """The versions as `versions` has them; none where there is no such dataset. For who is alone in changing."""
    for one in _names(folder, name):
        while pending.waits(folder / FOLDER / one):
            try:
                _settle(folder, one)
            except OSError as error:
                said = f"Examples wait for the next version of {one}, which cannot be written: {error.strerror}."
                raise StoreError(f"{said} None is lost: make room, or the folder writable, and try again.") from error
    return _listed(folder, name)


def put(kept: dict[str, Example], one: Example) -> bool:
    """Put an example behind others, which are there by what is `same`; whether it takes the place of one of them.

    One without a reference takes over that of the one it replaces.
    """
    question = same(one.input)
    before = kept.pop(question, None)
    if before is not None and not one.reference:
        one = msgspec.structs.replace(one, reference=before.reference)
    kept[question] = one
    return before is not None


def same(question: str) -> str:
    """What is equal for questions that differ in spaces and case only."""
    return " ".join(question.split()).casefold()


def check_name(name: str) -> str:
    """The name, if a dataset may have it.

    Raises:
        ConfigurationError: the name is none that a folder should have.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name of a dataset: use a-z, 0-9, - and _, such as 'failures'.")
    return name


def versions(folder: Path, name: str = "") -> list[Lineage]:
    """All versions of all datasets of an application, or of one, the newest first; what waits is in the newest.

    Raises:
        UnknownNameError: there is no dataset of that name.
    """
    names = _names(folder)
    if name and name not in names:
        raise UnknownNameError("dataset", name, names)
    settle(folder, name)
    return _listed(folder, name)


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
    """Write a file so that it is there whole, or not at all; on the disk, where others go on with less for it."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.{get_ident()}")
    with beside.open("wb") as written:
        written.write(body)
        written.flush()
        os.fsync(written.fileno())
    beside.replace(file)
    pending.sync(file.parent)


def sweep(folder: Path) -> None:
    """Take away what processes that died were writing: no version, but examples. For who is alone in changing."""
    for left in (folder / FOLDER).glob("*/.*.json*"):
        left.unlink(missing_ok=True)


def _settle(folder: Path, name: str) -> None:
    """Make a version of what waits, or of what a crash left half done: that makes the same version again."""
    place = folder / FOLDER / name
    try:
        added = [_decode(line) for line in pending.take(place)]
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"A line of {place / pending.TAKEN} is no example: {error}. Take it out.") from None
    newest = next(iter(_listed(folder, name)), None)
    kept = {same(one.input): one for one in read(folder, newest)} if newest is not None else {}
    again = sum(put(kept, one.example) for one in added)
    masked = sum((Counter(one.masked) for one in added), Counter[str]())
    if added:
        left_out = {"asked again": again} if again else {}
        lineage = Lineage(name, "", added[-1].application, 0, 0, {"added": len(added)}, left_out, dict(masked))
        follow(folder, newest, list(kept.values()), lineage)
    pending.drop(place)


def _names(folder: Path, name: str = "") -> list[str]:
    """The one that is named, or all datasets that there are."""
    place = folder / FOLDER
    if name or not place.is_dir():
        return [name] if name else []
    return sorted(one.name for one in place.iterdir() if one.is_dir())


def _listed(folder: Path, name: str = "") -> list[Lineage]:
    files = [file for one in _names(folder, name) for file in (folder / FOLDER / one).glob("*.json")]
    return sorted(map(_read, files), key=lambda one: (-one.created_ns, one.name))


def _read(file: Path) -> Lineage:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Lineage)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{file} is no lineage of a dataset: {error}") from None
