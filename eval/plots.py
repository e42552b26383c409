"""Draws the plots of a report as SVG for a page: no fonts, no sizes, colours of the page's text."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#3987d9", "#e07b2e", "#3fa065", "#b45bc9", "#c39b22", "#d65266", "#4fa3a8", "#8a7f76")
"""One a run, in order, told apart on white and on black; then over again."""

# Replaced by the page's own text colour.
_INK = "#010203"

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tanya",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _INK,
    "grid.alpha": 0.15,
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class Series:
    """A run's values in a plot: its name and one value a place; None leaves the place empty.

    `spans` are intervals around the values, where they are known.
    """

    name: str
    values: Sequence[float | None]
    spans: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A run's line through points; `mark` is a point of it that is drawn bigger."""

    name: str
    across: Sequence[float]
    up: Sequence[float]
    mark: tuple[float, float] | None = None


def dots(key: str, places: Sequence[str], series: Sequence[Series], label: str) -> str:
    """Draw a dot a run and place with its interval; `key` keeps the plot's ids its own."""
    figure, axes = _axes(max(2.6, 0.75 + len(places) * (0.22 + 0.13 * len(series))))
    for number, one in enumerate(series):
        at = [p + _offset(number, len(series), 0.6) for p in range(len(places))]
        known = {i: value for i, value in enumerate(one.values) if value is not None}
        colour = COLOURS[number % len(COLOURS)]
        for i in known if one.spans else ():
            axes.plot(one.spans[i], [at[i], at[i]], color=colour, linewidth=2, alpha=0.6)
        heights = [at[i] for i in known]
        axes.plot(list(known.values()), heights, "o", color=colour, label=_name(number, one))
    _places(axes, places, label)
    return _svg(figure, axes, key, len(series))


def bars(key: str, places: Sequence[str], series: Sequence[Series], label: str) -> str:
    """Draw a bar a run and place, from the left."""
    figure, axes = _axes(max(2.2, 0.75 + len(places) * (0.12 + 0.16 * len(series))))
    for number, one in enumerate(series):
        at = [p + _offset(number, len(series), 0.8) for p in range(len(places))]
        axes.barh(
            at,
            [value or 0.0 for value in one.values],
            height=0.8 / len(series) * 0.9,
            color=COLOURS[number % len(COLOURS)],
            label=_name(number, one),
        )
    _places(axes, places, label)
    axes.set_xlim(0, 1)
    return _svg(figure, axes, key, len(series))


def lines(key: str, series: Sequence[Series], across: str, up: str) -> str:
    """Draw a line a run through its values at 1, 2, 3 and so on, on a logarithmic axis."""
    figure, axes = _axes(3.4)
    for number, one in enumerate(series):
        values = [value or 0.0 for value in one.values]
        depths = range(1, len(values) + 1)
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(depths, values, color=colour, linewidth=2, label=_name(number, one))
    axes.set_xscale("log")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100) if t <= max(len(s.values) for s in series)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return _svg(figure, axes, key, len(series))


def curves(key: str, found: Sequence[Curve], across: str, up: str, *, even: bool = False) -> str:
    """Draw a line a run between 0 and 1; `even` draws where both sides are the same, and dots."""
    figure, axes = _axes(3.4)
    if even:
        axes.plot([0, 1], [0, 1], color=_INK, alpha=0.35, linewidth=1, linestyle="--")
    for number, one in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        style = "o-" if even else "-"
        name = _name(number, Series(one.name, ()))
        axes.plot(one.across, one.up, style, color=colour, linewidth=2, markersize=5, label=name)
        if one.mark:
            axes.plot(*one.mark, "o", color=colour, markersize=9)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(bottom=0, top=1.02 if even else None)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return _svg(figure, axes, key, len(found))


def histogram(key: str, series: Sequence[Series], across: str, up: str) -> str:
    """Draw how often each value comes; what lies beyond the 99th percentile is left out."""
    import numpy as np

    figure, axes = _axes(3.0)
    known = [[v for v in one.values if v is not None] for one in series]
    end = float(np.percentile([v for values in known for v in values], 99)) or 1.0
    edges = np.linspace(0, end, 41).tolist()
    for number, (one, values) in enumerate(zip(series, known, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        axes.hist(values, edges, color=colour, alpha=0.18)
        axes.hist(
            values, edges, color=colour, histtype="step", linewidth=1.6, label=_name(number, one)
        )
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return _svg(figure, axes, key, len(series))


def _axes(height: float) -> tuple[Figure, Axes]:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        axes = figure.add_subplot()
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    return figure, axes


def _offset(number: int, count: int, spread: float) -> float:
    return (number - (count - 1) / 2) * spread / count


def _places(axes: Axes, places: Sequence[str], label: str) -> None:
    axes.set_yticks(range(len(places)), [_plain(place) for place in places])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label)


def _name(number: int, series: Series) -> str:
    # A name that begins with "_" would be left out of the legend.
    name = _plain(series.name)
    return f"{number + 1}  {name if len(name) <= 28 else f'{name[:27]}~'}"


def _plain(name: str) -> str:
    """Keep what the font that measures the text has: a missing glyph would be warned of."""
    return "".join(c if " " <= c <= "~" else "?" for c in name)


def _svg(figure: Figure, axes: Axes, key: str, runs: int) -> str:
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        if runs > 1:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", svg)
    svg = re.sub(r'^<svg [^>]*?viewBox="([^"]+)"[^>]*>', r'<svg role="img" viewBox="\1">', svg)
    return svg.replace(_INK, "currentColor")
