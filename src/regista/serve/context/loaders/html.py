"""Web pages: the text a reader sees, its blocks apart, its headings as `# …` lines.

Scripts, styles and navigation are left out, and so is what the page itself hides: instructions to
a model like to stand there. Styles in other files are not known.
"""

import re
from collections.abc import Iterator

from regista.core.digest import digest_bytes
from regista.core.errors import MissingExtraError
from regista.core.nouns import Document
from regista.serve.context.decoding import decode, title_of
from regista.serve.context.loaders import loaders
from regista.serve.context.writer import Writer

try:
    from selectolax.lexbor import LexborHTMLParser, LexborNode
except ImportError as error:
    raise MissingExtraError("The loader 'html'", "selectolax", "rag") from error

MACHINERY = frozenset(("head", "script", "style", "noscript", "template", "-comment"))
FURNITURE = frozenset(("nav", "svg", "math", "iframe", "object", "audio", "video", "canvas", "select", "button"))
HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
SECTIONS = frozenset(("div", "section", "article", "main", "header", "footer", "aside", "form", "fieldset", "details"))
PARAGRAPHS = frozenset(("p", "blockquote", "address", "hr", "figure", "figcaption", "ul", "ol", "dl", "table"))
BLOCKS = SECTIONS | PARAGRAPHS | {"tr", "td", "th"}
LINES = frozenset(("li", "dt", "dd", "caption", "summary", "br"))
LAYOUT = "table, ul, ol, pre, h1, h2, h3, h4, h5, h6"
"""What stands in a row that lays a page out; a row without is data."""

CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
PRESCAN = 1024
"""Bytes within which a page must declare its encoding: HTML standard, 13.2.3.2."""


@loaders.add
class Html:
    """Its title is the page's `<title>`, else its first `<h1>`, else the file's name."""

    suffixes = (".html", ".htm", ".xhtml")

    def load(self, id: str, data: bytes) -> Document:
        declared = CHARSET.search(data[:PRESCAN])
        page = LexborHTMLParser(decode(id, data, declared[1].decode("ascii") if declared else ""))
        title = _title(page, "title") or _title(page, "h1") or title_of(id)
        return Document(id, title, _text(page), "text/html", digest_bytes(data))


def _title(page: LexborHTMLParser, tag: str) -> str:
    node = page.css_first(tag)
    return " ".join(node.text().split()) if node else ""


def _text(page: LexborHTMLParser) -> str:
    writer = Writer()
    rows: set[int] = set()
    for node, opens in _walk(page.body):
        tag = node.tag or ""
        if tag == "-text":
            writer.write(node.text_content or "")
        elif tag == "tr" and (node.mem_id in rows or (opens and not node.css_first(LAYOUT))):
            rows.add(node.mem_id)
            (writer.begin_row if opens else writer.end_line)()
        elif tag in ("td", "th") and node.parent and node.parent.mem_id in rows:
            if not opens:
                writer.end_cell()
        else:
            (_open if opens else _close)(writer, tag)
    return writer.text()


def _open(writer: Writer, tag: str) -> None:
    if tag in HEADINGS:
        writer.heading(HEADINGS[tag])
    elif tag == "pre":
        writer.begin_code()
    elif tag in BLOCKS or tag in LINES:
        writer.gap(blank=tag in BLOCKS)
    if tag == "li":
        writer.item()


def _close(writer: Writer, tag: str) -> None:
    if tag in HEADINGS:
        writer.end_line(blank=True)
    elif tag == "pre":
        writer.end_code()
    elif tag in BLOCKS or tag in LINES:
        writer.gap(blank=tag in BLOCKS)


def _walk(root: LexborNode | None) -> Iterator[tuple[LexborNode, bool]]:
    """Visible nodes in the page's order, each as it opens and, but for text, as it closes.

    A stack of its own, because pages nest deeper than Python calls may.
    """
    stack = [(root, True)] if root else []
    while stack:
        node, opens = stack.pop()
        if opens and _is_hidden(node):
            continue
        yield node, opens
        if opens and node.tag != "-text":
            stack.append((node, False))
            child = node.last_child
            while child:
                stack.append((child, True))
                child = child.prev


def _is_hidden(node: LexborNode) -> bool:
    if node.tag in MACHINERY or node.tag in FURNITURE:
        return True
    if node.tag == "-text":
        return False
    attributes = node.attributes
    return "hidden" in attributes or bool(HIDING.search(attributes.get("style") or ""))
