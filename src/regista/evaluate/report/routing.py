"""What the router decides, would have decided and has learned, on a terminal and as a page. It knows no store."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regista.core.nouns import Json, Span, Trace
from regista.evaluate.report.curve import as_svg, as_text
from regista.evaluate.report.figures import between, count, number, share
from regista.evaluate.report.html import page
from regista.evaluate.report.markup import Html, tag
from regista.evaluate.report.screen import Screen
from regista.evaluate.routing.simulate import Estimated, Figure, Simulation
from regista.serve.routing.intents import Intents
from regista.serve.routing.strength import Point, Strength
from regista.stats.intervals import wilson
from regista.text.shown import duration, line, lines, money

PLOT = 100
"""Columns a plot has at most."""
WITH_BOTH = 110
"""Columns of a terminal from which the interval of what would be stands beside that of the difference."""


def of_decision(trace: Trace, span: Span, shadow: Trace | None) -> RenderableType:
    """One request's route: each policy with what it said, the choice and the runner-up, who answered, the shadow."""
    return Screen(lambda _: Group(*_decision(trace, span, shadow)))


def of_simulation(found: Simulation) -> RenderableType:
    """A replay: who would have answered, and cost, times and quality as they were and as they would have been."""
    return Screen(lambda width: Group(*_simulation(found, width)))


def of_intents(intents: Intents, models: Mapping[str, str], lost: float, embedder: str) -> RenderableType:
    """The classes of the policy `semantic`: how well they are told apart, and what they are taken for."""
    return Screen(lambda _: Group(*_intents(intents, models, lost, embedder)))


def of_strength(found: Strength, wanted: float) -> RenderableType:
    """A trained head: quality and cost by the share of strong calls, against lots."""
    return Screen(lambda width: Group(*_strength(found, wanted, width)))


def page_of_strength(found: Strength, wanted: float) -> str:
    """The same as a page that stands alone."""
    title = headline_of_strength(found, wanted)
    about = "Each figure is over cases that the head had not seen. The straight line is strong calls drawn by lot."
    drawn = tag("div", as_svg(found.curve, wanted), class_="scroll")
    head = tag("thead", tag("tr", *(tag("th", name) for name in _COLUMNS)))
    rows = [tag("tr", *(tag("td", cell) for cell in _cells(point))) for point in found.curve]
    table = tag("table", head, tag("tbody", *rows))
    section = tag("section", tag("h2", "Quality and cost"), tag("p", about), drawn, table)
    return page(title, f"router, {found.source}", tag("h1", title), [Html(section)])


def headline_of_strength(found: Strength, wanted: float) -> str:
    """Whether choosing is better than lots at the share that is wanted."""
    point = min(found.curve, key=lambda each: abs(each.share - wanted))
    at = f"With {share(point.share)} strong calls"
    gain = f"{number(point.gain, sign=True)} {between(point.gain_low, point.gain_high, sign=True)}"
    if point.gain_low > 0:
        return f"{at} the head is better than lots: {gain} on {found.scorer}."
    if point.gain_high < 0:
        return f"{at} the head is worse than lots: {gain} on {found.scorer}. Do not use it."
    return f"{at} the head is not shown to be better than lots: {gain} on {found.scorer}, {count(found.cases, 'case')}."


_COLUMNS = ("strong", "quality", "95 %", "above lots", "95 %", "cost")


def _cells(point: Point) -> tuple[str, ...]:
    return (
        share(point.share),
        number(point.quality),
        between(point.low, point.high),
        number(point.gain, sign=True),
        between(point.gain_low, point.gain_high, sign=True),
        "?" if point.cost_nano is None else money(round(point.cost_nano)),
    )


def _strength(found: Strength, wanted: float, width: int) -> Iterator[RenderableType]:
    yield Text(line(headline_of_strength(found, wanted)), "bold")
    yield Text(
        line(f"{found.source}; {found.weak} suffices in {found.suffices} of {found.cases} cases; {found.embedder}"),
        "dim",
    )
    yield Text()
    yield from (Text(row, no_wrap=True) for row in as_text(found.curve, wanted, min(width, PLOT)))
    yield Text()
    yield Padding(_table(_COLUMNS, [_cells(point) for point in found.curve]), (0, 0, 0, 2))


def _intents(intents: Intents, models: Mapping[str, str], lost: float, embedder: str) -> Iterator[RenderableType]:
    trial, total = intents.trial, len(intents.of)
    right = sum(trial.right)
    threshold = intents.threshold(lost)
    kept = [good for good, alike in zip(trial.right, trial.likeness, strict=True) if alike >= threshold]
    told = wilson(right, total)
    yield Text(f"{right} of {total} examples are told right when left out: {share(right / total)}", "bold")
    yield Text(line(f"95 %: {share(told.low)} to {share(told.high)}; vectors of {embedder}"), "dim")
    passed = f"Less like its class than {threshold:.2f}, a question is passed on"
    yield Text(f"{passed}: {total - len(kept)} of the examples; of the others {share(_mean(kept))} are told right.")
    yield Text()
    rows: list[tuple[str, ...]] = []
    for at, name in enumerate(intents.classes):
        row = trial.confusion[at]
        mistaken = sorted((n, other) for n, other in zip(row, intents.classes, strict=True) if other != name and n)
        taken = ", ".join(f"{other} {n}" for n, other in reversed(mistaken)) or "–"
        rows.append((line(name), line(models[name]), f"{row[at]}/{sum(row)}", line(taken)))
    yield Padding(_table(("class", "model", "right", "taken for"), rows), (0, 0, 0, 2))


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _simulation(found: Simulation, width: int) -> Iterator[RenderableType]:
    named = " then ".join(found.policies)
    moved = f"{found.moved:,} of {count(found.requests, 'request')} would have gone to another model"
    yield Text(line(f"{named}: {moved}"), "bold")
    deciders = ", ".join(f"{name} {n:,}" for name, n in sorted(found.deciders.items(), key=lambda item: -item[1]))
    yield Text(line(f"decided by: {deciders}"), "dim")
    yield Text()
    shares = [
        (line(each.model), _share(each.actual, found.requests), _share(each.simulated, found.requests))
        for each in found.shares
    ]
    yield Padding(_table(("model", "was", "would be"), shares), (0, 0, 0, 2))
    yield Text()
    shown = {"cost": (found.cost, _money), "first token": (found.first, _time), "whole": (found.whole, _time)}
    figures = [_figure(name, figure, show) for name, (figure, show) in shown.items() if figure is not None]
    if found.quality is not None:
        figures.append(_figure("quality", found.quality, number))
    if figures:
        columns = ("a request", "was", "would be", "95 %", "difference", "95 %", "known for")
        places = [at for at in range(len(columns)) if at != 3 or width >= WITH_BOTH]
        rows = [[figure[at] for at in places] for figure in figures]
        yield Padding(_table([columns[at] for at in places], rows), (0, 0, 0, 2))
        yield Text()
    if found.quality is None:
        yield Text("Quality is not known: too few of these questions were evaluated with both models.", "yellow")
    for sentence in found.unknown:
        yield Text(line(sentence), "dim")


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({share(part / whole)})" if whole else "0"


def _money(value: float, *, sign: bool = False) -> str:
    shown = money(round(abs(value)))
    return (("−" if value < 0 else "+" if sign and value > 0 else "") + shown) if round(value) else "$0"


def _time(value: float, *, sign: bool = False) -> str:
    return ("−" if value < 0 else "+" if sign and value > 0 else "") + duration(round(abs(value)))


def _figure(name: str, figure: Figure, shown: Any) -> tuple[str, ...]:
    def ends(each: Estimated, sign: bool) -> str:
        return f"[{shown(each.low, sign=sign)}, {shown(each.high, sign=sign)}]"

    return (
        name,
        shown(figure.actual.value),
        shown(figure.simulated.value),
        ends(figure.simulated, False),
        shown(figure.difference.value, sign=True),
        ends(figure.difference, True),
        f"{figure.known:,}",
    )


def _decision(trace: Trace, span: Span, shadow: Trace | None) -> Iterator[RenderableType]:
    kept = span.attributes
    yield Text(lines(trace.question) or "(no question)", "bold")
    yield Text()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("chosen", Text(line(span.decision), "bold green"))
    facts.add_row("because", Text(line(span.reason)))
    facts.add_row("runner-up", Text(line(str(kept.get("runner_up") or "–"))))
    shows = [f"{kept.get('tokens', 0):,} tokens", *map(str, kept.get("carries", ()))]
    shows += [f"{key}={value}" for key, value in cast("Json", kept.get("metadata", {})).items()]
    facts.add_row("it showed", Text(line(", ".join(shows))))
    facts.add_row("took", Text(duration(span.duration_ns)))
    answered = ", ".join(f"{call.biller}/{call.model} ({call.cause}, {call.status})" for call in trace.calls)
    facts.add_row("called", Text(line(answered) or "–"))
    yield Padding(facts, (0, 0, 0, 2))
    for model, why in cast("Mapping[str, str]", kept.get("unfit", {})).items():
        yield Padding(Text(line(f"left out: {model}: {why}"), "yellow"), (0, 0, 0, 2))
    for step in cast("list[Json]", kept.get("steps", [])):
        yield Text()
        said = f"chooses {step['model']}" if step.get("model") else "passes"
        yield Text(line(f"{step['policy']} {said}: {step['reason']}"), "bold")
        yield from (Padding(part, (0, 0, 0, 2)) for part in _step(step))
    if shadow is not None:
        yield Text()
        yield Text(line(f"{shadow.model} was asked the same ({shadow.status}, {duration(shadow.duration_ns)})"), "bold")
        yield Padding(Text(lines(shadow.answer or shadow.error)), (0, 0, 0, 2))


def _step(step: Json) -> Iterator[RenderableType]:
    """What a policy considered: its rules, or the scores of models and classes, with what each would cost."""
    detail: Json = step.get("detail", {})
    rules: list[tuple[str, bool, str]] = detail.get("rules", [])
    if rules:
        yield _table(("rule", "", ""), [(line(name), "holds" if held else "–", line(why)) for name, held, why in rules])
    bills: Mapping[str, Json] = detail.get("bills", {})
    if bills:
        columns = ("model", "cost", "of a wait", "cached", "answer", "score")
        rows = [
            (
                line(name),
                money(bill["cost_nano"]),
                money(bill["wait_nano"]),
                f"{bill['cached_tokens']:,}",
                f"{bill['output_tokens']:,}",
                number(step["scores"][name]),
            )
            for name, bill in bills.items()
        ]
        yield _table(columns, rows)
    elif step.get("scores"):
        ranked = sorted(cast("Mapping[str, float]", step["scores"]).items(), key=lambda item: -item[1])
        yield _table(("", "score"), [(line(name), number(score)) for name, score in ranked])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, name in enumerate(columns):
        table.add_column(name, justify="left" if at == 0 else "right" if _is_figures(rows, at) else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _is_figures(rows: Sequence[Sequence[str]], at: int) -> bool:
    return bool(rows) and all(row[at][:1] in "0123456789$+−[–?" for row in rows)
