"""Takes all that is kept of one end user away, in every place where it may be, and then looks whether it is gone.

It knows the places, and neither how a request comes nor who may ask for this. Calls block, for minutes where much is
kept: never in the process that serves.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from regista.app.configuration import FILE
from regista.app.days import gone_from, places, unreached
from regista.app.erasing_files import erase_lines
from regista.core.digest import digest
from regista.core.errors import MissingExtraError, RegistaError, RequestError
from regista.core.user import forms
from regista.data import erasing as datasets
from regista.data.erasing import Erased
from regista.store import Database, erasing, parquet, seeking
from regista.store.erasing import Taken

LATE_S = 1.5
"""How long it is waited for what was under way: signals and labels are stored a moment after an answer."""
LOOKED_FOR = 64
"""Texts that are looked for afterwards, taken evenly from all."""
NAMED = 8
"""Characters of a name that is looked for too: shorter ones are in many texts by chance."""


class Erasure(Struct):
    """What was done. `removed` counts by place; `exact_keys` are what was taken out of a shared cache, by application.

    `looked_for` texts were searched in the bytes of `files` files: `residue` are those files in which something is that
    no row says, `rows` the tables in which the same words are because others said them. `left` counts what tables still
    hold of it, `since` the user's requests that came meanwhile, `elsewhere` those of other tenants' users of that name.
    `problems` are places that could not be reached.
    """

    user: str
    tenant: str
    traces: int
    removed: dict[str, int]
    datasets: list[Erased]
    exact_keys: list[tuple[str, str]]
    looked_for: int
    files: int
    rows: dict[str, int]
    residue: list[str]
    left: dict[str, int]
    since: int
    elsewhere: dict[str, int]
    problems: list[str]

    @property
    def verified(self) -> bool:
        """Whether it was looked everywhere and nothing was found."""
        return not (self.residue or self.left or self.problems)


def tenant_of(database: Database, user: str, tenant: str | None) -> str:
    """Whose user is meant: the only tenant that has one of that name, where none is named.

    Raises:
        RequestError: several have one.
    """
    if tenant is not None:
        return tenant
    known = erasing.tenants_of(database, user)
    if len(known) > 1:
        told = ", ".join(f"{name} ({count:,})" for name, count in known.items())
        raise RequestError(f"Several tenants have requests of a user {user!r}: {told}. Say which: --tenant NAME")
    return next(iter(known), "default")


Forget = Callable[[Sequence[tuple[str, str]]], None]
"""Takes answers out of a shared cache: their applications and keys."""


def erase(database: Database, user: str, tenant: str, folder: Path, forget: Forget | None = None) -> Erasure:
    """Erase a tenant's user. `folder` is the application's: its datasets are there, and the days that were exported.
    Where several applications share a store, those in folders beside it are looked at too.

    Whatever fails or is interrupted, the next time does the rest: the traces' own rows, without a word in them, are the
    last to go, and stay where something could not be reached that is found by them.

    Raises:
        StoreError: the store cannot be used, and some may still be in it.
    """
    taken = erasing.of_user(database, user, tenant, time.time_ns())
    traces = {one.id for one in taken}
    pieces = _pieces(database, taken, user)
    folders = _folders(database, folder)
    examples = {digest([one.id, one.started_ns]) for one in taken}
    examples.update(example for place in folders for example in datasets.examples_of(place, traces))
    keys = erasing.exact_keys(database, taken)
    removed = erasing.take_words(database, taken, sorted(examples))
    removed["batch lines"] = erase_lines(database, user, tenant, traces)
    gone = [one for place in folders for one in datasets.erase(place, traces)]
    removed["examples"] = sum(one.examples for one in gone)
    database.bodies.erase([one.n for one in taken])
    problems = [gone_from(place, away) for place in folders for away in unreached(place)]
    time.sleep(LATE_S)
    try:
        removed["exported"] = _from_days(folders, traces, tenant, user)
    except MissingExtraError as error:
        problems.append(error.message)
    if forget is not None and keys:
        try:
            forget(sorted(keys))
        except RegistaError as error:
            problems.append(f"Answers stay in the shared cache. {error.message}")
    if not problems:
        removed["traces"] = erasing.take_rows(database, taken)
        # A day may have closed before its rows went.
        removed["exported"] += _from_days(folders, traces, tenant, user)
    if erasing.left(database, taken):
        removed += erasing.take_words(database, taken, ())
    found = _looked(database, pieces)
    tenants = erasing.tenants_of(database, user)
    return Erasure(
        *(user, tenant, len(taken), dict(+removed), gone, sorted(keys), len(pieces)),
        *(len(database.files()), found.rows, [file.name for file in found.files]),
        *(dict(erasing.left(database, taken)), tenants.pop(tenant, 0), tenants, problems),
    )


def _folders(database: Database, folder: Path) -> list[Path]:
    """The application's folder; those of the applications beside it too, where the store may be theirs as well."""
    if any(file.resolve().is_relative_to(folder.resolve()) for file in database.files()):
        return [folder]
    return [folder, *sorted(mark.parent for mark in folder.parent.glob(f"*/{FILE}") if mark.parent != folder)]


def _from_days(folders: Sequence[Path], traces: set[str], tenant: str, user: str) -> int:
    """Take traces, and all of a user, out of the days that were exported; how many there were.

    Rows of the user may be in them that the store has deleted for their age.
    """
    given = (sorted(traces), tenant, forms(user))
    return sum(parquet.erase(place, *given) for folder in folders for place in places(folder))


def _looked(database: Database, pieces: Sequence[bytes]) -> seeking.Found:
    """Where something is still. A page that was once divided may keep what has long moved: it is written anew."""
    found = seeking.look(database, pieces)
    for file in found.files:
        database.compact(file)
    return seeking.look(database, pieces) if found.files else found


def _pieces(database: Database, taken: Sequence[Taken], user: str) -> list[bytes]:
    """Pieces of what was said in some of the traces, of all where they are few, and the name."""
    step = max(1, 2 * len(taken) // LOOKED_FOR)
    bodies = database.bodies.get(database, [one.n for one in taken[::step]])
    texts = [text for body in bodies.values() for text in (body.question, body.answer)]
    pieces = [*map(seeking.piece_of, texts), user.encode("utf-8", "replace")[:48] if len(user) >= NAMED else b""]
    return [piece for piece in dict.fromkeys(pieces) if piece]
