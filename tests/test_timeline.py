"""The picture of who ran when: to scale, in the terminal's width, and well-formed as SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.timeline import Bar, timeline_svg, timeline_text

SVG = "{http://www.w3.org/2000/svg}"


def bar(label: str, start: float, seconds: float, *needs: str, failed: bool = False) -> Bar:
    return Bar(label=label, start=start, seconds=seconds, needs=needs, failed=failed)


def test_bars_stand_where_their_time_is() -> None:
    bars = [bar("first", 0, 5), bar("second", 5, 5, "first"), bar("beside", 2.5, 5)]
    assert timeline_text(bars, 10, width=35) == [
        "first   ##########            5.0 s",
        "second            ##########  5.0 s",
        "beside       ##########       5.0 s",
        "        0 s           10.0 s",
    ]


def test_a_failed_step_looks_different_and_no_picture_is_needed_for_nothing() -> None:
    assert "!" in timeline_text([bar("a", 0, 1, failed=True)], 1, width=40)[0]
    assert timeline_text([], 0, width=80) == []


@given(
    times=st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)), min_size=1, max_size=20),
    width=st.integers(0, 300),
    label=st.integers(1, 80),
)
def test_every_line_fits_and_every_bar_is_seen(times: list[tuple[float, float]], width: int, label: int) -> None:
    bars = [bar("x" * label, start, seconds) for start, seconds in times]
    total = max(each.end for each in bars)
    lines = timeline_text(bars, total, width=width, mark="█")
    assert len(lines) == len(bars) + 1
    assert all(len(line) <= max(width, 80) for line in lines)
    assert all("█" in line for line in lines[:-1])


def test_the_svg_has_a_bar_for_each_step_and_a_line_for_each_wait() -> None:
    bars = [bar("create <vm>", 0, 2), bar("configure", 2, 1, "create <vm>", "unknown"), bar("await", 3, 1, failed=True)]
    picture = ET.fromstring(timeline_svg(bars, 4.0, ending="it answers & works"))
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles == ["create <vm>: 2.000 s", "configure: 1.000 s", "await: 1.000 s"]
    assert len(list(picture.iter(f"{SVG}path"))) == 1
    assert "it answers & works" in [text.text for text in picture.iter(f"{SVG}text")]
    widths = [float(rect.get("width", "0").rstrip("%")) for rect in picture.iter(f"{SVG}rect")][1:]
    assert widths[0] == pytest.approx(2 * widths[1])


@pytest.mark.parametrize("total", [0.0, 4.2, 60, 3600, 86400])
def test_the_grid_of_the_svg_stays_readable_however_long_it_took(total: float) -> None:
    picture = ET.fromstring(timeline_svg([bar("a", 0, total)], total))
    assert 1 <= len(list(picture.iter(f"{SVG}line"))) <= 22
