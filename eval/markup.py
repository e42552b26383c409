"""Markup that reports share: one HTML file, complete in itself, without scripts.

Article text is hostile: whatever comes from a set, a run or the archive is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from eval.plots import COLOURS
from eval.provenance import Provenance
from eval.scores import Comparison


def document(title: str, head: str, parts: Sequence[str]) -> str:
    """Return a whole page; title and head are escaped, the parts are HTML already."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(title)}</title>\n<style>{_LOOKS}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escaped(title)}</h1>\n<p>{escaped(head)}</p>\n{_SCROLL}{''.join(parts)}</main>\n"
        "</body>\n</html>\n"
    )


_SCROLL = '<p class="narrow">A table that is shaded at an edge goes on: scroll it sideways.</p>\n'
"""Shown on narrow screens only, where tables are wider than the page."""


def escaped(value: object) -> str:
    """Escape a value for HTML; what no page can hold becomes a replacement character."""
    told = "".join(c if c.isprintable() or c == " " else "\ufffd" for c in str(value))
    return html.escape(told.encode("utf-8", "replace").decode("utf-8"))


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
            f"{c.wins} / {c.ties} / {c.losses}" if c.wins + c.ties + c.losses else "",
        ]
        for c in found
    ]
    heads = ["measure", "first", "this", "difference", "95% interval", "p", "better / = / worse"]
    return f"<h3>{tag(number, name)}</h3>{table(heads, rows)}"


def _verdict(c: Comparison) -> str:
    if c.p >= 0.05:
        return "even"
    return "up" if c.b > c.a else "down"


def made(name: str, about: Provenance, more: Mapping[str, object] = {}) -> str:  # noqa: B006
    """Return a run's provenance as a list of facts, with some more."""
    dirty = " with changes" if about.code.altered else ""
    told = {
        "made": about.date,
        "questions": f"{about.set_name}, {about.questions:,}, hash {about.set_hash}",
        "version": f"{about.version} of {about.built}",
        "holds": f"{about.articles:,} articles, {about.passages:,} passages",
        "recipe": facts(about.recipe),
        "retrieval": facts(about.retrieval),
        **more,
        "code": f"{about.code.commit[:12]}{dirty}" if about.code.commit else "no commit known",
        "machine": f"{about.machine.cpus} × {about.machine.cpu}, {about.machine.system}, "
        f"Python {about.machine.python}",
    }
    listed = "".join(f"<dt>{escaped(n)}</dt><dd>{escaped(value)}</dd>" for n, value in told.items())
    return f"<details><summary>{escaped(name)}</summary><dl>{listed}</dl></details>"


def facts(values: Mapping[str, object]) -> str:
    """Return names and values on one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


_LOOKS = """
:root { --page: #fbfaf7; --ink: #1d1c1a; --soft: #6b6761; --line: #dcd8d0; --card: #fff;
  --up: #1a7f45; --down: #b3372f; --shade: #0003; }
@media (prefers-color-scheme: dark) {
  :root { --page: #171614; --ink: #ece8e1; --soft: #a59f96; --line: #3a3733; --card: #201e1b;
    --up: #5cc98a; --down: #ef8079; --shade: #000b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h1 + p, p, small { color: var(--soft); }
h2 { font-size: 1.2rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.1rem; margin-top: 1rem; }
p { margin: .5rem 0; font-size: .875rem; }
figure { margin: .75rem 0 0; max-width: 38rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
/* The shade lies at the edges; the card's colour, which scrolls along, covers it at the ends. */
.wide { overflow-x: auto; background:
  linear-gradient(to right, var(--card) 40%, transparent) left / 2rem 100% no-repeat local,
  linear-gradient(to left, var(--card) 40%, transparent) right / 2rem 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) left / 1rem 100% no-repeat scroll,
  linear-gradient(to left, var(--shade), transparent) right / 1rem 100% no-repeat scroll; }
.narrow { display: none; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); white-space: nowrap; }
.figures td, .figures thead th + th { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
tbody th { white-space: nowrap; }
.found td { white-space: nowrap; }
.found td:last-child { min-width: 15rem; width: 100%; white-space: normal;
  overflow-wrap: anywhere; }
td small, th small { display: block; font-size: .75rem; }
th small { white-space: normal; }
.found small { display: inline; }
i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; }
b.up { color: var(--up); } b.down { color: var(--down); } b.even { font-weight: 400; }
details { border-top: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .25rem .75rem; font-size: .875rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (min-width: 60rem) {
  .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; align-items: start; }
}
@media (max-width: 36rem) {
  .found thead { display: none; } .found tr { display: block; padding: .4rem 0;
    border-bottom: 1px solid var(--line); }
  .found th, .found td { display: inline-block; border: 0; padding: .1rem .6rem .1rem 0; }
  .found td:last-child { display: block; min-width: 0; }
  .narrow { display: block; }
  .figures thead th, .figures thead th + th, .figures tbody th { white-space: normal; }
  .figures tbody th { min-width: 6rem; max-width: 9rem; overflow-wrap: anywhere; }
  main { padding: 1rem .6rem 3rem; } section { padding: .8rem .75rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
"""
