"""Where an application is, and where its store is. Knows the folder's layout, and reads nothing in it."""

from pathlib import Path

from regista.core.errors import ConfigurationError, UnknownNameError
from regista.core.settings import settings
from regista.store import Database, connect

MARK = "regista.toml"
"""The file that makes a folder an application."""


def resolve(app: str | None = None) -> Path:
    """The folder of an application: a path, or a name under `apps/`; without either, the one that is meant here.

    Raises:
        ConfigurationError: there is no such application, or several could be meant.
    """
    known = applications()
    if app is None:
        return _meant(known)
    for folder in (Path(app), Path("apps") / app):
        if (folder / MARK).is_file():
            return folder.absolute()
    if Path(app).is_dir():
        raise ConfigurationError(f"The folder {app} holds no {MARK}. To make an application: regista new NAME")
    raise UnknownNameError("application", app, [folder.name for folder in known])


def store_url(folder: Path) -> str:
    """The store of the application in this folder: `REGISTA_STORE`, or a database in its `.regista`."""
    return str(settings()["store"]) or f"sqlite://{folder.absolute() / '.regista' / 'regista.db'}"


def existing_store(folder: Path) -> Database | None:
    """The application's store, brought up to this version; None, and no file made, where nothing was ever stored."""
    url = store_url(folder)
    path = url.removeprefix("sqlite://")
    return None if path != url and not Path(path).exists() else connect(url)


def applications() -> list[Path]:
    """The applications there are here: folders of this one, and those under `apps/`."""
    return sorted(mark.parent for pattern in (f"*/{MARK}", f"apps/*/{MARK}") for mark in Path().glob(pattern))


def _meant(known: list[Path]) -> Path:
    if Path(MARK).is_file():
        return Path.cwd()
    if len(known) == 1:
        return known[0].absolute()
    if known:
        names = ", ".join(folder.name for folder in known)
        raise ConfigurationError(f"There are several applications here: {names}. Say which one.")
    raise ConfigurationError(
        f"There is no application here: neither ./{MARK} nor one under apps/. Say its folder, or: regista new NAME"
    )
