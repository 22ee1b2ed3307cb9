"""Feedback as people read it in a terminal: what was said, and the words it rests on, marked with signs and not with
colour alone. Knows no store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast

import msgspec
from rich.table import Table
from rich.text import Text

from regista.core.nouns import Feedback, Json
from regista.store.feedback import Count, Kept
from regista.surfaces.cli._sums import bar
from regista.text.shown import line, short

if TYPE_CHECKING:
    from regista.feedback.bias.meter import Bias
    from regista.stats.intervals import Interval

_AROUND = 60
"""Characters shown before and after the words that tell."""
_LONGEST = 300
_PRAISE, _BLAME = "green", "yellow"
_GOOD = frozenset(("positive", "length"))
"""Signals that speak not against an answer."""


def verdict(one: Feedback) -> Text:
    """What was said, in a few words; of a signal with how often it is right."""
    match one.kind:
        case "thumb":
            up = (one.value or 0) > 0
            return Text("+ thumb up" if up else "- thumb down", _PRAISE if up else _BLAME)
        case "score":
            return Text(f"= {line(one.name)} {one.value:g}")
        case "label":
            return Text(f"# {line(one.name)}")
        case "preference":
            return Text(f"{'as good as' if one.value == 0 else '> better than'} {short(one.other)}")
        case "signal" if one.name == "length":
            return Text(f"~ {one.value or 0:.0f} turns", "dim")
        case "signal":
            return Text(f"~ {line(one.name)} {one.confidence:.0%}", "" if one.name in _GOOD else _BLAME)
        case _:
            return Text(one.kind)


def lines_of(one: Feedback, asked: Mapping[str, str], *, ascii_only: bool = False) -> list[Text]:
    """What it rests on: the words that tell, each among those around them, or the text that was given."""
    opens, closes = (">>", "<<") if ascii_only else ("»", "«")
    told: list[Text] = []
    for words in one.evidence:
        whole = asked.get(words.trace, "") if words.of == "question" else ""
        here = whole[words.start : words.end] == words.text
        before = _cut(line(whole[: words.start]), last=True) if here else ""
        after = _cut(line(whole[words.end :])) if here else ""
        spaced = before and whole[words.start - 1].isspace(), after and whole[words.end].isspace()
        where = Text(f"{words.of}: ", "dim") + Text(before + (" " if spaced[0] else ""))
        marked = Text(f"{opens}{_shortened(words.text)}{closes}", "bold")
        told.append(where + marked + Text((" " if spaced[1] else "") + after))
    if one.text:
        told.append(Text(f"{opens}{_shortened(one.text)}{closes}"))
    return told


def sums(found: Sequence[Count], by: Literal["signal", "label", "hour"]) -> Table | None:
    """Counts as a table with bars; None where there are none of what is asked for."""
    groups: dict[str, list[int]] = {}
    for one in found:
        given = one.kind != "signal"
        if by == "hour" or given == (by == "label"):
            group = _hour(one.start_s) if by == "hour" else line(f"{one.kind} {one.name}" if given else one.name)
            groups.setdefault(group, [0, 0])[given] += one.count
    if not groups:
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column({"hour": "hour (UTC)", "label": "given", "signal": "signal"}[by], no_wrap=True)
    table.add_column("", no_wrap=True, style="blue")
    names = ("signals", "given") if by == "hour" else ("count",)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    most = max(sum(counts) for counts in groups.values())
    for name, counts in groups.items():
        figures = counts if by == "hour" else [sum(counts)]
        table.add_row(Text(name), Text(bar(sum(counts) / most)), *(f"{figure:,}" for figure in figures))
    return table


def as_mapping(kept: Kept, asked: Mapping[str, str]) -> Json:
    """Feedback with the names of its fields, ready for JSON."""
    one = kept.feedback
    named = {name: getattr(one, name) for name in Feedback.__struct_fields__}
    evidence = [{name: getattr(words, name) for name in words.__struct_fields__} for words in one.evidence]
    whose = {"id": kept.id.hex(), "tenant": kept.tenant, "application": kept.application}
    return cast(
        "Json",
        msgspec.to_builtins({**whose, **named, "evidence": evidence, "question": asked.get(one.trace, "")}),
    )


def as_figures(bias: "Bias | None") -> Json:
    """What a meter found, ready for JSON."""
    if bias is None:
        return {}

    def interval(made: "Interval") -> Json:
        return {"estimate": made.estimate, "low": made.low, "high": made.high}

    rows = {name: interval(made) for name, made in bias.rows}
    return {"found": bias.found, **interval(bias.estimate), "none": bias.none, "sentence": bias.sentence, "rows": rows}


def _hour(start_s: int) -> str:
    return datetime.fromtimestamp(start_s, UTC).strftime("%d %b %H:00")


def _cut(text: str, *, last: bool = False) -> str:
    if len(text) <= _AROUND:
        return text
    return "…" + text[-_AROUND:] if last else text[:_AROUND] + "…"


def _shortened(text: str) -> str:
    shown = line(text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
