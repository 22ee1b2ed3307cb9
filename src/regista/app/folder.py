"""An application folder as data: read whole, checked whole, and hashed. Nothing of it is run here.

    regista.toml   variants/*.toml   prompts/*.prompt   documents/   tools.py and other Python files   evals/   data/
    reviews/*.toml

Every mistake is found in one reading. What is served comes later (`app/application.py`).
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from regista.app import code, configuration, review_files
from regista.app.code import ToolFunction
from regista.app.configuration import FILE
from regista.app.lines import Lines
from regista.app.mistakes import FolderError, Mistake
from regista.app.schema import Settings
from regista.core.digest import digest, digest_bytes
from regista.core.errors import UnknownNameError, did_you_mean, near
from regista.prompts import file as prompt_file
from regista.prompts.file import PromptFile
from regista.prompts.problems import PromptError
from regista.prompts.variables import VARIABLES
from regista.serve.routing import HEAD

BASE = "base"
"""The name of the variant that is `regista.toml` with nothing laid over it."""
LARGEST_FILE = 4 << 20
"""Bytes of a configuration, prompt or Python file; and of a file of cases that is checked here."""
NOT_OURS = frozenset({"__pycache__", "node_modules", "venv"})
"""Folders that are never looked into, beside hidden ones."""
NO_CODE = frozenset({"data", "evals"})
"""Folders whose Python files are not the application's own; its documents folder is another."""


class Folder(Struct, frozen=True):
    """An application folder without a mistake. `code` are its Python files by path; `digest` names the Variant."""

    path: Path
    name: str
    settings: Settings
    prompts: Mapping[str, PromptFile]
    code: Mapping[str, bytes]
    tools: tuple[ToolFunction, ...] = ()
    digest: str = ""
    variant: str = ""
    """The file of `variants/` that is laid over `regista.toml`; empty for none."""
    index: str = ""
    """Whose index its documents are in: a variant that cuts or embeds them otherwise has one of its own."""
    head: bytes = b""
    """The trained head of its router's policy `learned`; empty where it has none."""
    base: Settings = msgspec.field(default_factory=Settings)
    """What `regista.toml` says with no variant over it: whoever judges variants is the same for all of them."""

    @property
    def prompt(self) -> PromptFile:
        """The prompt it answers with."""
        return self.prompts[self.settings.app.prompt]

    @property
    def tools_source(self) -> bytes:
        """The source of its tools; empty if it has none."""
        return self.code.get(self.settings.agents.tools, b"")

    @property
    def documents(self) -> Path | None:
        """The folder it may retrieve from, if it retrieves."""
        return self.path / self.settings.context.documents if self.settings.context else None


def read(folder: Path, variant: str = "") -> Folder:
    """Read an application folder, as it is or as one of its variants. Blocks.

    Raises:
        FolderError: there are mistakes in it, the variants' own included; says all of them.
        UnknownNameError: there is no such variant.
    """
    folder = folder.resolve()
    reading = _Reading(folder)
    if not (folder / FILE).is_file():
        missing = f"There is no {FILE} in {folder}. Type: regista new {folder.name or 'NAME'}"
        raise FolderError(folder.name, [Mistake(FILE, 0, missing)])
    settings, lines, mistakes = configuration.parse(reading.text(FILE))
    reading.mistakes += mistakes
    reading.symlinks()
    prompts = reading.prompts()
    python = reading.python(settings)
    tools = reading.tools(settings, python)
    reading.evals()
    reading.mistakes += review_files.read(folder)[1]
    # Without a configuration that parses, what refers to it would only repeat that.
    if lines is not None:
        reading.mistakes += _across(folder, settings, lines, prompts)
    variants = reading.variants(prompts) if not reading.mistakes else {}
    chosen = variants.get(variant, settings)
    if chosen.agents.tools != settings.agents.tools:
        tools = reading.tools(chosen, python)
    name = settings.app.name or folder.name
    if reading.mistakes:
        raise FolderError(name, reading.mistakes)
    if variant and variant not in variants:
        raise UnknownNameError("variant", variant, variants)
    index = name if _indexed(settings) == _indexed(chosen) else f"{name}~{variant}"
    base, settings = settings, chosen
    if settings.agents.tools not in python:
        settings = msgspec.structs.replace(settings, agents=msgspec.structs.replace(settings.agents, tools=""))
    whole = {name: prompt for name, prompt in prompts.items() if prompt}
    head = reading.contents(HEAD) if (folder / HEAD).exists() else b""
    read = Folder(folder, name, settings, whole, python, tools, variant=variant, index=index, head=head, base=base)
    return msgspec.structs.replace(read, digest=variant_digest(read))


def variant_digest(folder: Folder) -> str:
    """The hash of what an application does: its settings, prompts and code, and nothing of where it lies.

    Comments, the order of keys, line endings, the folder's place and how the application is called
    and introduced leave it as it is; writing a default out does too. Documents are not in it: the
    index epoch names them.
    """
    settings = msgspec.to_builtins(folder.settings, enc_hook=str)
    # What is watched changes no answer, nor does how many are answered at once.
    del settings["evaluation"]
    del settings["feedback"]
    del settings["batch"]
    if folder.settings.router is not None:
        for shadow in ("shadow", "shadow_share"):
            del settings["router"][shadow]
    for presentation in ("name", "description", "example", "finish_abandoned_s"):
        del settings["app"][presentation]
    return digest(
        {
            "settings": settings,
            "prompts": {name: prompt.prompt.digest for name, prompt in folder.prompts.items()},
            "code": {path: digest_bytes(_with_newlines(source)) for path, source in folder.code.items()},
            **({"head": digest_bytes(folder.head)} if folder.head and _learns(folder.settings) else {}),
        }
    )


def _learns(settings: Settings) -> bool:
    """Whether its answers follow from a trained head."""
    return settings.router is not None and "learned" in settings.router.policies


def _indexed(settings: Settings) -> object:
    """What an index is made by: of two variants that agree in this, one index serves both."""
    context = settings.context
    if context is None:
        return None
    made_by = {kind: context.options.get(kind) for kind in ("chunkers", "loaders", "embedders")}
    return context.documents, context.chunker, context.embedder, made_by


def document_files(folder: Folder) -> list[Path]:
    """The files retrieval may use, hidden ones left out."""
    return [folder.path / file for file in _files(folder.path, folder.documents)] if folder.documents else []


class _Reading:
    """Reads the files of one folder and collects what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mistakes: list[Mistake] = []

    def wrong(self, file: str, line: int, message: str) -> None:
        self.mistakes.append(Mistake(file, line, message))

    def contents(self, file: str) -> bytes:
        path = self.folder / file
        try:
            if path.exists() and not path.is_file():
                # A pipe would be waited for, and never end.
                self.wrong(file, 0, "This is no plain file.")
                return b""
            if path.stat().st_size > LARGEST_FILE:
                self.wrong(file, 0, f"This file is larger than {LARGEST_FILE >> 20} MB.")
                return b""
            return path.read_bytes()
        except OSError as error:
            self.wrong(file, 0, f"This file cannot be read: {error.strerror}.")
            return b""

    def text(self, file: str) -> str:
        data = self.contents(file)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            self.wrong(file, data.count(b"\n", 0, error.start) + 1, "This is not UTF-8 text. Save the file as UTF-8.")
            return ""

    def symlinks(self) -> None:
        """A link that leads out would let an application read what it was not given."""
        for file in _links(self.folder):
            try:
                inside = (self.folder / file).resolve(strict=True).is_relative_to(self.folder)
                problem = "" if inside else "leads out of the application folder"
            except (OSError, RuntimeError):
                problem = "leads nowhere"
            if problem:
                self.wrong(file, 0, f"This symbolic link {problem}. Put the file itself here.")

    def prompts(self) -> dict[str, PromptFile | None]:
        """The prompts by name; None for those with mistakes."""
        prompts: dict[str, PromptFile | None] = {}
        for file in _files(self.folder, self.folder / "prompts", ".prompt"):
            name = file.removeprefix("prompts/").removesuffix(".prompt")
            prompts[name] = None
            before = len(self.mistakes)
            text = self.text(file)
            if len(self.mistakes) > before:
                continue
            try:
                prompts[name] = prompt_file.parse(name, text)
            except PromptError as error:
                self.mistakes += (Mistake(file, line, message) for line, message in error.problems)
        return prompts

    def python(self, settings: Settings) -> dict[str, bytes]:
        documents = Path(settings.context.documents if settings.context else "documents")
        return {
            file: self.contents(file)
            for file in _files(self.folder, self.folder, ".py")
            if Path(file).parts[0] not in NO_CODE and not Path(file).is_relative_to(documents)
        }

    def tools(self, settings: Settings, python: Mapping[str, bytes]) -> tuple[ToolFunction, ...]:
        found: list[ToolFunction] = []
        for file, source in python.items():
            module, mistakes = code.parse(file, source)
            self.mistakes += mistakes
            if module and file == settings.agents.tools:
                found, mistakes = code.tools(file, module)
                self.mistakes += mistakes
        return tuple(found)

    def variants(self, prompts: "Mapping[str, PromptFile | None]") -> dict[str, Settings]:
        """The settings of every variant by name; the configuration they are laid over has no mistake."""
        base = self.text(FILE)
        variants: dict[str, Settings] = {}
        for file in _files(self.folder, self.folder / "variants", ".toml"):
            name = file.removeprefix("variants/").removesuffix(".toml")
            if name == BASE or not configuration.is_name(name):
                said = "is regista.toml as it is" if name == BASE else "is no name"
                self.wrong(file, 0, f"{name!r} {said}: call a variant by other lower-case letters, digits and hyphens.")
                continue
            settings, lines, mistakes = configuration.parse_variant(base, self.text(file), file)
            if lines is not None:
                across = _across(self.folder, settings, lines, prompts)
                mistakes += [msgspec.structs.replace(m, file=file) if m.file == FILE else m for m in across]
            self.mistakes += mistakes
            variants[name] = settings
        return variants

    def evals(self) -> None:
        for file in _files(self.folder, self.folder / "evals", ".jsonl"):
            # Many cases are read when they are tried, one at a time, and their mistakes are told then.
            path = self.folder / file
            if path.is_file() and path.stat().st_size > LARGEST_FILE:
                continue
            for number, line in enumerate(self.text(file).split("\n"), 1):
                if line.strip() and (problem := _not_a_case(line)):
                    self.wrong(file, number, problem)
        for file in _files(self.folder, self.folder / "evals", ".toml"):
            try:
                tomllib.loads(self.text(file))
            except (tomllib.TOMLDecodeError, RecursionError) as error:
                self.mistakes.append(configuration.syntax(file, self.text(file), error))


def _across(
    folder: Path, settings: Settings, lines: Lines, prompts: Mapping[str, PromptFile | None]
) -> Iterator[Mistake]:
    """What only shows when the files are seen together."""

    def wrong(path: tuple[str | int, ...], message: str) -> Mistake:
        return Mistake(FILE, lines.near(path), message)

    app, models = settings.app, settings.models
    if ("models", app.model) not in lines:
        known = ", ".join(sorted(models)) or "none"
        guess = did_you_mean(near(app.model, models))
        yield wrong(("app", "model"), f"There is no [models.{app.model}].{guess} Known: {known}.")
    if not app.name and not configuration.is_name(folder.name):
        yield wrong(("app",), f"The folder's name {folder.name!r} is no name for an application: write [app] name.")
    if app.prompt not in prompts:
        guess = did_you_mean(near(app.prompt, prompts))
        yield wrong(("app", "prompt"), f"There is no prompts/{app.prompt}.prompt.{guess}")
    elif prompt := prompts[app.prompt]:
        yield from _prompt_in_use(settings, lines, prompt)
    for name, prompt in prompts.items():
        if prompt and prompt.prompt.model and ("models", prompt.prompt.model) not in lines:
            guess = did_you_mean(near(prompt.prompt.model, models))
            line = prompt.lines["model",]
            yield Mistake(f"prompts/{name}.prompt", line, f"There is no [models.{prompt.prompt.model}].{guess}")
    for path, problem in _places(folder, settings, lines):
        yield wrong(path, problem)


def _places(folder: Path, settings: Settings, lines: Lines) -> Iterator[tuple[tuple[str, str], str]]:
    """The keys that name a file or a folder which is not there, and why it cannot be used."""
    if settings.context and (problem := _misplaced(folder, settings.context.documents, is_folder=True)):
        yield ("context", "documents"), problem
    if settings.evaluation and not (folder / "evals" / f"{settings.evaluation.suite}.toml").is_file():
        suites = [path.stem for path in (folder / "evals").glob("*.toml")]
        guess = did_you_mean(near(settings.evaluation.suite, suites))
        yield ("evaluation", "suite"), f"There is no evals/{settings.evaluation.suite}.toml.{guess}"
    if ("agents", "tools") in lines and (problem := _misplaced(folder, settings.agents.tools, is_folder=False)):
        yield ("agents", "tools"), problem


def _prompt_in_use(settings: Settings, lines: Lines, prompt: PromptFile) -> Iterator[Mistake]:
    file = f"prompts/{prompt.prompt.name}.prompt"
    if "question" not in prompt.template.names:
        yield Mistake(file, 0, "The prompt never writes {{question}}: a model would not see what is asked.")
    for name in sorted(prompt.template.required - VARIABLES.keys()):
        line = prompt.lines.get(("input", "schema", name), 0)
        yield Mistake(file, line, f"No request brings a value for {name!r}: write one under input, default.")
    if "canary" in settings.guardrails.response and "canary" not in prompt.template.names:
        at = lines.near(("guardrails", "response", settings.guardrails.response.index("canary")))
        yield Mistake(FILE, at, f"The canary is a word only the prompt knows: write {{{{canary}}}} in {file}.")


def _misplaced(folder: Path, place: str, *, is_folder: bool) -> str:
    """Why a path of the configuration cannot be used, or nothing."""
    path = folder / place
    if not path.resolve().is_relative_to(folder):
        return f"{place} lies outside of the application folder."
    if path.resolve() == folder:
        return f"{place!r} is the application folder itself: name a folder in it."
    if path.is_dir() if is_folder else path.is_file():
        return ""
    siblings = [entry.name for entry in folder.iterdir() if entry.is_dir() == is_folder]
    return f"There is no {'folder' if is_folder else 'file'} {place}.{did_you_mean(near(place, siblings))}"


def _files(folder: Path, below: Path, suffix: str = "") -> list[str]:
    """The files below a folder, as paths relative to the application's, in order; hidden ones are left out."""
    found = (
        Path(at, name).relative_to(folder).as_posix()
        for at, _, names in _walk(below)
        for name in names
        if name.endswith(suffix) and not name.startswith(".")
    )
    return sorted(found)


def _links(folder: Path) -> list[str]:
    paths = (Path(at, name) for at, folders, names in _walk(folder) for name in (*folders, *names))
    return sorted(path.relative_to(folder).as_posix() for path in paths if path.is_symlink())


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_OURS]
        yield at, folders, names


def _not_a_case(line: str) -> str:
    try:
        case: object = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return f"This is not valid JSON: {error}."
    return "" if isinstance(case, dict) else "A case is a JSON object, one on each line."


def _with_newlines(source: bytes) -> bytes:
    return source.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
