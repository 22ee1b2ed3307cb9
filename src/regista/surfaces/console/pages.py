"""The console's pages and what can be done on them: each an address, a title, a template, and a view's function."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from regista.app.platform import Platform
from regista.core.nouns import Json
from regista.surfaces.console.forms import Form
from regista.surfaces.console.views import (
    alarms,
    comparison,
    conversations,
    datasets,
    evaluations,
    guardrails,
    models,
    overview,
    playground,
    prompts,
    replay,
    review,
    sql,
    trace,
    traces,
)

View = Callable[[Platform, Mapping[str, str], str], Awaitable[Json]]
"""A page's data, from the parameters of its URL and what follows its path."""

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
    "/console/conversations": Page("Conversations", "conversations.html", conversations.show),
    "/console/sql": Page("SQL", "sql.html", sql.show),
    "/console/review": Page("Review", "review.html", review.show),
    "/console/evaluations": Page("Evaluations", "evaluations.html", evaluations.show),
    "/console/comparison": Page("Comparison", "comparison.html", comparison.show),
    "/console/datasets": Page("Datasets", "datasets.html", datasets.show),
    "/console/prompts": Page("Prompts", "prompts.html", prompts.show),
    "/console/models": Page("Models", "models.html", models.show),
    "/console/guardrails": Page("Guardrails", "guardrails.html", guardrails.show),
}
BELOW: dict[str, Page] = {
    "/console/traces/": Page("Trace", "trace.html", trace.show),
    "/console/conversations/": Page("Conversation", "conversation.html", conversations.show_one),
    "/console/replays/": Page("Replay", "replay.html", replay.show),
    "/console/review/": Page("Review", "reviewing.html", review.show_one),
    "/console/datasets/": Page("Dataset", "dataset.html", datasets.show_one),
    "/console/prompts/*/playground": Page("Playground", "playground.html", playground.show),
    "/console/prompts/": Page("Prompt", "prompt.html", prompts.show_one),
    "/console/evaluations/": Page("Evaluation", "evaluation.html", evaluations.show_one),
}
"""Pages of everything below a path, which ends in a slash or has a `*` in the place of what varies; the first that
fits."""
ACTIONS: dict[str, Action] = {
    "/console/alarms/": Action("Overview", "overview.html", alarms.close),
    "/console/prompts/*/playground": Action("Playground", "playground.html", playground.run),
    "/console/traces/*/dataset": Action("Trace", "trace.html", datasets.pick),
    "/console/review/": Action("Review", "reviewing.html", review.act),
    "/console/traces/*/review": Action("Trace", "trace.html", review.take),
    "/console/replays": Action("Replay", "replay.html", replay.again),
    "/console/guardrails": Action("Guardrails", "guardrails.html", guardrails.judge),
}
"""What a `POST` to a path does; paths are as in `BELOW`, such as `/console/traces/*/dataset`."""
NAVIGATION = (
    ("Observe", ("/console", "/console/traces", "/console/conversations", "/console/sql")),
    ("Judge", ("/console/review", "/console/evaluations", "/console/datasets")),
    ("Improve", ("/console/prompts", "/console/models", "/console/guardrails")),
)
"""What the rail lists: groups in the order of the loop, with the addresses of their pages."""
