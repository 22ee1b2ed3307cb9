"""Regista: AI engineering in one process. This page is its public surface; everything else may move.

    import regista
    with regista.load("apps/club") as app:
        answer = app.ask("What does the deep-lying midfielder have to do?")

Names are imported when they are first used, so that `import regista` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from regista.core.version import VERSION

if TYPE_CHECKING:
    from regista.app.facade import App
    from regista.app.facade import SyncApp as load
    from regista.app.facade import open_app as open
    from regista.core.errors import RegistaError
    from regista.core.nouns import Answer, Citation, Delta, Hit, Trace
    from regista.serve.agents.tools import Facts, tool

__version__ = VERSION
__all__ = ["Answer", "App", "Citation", "Delta", "Facts", "Hit", "RegistaError", "Trace", "load", "open", "tool"]

_WHERE = {
    "App": ("regista.app.facade", "App"),
    "load": ("regista.app.facade", "SyncApp"),
    "open": ("regista.app.facade", "open_app"),
    "RegistaError": ("regista.core.errors", "RegistaError"),
    "Answer": ("regista.core.nouns", "Answer"),
    "Citation": ("regista.core.nouns", "Citation"),
    "Delta": ("regista.core.nouns", "Delta"),
    "Hit": ("regista.core.nouns", "Hit"),
    "Trace": ("regista.core.nouns", "Trace"),
    "Facts": ("regista.serve.agents.tools", "Facts"),
    "tool": ("regista.serve.agents.tools", "tool"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"regista has no {name!r}. It has: {', '.join(sorted(_WHERE))}.")
    module, attribute = _WHERE[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
