"""Quality and cost by the share of strong calls as a plot: of characters for a terminal, as SVG for a page.

Each share has its interval of quality; the straight line is what strong calls drawn by lot would give. It knows no
console and no page.
"""

from collections.abc import Sequence

from regista.evaluate.report.figures import Scale, number, share
from regista.evaluate.report.markup import Html, tag
from regista.serve.routing.strength import Point
from regista.text.shown import money

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 14, 56


def scale_of(points: Sequence[Point]) -> Scale:
    """Quality from the lowest end of an interval to the highest, with some room."""
    low, high = min(point.low for point in points), max(point.high for point in points)
    room = (high - low) * 0.06 or 0.05
    return Scale(low - room, high + room)


def as_text(points: Sequence[Point], wanted: float, width: int, height: int = 14) -> list[str]:
    """The curve in characters: `●` at the figures (`◆` at the share wanted), `│` along intervals, `·` drawn by lot."""
    scale = scale_of(points)
    cells = max(24, width - 9)
    rows = [[" "] * cells for _ in range(height)]

    def across(part: float) -> int:
        return min(cells - 1, round(part * (cells - 1)))

    def up(value: float) -> int:
        return min(height - 1, max(0, round((1 - scale.at(value)) * (height - 1))))

    first, last = points[0], points[-1]
    for column in range(cells):
        part = column / (cells - 1)
        rows[up(first.quality + part * (last.quality - first.quality))][column] = "·"
    nearest = min(points, key=lambda point: abs(point.share - wanted))
    for point in points:
        at = across(point.share)
        for row in range(up(point.high), up(point.low) + 1):
            rows[row][at] = "│"
        rows[up(point.quality)][at] = "◆" if point is nearest else "●"
    labels = {0: scale.high, height - 1: scale.low}
    lines = [f"{number(labels[n]) if n in labels else '':>7} ┤{''.join(row)}" for n, row in enumerate(rows)]
    middle = "share of strong calls".center(max(23, cells - 8))
    return [*lines, f"{'':8}└{'─' * cells}", f"{'':9}{'0 %'}{middle}{'100 %'}"]


def as_svg(points: Sequence[Point], wanted: float) -> Html:
    """The curve as SVG, with what a request costs under the axis."""
    scale = scale_of(points)
    drawn: list[Html] = []
    for at in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawn.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=_y(at), y2=_y(at), class_="grid"))
        value = number(scale.low + (1 - at) * (scale.high - scale.low))
        drawn.append(tag("text", value, x=LEFT - 8, y=_y(at) + 4, text_anchor="end", class_="tick"))
    for point in (points[0], points[len(points) // 2], points[-1]):
        told = share(point.share) + (f", {money(round(point.cost_nano))}" if point.cost_nano is not None else "")
        drawn.append(
            tag(
                "text", told, x=_x(point.share), y=HEIGHT - BOTTOM + 20, text_anchor=_anchor(point.share), class_="tick"
            )
        )
    named = "share of strong calls, and what a request costs"
    drawn.append(tag("text", named, x=_x(0.5), y=HEIGHT - 8, text_anchor="middle", class_="tick"))
    ends = {"x1": _x(0), "x2": _x(1), "y1": _height(scale, points[0]), "y2": _height(scale, points[-1])}
    drawn.append(tag("line", **ends, class_="zero"))
    path = "M" + "L".join(f"{_x(point.share):g} {_height(scale, point):g}" for point in points)
    drawn.append(tag("path", d=path, class_="steps"))
    nearest = min(points, key=lambda point: abs(point.share - wanted))
    for point in points:
        x, mark = _x(point.share), "dot" if point is nearest else "dot hollow"
        span = {"y1": _y(1 - scale.at(point.low)), "y2": _y(1 - scale.at(point.high))}
        title = f"{share(point.share)} strong: {number(point.quality)} [{number(point.low)}, {number(point.high)}]"
        bar = tag("line", x1=x, x2=x, **span, class_="ci")
        circle = tag("circle", cx=x, cy=_height(scale, point), r=5, class_=mark)
        drawn.append(tag("g", tag("title", title), bar, circle))
    label = "Quality by share of strong calls, from " + ", ".join(
        f"{number(point.quality)} at {share(point.share)}" for point in (points[0], nearest, points[-1])
    )
    return tag("svg", *drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="plane", role="img", aria_label=label)


def _anchor(part: float) -> str:
    return "start" if part < 0.1 else "end" if part > 0.9 else "middle"


def _x(part: float) -> float:
    return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)


def _y(at: float) -> float:
    return round(TOP + at * (HEIGHT - TOP - BOTTOM), 1)


def _height(scale: Scale, point: Point) -> float:
    return _y(1 - scale.at(point.quality))
