"""Reads `reviews/NAME.toml`: text in, a checked queue and every mistake out, with its line.

question = "Does the answer help who asked?"
annotators = 2                   # people asked about each item
lease_s = 600                    # how long one of them has it
blind_repeats = 0.1              # share of what one is asked that one has judged before
dataset = "gold"                 # where answers go that a reviewer edited
[[grades]]                       # the worst first; or [[labels]], each with a name; or pairwise = true
anchor = "Says nothing about the question."
example = "I am happy to help!"
[traces]
status = "ok"                    # also: model, since = "7d", signal, variants (for pairs)
"""

import tomllib
from pathlib import Path as File
from typing import Any, cast

import msgspec
from msgspec import Struct

from regista.app.configuration import is_name, syntax
from regista.app.lines import Lines, Path
from regista.app.mistakes import FolderError, Mistake
from regista.app.words import plainly
from regista.core.errors import UnknownNameError, did_you_mean, near
from regista.core.nouns import Json
from regista.feedback.review.queue import DEFAULTS, FEWEST, MOST, Choice, Queue, Traces

FOLDER = "reviews"
LARGEST = 1 << 20
"""Bytes of a queue's file."""
_LISTS = {"grades": Choice, "labels": Choice}
_TABLES = {"traces": Traces}


def queues(folder: File) -> dict[str, Queue]:
    """The queues of an application by name: those of its files, and the default. Blocks.

    Raises:
        FolderError: a file has mistakes; says all of them.
    """
    found, mistakes = read(folder)
    if mistakes:
        raise FolderError(folder.name, mistakes)
    return found


def queue(folder: File, name: str) -> Queue:
    """One queue. Raises `UnknownNameError` where there is none of that name, and as `queues`."""
    known = queues(folder)
    if name not in known:
        raise UnknownNameError("review queue", name, known)
    return known[name]


def read(folder: File) -> tuple[dict[str, Queue], list[Mistake]]:
    """The same, and what is wrong in the files; a queue with a mistake is left out."""
    found, mistakes = dict(DEFAULTS), list[Mistake]()
    for path in sorted((folder / FOLDER).glob("*.toml")):
        file = path.relative_to(folder).as_posix()
        if not is_name(path.stem):
            mistakes.append(Mistake(file, 0, "Call a queue by lower-case letters, digits and hyphens."))
            continue
        try:
            if path.stat().st_size > LARGEST:
                mistakes.append(Mistake(file, 0, f"This file is larger than {LARGEST >> 20} MB."))
                continue
            made, wrong = parse(file, path.read_text("utf-8"))
        except UnicodeDecodeError:
            made, wrong = None, [Mistake(file, 0, "This is not UTF-8 text. Save the file as UTF-8.")]
        except OSError as error:
            made, wrong = None, [Mistake(file, 0, f"This file cannot be read: {error.strerror}.")]
        mistakes += wrong
        if made is not None and not wrong:
            found[path.stem] = made
    return found, mistakes


def parse(file: str, text: str) -> tuple[Queue | None, list[Mistake]]:
    """The queue of a file's text, None where a required key is missing or wrong, and every mistake."""
    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, [syntax(file, text, error)]
    reading = _Reading(file, Lines(text))
    made = reading.struct(Queue, document, ())
    if isinstance(made, Queue):
        reading.together(made)
    return cast("Queue | None", made), reading.mistakes


class _Reading:
    """One reading of one document."""

    def __init__(self, file: str, lines: Lines) -> None:
        self.file = file
        self.lines = lines
        self.mistakes: list[Mistake] = []

    def wrong(self, at: Path, message: str) -> None:
        self.mistakes.append(Mistake(self.file, self.lines.near(at), message))

    def struct(self, kind: type[Struct], table: Json, at: Path) -> Struct | None:
        """A table as a struct; None where a required key is missing or wrong."""
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        right: Json = {}
        for key, value in table.items():
            here = (*at, key)
            if key not in fields:
                guess = did_you_mean(near(key, fields))
                self.wrong(here, f"There is no key {key!r}.{guess} Known: {', '.join(sorted(fields))}.")
            elif key in _LISTS and kind is Queue:
                right[key] = self.choices(key, value, here)
            elif key in _TABLES and kind is Queue:
                right[key] = self.struct(_TABLES[key], self.table(value, here), here) or _TABLES[key]()
            else:
                try:
                    right[key] = msgspec.convert(value, fields[key].type)
                except msgspec.ValidationError as error:
                    self.wrong(here, f"{key}: {plainly(error, fields[key].type, value)}")
        required = [name for name, field in fields.items() if field.required]
        for name in required:
            if name not in table:
                self.wrong(at, f"{'A queue' if kind is Queue else f'[[{at[0]}]]'} needs the key {name!r}.")
        return kind(**right) if all(name in right for name in required) else None

    def choices(self, key: str, value: object, at: Path) -> tuple[Struct, ...]:
        """A list of grades or labels, those with mistakes left out."""
        if not isinstance(value, list):
            self.wrong(at, f"{key} must be a list of tables: write [[{key}]] before each.")
            return ()
        listed = cast("list[Any]", value)
        tables = [(self.table(one, (*at, n)), (*at, n)) for n, one in enumerate(listed)]
        return tuple(made for table, here in tables if (made := self.struct(_LISTS[key], table, here)))

    def table(self, value: object, at: Path) -> Json:
        if isinstance(value, dict):
            return cast("Json", value)
        self.wrong(at, f"{at[0]} must be a table: write [{at[0]}].")
        return {}

    def together(self, queue: Queue) -> None:
        """What only shows when a queue is seen whole."""
        scales = [name for name in ("grades", "labels") if getattr(queue, name)]
        scales += ["pairwise"] if queue.pairwise else []
        if self.mistakes:
            return
        if len(scales) != 1:
            said = f"has {' and '.join(scales)}" if scales else "has no scale"
            self.wrong((scales[-1],) if scales else (), f"A queue {said}: give [[grades]], [[labels]] or pairwise.")
        elif queue.choices and not len(queue.choices) >= FEWEST:
            self.wrong((scales[0],), f"A scale has {FEWEST} {scales[0]} at least: there is nothing to choose.")
        elif len(queue.choices) > MOST:
            self.wrong((scales[0], MOST), f"A scale has {MOST} {scales[0]} at most: each has a digit as its key.")
        names = [choice.name for choice in queue.labels]
        if any(not name.strip() for name in names) or len(set(names)) < len(names):
            self.wrong(("labels",), "Each of [[labels]] needs a name of its own.")
        if queue.traces.variants and (not queue.pairwise or len(set(queue.traces.variants)) != 2):
            self.wrong(("traces", "variants"), "Name two different variants, in a queue that is pairwise.")
