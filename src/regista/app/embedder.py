"""Which embedder an application has, and opening it. It knows no application."""

from typing import TYPE_CHECKING

from regista.core.errors import MissingExtraError
from regista.models.weights import MINILM, is_complete, models_folder

if TYPE_CHECKING:
    from regista.models.worker import EmbeddingWorker


async def open_embedder(name: str, models: str) -> "EmbeddingWorker | None":
    """The embedder of that name. None for `none`, and for `auto` in a base install: retrieval is then by words."""
    if name == "none":
        return None
    try:
        from regista.models import worker  # noqa: PLC0415 - needs the extra [rag]
    except MissingExtraError:
        if name != "auto":
            raise
        return None
    return await worker.open_embedder(name, models)


def embedder_name(name: str, models: str) -> str:
    """Which embedder `open_embedder` would open, without opening it: `auto` takes the model that is prepared."""
    if name != "auto":
        return name
    return "minilm" if is_complete(models_folder(models) / MINILM) else "hashed"
