"""Where an application's closed days are kept as files: the folder they go to, and all that they ever went to.

What is to be forgotten must be found in each of them. It does not know what is in the files.
"""

from pathlib import Path

from regista.core.errors import StoreError

DAYS = ".regista/days"
"""Where days go if nothing else is said; it is no part of what people keep versions of."""
PLACES = ".regista/days.txt"
"""A folder a line."""


def place_of(folder: Path, named: str) -> Path:
    """Where the days of the application in a folder go; `named` is what `[observe] parquet` says."""
    return folder / (named or DAYS)


def remember(folder: Path, place: Path) -> None:
    """Keep in mind that days of the application in a folder are in this place. Raises `StoreError`."""
    known, path = _known(folder), place.absolute()
    if path != (folder / DAYS).absolute() and path not in known:
        try:
            (folder / PLACES).parent.mkdir(parents=True, exist_ok=True)
            with (folder / PLACES).open("a", encoding="utf-8") as file:
                file.write(f"{path}\n")
        except OSError as error:
            raise StoreError(f"{folder / PLACES} cannot be written: {error.strerror}. Make it writable.") from error


def places(folder: Path) -> list[Path]:
    """Every place with days of the application in a folder that is still there."""
    return [place for place in ((folder / DAYS).absolute(), *_known(folder)) if place.is_dir()]


def _known(folder: Path) -> list[Path]:
    try:
        return [Path(line) for line in (folder / PLACES).read_text("utf-8").splitlines() if line]
    except FileNotFoundError:
        return []
