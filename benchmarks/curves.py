"""Curves: figures over the number of nodes as a small SVG, one chart below the other, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from attrs import frozen

LEFT, TOP, WIDTH, HEIGHT, GAP = 70, 40, 560, 200, 70
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2")
LIMIT = "#e45756"


@frozen(kw_only=True)
class Chart:
    """Several lines of one unit.  ``lines``: (nodes, value) by what it is; ``limit``: the target, 0 for none."""

    title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    limit: float = 0.0


def svg(charts: Sequence[Chart]) -> str:
    """The picture of all *charts*."""
    size = f'width="{LEFT + WIDTH + 200}" height="{TOP + len(charts) * (HEIGHT + GAP)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for row, chart in enumerate(charts):
        parts += _drawn(chart, TOP + row * (HEIGHT + GAP))
    return "\n".join([*parts, "</svg>\n"])


@frozen(kw_only=True)
class _Scale:
    """From decade to decade: 10^first to 10^last over *length* pixels."""

    first: int
    last: int
    length: float

    @classmethod
    def over(cls, values: Sequence[float], length: float) -> _Scale:
        logarithms = [math.log10(value) for value in values if value > 0] or [0.0]
        first = math.floor(min(logarithms))
        return cls(first=first, last=max(math.ceil(max(logarithms)), first + 1), length=length)

    def at(self, value: float) -> float:
        logarithm = math.log10(value) if value > 0 else self.first
        return (logarithm - self.first) / (self.last - self.first) * self.length

    @property
    def decades(self) -> list[float]:
        return [10.0**power for power in range(self.first, self.last + 1)]


def _drawn(chart: Chart, top: float) -> list[str]:
    points = [point for line in chart.lines.values() for point in line]
    across = _Scale.over([nodes for nodes, _ in points], WIDTH)
    up = _Scale.over([value for _, value in points] + [chart.limit], HEIGHT)
    bottom = top + HEIGHT
    parts = [f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{escape(chart.title)}</text>']
    for nodes in across.decades:
        x = LEFT + across.at(nodes)
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{nodes:g} nodes</text>')
    for value in up.decades:
        y = bottom - up.at(value)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDTH}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    if chart.limit:
        y = bottom - up.at(chart.limit)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDTH}" y2="{y:.1f}" stroke="{LIMIT}"/>')
    for number, (what, line) in enumerate(chart.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        spots = [(LEFT + across.at(nodes), bottom - up.at(value)) for nodes, value in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots]
        y = top + 12 + 16 * number
        parts.append(f'<text x="{LEFT + WIDTH + 12}" y="{y}" fill="{colour}">{escape(what)}</text>')
    return parts
