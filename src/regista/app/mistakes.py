"""What is wrong with an application folder: every mistake, by file and line."""

from collections.abc import Iterable

from msgspec import Struct

from regista.core.errors import ConfigurationError


class Mistake(Struct, frozen=True, order=True):
    """One mistake: the file (relative to the folder), its line from 1 (0: the whole file), and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class FolderError(ConfigurationError):
    """An application folder cannot be used; `mistakes` are all there are, `regista.toml` first."""

    code = "broken_application"

    def __init__(self, name: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=lambda m: (m.file != "regista.toml", m)))
        count = f"{len(self.mistakes)} mistake{'s' * (len(self.mistakes) != 1)}"
        super().__init__("\n".join([f"{name} has {count}:", *map(str, self.mistakes)]))
