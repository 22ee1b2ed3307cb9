"""What a request shows without a model: how long it is, what it carries beside text, what language it is in.

It knows no policy and keeps nothing.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, cast

from regista.core.errors import MissingExtraError
from regista.core.nouns import Json, Message, Request

Carries = Literal["images", "audio", "files", "tools", "json", "logprobs"]
"""What a request may carry or ask for beside text."""
PARTS: Mapping[str, Carries] = {
    "image_url": "images",
    "input_image": "images",
    "image": "images",
    "input_audio": "audio",
    "file": "files",
    "input_file": "files",
    "document": "files",
}
"""The type of a message's part to what it is."""
NEEDS: Mapping[Carries, str] = {
    "images": "vision",
    "audio": "audio",
    "tools": "tools",
    "json": "json_schema",
    "logprobs": "logprobs",
}
"""What a request carries to the feature that a model must have for it (`models/attributes.toml`)."""
SURE = 0.5
"""A language counts as told that is likelier than all others together."""
LONGEST = 1_000
"""Characters a language is told by."""


def carries(request: Request) -> frozenset[Carries]:
    """What a request holds or asks for beside text."""
    found: set[Carries] = set()
    for message in request.messages:
        if isinstance(message.content, list):
            found.update(PARTS[kind] for part in message.content if (kind := str(part.get("type"))) in PARTS)
    rest = request.rest
    if request.tools or rest.get("tools") or rest.get("functions"):
        found.add("tools")
    form: object = rest.get("response_format")
    if isinstance(form, dict) and cast("Json", form).get("type") in ("json_schema", "json_object"):
        found.add("json")
    if rest.get("logprobs"):
        found.add("logprobs")
    return frozenset(found)


def metadata(request: Request) -> dict[str, str]:
    """The client's `metadata`, values as text; what is no mapping is nothing."""
    given: object = request.rest.get("metadata")
    return {str(k): str(v) for k, v in cast("Json", given).items()} if isinstance(given, dict) else {}


def with_messages(request: Request) -> tuple[Message, ...]:
    """What a provider's prompt cache sees, in its order: the tools first, as a message, then the messages."""
    tools = [*request.rest.get("tools", ()), *request.tools]
    return (Message("tools", rest={"tools": tools}), *request.messages) if tools else request.messages


def language_of(text: str) -> str:
    """The language (ISO 639-1) a text is in, empty where that cannot be told surely.

    py3langid, offline and deterministic, some 50 µs; `prepare_language` makes the first call as quick as the others.

    Raises:
        MissingExtraError: py3langid is not installed.
    """
    if not any(char.isalpha() for char in text[:LONGEST]):
        return ""
    # What is in capitals would be taken for a rarer language.
    language, share = _identifier().classify(text[:LONGEST].lower())
    return str(language) if share > SURE else ""


def prepare_language() -> None:
    """Read the detector's model: a second and some 80 MB, once. Raises `MissingExtraError` where there is none."""
    _identifier()


@cache
def _identifier() -> Any:
    try:
        from py3langid import langid  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - an extra, untyped
    except ImportError as error:
        raise MissingExtraError("A rule on `language`", "py3langid", "eval") from error
    module: Any = langid
    return module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
