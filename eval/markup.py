"""Markup of reports: one HTML file, complete in itself, without scripts; its looks are report.css.

Article text is hostile: whatever comes from a set, a run or the archive is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.compare import Comparison
from eval.plots import COLOURS
from eval.provenance import Provenance
from eval.tables import moves


def document(title: str, head: str, parts: Sequence[str]) -> str:
    """Return a whole page; title and head are escaped, the parts are HTML already."""
    looks = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{looks}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escaped(title)}</h1>\n<p>{escaped(head)}</p>\n{_SCROLL}{''.join(parts)}</main>\n"
        "</body>\n</html>\n"
    )


_SCROLL = '<p class="narrow">A table that is shaded at an edge goes on: scroll it sideways.</p>\n'
"""Shown on narrow screens only, where tables are wider than the page."""


def escaped(value: object) -> str:
    """Escape a value for HTML; what no page can hold becomes a replacement character."""
    kept = "".join(c if c.isprintable() or c == " " else "\ufffd" for c in str(value))
    return html.escape(kept.encode("utf-8", "replace").decode("utf-8"))


def section(title: str, *parts: str) -> str:
    """Return a part of a page; nothing if it has no content. The parts are HTML already."""
    kept = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escaped(title)}</h2>\n{kept}\n</section>\n" if kept else ""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "figures") -> str:
    """Return a table of cells that are HTML already; the first cell of a row heads it."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def beside(*columns: str) -> str:
    """Return parts side by side, where the page is wide enough; nothing of none."""
    inner = "".join(f"<div>{column}</div>" for column in columns if column)
    return f'<div class="pair">{inner}</div>' if inner else ""


def figure(svg: str) -> str:
    """Return a plot as a part of a page."""
    return f"<figure>{svg}</figure>"


def tag(number: int, name: str) -> str:
    """Return a run's name with its colour in the plots."""
    colour = COLOURS[number % len(COLOURS)]
    return f'<i style="background:{colour}"></i>{number + 1} {escaped(name)}'


COMPARED = "<p>p: paired randomisation test, two-sided. Bold colour: p below 0.05.</p>"


def comparison(number: int, name: str, found: Sequence[Comparison]) -> str:
    """Return the table that compares a run with the first one."""
    rows = [
        [
            c.measure,
            f"{c.a:.4f}",
            f"{c.b:.4f}",
            f'<b class="{_verdict(c)}">{c.b - c.a:+.4f}</b>',
            f"{c.low:+.4f} … {c.high:+.4f}",
            f"{c.p:.4f}",
            moves(c, " / "),
        ]
        for c in found
    ]
    heads = ["measure", "first", "this", "difference", "95% interval", "p", "better / = / worse"]
    return f"<h3>{tag(number, name)}</h3>{table(heads, rows)}"


def _verdict(c: Comparison) -> str:
    if c.p >= 0.05:
        return "even"
    return "up" if c.b > c.a else "down"


def made(name: str, about: Provenance | None) -> str:
    """Return a run's provenance as a list of facts."""
    if about is None:
        return f"<h3>{escaped(name)}</h3><p>A TREC run of another program.</p>"
    more = {
        "answers": facts(about.answers or {}),
        "language model": facts(about.llm or {}),
        "conversations": about.conversations,
    }
    dirty = " with changes" if about.code.altered else ""
    rows = {
        "made": about.date,
        "questions": f"{about.set_name}, {about.questions:,}, hash {about.set_hash}",
        "version": f"{about.version} of {about.built}",
        "holds": f"{about.articles:,} articles, {about.passages:,} passages",
        "recipe": facts(about.recipe),
        "retrieval": facts(about.retrieval),
        **{key: value for key, value in more.items() if value},
        "code": f"{about.code.commit[:12]}{dirty}" if about.code.commit else "no commit known",
        "machine": f"{about.machine.cpus} × {about.machine.cpu}, {about.machine.system}, "
        f"Python {about.machine.python}",
    }
    listed = "".join(f"<dt>{escaped(n)}</dt><dd>{escaped(value)}</dd>" for n, value in rows.items())
    return f"<details><summary>{escaped(name)}</summary><dl>{listed}</dl></details>"


def facts(values: Mapping[str, object]) -> str:
    """Return names and values on one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
