"""Draws who waited for whom: one bar a step, as SVG."""

from __future__ import annotations

from html import escape
from typing import Any

ROW = 16
LEFT = 190
WIDTH = 900
COLOURS = {"create": "#4c78a8", "configure": "#f58518", "await": "#b0b0b0", "start": "#54a24b", "issue": "#b279a2"}


def timeline_svg(steps: list[dict[str, Any]], total: float) -> str:
    """The picture of *steps* (start, seconds and needs each), with a line every five seconds up to *total*.

    From each step a thin line leads up to the one it waited for: of all it needs, the one that ended last.
    """
    scale = WIDTH / max(total, 1)
    height = ROW * (len(steps) + 3)
    size = f'width="{LEFT + WIDTH + 60}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for second in range(0, int(total) + 5, 5):
        x = LEFT + second * scale
        parts.append(f'<line x1="{x:.1f}" y1="{ROW}" x2="{x:.1f}" y2="{height}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{ROW - 4}" text-anchor="middle">{second} s</text>')
    rows = {step["step"]: ROW * (row + 0.5) for row, step in enumerate(steps, 1)}
    parts += [_wait(step, steps, rows, scale) for step in steps]
    for row, step in enumerate(steps, 1):
        y = ROW * (row + 0.5)
        x, width = LEFT + step["start"] * scale, max(step["seconds"] * scale, 1)
        colour = COLOURS.get(step["step"].split()[0], "#72b7b2")
        parts.append(f'<text x="{LEFT - 6}" y="{y + 10:.1f}" text-anchor="end">{escape(step["step"])}</text>')
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{ROW - 4}" fill="{colour}">'
            f"<title>{escape(step['step'])}: {step['seconds']} s</title></rect>"
        )
    x = LEFT + total * scale
    parts.append(f'<line x1="{x:.1f}" y1="{ROW}" x2="{x:.1f}" y2="{height}" stroke="#e45756" stroke-width="2"/>')
    parts.append(f'<text x="{x:.1f}" y="{height - 2}" text-anchor="end">workload answers: {total} s</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def _wait(step: dict[str, Any], steps: list[dict[str, Any]], rows: dict[str, float], scale: float) -> str:
    needed = [other for other in steps if other["step"] in step["needs"]]
    if not needed:
        return ""
    last = max(needed, key=lambda other: float(other["start"] + other["seconds"]))
    x1 = LEFT + (last["start"] + last["seconds"]) * scale
    x2 = LEFT + step["start"] * scale
    y1, y2 = rows[last["step"]] + ROW / 2, rows[step["step"]] + ROW / 2
    path = f"M{x1:.1f},{y1:.1f} V{y2:.1f} H{x2:.1f}"
    return f'<path d="{path}" fill="none" stroke="#999" stroke-width="0.6"/>'
