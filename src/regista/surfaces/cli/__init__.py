"""The command line: one file per command, imported when it is called, so that `regista --version` stays quick."""

import sys

from regista.core.version import VERSION

COMMANDS = {
    "new": ("new:new", "Make an application folder that works at once."),
    "check": ("check:check", "Say every mistake in an application folder, with file and line."),
    "up": ("up:up", "Serve an application over HTTP, in the shape of OpenAI's API."),
    "ask": ("ask:ask", "Ask an application one question."),
    "ingest": ("ingest:ingest", "Take in documents that are new, changed or gone."),
    "retrieve": ("retrieve:retrieve", "Show what the documents say to a query."),
    "eval": ("eval:evaluate", "Try an application on its suites: scores with intervals."),
    "compare": ("compare:compare", "Compare two variants on a suite, case by case."),
    "gate": ("gate:gate", "Let a candidate pass, or not: exit status 0, 1, or 3 for undecided."),
    "rank": ("rank:rank", "Rank variants by which answer a judge, or people, preferred."),
    "judge": ("judge:judge", "Measure a judge against people: its passport."),
    "select": ("select:select", "Choose a model: what rules it out, what it scores, what it costs."),
    "contamination": ("contamination:contamination", "Find a suite's cases in a corpus a model may have read."),
    "batch": ("batch:batch", "Answer files of requests durably: run, list, status, cancel, resume."),
    "models": ("models:models", "List an application's models and their prices."),
    "route": ("route:route", "Explain which model answered, replay traffic through a policy, train what chooses."),
    "cache": ("cache:cache", "See what the caches are worth, calibrate the semantic one, begin anew."),
    "keys": ("keys:keys", "Make, list and revoke the keys that requests need."),
    "ledger": ("ledger:ledger", "Add up what was spent: by model, key, tenant, cause or day."),
    "data": ("data:data", "Make datasets of what was served; list them, and show where one comes from."),
    "drift": ("drift:drift", "Say whether what is asked, answered and spent has shifted: exit status 1 if so."),
    "traces": ("traces:traces", "List the newest requests, or search them: times, tokens, cost."),
    "feedback": ("feedback:feedback", "List what is thought of the answers, said outright or seen in what came next."),
    "review": ("review:review", "Queues of answers that people judge: what is left, and how far they agree."),
    "trace": ("trace:trace", "Show one request stage by stage, with every decision."),
    "forget": ("forget:forget", "Delete old requests and what was said in them; sums and money stay."),
}
"""Command to its function (or, for `keys`, its group) in a file of this folder, and its line in the help."""


EVALUATING = frozenset({"eval", "compare", "gate", "rank", "judge", "select", "contamination", "drift"})
"""Commands whose status 1 means a regression: an error of theirs is 2."""


def main() -> None:
    """Run the command line. Ends with status 0, 1 (it failed; the reason is printed) or 2 (it was called wrongly)."""
    if sys.argv[1:] == ["--version"]:
        print(f"regista {VERSION}")
        return
    from regista.surfaces.cli._run import run  # noqa: PLC0415 - the quick path above needs none of it

    sys.exit(run(sys.argv[1:]))
