"""Writes `docs/reference.md` from the tables the code itself reads, so that it cannot say anything else.

python docs/generate.py
"""

import inspect
from pathlib import Path
from typing import Any

from regista.core.registry import Registry
from regista.core.settings import SETTINGS
from regista.evaluate.judges import judges
from regista.evaluate.scorers import scorers
from regista.models.embeddings import embedders
from regista.models.hosts import hosts
from regista.models.providers import providers
from regista.serve.context.chunkers import chunkers
from regista.serve.context.loaders import loaders
from regista.serve.context.retrievers import retrievers
from regista.serve.guardrails import guardrails
from regista.serve.router import policies

PAGE = Path(__file__).parent / "reference.md"
REGISTRIES: list[tuple[str, str, Registry[Any]]] = [
    (
        "Providers",
        '`[models.<name>] model = "<provider>/<model>"`; their options stand in the same table. Hosts that speak '
        "OpenAI's API have those of `openai`: [providers](providers.md).",
        providers,
    ),
    ("Guardrails", "`[guardrails] request`, `context`, `response`; options in `[guardrails.<name>]`.", guardrails),
    (
        "Routing policies",
        "`[router] policies`, in the order they are asked; options in `[router.<name>]`. See [routing](routing.md).",
        policies,
    ),
    ("Chunkers", "`[context] chunker`; options in `[context.chunkers.<name>]`.", chunkers),
    ("Retrievers", "`[context] retriever`; options in `[context.retrievers.<name>]`.", retrievers),
    ("Embedders", "`[context] embedder`, or `auto`, or `none`.", embedders),
    ("Loaders", "Chosen by a file's ending.", loaders),
    ("Scorers", "`[scorers.<name>] scorer = …` of a suite; their options stand in the same table.", scorers),
    ("Judges", "`[judges.<name>] judge = …` of a suite; their options stand in the same table.", judges),
]


def page() -> str:
    """The whole page."""
    lines = ["# Reference", "", "Made by `python docs/generate.py` from the code; a test keeps it so.", ""]
    lines += [
        "## Settings",
        "",
        "Of a running process, from the environment.",
        "",
        "| variable | default | |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{s.variable}` | `{s.default}` | {s.help} |" if s.default != "" else f"| `{s.variable}` | | {s.help} |"
        for s in SETTINGS
    ]
    for title, about, registry in REGISTRIES:
        lines += ["", f"## {title}", "", about]
        for name in registry.names():
            if registry is providers and name in hosts() and name != "openai":
                continue  # a row of the table on the page of providers, with the options of `openai`
            lines += ["", f"### `{name}`", "", _first_sentence(registry.factory(name))]
            options = registry.options(name)
            if options:
                lines += ["", "| option | default | |", "|---|---|---|"]
                lines += [f"| `{o.name}` | `{o.default!r}` | {_cell(o.help)} |" for o in options]
    return "\n".join(lines) + "\n"


def _first_sentence(component: object) -> str:
    return " ".join((inspect.getdoc(component) or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    text = text.replace("|", "\\|")
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
