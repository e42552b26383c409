"""Draws the plots of a report as SVG for a page: no fonts, no sizes, colours of the page's text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
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
    """A run's values in a plot, one a place or point; None leaves the place empty.

    `across` are the points' other side, `spans` intervals around the values, where they are known;
    `mark` is a point that is drawn bigger.
    """

    name: str
    values: Sequence[float | None]
    across: Sequence[float] = ()
    spans: Sequence[tuple[float, float]] = ()
    mark: tuple[float, float] | None = None


def dots(key: str, places: Sequence[str], series: Sequence[Series], label: str) -> str:
    """Draw a dot a run and place with its interval; `key` keeps the plot's ids its own."""
    figure, axes = _axes(max(2.6, 0.75 + len(places) * (0.22 + 0.13 * len(series))))
    for number, (colour, name, one) in enumerate(_coloured(series)):
        at = [p + _offset(number, len(series), 0.6) for p in range(len(places))]
        known = {i: value for i, value in enumerate(one.values) if value is not None}
        for i in known if one.spans else ():
            axes.plot(one.spans[i], [at[i], at[i]], color=colour, linewidth=2, alpha=0.6)
        heights = [at[i] for i in known]
        axes.plot(list(known.values()), heights, "o", color=colour, label=name)
    _places(axes, places)
    return _svg(figure, axes, key, len(series), label)


def bars(key: str, places: Sequence[str], series: Sequence[Series], label: str) -> str:
    """Draw a bar a run and place, from the left."""
    figure, axes = _axes(max(2.2, 0.75 + len(places) * (0.12 + 0.16 * len(series))))
    for number, (colour, name, one) in enumerate(_coloured(series)):
        at = [p + _offset(number, len(series), 0.8) for p in range(len(places))]
        widths = [value or 0.0 for value in one.values]
        axes.barh(at, widths, height=0.8 / len(series) * 0.9, color=colour, label=name)
    _places(axes, places)
    axes.set_xlim(0, 1)
    return _svg(figure, axes, key, len(series), label)


def lines(key: str, series: Sequence[Series], across: str, up: str) -> str:
    """Draw a line a run through its values at 1, 2, 3 and so on, on a logarithmic axis."""
    figure, axes = _axes(3.4)
    for colour, name, one in _coloured(series):
        values = [value or 0.0 for value in one.values]
        axes.plot(range(1, len(values) + 1), values, color=colour, linewidth=2, label=name)
    axes.set_xscale("log")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100) if t <= max(len(s.values) for s in series)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    return _svg(figure, axes, key, len(series), across, up)


def curves(key: str, series: Sequence[Series], across: str, up: str, *, even: bool = False) -> str:
    """Draw a line a run between 0 and 1; `even` draws where both sides are the same, and dots."""
    figure, axes = _axes(3.4)
    if even:
        axes.plot([0, 1], [0, 1], color=_INK, alpha=0.35, linewidth=1, linestyle="--")
    for colour, name, one in _coloured(series):
        look: Any = {"color": colour, "linewidth": 2, "markersize": 5}
        values = [value or 0.0 for value in one.values]
        axes.plot(one.across, values, "o-" if even else "-", **look, label=name)
        if one.mark:
            axes.plot(*one.mark, "o", color=colour, markersize=9)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(bottom=0, top=1.02 if even else None)
    return _svg(figure, axes, key, len(series), across, up)


def histogram(key: str, series: Sequence[Series], across: str, up: str) -> str:
    """Draw how often each value comes; what lies beyond the 99th percentile is left out."""
    import numpy as np

    figure, axes = _axes(3.0)
    known = [[v for v in one.values if v is not None] for one in series]
    end = float(np.percentile([v for values in known for v in values], 99)) or 1.0
    edges = np.linspace(0, end, 41).tolist()
    for values, (colour, name, _) in zip(known, _coloured(series), strict=True):
        axes.hist(values, edges, color=colour, alpha=0.18)
        line: Any = {"histtype": "step", "linewidth": 1.6}
        axes.hist(values, edges, color=colour, **line, label=name)
    return _svg(figure, axes, key, len(series), across, up)


def _coloured(series: Sequence[Series]) -> Iterator[tuple[str, str, Series]]:
    """Yield each run's colour, its name in the legend, and its values."""
    for number, one in enumerate(series):
        # A name that begins with "_" would be left out of the legend.
        name = _plain(one.name)
        name = f"{number + 1}  {name if len(name) <= 28 else f'{name[:27]}~'}"
        yield COLOURS[number % len(COLOURS)], name, one


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


def _places(axes: Axes, places: Sequence[str]) -> None:
    axes.set_yticks(range(len(places)), [_plain(place) for place in places])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def _plain(name: str) -> str:
    """Keep what the font that measures the text has: a missing glyph would be warned of."""
    return "".join(c if " " <= c <= "~" else "?" for c in name)


def _svg(figure: Figure, axes: Axes, key: str, runs: int, across: str, up: str = "") -> str:
    import matplotlib

    axes.set_xlabel(across)
    axes.set_ylabel(up)
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
