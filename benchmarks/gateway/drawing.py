"""A picture of what gateways cost: a panel a figure, a bar a gateway, on a logarithmic scale. Knows no measuring."""

import math

WIDE, BAR, GAP, LEFT, RIGHT, HEAD = 760, 20, 8, 250, 90, 34
OURS, THEIRS = "#0b5fa5", "#8a8a8a"
PANELS = (
    ("CPU µs for a JSON answer, as fast as it goes (logarithmic; less is better)", "json max", "cpu_us"),
    ("JSON answers a second on one core (logarithmic; more is better)", "json max", "rps"),
    ("Streams a second on one core (logarithmic; more is better)", "sse max", "rps"),
)
"""Title, load, figure."""

Results = dict[str, dict[str, dict[str, float]]]


def drawing(results: Results) -> str:
    """The results of `benchmarks.gateway.bench`, as SVG. Bars are told apart by their names, not by colour alone."""
    parts: list[str] = []
    top = 0
    for title, load, figure in PANELS:
        bars = {name: runs[load][figure] for name, runs in results.items() if runs.get(load, {}).get(figure)}
        parts += panel(title, bars, top)
        top += HEAD + len(bars) * (BAR + GAP) + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {top}" '
        'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def panel(title: str, bars: dict[str, float], top: int) -> list[str]:
    """The bars of one figure, each as long as its logarithm over the least decade."""
    least = 10 ** math.floor(math.log10(min(bars.values())))
    scale = (WIDE - LEFT - RIGHT) / math.log10(max(bars.values()) / least)
    parts = [f'<text x="12" y="{top + 22}" font-weight="bold">{title}</text>']
    for row, (name, value) in enumerate(bars.items()):
        y = top + HEAD + row * (BAR + GAP)
        long = max(2.0, math.log10(value / least) * scale)
        ours = name.startswith("regista")
        middle = y + BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{name}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR}" fill="{OURS if ours else THEIRS}"/>')
        parts.append(f'<text x="{LEFT + long + 6:.1f}" y="{middle}">{value:,.0f}</text>')
    return parts
