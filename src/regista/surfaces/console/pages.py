"""The console's pages and what can be done on them: each an address, a title, a template, and a view's function."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from regista.app.platform import Platform
from regista.core.nouns import Json
from regista.surfaces.console.views import evaluations, models, overview, trace, traces

View = Callable[[Platform, Mapping[str, str], str], Awaitable[Json]]
"""A page's data, from the parameters of its URL and what follows its path."""


class Form(NamedTuple):
    """What was sent from a page, and the name of the key of who sent it; empty for who came in by the address."""

    values: Mapping[str, str]
    by: str


Act = Callable[[Platform, Form, str], Awaitable[Json | str]]
"""Does what a form asks for, given what follows its path. Returns the address to go on to, or a page's data."""


class Page(NamedTuple):
    """A page: what it is called, its template, and where its data come from."""

    title: str
    template: str
    show: View


class Action(NamedTuple):
    """What a form is sent to. Where `act` gives data rather than an address, they are shown by the template."""

    title: str
    template: str
    act: Act


PAGES: dict[str, Page] = {
    "/console": Page("Overview", "overview.html", overview.show),
    "/console/traces": Page("Traces", "traces.html", traces.show),
    "/console/evaluations": Page("Evaluations", "evaluations.html", evaluations.show),
    "/console/models": Page("Models", "models.html", models.show),
}
BELOW: dict[str, Page] = {
    "/console/traces/": Page("Trace", "trace.html", trace.show),
    "/console/evaluations/": Page("Evaluation", "evaluation.html", evaluations.show_one),
}
"""Pages of everything below a path, which ends in a slash; the first that fits."""
ACTIONS: dict[str, Action] = {}
"""What a `POST` to a path does; a path that ends in a slash stands for everything below it."""
NAVIGATION = (
    ("Observe", ("/console", "/console/traces")),
    ("Judge", ("/console/evaluations",)),
    ("Improve", ("/console/models",)),
)
"""What the rail lists: groups in the order of the loop, with the addresses of their pages."""
