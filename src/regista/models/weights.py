"""Where prepared embedding models lie on disk. It does not know how they are made or run."""

from pathlib import Path

from regista.core.settings import settings

MINILM = "all-MiniLM-L6-v2-int8"
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"


def models_folder(folder: str | Path = "") -> Path:
    """The folder of embedding models: the one given, the setting `models`, or `~/.cache/regista/models`."""
    return Path(folder or settings()["models"] or "~/.cache/regista/models").expanduser()


def is_complete(model: Path) -> bool:
    """Whether a model's own folder holds its graph and its tokenizer. Cheap: it does not read them."""
    return (model / MODEL_FILE).is_file() and (model / TOKENIZER_FILE).is_file()
