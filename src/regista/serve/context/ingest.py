"""From a folder of files to the next epoch: what changed is read, cut and embedded, then committed at once.

Whatever goes wrong before the commit leaves the epoch before as it was. It does not know how the
epoch is searched.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from regista.core.digest import digest_bytes
from regista.core.errors import ConfigurationError
from regista.serve.context.loaders import MAX_FILE_BYTES
from regista.serve.context.parsing import Parser, Read
from regista.store.documents import Documents, Known, Parsed, passage

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors

Progress = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and what: a document's id while reading, then `vectors`."""
EMBEDDED_AT_ONCE = 64
"""Texts whose vectors are stored together: what an interrupted ingest loses at most."""


class IngestReport(Struct, frozen=True):
    """What an ingest did. `failed` are (document, reason): their old versions, if any, are still served.

    `chunks` is how many the epoch has, `embedded` for how many texts vectors were made.
    """

    epoch: int
    added: int
    changed: int
    removed: int
    unchanged: int
    chunks: int
    embedded: int
    failed: tuple[tuple[str, str], ...]


class TextEmbedder(Protocol):
    """What makes vectors: an embedding worker. `name` is known once started."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None: ...

    def embed(self, texts: Sequence[str], bulk: bool = False) -> "Awaitable[Vectors]": ...


@dataclass
class Found:
    """The files of a folder by document id, what in it cannot be read, and `hidden` folders that cannot be listed."""

    files: dict[str, Path] = field(default_factory=dict[str, Path])
    failed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    hidden: list[str] = field(default_factory=list[str])

    def may_hold(self, id: str) -> bool:
        """Whether the document may still be there: its removal is then no finding."""
        return id in self.files or any(id.startswith(folder) for folder in self.hidden)


@dataclass(frozen=True)
class Ingest:
    """One run over `folder`. `form` is the digest of what reads and cuts; `embedder` None: no vectors are made."""

    folder: Path
    documents: Documents
    parser: Parser
    form: str
    embedder: TextEmbedder | None
    progress: Progress

    async def run(self) -> IngestReport:
        """Make the next epoch, or none where nothing changed.

        Raises:
            ConfigurationError: the folder is missing.
            StoreError: the database cannot be written.
            RegistaError: the embedder failed.
        """
        found = await asyncio.to_thread(scan, self.folder)
        known = await asyncio.to_thread(self.documents.known)
        stale, unopened = await asyncio.to_thread(self._stale, found, known)
        parsed, unread = await self._read(stale)
        removed = [id for id in known if not found.may_hold(id)]
        embedded = await self._embed(parsed)
        committing = asyncio.create_task(asyncio.to_thread(self._commit, parsed, removed, embedded))
        try:
            epoch = await asyncio.shield(committing)
        finally:
            # Who is cancelled waits as well: it holds a lock, and a commit under way would drop the vectors that the
            # next ingest has made and not committed, and put older documents over its newer ones.
            await asyncio.wait([committing])
        added = sum(one.document.id not in known for one in parsed)
        return IngestReport(
            epoch=epoch,
            added=added,
            changed=len(parsed) - added,
            removed=len(removed),
            unchanged=len(found.files) - len(stale) - len(unopened),
            chunks=0,
            embedded=embedded,
            failed=tuple(sorted([*found.failed, *unopened, *unread])),
        )

    def _stale(self, found: Found, known: Mapping[str, Known]) -> tuple[dict[str, Path], list[tuple[str, str]]]:
        """Files that are not stored as they are now, and those that cannot be opened."""
        stale: dict[str, Path] = {}
        failed: list[tuple[str, str]] = []
        for id, path in found.files.items():
            try:
                if known.get(id) != Known(digest_bytes(contents(path)), self.form):
                    stale[id] = path
            except OSError as error:
                failed.append((id, f"{id} cannot be opened: {error.strerror}."))
        return stale, failed

    async def _read(self, stale: Mapping[str, Path]) -> tuple[list[Parsed], list[tuple[str, str]]]:
        parsed: list[Parsed] = []
        unread: list[tuple[str, str]] = []
        for number, (id, path) in enumerate(stale.items()):
            self.progress(number, len(stale), id)
            try:
                data = await asyncio.to_thread(contents, path)
            except OSError as error:
                unread.append((id, f"{id} cannot be opened: {error.strerror}."))
                continue
            answer = await self.parser.parse(id, data)
            if isinstance(answer, Read):
                parsed.append(answer.parsed)
            else:
                unread.append((id, answer.reason))
        if stale:
            self.progress(len(stale), len(stale), "")
        return parsed, unread

    async def _embed(self, parsed: Sequence[Parsed]) -> int:
        """Make the vectors that the next epoch needs and nobody made yet; how many."""
        if self.embedder is None:
            return 0
        missing = await asyncio.to_thread(self._unembedded, self.embedder.name, parsed)
        for start in range(0, len(missing), EMBEDDED_AT_ONCE):
            self.progress(start, len(missing), "vectors")
            some = missing[start : start + EMBEDDED_AT_ONCE]
            vectors = await self.embedder.embed([text for _, text in some], bulk=True)
            packed = [row.tobytes() for row in vectors.astype("<f2")]
            pairs = [(key, vector) for (key, _), vector in zip(some, packed, strict=True)]
            await asyncio.to_thread(self.documents.keep_vectors, self.embedder.name, pairs)
        if missing:
            self.progress(len(missing), len(missing), "vectors")
        return len(missing)

    def _unembedded(self, embedder: str, parsed: Sequence[Parsed]) -> list[tuple[str, str]]:
        """Passages as (key, text), short ones first: an embedder pads a batch to its longest text."""
        chunks = [(one.document.title, chunk) for one in parsed for chunk in one.chunks]
        fresh = [passage(title, chunk.heading, chunk.text) for title, chunk in chunks]
        texts = {one.key: one.text for one in fresh}
        made = self.documents.embedded(embedder, texts)
        missing = {key: text for key, text in texts.items() if key not in made} | self.documents.passages(embedder)
        return sorted(missing.items(), key=lambda item: len(item[1]))

    def _commit(self, parsed: Sequence[Parsed], removed: Sequence[str], embedded: int) -> int:
        epoch = self.documents.epoch()
        embedder = self.embedder.name if self.embedder else ""
        same_embedder = not embedder or embedder == epoch.embedder
        if same_embedder and not (parsed or removed or embedded):
            return epoch.number
        return self.documents.commit([(one, self.form) for one in parsed], removed, embedder).number


def scan(folder: Path) -> Found:
    """The files below `folder` that are documents, hidden ones left out. Blocks.

    A link that leads out of the folder is not followed, nor is one to a folder: it is reported.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder} to ingest. Make it, or set documents in [context].")
    root, found = folder.resolve(), Found()

    def unlisted(error: OSError) -> None:
        below = Path(error.filename).relative_to(root).as_posix()
        found.failed.append((below, f"The folder {below} cannot be listed: {error.strerror}."))
        found.hidden.append("" if below == "." else f"{below}/")

    for place, folders, names in os.walk(root, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*names, *(name for name in folders if os.path.islink(os.path.join(place, name)))]):
            if not name.startswith("."):
                _sort_in(Path(place, name), root, found)
    return found


def _sort_in(path: Path, root: Path, found: Found) -> None:
    id = path.relative_to(root).as_posix()
    try:
        id.encode()
    except UnicodeEncodeError:
        found.failed.append((ascii(id), f"The name {id!a} is not UTF-8. Rename the file."))
        return
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        target = Path("/")
    if path.is_symlink() and (not target.is_relative_to(root) or target.is_dir()):
        found.failed.append((id, f"{id} is a link to a folder or out of the documents: put the files there instead."))
    elif target.is_file():
        found.files[id] = target
    else:
        found.failed.append((id, f"{id} is no file, or a link to nothing."))


def contents(path: Path) -> bytes:
    """A file's bytes, one more than the most that a loader takes: it says so of what is too large. Blocks."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)
