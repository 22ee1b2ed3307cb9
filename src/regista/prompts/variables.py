"""What every prompt may name, and how a request's values get the shape the templates expect.

`VARIABLES` is what templates are checked against, `values` is what they are filled with: they stand
side by side so that they cannot drift apart.
"""

from collections.abc import Sequence
from typing import Any

from regista.core.nouns import Hit, Json, Message

TEXT: Json = {"type": "string"}


def _records(**properties: Json) -> Json:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


VARIABLES: dict[str, Json] = {
    "question": TEXT,
    "hits": _records(number={"type": "integer"}, document=TEXT, title=TEXT, heading=TEXT, text=TEXT),
    "history": _records(role=TEXT, text=TEXT),
    "canary": TEXT,
}
"""The variables of the request path, each with the JSON Schema of its value."""


def values(
    question: str, hits: Sequence[Hit] = (), history: Sequence[Message] = (), canary: str = ""
) -> dict[str, Any]:
    """The values of `VARIABLES` for one request. Hits are numbered from 1, as answers cite them."""
    return {
        "question": question,
        "hits": [
            {"number": n, "document": h.document, "title": h.title, "heading": h.heading, "text": h.text}
            for n, h in enumerate(hits, 1)
        ],
        "history": [{"role": message.role, "text": message.text} for message in history],
        "canary": canary,
    }
