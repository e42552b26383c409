"""Shows what a bench found: a table a person reads, the same as Markdown, and a plot."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eval.bench import DEPTHS, OURS, Bench, Peer, Size
from eval.plots import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: the figure's name, what it is called, and its unit."""

    figure: str
    label: str
    unit: str


SECTIONS: Mapping[str, Sequence[Row]] = {
    "Made of": (
        Row("articles", "articles", "count"),
        Row("passages", "passages", "count"),
        Row("stories", "stories", "count"),
    ),
    "From nothing": (
        Row("add_seconds", "tanya add", "s"),
        Row("add_peak_bytes", "most memory", "MB"),
        Row("build_seconds", "tanya build", "s"),
        Row("build_peak_bytes", "most memory", "MB"),
        Row("embedding_seconds", "cutting and embedding alone, one core", "s"),
    ),
    "A command from its start": (
        Row("help_seconds", "tanya --help", "s"),
        Row("status_seconds", "tanya status", "s"),
        Row("search_seconds", "tanya search --mode lexical", "s"),
        Row("ask_seconds", "tanya ask", "s"),
    ),
    "One question at a time": (
        Row("evidence_ms", "to evidence, median", "ms"),
        Row("evidence_p95_ms", "95th percentile", "ms"),
        Row("evidence_p99_ms", "99th percentile", "ms"),
        Row("answer_ms", "to the answer, median", "ms"),
        Row("answer_p95_ms", "95th percentile", "ms"),
        Row("answer_p99_ms", "99th percentile", "ms"),
    ),
    "Where its time goes, on average": (
        Row("part_understand", "understanding", "ms"),
        Row("part_embed", "embedding it", "ms"),
        Row("part_dense", "dense search", "ms"),
        Row("part_lexical", "lexical search", "ms"),
        Row("part_fetch", "passages, vectors, frequencies", "ms"),
        Row("part_read", "reading", "ms"),
        Row("passages_read", "passages read a question", "count"),
        Row("part_archive", "asking the archive what is removed", "ms"),
        Row("part_fuse", "joining, and the rest", "ms"),
        Row("part_answer", "answering", "ms"),
    ),
    "Sixteen people at once": (
        Row("evidence_a_second", "evidence a second", "rate"),
        Row("answers_a_second", "answers a second", "rate"),
    ),
    "Memory of a chat that has answered": (
        Row("resident_bytes", "resident", "MB"),
        Row("private_bytes", "of it no files", "MB"),
    ),
    "On disk": (
        Row("disk_bytes", "all", "MB"),
        Row("disk_archive_bytes", "the archive", "MB"),
        Row("disk_texts_bytes", "passages of a version", "MB"),
        Row("disk_vectors_bytes", "vectors", "MB"),
        Row("disk_lexical_bytes", "lexical index", "MB"),
        Row("disk_other_bytes", "the rest", "MB"),
    ),
    "What is found": (
        Row("recall_100", "recall of the dense search's first 100", "share"),
        Row("found_10", "article asked about among the first 10", "share"),
    ),
    "A hundred more articles": (
        Row("more_add_seconds", "tanya add", "s"),
        Row("more_build_seconds", "tanya build, until they are live", "s"),
    ),
    "Ten articles less": (
        Row("remove_seconds", "tanya remove", "s"),
        Row("remove_build_seconds", "tanya build, until they are gone", "s"),
    ),
}

_KINDS = {
    "published": "articles as they were read",
    "mixed": "articles of eight sentences from forty others",
    "made up": "articles of made-up words",
}
_PROGRAMS = {
    OURS: "Tanya Arsip, both searches mixed",
    "plain": "FAISS flat and bm25s",
    "txtai": "txtai",
    "haystack": "Haystack in memory",
    "llamaindex": "LlamaIndex",
}


def shown(value: float | None, unit: str) -> str:
    """Return a figure with as many digits as it deserves; "-" for none."""
    if value is None:
        return "-"
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "share":
        return f"{value:.3f}"
    if unit == "MB":
        value /= _MEGABYTE
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def table(bench: Bench) -> list[list[str]]:
    """Return the cells of the table of sizes, with a line of its own for each section's name."""
    cells = [["", "", *(f"{size.passages:,.0f}" for size in bench.sizes)]]
    for section, rows in SECTIONS.items():
        cells.append([section])
        for row in rows:
            values = [shown(size.figures.get(row.figure), row.unit) for size in bench.sizes]
            cells.append([row.label, row.unit if row.unit in ("s", "ms", "MB") else "", *values])
    return cells


def peer_table(peers: Sequence[Peer]) -> list[list[str]]:
    """Return the cells of the table of programs; in brackets, how many times our own."""
    heads = ["program", "build s"]
    for depth in DEPTHS:
        heads += [f"k={depth} median ms", "p95 ms"]
    cells = [[*heads, "peak MB", "found", "versions"]]
    ours = next((peer for peer in peers if peer.name == OURS), None)
    most = max((peer.asked for peer in peers), default=0)
    for peer in peers:
        line = [_program(peer), _against(peer.build_seconds, ours.build_seconds if ours else None)]
        for depth in DEPTHS:
            line.append(_against(peer.median_ms[depth], ours.median_ms[depth] if ours else None))
            line.append(shown(peer.p95_ms[depth], "ms"))
        versions = ", ".join(f"{name} {number}" for name, number in peer.versions.items())
        found = shown(peer.found, "share")
        if peer.asked < most:
            found = f"{found} of {peer.asked}"
        cells.append([*line, shown(peer.peak_bytes, "MB"), found, versions])
    return cells


def _program(peer: Peer) -> str:
    return _PROGRAMS.get(peer.name, peer.name)


def _against(value: float, ours: float | None) -> str:
    if not ours or value == ours:
        return shown(value, "ms")
    times = value / ours
    return f"{shown(value, 'ms')} ({times:,.{0 if times >= 10 else 1 if times >= 1 else 2}f}×)"


def made_of(bench: Bench) -> list[str]:
    """Return a line a size on what its archive is made of."""
    return [
        f"{size.passages:,} passages: "
        + ", ".join(f"{count:,} {_KINDS[kind]}" for kind, count in size.kinds.items())
        for size in bench.sizes
    ]


def notes(bench: Bench) -> list[str]:
    """Return what a reader of the table of programs must know."""
    most = max((peer.asked for peer in bench.peers), default=0)
    slow = [
        f"{_program(peer)} answered {peer.asked:,} of {most:,} questions in its time"
        for peer in bench.peers
        if peer.asked < most
    ]
    return [
        f"{bench.compared:,} passages with their vectors given, so that no build embeds; one "
        "thread each. `found`: the article asked about is among the first ten.",
        *(f"{line}." for line in slow),
        *bench.without,
    ]


def rich_tables(bench: Bench) -> list[Any]:
    """Return the tables for a terminal, ready for rich's console."""
    from rich.table import Table

    cells = table(bench)
    sizes = Table(title=f"Archives of articles {_origin(bench)}", title_justify="left")
    sizes.add_column("")
    sizes.add_column("")
    for head in cells[0][2:]:
        sizes.add_column(head, justify="right")
    for line in cells[1:]:
        if len(line) == 1:
            sizes.add_section()
            sizes.add_row(line[0], style="bold")
        else:
            sizes.add_row(*line)
    heads, *lines = peer_table(bench.peers)
    programs = Table(title="Beside other programs", title_justify="left")
    for head in heads[:-1]:
        programs.add_column(head, justify="left" if head == "program" else "right")
    for line in lines:
        programs.add_row(*line[:-1])
    return [sizes, *made_of(bench), programs, *notes(bench)]


def _origin(bench: Bench) -> str:
    return "made up" if bench.made == "generated" else f"read from {bench.made!r}"


def markdown(bench: Bench, described: Mapping[str, Any]) -> str:
    """Return both tables as Markdown, with what they were measured on."""
    machine, code = described["machine"], described["code"]
    altered = " and changes" if code["altered"] else ""
    cells = table(bench)
    lines = [
        f"# Speed and scale, {described['date'][:10]}",
        "",
        f"{machine['cpus']} cores of {machine['cpu']}, {machine['system']}, Python "
        f"{machine['python']}; code {code['commit'][:7] or 'unknown'}{altered}; "
        f"{described['questions']} questions, articles {_origin(bench)}.",
        "",
        *(f"- {line}" for line in made_of(bench)),
        "",
        _line(["passages", "", *cells[0][2:]]),
        _line(["---", "---", *["---:"] * len(bench.sizes)]),
    ]
    for line in cells[1:]:
        whole = [f"**{line[0]}**", *[""] * (len(cells[0]) - 1)] if len(line) == 1 else line
        lines.append(_line(whole))
    lines += [
        "",
        "![How each grows with the archive](bench.svg)",
        "",
        "## Beside other programs",
        "",
    ]
    heads, *programs = peer_table(bench.peers)
    lines += [_line(heads), _line(["---", *["---:"] * (len(heads) - 2), "---"])]
    lines += [_line(line) for line in programs]
    return "\n".join([*lines, "", *notes(bench), ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_PANELS: Sequence[tuple[str, Sequence[tuple[str, str]], float]] = (
    (
        "seconds",
        (
            ("add_seconds", "add all"),
            ("build_seconds", "build all"),
            ("more_build_seconds", "build 100 more"),
            ("ask_seconds", "tanya ask"),
            ("status_seconds", "tanya status"),
        ),
        1,
    ),
    (
        "milliseconds a question",
        (
            ("answer_ms", "answer, median"),
            ("evidence_p95_ms", "evidence, 95th percentile"),
            ("evidence_ms", "evidence, median"),
            ("part_dense", "dense search"),
            ("part_lexical", "lexical search"),
            ("part_read", "reading"),
        ),
        1,
    ),
    (
        "megabytes of memory",
        (
            ("build_peak_bytes", "build, most"),
            ("add_peak_bytes", "add, most"),
            ("resident_bytes", "chat, resident"),
            ("private_bytes", "chat, no files"),
        ),
        _MEGABYTE,
    ),
    (
        "megabytes on disk",
        (
            ("disk_bytes", "all"),
            ("disk_archive_bytes", "archive"),
            ("disk_vectors_bytes", "vectors"),
            ("disk_lexical_bytes", "lexical index"),
            ("disk_texts_bytes", "passages"),
        ),
        _MEGABYTE,
    ),
)


def plot(bench: Bench) -> str:
    """Draw how seconds, milliseconds, memory and disk grow with the archive, as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {"svg.hashsalt": "tanya", "font.size": 9, "axes.spines.top": False,
                  "axes.spines.right": False, "text.parse_math": False}  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(11, 6.6), layout="constrained", facecolor="white")
        for axes, (unit, lines, scale) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
            _panel(axes, bench.sizes, unit, lines, scale)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def _panel(
    axes: Axes, sizes: Sequence[Size], unit: str, lines: Sequence[tuple[str, str]], scale: float
) -> None:
    from matplotlib.ticker import LogLocator

    for (figure, label), colour in zip(lines, COLOURS, strict=False):
        points = [(s.passages, s.figures[figure] / scale) for s in sizes if figure in s.figures]
        across, up = [p[0] for p in points], [p[1] for p in points]
        axes.plot(across, up, "o-", color=colour, label=label, linewidth=1.8, markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([s.passages for s in sizes], [f"{s.passages:,}" for s in sizes])
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_xlabel("passages")
    axes.set_title(unit, loc="left", fontsize=10)
    axes.grid(alpha=0.2)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
