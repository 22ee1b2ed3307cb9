"""`regista select`: which model to take, and whether to host it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console

from regista.app.candidates import candidate_of, differences_of
from regista.app.evaluation import BASE, Choice
from regista.core.errors import ConfigurationError, UnknownNameError
from regista.core.evaluation import Report
from regista.evaluate.hosting import AxisFinding, BreakEven, Machine, Mix, break_even, host_or_api
from regista.evaluate.report.choice import of_hosting, of_selection, page_of_selection
from regista.evaluate.requirements import Candidate, Requirements
from regista.evaluate.select import Differences, Selection
from regista.evaluate.select import select as choose
from regista.surfaces.cli._evaluation import UNDECIDED, AppOption, JsonOption, benches, progress, write
from regista.surfaces.cli._loop import run_async

NANO = 1_000_000_000


@Parameter(name="*")
@dataclass(frozen=True)
class Asked:
    """What a model must be, as options."""

    licence: Annotated[tuple[str, ...], Parameter(help="One of these licences, such as Apache-2.0.")] = ()
    context: Annotated[int | None, Parameter(help="A window of at least so many tokens.")] = None
    region: Annotated[tuple[str, ...], Parameter(help="Answered in one of these regions.")] = ()
    feature: Annotated[tuple[str, ...], Parameter(help="All of these: tools, json_schema, logprobs, images …")] = ()
    input_price: Annotated[float | None, Parameter(help="At most so many dollars for a million tokens in.")] = None
    output_price: Annotated[float | None, Parameter(help="At most so many dollars for a million tokens out.")] = None
    max_cost: Annotated[float | None, Parameter(help="At most so many dollars for a request.")] = None
    max_ms: Annotated[float | None, Parameter(help="At most so many milliseconds for a request, at the median.")] = None
    no_training: Annotated[bool, Parameter(negative="", help="Requests are not used for training.")] = False
    retention_days: Annotated[int | None, Parameter(help="Requests are kept for at most so many days.")] = None
    weights: Annotated[bool, Parameter(negative="", help="The weights can be downloaded (on-premise).")] = False
    device_gb: Annotated[float | None, Parameter(help="It fits a device with so much memory.")] = None
    assume: Annotated[tuple[str, ...], Parameter(help="Attributes that may be unknown.")] = ()


@Parameter(name="*")
@dataclass(frozen=True)
class Hosting:
    """What hosting would cost, as options."""

    host: Annotated[str, Parameter(help="The variant that would be hosted, against --api.")] = ""
    api: Annotated[str, Parameter(help="The variant that is called by its API.")] = BASE
    machine_hour: Annotated[float | None, Parameter(help="Dollars an hour of a machine costs.")] = None
    tokens_per_s: Annotated[float | None, Parameter(help="Tokens a second such a machine serves, in and out.")] = None
    busy: Annotated[float, Parameter(help="The share of a day it is kept at that.")] = 0.5
    input_share: Annotated[float, Parameter(help="The share of all tokens that is input.")] = 0.75
    tokens_per_day: Annotated[int | None, Parameter(help="What you expect to use.")] = None


class Choosing(msgspec.Struct, frozen=True):
    """What is printed: the selection, and what the seven axes say."""

    selection: Selection
    hosting: tuple[AxisFinding, ...]
    break_even: BreakEven | None


def select(
    suite: Annotated[str, Parameter(help="The suite that measures; none: only what is known beforehand.")] = "",
    *,
    variants: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, help="Candidates; base is regista.toml. None: all there are."),
    ] = None,
    attributes: Annotated[
        tuple[Path, ...], Parameter(help="Tables of your own, over the shipped attributes of models.")
    ] = (),
    asked: Asked = Asked(),
    hosting: Hosting = Hosting(),
    app: AppOption = None,
    as_json: JsonOption = False,
    html: Annotated[Path | None, Parameter(help="Write one page for a browser to this file.")] = None,
) -> int:
    """Choose among variants by what rules their models out, what they score, what they cost and how long they take.

    What is unknown of a model is not assumed. Prices and attributes are tables with sources; see regista models.

    Example: regista select questions --variants base wide --weights --machine-hour 2.5 --tokens-per-s 2500 --host wide
    """
    found = run_async(_chosen(app, suite, variants, attributes, asked, hosting))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        console = Console(highlight=False)
        console.print(of_selection(found.selection))
        if found.hosting:
            console.print(of_hosting(found.hosting, found.break_even))
    placed = [each.candidate for each in found.selection.placed]
    unsure = [one.model for one in placed if one.quality and (one.quality.error or one.quality.unscored)]
    if unsure and not as_json:
        said = (
            f"Values are missing for {', '.join(unsure)}: their intervals go from the worst to the best these can be."
        )
        Console(highlight=False).print(said, style="yellow", markup=False)
    if html is not None:
        write(html, page_of_selection(found.selection, found.hosting))
    return UNDECIDED if unsure else 0


async def _chosen(
    app: str | None,
    suite: str,
    variants: list[str] | None,
    attributes: tuple[Path, ...],
    asked: Asked,
    hosting: Hosting,
) -> Choosing:
    async with benches(app, [BASE]) as (bench,):
        names = variants or [BASE, *bench.variants]
    measured: list[tuple[Candidate, Report | None]] = []
    async with benches(app, names) as opened:
        for bench in opened:
            report = None
            if suite:
                with progress(f"{suite} on {bench.variant}") as told:
                    report = await bench.evaluate(suite, Choice(), told)
            measured.append((candidate_of(bench, report, attributes), report))
        whole = [(candidate, report) for candidate, report in measured if report is not None]
        differences = await differences_of(whole, opened[0])
    candidates = [candidate for candidate, _ in measured]
    requirements = _requirements(asked)
    axes, costs = _hosting(hosting, requirements, dict(zip(names, candidates, strict=True)), differences)
    return Choosing(choose(requirements, candidates, differences), axes, costs)


def _requirements(asked: Asked) -> Requirements:
    return Requirements(
        licences=asked.licence,
        context=asked.context,
        regions=asked.region,
        features=asked.feature,
        input_price=asked.input_price,
        output_price=asked.output_price,
        cost_nano=None if asked.max_cost is None else round(asked.max_cost * NANO),
        latency_ns=None if asked.max_ms is None else round(asked.max_ms * 1_000_000),
        no_training=asked.no_training,
        retention_days=asked.retention_days,
        weights=asked.weights,
        device_gb=asked.device_gb,
        assume=asked.assume,
    )


def _hosting(
    hosting: Hosting, requirements: Requirements, candidates: dict[str, Candidate], differences: Differences
) -> tuple[tuple[AxisFinding, ...], BreakEven | None]:
    """The seven axes for the two variants that were named; nothing where none is to be hosted."""
    if not hosting.host:
        return (), None
    for name in (hosting.host, hosting.api):
        if name not in candidates:
            raise UnknownNameError("variant among the candidates", name, candidates)
    api, hosted = candidates[hosting.api], candidates[hosting.host]
    costs = None
    if hosting.machine_hour is not None and hosting.tokens_per_s is not None and api.price is not None:
        machine = Machine(round(hosting.machine_hour * NANO), hosting.tokens_per_s, hosting.busy)
        try:
            costs = break_even(machine, api.price, Mix(hosting.input_share))
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
    return host_or_api(requirements, api, hosted, costs, hosting.tokens_per_day, differences), costs
