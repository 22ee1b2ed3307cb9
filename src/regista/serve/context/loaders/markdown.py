"""Markdown, as it stands: the text is the file's own, markup and front matter included.

So an offset into the document is an offset into the file's text, and a citation quotes what the
author wrote.
"""

import re
from typing import cast

import yaml

from regista.core.digest import digest_bytes
from regista.core.nouns import Document
from regista.serve.context.decoding import decode, title_of
from regista.serve.context.loaders import loaders
from regista.serve.context.markdown import Kind, blocks

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)


@loaders.add
class Markdown:
    """Its title is the front matter's, else the first heading's of level one, else the file's name."""

    suffixes = (".md", ".markdown")

    def load(self, id: str, data: bytes) -> Document:
        text = decode(id, data)
        title = _named(text) or _headed(text) or title_of(id)
        return Document(id, title, text, "text/markdown", digest_bytes(data))


def _named(text: str) -> str:
    front = FRONT_MATTER.match(text)
    try:
        fields: object = yaml.safe_load(front[1]) if front else None
    except (yaml.YAMLError, ValueError, RecursionError):
        # Front matter that is no YAML is text between two rules: not this loader's to refuse.
        return ""
    title = cast("dict[object, object]", fields).get("title") if isinstance(fields, dict) else None
    return str(title).strip() if isinstance(title, (str, int, float)) else ""


def _headed(text: str) -> str:
    headings = (block for block in blocks(FRONT_MATTER.sub("", text)) if block.kind is Kind.HEADING)
    return next((heading.title for heading in headings if heading.level == 1 and heading.title), "")
