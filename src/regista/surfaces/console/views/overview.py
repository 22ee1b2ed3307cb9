"""How the application does: how much is asked, how it ends, how long it takes, what it costs; and where the loop is."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from regista.app.platform import Platform
from regista.core.nouns import Json
from regista.feedback.labels import HIDDEN
from regista.store import Database, rollups
from regista.store.evaluations import Run, runs
from regista.store.feedback import counts
from regista.store.review import judged_since as judged
from regista.store.rollups import NANO, Rollup
from regista.store.trace_pages import Wanted, marks, newest, page, spent, tallies
from regista.surfaces.console.stretches import LENGTHS, Stretch, stretch
from regista.surfaces.console.views.alarms import listed
from regista.surfaces.console.views.traces import words

FAILED = 6
"""Failed traces that are listed."""
MODELS = 12
EMPTY = Rollup(0, "", "", "", 0, 0, 0, 0, 0, 0, 0, 0, (0, 0, 0), (0, 0, 0))


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data."""
    folder, name = platform.application.folder.path, platform.application.name
    return await asyncio.to_thread(_read, platform.database, folder, name, stretch(query.get("range", ""), "24h"))


def _read(database: Database, folder: Path, name: str, over: Stretch) -> Json:
    since, until = over.since_s, over.until_s
    whole, by_time = rollups.read_with_total(database, "traces", since_s=since, until_s=until, grain_s=over.grain_s)
    by_model = spent(database, since, until, over.grain_s)
    before = tallies(database, Wanted(), since - (until - since), since, over.grain_s)
    total = whole or EMPTY
    feedback = {one.name or one.kind: one.count for one in counts(database, hidden=HIDDEN, since_ns=since * NANO)}
    return {
        "range": over.name,
        "step": over.step,
        "ranges": list(LENGTHS),
        "since_s": since,
        "until_s": until,
        "any": newest(database) > 0,
        "total": total,
        "before": {"count": sum(one.traces for one in before), "failed": sum(one.failed for one in before)},
        "alarms": listed(database, (name, "")),
        "steps": _steps(by_time, over),
        "models": [one._asdict() for one in by_model[:MODELS]],
        "spent_nano": sum(one.cost_nano for one in by_model),
        "failed": (failed := page(database, Wanted(status="error", since_ns=since * NANO), FAILED)),
        "marks": {id: words(all_of) for id, all_of in marks(database, [row.id for row in failed], HIDDEN).items()},
        "stages": _loop(
            folder, name, total.count, over, runs(database, name), feedback, judged(database, name, since * NANO)
        ),
    }


def _steps(found: list[Rollup], over: Stretch) -> list[Json]:
    """The figures of each step; those that nothing happened in count 0 and took no time."""
    known = {one.start_s: one for one in found}
    return [_step(start, known.get(start, EMPTY)) for start in over.starts()]


def _step(start: int, one: Rollup) -> Json:
    return {
        "start_s": start,
        "count": one.count,
        "failed": one.failed,
        "p50": one.duration_ns[0] or None,
        "p95": one.duration_ns[1] or None,
        "p99": one.duration_ns[2] or None,
        "first_p50": one.first_token_ns[0] or None,
        "first_p95": one.first_token_ns[1] or None,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cost_nano": one.cost_nano,
    }


def _loop(
    folder: Path,
    name: str,
    traces: int,
    over: Stretch,
    evaluated: list[Run],
    feedback: dict[str, int],
    votes: tuple[int, int],
) -> list[Json]:
    """The stages from what is served to what is better, each with what is there, or with the command that fills it."""
    suites = _files(folder / "evals")
    whole = [run for run in evaluated if run.finished_ns is not None]
    tried, again = sorted({run.variant for run in whole}), f"regista eval --app {name}"
    return [
        _stage("traces", traces, f"in the last {over.name}", "/console/traces", f"regista ask {name} 'a question'"),
        _stage("feedback", sum(feedback.values()), _told(feedback), "", "POST /v1/feedback"),
        _stage("votes", votes[0], f"reviewers: {votes[1]}", "/console/review", f"regista review {name}"),
        _stage("suites of cases", len(suites), ", ".join(suites[:4]), "", "evals/NAME.toml"),
        _stage("evaluations", len(whole), _last(whole), "/console/evaluations", again),
        _stage(
            "variants tried",
            len(tried),
            ", ".join(sorted(tried)[:4]),
            "/console/evaluations",
            f"{again} --variant NAME",
        ),
    ]


def _stage(name: str, count: int, about: str, href: str, command: str) -> Json:
    return {"name": name, "count": count, "about": about, "href": href, "command": "" if count else command}


def _told(feedback: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(feedback.items(), key=lambda one: -one[1])[:3])


def _last(whole: list[Run]) -> str:
    return f"last: {whole[0].suite} on {whole[0].variant}" if whole else ""


def _files(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))
