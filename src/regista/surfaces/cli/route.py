"""`regista route`: why a model was chosen, what another policy would have chosen, and the heads that choose."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import cyclopts
import msgspec
from cyclopts import Parameter, validators
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from regista.app import simulating
from regista.app.folder import BASE, read
from regista.app.simulating import Place
from regista.core.errors import ConfigurationError, NotFoundError
from regista.core.nouns import Span
from regista.core.settings import settings
from regista.evaluate.report.routing import (
    headline_of_strength,
    of_decision,
    of_intents,
    of_simulation,
    of_strength,
    page_of_strength,
)
from regista.evaluate.routing import learn
from regista.serve.routing import HEAD
from regista.serve.stages.route import STAGE
from regista.store import connect
from regista.store.traces import find, shadow_of
from regista.surfaces.cli._evaluation import UNDECIDED, AppOption, JsonOption, write
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import existing_store, resolve, store_url
from regista.surfaces.cli._since import SinceOption, start_of

route = cyclopts.App(
    name="route", help="Explain which model answered, replay traffic through a policy, train what chooses."
)
VariantOption = Annotated[str, Parameter(help="Take the router of a variant; base is regista.toml.")]


@route.command
def explain(
    trace_id: Annotated[str, Parameter(help="The trace's id, or how it starts.")],
    app: AppOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show why a request went to its model: what each policy said, the scores, the runner-up, and a shadow's answer.

    Example: regista route explain 3aab8025
    """
    folder = resolve(app)
    store = existing_store(folder)
    if store is None:
        raise NotFoundError(f"There are no traces of {folder.name} yet. Ask something: regista ask {folder.name} '…'")
    trace = find(store, trace_id)
    span = next((span for span in trace.spans if span.stage == STAGE), None)
    if span is None:
        why = f"it was answered from the cache ({trace.cached})" if trace.cached in ("hit", "coalesced") else ""
        raise NotFoundError(f"No router chose for {trace.id}: {why or 'its application had no [router]'}.")
    if as_json:
        named = {"trace": trace.id, **{name: getattr(span, name) for name in Span.__struct_fields__}}
        print(msgspec.json.format(msgspec.json.encode(named), indent=2).decode())
        return
    Console(highlight=False).print(of_decision(trace, span, shadow_of(store, trace.id)))


@route.command
def simulate(
    app: AppOption = None,
    *,
    policy: Annotated[
        list[str] | None,
        Parameter(negative="", help="A policy that is set up, or a model to take always; may be given several times."),
    ] = None,
    since: SinceOption = "",
    limit: Annotated[int, Parameter(help="How many requests, the latest.", validator=validators.Number(gte=1))] = 1000,
    tenant: Annotated[str, Parameter(help="Only this tenant's; evaluations are those of 'evaluation'.")] = "",
    suite: Annotated[str, Parameter(help="The suite whose scores tell quality; none: the one evaluated last.")] = "",
    variant: VariantOption = BASE,
    as_json: JsonOption = False,
) -> None:
    """Put recorded requests to a policy: what it would have cost, how long it would have taken, how good it would be.

    No model is called. Costs follow from tokens and prices, times from each model's own calls; what is not known is
    said.

    Example: regista route simulate --policy economy --since 7d
    """
    place = _place(app, variant)
    with _progress() as told:
        found = run_async(
            simulating.simulate(
                place,
                policy or (),
                since_ns=start_of(since),
                limit=limit,
                tenant=tenant,
                suite=suite,
                progress=told,
            )
        )
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        Console(highlight=False).print(of_simulation(found))


@route.command
def intents(app: AppOption = None, *, variant: VariantOption = BASE, as_json: JsonOption = False) -> None:
    """Train the classes of the policy `semantic`, and show how well each example is told when it is left out.

    Example: regista route intents
    """
    place = _place(app, variant)
    policy = run_async(simulating.intents(place))
    trained = policy.intents
    if trained is None or policy.questions is None:
        raise RuntimeError("A policy that was prepared has its head.")
    embedder = policy.questions.embedding.name
    if as_json:
        shown = {
            "embedder": embedder,
            "classes": trained.classes,
            "accuracy": sum(trained.trial.right) / len(trained.of),
            "threshold": trained.threshold(policy.lost),
            "confusion": trained.trial.confusion,
        }
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return
    models = {name: one.model for name, one in policy.classes.items()}
    Console(highlight=False).print(of_intents(trained, models, policy.lost, embedder))


@route.command
def train(
    suite: Annotated[str, Parameter(help="A suite that was evaluated on both variants.")] = "",
    app: AppOption = None,
    *,
    strong: Annotated[str, Parameter(help="The variant that answers better; base is regista.toml.")] = BASE,
    weak: Annotated[str, Parameter(help="The variant that costs less.")] = "",
    preferences: Annotated[
        Path | None, Parameter(help='In place of a suite: lines of {"question": …, "preferred": "strong"}.')
    ] = None,
    share: Annotated[
        float, Parameter(help="The share of strong calls you want.", validator=validators.Number(gte=0, lte=1))
    ] = 0.5,
    html: Annotated[Path | None, Parameter(help="Write one page for a browser to this file.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Train the head of the policy `learned` on what two variants answered: quality and cost by share of strong calls.

    It is written into the application, as router/learned.json; where there are too few cases it is not.

    Example: regista route train questions --strong base --weak small --share 0.3
    """
    place = _place(app, BASE)
    if preferences is not None:
        lessons, names = learn.from_preferences(preferences), ("strong", "weak")
    elif suite and weak:
        runs = [simulating.newest_run(place, suite, variant) for variant in (strong, weak)]
        lessons = learn.from_runs(place.database, *runs)
        names = (simulating.model_of(place, strong), simulating.model_of(place, weak))
    else:
        raise ConfigurationError(
            "Say what to learn from: SUITE --strong VARIANT --weak VARIANT, or --preferences FILE."
        )
    if lessons.too_few:
        Console(stderr=True, highlight=False).print(f"{lessons.too_few} Nothing is written.", style="yellow")
        return UNDECIDED
    with _progress() as told:
        found = run_async(simulating.train(place, lessons, *names, told))
    path = place.folder.path / HEAD
    path.parent.mkdir(exist_ok=True)
    write(path, msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n")
    if html is not None:
        write(html, page_of_strength(found, share))
    if as_json:
        shown = {
            "headline": headline_of_strength(found, share),
            "threshold": found.threshold(share),
            "curve": found.curve,
        }
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return 0
    console = Console(highlight=False)
    console.print(of_strength(found, share))
    console.print(
        f"Written to {HEAD}. In regista.toml: [router.learned] strong, weak and share = {share:g}.", markup=False
    )
    return 0


def _place(app: str | None, variant: str) -> Place:
    folder = resolve(app)
    chosen = read(folder, "" if variant == BASE else variant)
    return Place(chosen, connect(store_url(folder)), str(settings()["models"]))


@contextmanager
def _progress() -> Generator[Callable[[str, int, int], None]]:
    """Gives the function that work is told to; a bar on the error stream that goes when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        yield told
