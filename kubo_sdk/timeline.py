"""Timeline: who ran when and waited for whom, one bar a step, as text and as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from attrs import frozen

ROW = 16
LEFT = 190
WIDTH = 900
COLOURS = {"create": "#4c78a8", "configure": "#f58518", "await": "#b0b0b0", "start": "#54a24b", "issue": "#b279a2"}
OTHER = "#72b7b2"
FAILED = "#e45756"
LONGEST_LABEL = 36
SHORTEST_BAR_AREA = 10


@frozen(kw_only=True)
class Bar:
    """One step.  ``start`` and ``seconds`` are in seconds since the picture's left edge; ``needs`` are other labels."""

    label: str
    start: float
    seconds: float
    needs: tuple[str, ...] = ()
    failed: bool = False

    @property
    def end(self) -> float:
        return self.start + self.seconds


def timeline_text(bars: Sequence[Bar], total: float, *, width: int, mark: str = "#") -> list[str]:
    """A line for each bar, *width* columns wide: its label, the bar itself, how long it took."""
    if not bars:
        return []
    label = min(max(len(bar.label) for bar in bars), LONGEST_LABEL)
    seconds = max(len(f"{bar.seconds:.1f} s") for bar in bars)
    area = max(width - label - seconds - 4, SHORTEST_BAR_AREA)
    scale = area / max(total, 0.001)
    lines = []
    for bar in bars:
        first = min(int(bar.start * scale), area - 1)
        length = min(max(round(bar.seconds * scale), 1), area - first)
        drawn = (" " * first + ("!" if bar.failed else mark) * length).ljust(area)
        lines.append(f"{bar.label[:label]:<{label}}  {drawn}  {f'{bar.seconds:.1f} s':>{seconds}}")
    lines.append(f"{'':<{label}}  {_ruler(total, area)}")
    return lines


def _ruler(total: float, area: int) -> str:
    """The seconds below the bars, at both ends."""
    end = f"{total:.1f} s"
    return f"{'0 s':<{max(area - len(end), 4)}}{end}"


def timeline_svg(bars: Sequence[Bar], total: float, *, ending: str = "") -> str:
    """The picture of *bars*, with about ten lines for the time up to *total*, where *ending* says what happened then.

    From each bar a thin line leads up to the one it waited for: of all it needs, the one that ended last.
    """
    scale = WIDTH / max(total, 1)
    height = ROW * (len(bars) + 3)
    rows = {bar.label: ROW * (row + 0.5) for row, bar in enumerate(bars, 1)}
    named = {bar.label: bar for bar in bars}
    size = f'width="{LEFT + WIDTH + 60}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_grid(total, scale, height),
        *(_wait(bar, named, rows, scale) for bar in bars),
        *(_drawn(bar, ROW * (row + 0.5), scale) for row, bar in enumerate(bars, 1)),
    ]
    if ending:
        x = LEFT + total * scale
        parts.append(f'<line x1="{x:.1f}" y1="{ROW}" x2="{x:.1f}" y2="{height}" stroke="{FAILED}" stroke-width="2"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 2}" text-anchor="end">{escape(ending)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _grid(total: float, scale: float, height: int) -> list[str]:
    """A line every five seconds, or every so many fives that there are no more than twenty."""
    every = 5 * max(1, -(-int(total) // 100))
    parts = []
    for second in range(0, int(total) + every, every):
        x = LEFT + second * scale
        parts.append(f'<line x1="{x:.1f}" y1="{ROW}" x2="{x:.1f}" y2="{height}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{ROW - 4}" text-anchor="middle">{second} s</text>')
    return parts


def _drawn(bar: Bar, y: float, scale: float) -> str:
    x, width = LEFT + bar.start * scale, max(bar.seconds * scale, 1)
    colour = FAILED if bar.failed else COLOURS.get(bar.label.split()[0], OTHER)
    label = escape(bar.label)
    return (
        f'<text x="{LEFT - 6}" y="{y + 10:.1f}" text-anchor="end">{label}</text>\n'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{ROW - 4}" fill="{colour}">'
        f"<title>{label}: {bar.seconds:.3f} s</title></rect>"
    )


def _wait(bar: Bar, named: Mapping[str, Bar], rows: Mapping[str, float], scale: float) -> str:
    needed = [named[label] for label in bar.needs if label in named]
    if not needed:
        return ""
    last = max(needed, key=lambda other: other.end)
    x1, x2 = LEFT + last.end * scale, LEFT + bar.start * scale
    y1, y2 = rows[last.label] + ROW / 2, rows[bar.label] + ROW / 2
    return f'<path d="M{x1:.1f},{y1:.1f} V{y2:.1f} H{x2:.1f}" fill="none" stroke="#999" stroke-width="0.6"/>'
