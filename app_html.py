"""Words and HTML of the chat: what the page says, from values to escaped text.

Everything that comes from an article or a person is escaped here, in text and in attributes; only
http and https addresses become links.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from index.errors import (
    ArchiveError,
    BusyError,
    IndexDamagedError,
    IndexMissingError,
    InputError,
    ModelError,
    SettingsError,
    TanyaError,
)
from index.records import Article, Citation, Claim, Filter, Hit, Query, Span, Turn

if TYPE_CHECKING:
    from qa.chat import Overview

MONTHS = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()
)
LONGEST_QUESTION = 2000
_RELATED = 3
_LONG_HEADING = 220

ArticleOf = Callable[[str, str], Article | None]
"""Gives the archived article of an id and a text's hash ("" for its current text), if kept."""


# Words -------------------------------------------------------------------------------------------


def date_words(day: dt.date | None) -> str:
    """Return a date as Indonesian newspapers write it: "15 Desember 2016"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if day else "tanpa tanggal"


def ago_words(then: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago something was, as "5 menit lalu"; its date after a month."""
    seconds = (now - then).total_seconds()
    if seconds < 60:
        return "baru saja"
    for limit, unit, name in (
        (3600, 60, "menit"),
        (86_400, 3600, "jam"),
        (2_592_000, 86_400, "hari"),
    ):
        if seconds < limit:
            return f"{int(seconds // unit)} {name} lalu"
    return date_words(then.date())


def number_words(value: int) -> str:
    """Return a number with Indonesian thousands: 12.345."""
    return f"{value:,}".replace(",", ".")


def filter_words(chosen: Filter) -> str:
    """Return what a filter lets through; "" for one that lets everything through."""
    parts = []
    if chosen.after and chosen.before:
        parts.append(f"{date_words(chosen.after)} – {date_words(chosen.before)}")
    elif chosen.after:
        parts.append(f"sejak {date_words(chosen.after)}")
    elif chosen.before:
        parts.append(f"sampai {date_words(chosen.before)}")
    names = list(chosen.publishers)
    if len(names) > 3:
        names = [*names[:3], f"{len(names) - 3} penerbit lain"]
    if names:
        parts.append(", ".join(names))
    if chosen.authors:
        parts.append(f"oleh {', '.join(chosen.authors)}")
    return " · ".join(parts)


_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY = re.compile(r"(\d{1,2})[\s/.-]+(\d{1,2}|[a-z]+)[\s/.,-]+(\d{4})")
_MONTH = re.compile(r"(?:(\d{1,2}|[a-z]+)[\s/.-]+)?(\d{4})")


def parse_day(typed: str, *, last: bool = False) -> dt.date | None:
    """Read a date as people type it: 15/12/2016, 15 Des 2016, 2016-12-15, Desember 2016, 2016.

    Of a month or a year it is the first day, or the `last`. Raises ValueError with a message for
    the person.
    """
    value = " ".join(typed.lower().split())
    if not value:
        return None
    try:
        if found := _ISO.fullmatch(value):
            return dt.date(*(int(part) for part in found.groups()))
        if found := _DAY.fullmatch(value):
            day, month, year = found.groups()
            return dt.date(int(year), _month_number(month), int(day))
        if found := _MONTH.fullmatch(value):
            month, year = found.groups()
            return _edge(int(year), _month_number(month) if month else None, last)
    except ValueError:
        pass
    raise ValueError(
        f"Tanggal “{typed.strip()[:40]}” tidak dikenali. Contoh: 15/12/2016 atau 2016."
    )


def _month_number(word: str) -> int:
    if word.isdigit():
        return int(word)
    matches = [n for n, name in enumerate(MONTHS, start=1) if name.lower().startswith(word)]
    if len(word) < 3 or len(matches) != 1:
        raise ValueError(word)
    return matches[0]


def _edge(year: int, month: int | None, last: bool) -> dt.date:
    if not last:
        return dt.date(year, month or 1, 1)
    if month is None or month == 12:
        return dt.date(year, 12, 31)
    return dt.date(year, month + 1, 1) - dt.timedelta(days=1)


def read_filter(
    after: str, before: str, publishers: Sequence[str] | None, authors: Sequence[str] = ()
) -> Filter:
    """Return the filter that a person set; raises ValueError with a message for them."""
    first, until = parse_day(after or ""), parse_day(before or "", last=True)
    if first and until and first > until:
        raise ValueError(
            f"“Dari tanggal” ({date_words(first)}) jatuh sesudah "
            f"“sampai tanggal” ({date_words(until)})."
        )
    return Filter(first, until, tuple(publishers or ()), tuple(authors))


def safe_url(url: str) -> str:
    """Return a web address that may become a link; "" for anything but http and https."""
    if any(char.isspace() or not char.isprintable() for char in url):
        return ""
    try:
        parts = urlsplit(url)
        return url if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def plain_text(turn: Turn) -> str:
    """Return an answer with its citations as text, to be pasted somewhere else."""
    answer = turn.answer
    lines = [turn.question.strip(), ""]
    for claim in answer.claims:
        lines.append(f"{claim.text} {''.join(f'[{n}]' for n in claim.cited)}")
    if answer.citations:
        lines += ["", "Sumber:"]
    for citation in answer.citations:
        passage = citation.passage
        facts = ", ".join([passage.publisher or "tanpa penerbit", date_words(passage.published)])
        lines.append(
            f"[{citation.number}] {passage.title or 'Tanpa judul'} ({facts}) {passage.url}".rstrip()
        )
        lines.append(f"    “{' '.join(citation.quote.split())}”")
    return "\n".join(lines)


# Archived text -----------------------------------------------------------------------------------

_REACH = 180
"""Characters of a long paragraph that are shown on either side of a quote."""


def paragraph_of(body: str, start: int, end: int) -> Span:
    """Return the offsets of the lines that [start, end) stands in."""
    until = body.find("\n", end)
    return body.rfind("\n", 0, start) + 1, len(body) if until < 0 else until


def marked(body: str, within: Span, marks: Sequence[tuple[Span, str]]) -> str:
    """Return a stretch of an archived body as HTML with the marked spans highlighted.

    `marks` are spans with the HTML attributes of their <mark>. What is highlighted is exactly
    body[start:end], escaped; white space around it is collapsed. A mark that begins inside the one
    before it is cut to what is left of it.
    """
    html = []
    at, stop = within
    for (start, end), attributes in sorted(marks):
        start, end = max(start, at), min(end, stop)
        if start >= end:
            continue
        html.append(escape(_collapse(body[at:start])))
        html.append(f"<mark {attributes}>{escape(body[start:end])}</mark>")
        at = end
    html.append(escape(_collapse(body[at:stop])))
    return "".join(html)


def _collapse(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def excerpt(body: str, marks: Sequence[tuple[Span, str]]) -> str:
    """Return the paragraph around some quotes as HTML, far ends of a long one left out."""
    begin, _ = paragraph_of(body, *marks[0][0])
    _, stop = paragraph_of(body, *marks[-1][0])
    first = min(start for (start, _), _ in marks)
    last = max(end for (_, end), _ in marks)
    near = _shorten(body, first - _REACH, +1, begin) if first - begin > 1.5 * _REACH else begin
    far = _shorten(body, last + _REACH, -1, stop) if stop - last > 1.5 * _REACH else stop
    html = marked(body, (near, far), marks).strip()
    return f"{'… ' if near > begin else ''}{html}{' …' if far < stop else ''}"


def _shorten(body: str, at: int, step: int, limit: int) -> int:
    """Move a cut to the next white space in the quote's direction, so that no word is cut."""
    for _ in range(_REACH):
        if at == limit or body[at].isspace():
            break
        at += step
    return at


def article_html(article: Article, spans: Sequence[Span]) -> str:
    """Return a whole archived article for the reader dialog, `spans` highlighted."""
    title = escape(article.title.strip() or "Tanpa judul")
    facts = [f"<strong>{escape(article.publisher or 'Tanpa penerbit')}</strong>"]
    facts.append(escape(date_words(article.published)))
    if article.authors:
        facts.append(f"Oleh {escape(', '.join(article.authors))}")
    if article.editors:
        facts.append(f"Editor: {escape(', '.join(article.editors))}")
    if article.origin and article.origin != article.publisher:
        facts.append(f"Dari {escape(article.origin)}")
    text = []
    marks = [(span, "") for span in spans]
    for begin, stop in _paragraphs(article.body):
        text.append(f"<p>{marked(article.body, (begin, stop), marks).strip()}</p>")
    link = _link(article.url, "Buka di situs penerbit")
    return reader_html(
        title,
        f'<p class="facts">{" · ".join(facts)}</p><div class="text">{"".join(text)}</div>'
        f'<p class="end">Teks seperti tersimpan di arsip. Nomor artikel: '
        f"<code>{escape(article.id)}</code>{'<br>' + link if link else ''}</p>",
    )


def _paragraphs(body: str) -> Iterator[Span]:
    for found in re.finditer(r"[^\n]*\S[^\n]*", body):
        yield found.span()


def reader_html(title: str, content: str) -> str:
    return (
        '<div class="bar"><span>Artikel dari arsip</span>'
        '<button type="button" class="ta-quiet" data-do="close">Tutup ✕</button></div>'
        f'<div class="page"><h2 id="ta-reader-title">{title}</h2>{content}</div>'
    )


def _link(url: str, label: str) -> str:
    address = safe_url(url)
    if not address:
        return ""
    return (
        f'<a class="ta-link" href="{escape(address)}" target="_blank" '
        f'rel="noopener noreferrer nofollow">{escape(label)} ↗</a>'
    )


# Turns -------------------------------------------------------------------------------------------


def turn_html(
    turn: Turn, number: int, chosen: Filter, article_of: ArticleOf, *, growing: bool = False
) -> str:
    """Return one turn, its sources beside it. `growing`: more claims are on their way."""
    answer = turn.answer
    if answer.claims or growing:
        said = _claims_html(turn, number)
        beside = _sources_html(answer.citations, number, article_of)
    else:
        said = _silence_html(turn, chosen)
        beside = _related_html(answer.evidence.hits[:_RELATED])
    if growing:
        said += busy_html()
    else:
        said += _foot_html(turn)
    heard = "" if growing else _heard(turn)
    said = _understood_html(turn, number, chosen) + said
    return turn_frame(turn.question, number, said, beside, growing=growing, heard=heard)


def _heard(turn: Turn) -> str:
    answer = turn.answer
    if not answer.claims:
        return "Jawabannya tidak ditemukan di arsip."
    return f"Jawaban: {len(answer.claims)} kalimat, {len(answer.citations)} kutipan."


def turn_frame(
    question: str, number: int, said: str, beside: str, *, growing: bool = False, heard: str = ""
) -> str:
    """Return a turn's place on the page; `heard` is what a screen reader says of it."""
    asked = question.strip()
    if len(asked) > LONGEST_QUESTION:
        asked = asked[:LONGEST_QUESTION] + "…"
    size = " long" if len(asked) > _LONG_HEADING else ""
    return (
        f'<section class="ta-turn newest" id="ta-turn-{number}" data-heard="{escape(heard)}" '
        f'aria-busy="{str(growing).lower()}"><div class="said">'
        f'<h2 class="ta-question{size}">{escape(asked)}</h2>{said}</div>'
        f'<div class="beside">{beside}</div></section>'
    )


def busy_html() -> str:
    return '<p class="ta-busy"><i aria-hidden="true"></i>Menelusuri arsip…</p>'


def _understood_html(turn: Turn, number: int, chosen: Filter) -> str:
    """Return what a question was taken for: its words, its dates and publishers, its spelling."""
    query = turn.query
    form = f"ta-edit-{number}"
    html = ""
    same = " ".join(query.text.split()) == " ".join(turn.question.split())
    if not same or query.read or query.named or _topic(turn):
        said = "" if same else f"Dipahami sebagai: <q>{escape(query.text)}</q> "
        html = (
            f'<div class="ta-aside">{said}{_chips_html(turn, number)}'
            f'<button type="button" class="ta-link" data-do="edit" data-form="{form}" '
            f'aria-expanded="false" aria-controls="{form}">Perbaiki</button></div>'
            + _edit_form(query, number, form)
        )
    if chosen:
        html += f'<p class="ta-aside">Saringan: {escape(filter_words(chosen))}</p>'
    return html + _notice_html(turn, number)


def _chips_html(turn: Turn, number: int) -> str:
    """Return the filter that stood in the question, to be taken off, and a date to make one of."""
    read, named = turn.query.read, turn.query.named
    chips = []
    if _topic(turn):
        alone = escape(json.dumps({"text": turn.question, "turn": number}))
        chips.append(_chip(f"Topik: {_topic(turn)}", alone))
    if read.dated:
        rest = _limits(replace(read, after=None, before=None))
        chips.append(_chip(f"Terbit: {days_words(read)}", _again(turn, number, rest)))
    if read.publishers:
        rest = _limits(replace(read, publishers=()))
        names = ", ".join(read.publishers)
        chips.append(_chip(f"Penerbit: {names}", _again(turn, number, rest)))
    if read.authors:
        rest = _limits(replace(read, authors=()))
        chips.append(_chip(f"Penulis: {', '.join(read.authors)}", _again(turn, number, rest)))
    if named:
        days = replace(read, after=named.after, before=named.before)
        request = _again(turn, number, _limits(days))
        chips.append(
            f'<button type="button" class="ta-offer" data-do="ask" data-ask="{request}">'
            f"Hanya artikel {escape(days_words(named))}</button>"
        )
    return f'<span class="ta-chips">{"".join(chips)}</span> ' if chips else ""


def _topic(turn: Turn) -> str:
    """Return the subject that a follow-up was read with; "" for a question of its own."""
    from qa.question.follow_up import topic_of

    if not (turn.query.prefer or turn.query.own):
        return ""
    words = topic_of(turn.query.text)
    return words if len(words) <= _LONG_TOPIC else words[:_LONG_TOPIC].rsplit(" ", 1)[0] + " …"


_LONG_TOPIC = 60


def _chip(words: str, request: str) -> str:
    return (
        f'<span class="ta-chip"><span>{escape(words)}</span>'
        f'<button type="button" data-do="ask" data-ask="{request}" '
        f'aria-label="Tanya lagi tanpa batas {escape(words)}">×</button></span>'
    )


def _again(turn: Turn, number: int, limits: Mapping[str, object]) -> str:
    """Return the request to answer a turn's question once more, within other limits."""
    return escape(json.dumps({"text": turn.question, "turn": number, "limits": limits}))


def _limits(chosen: Filter) -> dict[str, object]:
    return {
        "after": chosen.after.isoformat() if chosen.after else "",
        "before": chosen.before.isoformat() if chosen.before else "",
        "publishers": list(chosen.publishers),
        "authors": list(chosen.authors),
    }


def read_limits(asked: object) -> Filter:
    """Return the filter of a request from the page; raises ValueError with a message for them."""
    limits = asked if isinstance(asked, dict) else {}
    after, before = (str(limits.get(end) or "") for end in ("after", "before"))
    publishers, authors = (_names(limits.get(kind)) for kind in ("publishers", "authors"))
    return read_filter(after, before, publishers, authors)


def _names(asked: object) -> list[str]:
    return [name for name in asked if isinstance(name, str)] if isinstance(asked, list) else []


def days_words(days: Filter) -> str:
    """Return the days of a filter in the fewest words: "2019", "Maret 2020", a day, a span."""
    first, last = days.after, days.before
    if not first or not last:
        return filter_words(Filter(first, last))
    if first == last:
        return date_words(first)
    if (first, last) == (_edge(first.year, None, False), _edge(first.year, None, True)):
        return str(first.year)
    if (first, last) == (
        _edge(first.year, first.month, False),
        _edge(first.year, first.month, True),
    ):
        return f"{MONTHS[first.month - 1]} {first.year}"
    return f"{date_words(first)} – {date_words(last)}"


def _notice_html(turn: Turn, number: int) -> str:
    if not turn.notice:
        return ""
    typed = ""
    if turn.swaps:
        request = escape(json.dumps({"text": turn.question, "turn": number, "typed": True}))
        typed = (
            f' <button type="button" class="ta-link" data-do="ask" data-ask="{request}">'
            "Cari seperti yang diketik</button>"
        )
    return f'<p class="ta-notice">{escape(turn.notice)}{typed}</p>'


def _edit_form(query: Query, number: int, form: str) -> str:
    days = query.read if query.read.dated else query.named
    ends = ""
    if days or query.read:
        names, writers = (
            escape(json.dumps(list(some))) for some in (query.read.publishers, query.read.authors)
        )
        ends = "".join(
            f'<span class="end"><label for="{form}-{end}">{label}</label>'
            f'<input type="text" id="{form}-{end}" name="{end}" value="{value}" '
            'placeholder="mis. 15/12/2016 atau 2016" autocomplete="off"></span>'
            for end, label, value in (
                ("after", "Dari tanggal", _typed_day(query.read.after)),
                ("before", "Sampai tanggal", _typed_day(query.read.before)),
            )
        )
        kept = f'data-publishers="{names}" data-authors="{writers}"'
        ends = f'<span class="ends" {kept}>{ends}</span>'
    return (
        f'<form class="ta-edit" id="{form}" data-turn="{number}" hidden>'
        f'<label for="{form}-text">Tulis pertanyaan yang Anda maksud</label>'
        f'<input type="text" id="{form}-text" name="text" value="{escape(query.text)}" '
        f'maxlength="{LONGEST_QUESTION}" autocomplete="off">{ends}'
        f'<button type="submit" class="ta-solid">Tanyakan ulang</button>'
        f'<button type="button" class="ta-quiet" data-do="edit" data-form="{form}">Batal</button>'
        "</form>"
    )


def _typed_day(day: dt.date | None) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year}" if day else ""


def _claims_html(turn: Turn, number: int) -> str:
    from qa.question import topic

    answer = turn.answer
    if not answer.claims:
        return ""
    html = ['<div class="ta-answer">']
    short, dated = answer.short_answer, _told_apart(turn)
    firsts = _articles_of(turn, answer.claims[0])
    lists = turn.query.kind in topic.TOPICS | {topic.DAYS}
    for claim in answer.claims:
        said = _marked(claim.text, short)
        if short and short in claim.text:
            short = ""
        other = not lists and firsts.isdisjoint(_articles_of(turn, claim))
        when = _when_html(turn, claim, "Artikel lain" if other else "") if dated else ""
        html.append(f"<p>{when}{said} {_cites_html(claim, number)}</p>")
    return "".join([*html, "</div>"])


def _marked(said: str, short: str) -> str:
    """Escape a sentence, the short answer in it bold."""
    before, found, after = said.partition(short) if short else (said, "", "")
    bold = f"<strong>{escape(found)}</strong>" if found else ""
    return f"{escape(before)}{bold}{escape(after)}"


def _articles_of(turn: Turn, claim: Claim) -> set[str]:
    cited = (c for c in turn.answer.citations if c.number in claim.cited)
    return {citation.passage.article_id for citation in cited}


def _told_apart(turn: Turn) -> bool:
    """Tell whether the sentences are of several articles."""
    return len({citation.passage.article_id for citation in turn.answer.citations}) > 1


def _when_html(turn: Turn, claim: Claim, label: str) -> str:
    """Return the date and the publisher of the article that a sentence is from."""
    first = next((c.passage for c in turn.answer.citations if c.number in claim.cited), None)
    if first is None:
        return ""
    facts = " · ".join(filter(None, [label, date_words(first.published), first.publisher]))
    return f'<span class="ta-when">{escape(facts)}</span>'


def _cites_html(claim: Claim, number: int) -> str:
    return "".join(
        f'<a class="ta-cite" href="#{_mark_id(number, n)}" data-do="cite" '
        f'data-to="{_mark_id(number, n)}" aria-label="Lihat sumber {n}">[{n}]</a>'
        for n in claim.cited
    )


def _mark_id(number: int, citation: int) -> str:
    return f"ta-mark-{number}-{citation}"


def _silence_html(turn: Turn, chosen: Filter) -> str:
    from qa import silence

    answer = turn.answer
    near = ""
    if answer.status == "unsupported":
        why = (
            f"Ditemukan artikel yang dekat, tetapi {len(answer.dropped)} kalimat jawabannya tidak "
            "dapat dibuktikan dengan kutipan, jadi tidak ditampilkan sebagai jawaban."
        )
    else:
        why = silence.reason(answer.evidence)
        reading = silence.nearest(answer.evidence)
        if reading:
            place = _headline(
                reading.passage.title, reading.passage.publisher, reading.passage.published
            )
            near = (
                f"<p>Kalimat yang paling dekat:</p>{place}"
                f"<blockquote>{escape(reading.words)}</blockquote>"
            )
    tips = ["Sebut nama, tempat, atau tahun yang Anda cari."]
    again = ""
    if turn.query.filter:
        tips = [f"Pencarian dibatasi: {filter_words(turn.query.filter)}."]
    if turn.query.read:
        tips.append("Tanpa batas dari pertanyaan itu pun tidak ditemukan jawabannya.")
    if chosen:
        request = escape(json.dumps({"text": turn.question, "clear": True}))
        again = (
            f'<p><button type="button" class="ta-quiet" data-do="ask" data-ask="{request}">'
            "Tanya lagi tanpa saringan</button></p>"
        )
    return (
        '<div class="ta-none"><h3>Jawabannya tidak ditemukan di arsip.</h3>'
        f"<p>{escape(why)}</p>{near}<p>{escape(' '.join(tips))}</p>{again}</div>"
    )


def _foot_html(turn: Turn) -> str:
    answer = turn.answer
    html = ""
    if answer.dropped:
        lines = "".join(f"<li>{escape(claim.text)}</li>" for claim in answer.dropped)
        html += (
            f'<details class="ta-more"><summary>{len(answer.dropped)} kalimat tidak lolos '
            f"pemeriksaan sumber</summary><ul>{lines}</ul></details>"
        )
    copy = ""
    if answer.claims:
        copy = (
            '<button type="button" class="ta-link" data-do="copy" data-done="Tersalin" '
            f'data-copy="{escape(plain_text(turn))}">Salin jawaban</button>'
        )
    seconds = f"{max(turn.seconds, 0.01):.2f}".replace(".", ",")
    return f'{html}<div class="ta-foot">{copy}<span>{seconds} detik</span></div>'


def _sources_html(citations: Sequence[Citation], number: int, article_of: ArticleOf) -> str:
    if not citations:
        return ""
    groups: dict[tuple[str, str], list[Citation]] = {}
    for citation in citations:
        key = (citation.passage.article_id, citation.passage.content)
        groups.setdefault(key, []).append(citation)
    cards = "".join(_card_html(group, number, article_of) for group in groups.values())
    return f'<aside class="ta-sources" aria-label="Sumber jawaban"><h3>Sumber</h3>{cards}</aside>'


def _card_html(group: Sequence[Citation], number: int, article_of: ArticleOf) -> str:
    """Return the card of one article with every quote that the answer took from it."""
    passage = group[0].passage
    article = article_of(passage.article_id, passage.content)
    if article and any(article.body[c.start : c.end] != c.quote for c in group):
        article = None
    html = [_headline(passage.title, passage.publisher, passage.published)]
    if article is None:
        for c in group:
            mark = f"<mark {_mark_attributes(number, c)}>{escape(c.quote)}</mark>"
            html.append(f"<blockquote>{mark}</blockquote>")
        html.append('<p class="ta-also">Teks lengkap artikel ini tidak lagi tersimpan.</p>')
    else:
        html += _quotes_html(article.body, group, number)
    also = dict.fromkeys(other for c in group for other in c.also_in)
    html.append(_also_html(list(also), article_of))
    doors = _read_button(passage.article_id, passage.content, [(c.start, c.end) for c in group])
    link = _link(passage.url, "Situs penerbit")
    html.append(f'<div class="ta-doors">{doors if article else ""}{link}</div>')
    return f'<article class="ta-card">{"".join(html)}</article>'


def _headline(title: str, publisher: str, published: dt.date | None) -> str:
    return (
        f"<h4>{escape(title.strip() or 'Tanpa judul')}</h4>"
        f'<p class="ta-byline">{escape(publisher or "Tanpa penerbit")} · '
        f"{escape(date_words(published))}</p>"
    )


def _mark_attributes(number: int, citation: Citation) -> str:
    mark = _mark_id(number, citation.number)
    return f'id="{mark}" tabindex="-1" data-number="{citation.number}"'


def _quotes_html(body: str, group: Sequence[Citation], number: int) -> list[str]:
    """Return one excerpt for each paragraph that holds quotes, in the article's order.

    A quote that overlaps the one before gets an excerpt of its own, so that each is shown whole.
    """
    excerpts: list[tuple[Span, list[Citation]]] = []
    for citation in sorted(group, key=lambda c: (c.start, c.end)):
        where = paragraph_of(body, citation.start, citation.end)
        if excerpts and excerpts[-1][0] == where and citation.start >= excerpts[-1][1][-1].end:
            excerpts[-1][1].append(citation)
        else:
            excerpts.append((where, [citation]))
    html = []
    for _, cited in excerpts:
        marks = [((c.start, c.end), _mark_attributes(number, c)) for c in cited]
        html.append(f"<blockquote>{excerpt(body, marks)}</blockquote>")
    return html


def _also_html(article_ids: Sequence[str], article_of: ArticleOf) -> str:
    doors = []
    for article_id in article_ids[:5]:
        other = article_of(article_id, "")
        if other:
            name = other.publisher or other.title or "artikel lain"
            doors.append(_read_button(article_id, "", (), escape(name), "ta-link"))
    return f'<p class="ta-also">Juga di: {", ".join(doors)}</p>' if doors else ""


def _read_button(
    article_id: str,
    content: str,
    spans: Iterable[Span],
    label: str = "Buka artikel",
    style: str = "ta-quiet",
) -> str:
    request = escape(json.dumps({"id": article_id, "content": content, "spans": list(spans)}))
    return (
        f'<button type="button" class="{style}" data-do="read" aria-haspopup="dialog" '
        f'data-article="{request}">{label}</button>'
    )


def _related_html(hits: Sequence[Hit]) -> str:
    cards = []
    for hit in hits:
        passage = hit.passage
        text = " ".join(passage.text.split())
        if len(text) > 220:
            text = text[:220].rsplit(" ", 1)[0] + " …"
        door = _read_button(passage.article_id, passage.content, passage.spans)
        cards.append(
            f'<article class="ta-card">'
            f"{_headline(passage.title, passage.publisher, passage.published)}"
            f"<blockquote>{escape(text)}</blockquote>"
            f'<div class="ta-doors">{door}{_link(passage.url, "Situs penerbit")}</div></article>'
        )
    if not cards:
        return ""
    return (
        '<aside class="ta-sources" aria-label="Artikel terkait">'
        f"<h3>Mungkin terkait</h3>{''.join(cards)}</aside>"
    )


# Other screens -----------------------------------------------------------------------------------


def welcome_html(examples: Sequence[str]) -> str:
    """Return the empty state: what this is, and questions to begin with."""
    rows = "".join(
        f'<li><button type="button" data-do="ask" '
        f'data-ask="{escape(json.dumps({"text": example}))}">{escape(example)}</button></li>'
        for example in examples
    )
    return (
        '<section class="ta-welcome"><div class="lead"><h2>Apa yang ingin Anda telusuri?</h2>'
        "<p>Ajukan pertanyaan seperti kepada rekan di ruang arsip. Setiap kalimat jawaban dikutip "
        "dari artikel yang dapat Anda buka dan periksa.</p></div>"
        + (rows and f'<div><h3>Contoh pertanyaan</h3><ul class="ta-examples">{rows}</ul></div>')
        + "</section>"
    )


def missing_html() -> str:
    """Return what to do before the first build."""
    return (
        '<section class="ta-welcome"><div class="lead"><h2>Arsip belum diindeks.</h2>'
        "<p>Jalankan dua perintah ini di komputer tempat Tanya Arsip berjalan. Halaman ini siap "
        "dengan sendirinya begitu indeks selesai dibangun.</p></div>"
        '<div class="ta-none"><pre>tanya add FOLDER_ARTIKEL\ntanya build</pre>'
        "<p>Perintah pertama memasukkan artikel ke arsip, yang kedua membangun indeksnya.</p></div>"
        "</section>"
    )


_TROUBLES: Mapping[type[TanyaError], str] = {
    IndexMissingError: "Arsip belum diindeks. Jalankan `tanya add` lalu `tanya build`.",
    IndexDamagedError: "Indeks tidak lengkap atau berubah sejak dibangun.",
    ArchiveError: "Basis data arsip tidak dapat dibuka.",
    BusyError: "Arsip sedang ditulis oleh proses lain. Coba lagi sebentar lagi.",
    ModelError: "Model penelusuran tidak dapat dimuat, atau tidak cocok dengan indeks ini.",
    SettingsError: "Pengaturan tanya.toml tidak dapat dipakai.",
    InputError: "Pertanyaan ini tidak dapat dibaca.",
}


def trouble_html(question: str, number: int, error: Exception) -> str:
    """Return the turn of a question that could not be answered; only our own errors are told."""
    told = ""
    if isinstance(error, TanyaError):
        reason = next((t for kind, t in _TROUBLES.items() if isinstance(error, kind)), "")
        told = (
            '<details class="ta-more"><summary>Rincian untuk pengelola</summary>'
            f"<p><code>{escape(str(error))}</code></p></details>"
        )
    else:
        reason = "Ada kesalahan di luar dugaan, dan sudah dicatat untuk pengelola."
    said = (
        '<div class="ta-none" role="alert"><h3>Pertanyaan ini belum bisa dijawab.</h3>'
        f"<p>{ticked(reason)}</p><p>Pertanyaan Anda masih ada di kotak di bawah; "
        f"Anda dapat mencobanya lagi.</p></div>{told}"
    )
    return turn_frame(question, number, said, "")


def ticked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def freshness_html(overview: Overview, now: dt.datetime) -> str:
    """Return what the index holds and how fresh it is, on one line."""
    parts = [f"{number_words(overview.articles)} artikel"]
    named = [name for name, _ in overview.publishers if name]
    parts.append(f"{number_words(len(named))} penerbit")
    if overview.oldest and overview.newest:
        oldest, newest = overview.oldest.year, overview.newest.year
        since = f"{oldest} sampai" if oldest != newest else "sampai"
        parts.append(f"{since} {date_words(overview.newest)}")
    built = overview.built if overview.built.tzinfo else overview.built.replace(tzinfo=dt.UTC)
    parts.append(f"indeks diperbarui {ago_words(built, now)}")
    waiting = ""
    if overview.waiting:
        waiting = (
            f' · <span class="waiting">{number_words(overview.waiting)} artikel menunggu '
            "<code>tanya build</code></span>"
        )
    return (
        f'<p class="ta-freshness" data-version="{escape(overview.version)}">'
        f"{' · '.join(parts)}{waiting}</p>"
    )


def hint_html(message: str) -> str:
    return f'<p class="ta-hint" role="alert">{escape(message)}</p>' if message else ""


def filters_label(chosen: Filter) -> str:
    return f"Saringan: {filter_words(chosen) or 'semua tanggal, semua penerbit'}"
