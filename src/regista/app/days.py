"""Where an application's closed days are kept as files: the folder they go to, and all that they ever went to.

What is to be forgotten must be found in each of them; a folder on a disk that is not mounted is not an empty one. It
does not know what is in the files.
"""

from pathlib import Path

from regista.core.errors import StoreError
from regista.store.parquet import LOCK

DAYS = ".regista/days"
"""Where days go if nothing else is said; it is no part of what people keep versions of."""
PLACES = ".regista/days.txt"
"""A folder a line: from the application's folder where it is below that."""


def place_of(folder: Path, named: str) -> Path:
    """Where the days of the application in a folder go; `named` is what `[observe] parquet` says."""
    return folder / (named or DAYS)


def remember(folder: Path, place: Path) -> None:
    """Keep in mind that days of the application in a folder are in this place, which is made.

    Raises:
        StoreError: it cannot be written, or is known and not there: days are not written where a disk should be.
    """
    known, path = _known(folder), place.absolute()
    if path == (folder / DAYS).absolute():
        return
    if path in known and not _is_there(path):
        raise StoreError(gone_from(folder, path))
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / LOCK).touch()
        if path not in known:
            (folder / PLACES).parent.mkdir(parents=True, exist_ok=True)
            own = folder.absolute()
            with (folder / PLACES).open("a", encoding="utf-8") as file:
                file.write(f"{path.relative_to(own) if path.is_relative_to(own) else path}\n")
    except OSError as error:
        raise StoreError(f"{error.filename} cannot be written: {error.strerror}. Make it writable.") from error


def places(folder: Path) -> list[Path]:
    """Every place with days of the application in a folder that is there."""
    own = (folder / DAYS).absolute()
    return [*([own] if own.is_dir() else []), *filter(_is_there, _known(folder))]


def unreached(folder: Path) -> list[Path]:
    """Those places that days went to and that are not there now."""
    return [place for place in _known(folder) if not _is_there(place)]


def gone_from(folder: Path, place: Path) -> str:
    """What to say of one of them."""
    return (
        f"Days were written to {place}, which is not there. Mount it; or, if it is gone for good, take its line out of "
        f"{folder / PLACES}."
    )


def _is_there(place: Path) -> bool:
    """Whether it is the folder that was written to, and not the empty one on which a disk is mounted."""
    return (place / LOCK).is_file()


def _known(folder: Path) -> list[Path]:
    try:
        lines = (folder / PLACES).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [(folder / line).absolute() for line in lines if line]
