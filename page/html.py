"""The markup of the page, from values to escaped HTML; what its buttons send; its style and script.

Everything that comes from an article or a person is escaped here, in text and in attributes; only
http and https addresses become links.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from index.errors import BusyError, TanyaError
from index.records import Article, Citation, Evidence, Filter, Passage, Query, Span, Turn
from page import search, texts
from page.article import address, request
from page.templates import escape, render, verbatim
from qa import feedback, silence
from qa.chat import Overview
from qa.feedback import Verdict
from qa.question.follow_up import topic_of
from qa.question.small_talk import SMALL_TALK
from qa.question.topic import DAYS, TOPICS

FOLDER = Path(__file__).parent
ICON = FOLDER / "icon.svg"
LIVE_SCRIPT = "tanyaLive"
"""What page/functions.js puts a function in the place of, for the turn being written."""
LONGEST_QUESTION = 2000
_LONG_HEADING = 220
_LONG_TOPIC = 60
_RELATED = 3

ArticleOf = Callable[[str, str], Article | None]
"""Gives the archived article of an id and a text's hash ("" for its current text), if kept."""


# Style and script --------------------------------------------------------------------------------


def head() -> str:
    """Return what goes into the page's <head>: its style, its script, what it asks of browsers."""
    styles = "".join(
        f'<link rel="stylesheet" href="/page/assets/{path.name}">\n'
        for path in sorted(FOLDER.glob("*.css"))
    )
    return (
        f"{styles}<style>{toast_style()}</style>\n"
        '<meta name="robots" content="noindex">\n'
        '<meta name="referrer" content="same-origin">\n'
        '<script src="/page/assets/early.js"></script>\n'
        '<script type="module" src="/page/assets/main.js"></script>\n'
    )


def toast_style() -> str:
    """Return the style that says in our words that the server is away."""
    return (
        f":root {{ --ta-disconnected: {json.dumps(texts.DISCONNECTED)}; "
        f"--ta-reconnecting: {json.dumps(texts.RECONNECTING)}; }}"
    )


def palettes() -> tuple[dict[str, str], dict[str, str]]:
    """Return the colours of the style by name ("ink" for --ta-ink), light and dark."""
    light, dark = _read("style.css").split(".dark {", 1)
    named = [dict(re.findall(r"--ta-([\w-]+): (#\w{6});", part)) for part in (light, dark)]
    return named[0], named[1]


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


# Requests ----------------------------------------------------------------------------------------


def _limited_request(turn: Turn, number: int, limits: Filter) -> dict[str, object]:
    """Return the request to answer a turn's question once more, within other limits."""
    return {"text": turn.question, "turn": number, "limits": search.limits(limits)}


# Elements ----------------------------------------------------------------------------------------


def _button(label: str, action: str, style: str = "", **attributes: str) -> str:
    """Return a button that does an action of page/*.js; an attribute's _ stands for a hyphen."""
    named = {"data-do": action, **{name.replace("_", "-"): v for name, v in attributes.items()}}
    written = "".join(f' {name}="{escape(value)}"' for name, value in named.items())
    style = f' class="{style}"' if style else ""
    return f'<button type="button"{style}{written}>{escape(label)}</button>'


def _ask_button(label: str, request: dict[str, object], style: str = "", **attributes: str) -> str:
    return _button(label, "ask", style, data_ask=json.dumps(request), **attributes)


def _read_link(
    article_id: str,
    content: str,
    spans: Sequence[Span],
    label: str = texts.OPEN_ARTICLE,
    style: str = "ta-quiet",
) -> str:
    """Return a link that opens an article beside the conversation."""
    return (
        f'<a class="{style}" href="{escape(address(article_id, content, spans))}" '
        f'data-do="read" data-article="{escape(request(article_id, content, spans))}">'
        f"{escape(label)}</a>"
    )


def _link(url: str, label: str) -> str:
    address = texts.safe_url(url)
    if not address:
        return ""
    return (
        f'<a class="ta-link" href="{escape(address)}" target="_blank" '
        f'rel="noopener noreferrer nofollow">{escape(label)} ↗</a>'
    )


def _with_code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, longest: int) -> str:
    """Return a text on one line, cut after a word."""
    text = _one_line(text)
    return text if len(text) <= longest else text[:longest].rsplit(" ", 1)[0] + " …"


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
        html.append(verbatim(_collapse(body[at:start])))
        html.append(f"<mark {attributes}>{verbatim(body[start:end])}</mark>")
        at = end
    html.append(verbatim(_collapse(body[at:stop])))
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


# Turns -------------------------------------------------------------------------------------------


def turn_html(
    turn: Turn,
    number: int,
    chosen: Filter,
    article_of: ArticleOf,
    *,
    conversation: str = "",
    growing: bool = False,
    verdict: Verdict | None = None,
    judging: bool = True,
) -> str:
    """Return one turn, its sources beside it. `growing`: more claims are on their way.

    `verdict` is what the person said of it before; without `judging` they are not asked.
    """
    answer, place = turn.answer, (conversation, number)
    if turn.query.kind == SMALL_TALK:
        body = f'<div class="ta-answer"><p>{escape(turn.notice)}</p></div>'
        return _turn_frame(turn.question, place, body, "", growing=growing, status=turn.notice)
    if answer.claims or growing:
        body = _claims_html(turn, conversation, number)
        beside = _sources_html(answer.citations, number, article_of)
    else:
        told = silence.telling(answer.evidence)
        body = _silence_html(turn, chosen, told)
        beside = _related_html(answer.evidence, told)
    body += busy_html() if growing else _foot_html(turn)
    if conversation and not growing and judging:
        body += feedback_html(conversation, number, verdict, refused=not answer.claims)
    status = "" if growing else texts.status_words(answer)
    body = _understood_html(turn, number, chosen) + body
    if not growing:
        body = search.tabs_html(turn, number, body)
    return _turn_frame(turn.question, place, body, beside, growing=growing, status=status)


def feedback_html(conversation: str, number: int, verdict: Verdict | None, *, refused: bool) -> str:
    """Return the question whether a turn was right, or what was said of it.

    `refused`: it is a silence.
    """
    return render(
        "feedback.html",
        conversation=conversation,
        number=number,
        verdict=verdict,
        refused=refused,
        longest=feedback.LONGEST,
        missing=feedback.MISSING,
    )


def _turn_frame(
    question: str,
    place: tuple[str, int],
    body: str,
    beside: str,
    *,
    growing: bool = False,
    status: str = "",
) -> str:
    """Return a turn's place on the page; `status` is what a screen reader says of it."""
    conversation, number = place
    asked = question.strip()
    if len(asked) > LONGEST_QUESTION:
        asked = asked[:LONGEST_QUESTION] + "…"
    size = " long" if len(asked) > _LONG_HEADING else ""
    return (
        f'<section class="ta-turn" id="ta-turn-{number}" '
        f'data-conversation="{escape(conversation)}" '
        f'data-number="{number}" data-heard="{escape(status)}" '
        f'aria-busy="{str(growing).lower()}"><div class="said">'
        f'<h2 class="ta-question{size}">{escape(asked)}</h2>{body}</div>'
        f'<div class="beside">{beside}</div></section>'
    )


def busy_html(words: str = texts.SEARCHING) -> str:
    """Return the sign that a search is going on, or waits."""
    return f'<p class="ta-busy"><i aria-hidden="true"></i>{words}</p>'


def searching_html(question: str, conversation: str, number: int, ahead: int = 0) -> str:
    """Return the turn of a question that was just asked; `ahead` others are answered before."""
    place, words = (conversation, number), texts.waiting_words(ahead)
    return _turn_frame(question, place, busy_html(words), "", growing=True, status=words)


def interrupted_html(question: str, conversation: str, number: int, reason: str = "") -> str:
    """Return the turn of a question whose answer never came, with the reason as it is kept."""
    again = _ask_button(texts.ASK_AGAIN, {"text": question}, "ta-quiet")
    why = f"<p>{texts.REASONS[reason]}</p>" if reason in texts.REASONS else ""
    body = f'<div class="ta-none"><h3>{texts.INTERRUPTED}</h3>{why}<p>{again}</p></div>'
    return _turn_frame(question, (conversation, number), body, "")


def error_html(
    question: str, conversation: str, number: int, error: Exception, code: str = ""
) -> str:
    """Return the turn of a question that could not be answered; only our own errors are shown.

    `code` is the id of the request, by which the operator finds it in the log.
    """
    details, again = "", ""
    if isinstance(error, BusyError) and error.retry:
        again = f"<p>{_ask_button(texts.ASK_AGAIN, {'text': question}, 'ta-quiet')}</p>"
    elif isinstance(error, TanyaError):
        details = (
            f'<details class="ta-more"><summary>{texts.DETAILS}</summary>'
            f"<p><code>{escape(str(error))}</code></p></details>"
        )
    body = (
        f'<div class="ta-none" role="alert"><h3>{texts.NOT_ANSWERED}</h3>'
        f"<p>{_with_code(texts.with_request_code(texts.error_words(error), code))}</p>"
        f"<p data-restore>{texts.QUESTION_KEPT}</p>{again}</div>{details}"
    )
    return _turn_frame(question, (conversation, number), body, "")


def _understood_html(turn: Turn, number: int, chosen: Filter) -> str:
    """Return what a question was taken for: its words, its dates and publishers, its spelling."""
    query = turn.query
    form = f"ta-edit-{number}"
    html = ""
    same = _one_line(query.text) == _one_line(turn.question)
    if not same or query.read or query.named or _topic(turn):
        words = "" if same else f"{texts.UNDERSTOOD_AS}: <q>{escape(query.text)}</q> "
        opens = {"data_form": form, "aria_expanded": "false", "aria_controls": form}
        html = (
            f'<div class="ta-aside">{words}{_chips_html(turn, number)}'
            f"{_button(texts.CORRECT, 'edit', 'ta-link', **opens)}</div>"
            + _edit_form(query, number, form)
        )
    if chosen:
        filtered = escape(texts.filter_words(chosen))
        html += f'<p class="ta-aside">{texts.FILTER}: {filtered}</p>'
    if turn.notice:
        typed = ""
        if turn.swaps:
            request = {"text": turn.question, "turn": number, "typed": True}
            typed = f" {_ask_button(texts.AS_TYPED, request, 'ta-link')}"
        html += f'<p class="ta-notice">{escape(turn.notice)}{typed}</p>'
    return html


def _chips_html(turn: Turn, number: int) -> str:
    """Return the filter that stood in the question, to be taken off, and a date to make one of."""
    read, named = turn.query.read, turn.query.named
    chips = []
    if topic := _topic(turn):
        chips.append(_chip(texts.TOPIC, topic, {"text": turn.question, "turn": number}))
    for name, words, rest in (
        (texts.PUBLISHED, texts.days_words(read), replace(read, after=None, before=None)),
        (texts.PUBLISHER, ", ".join(read.publishers), replace(read, publishers=())),
        (texts.AUTHOR, ", ".join(read.authors), replace(read, authors=())),
    ):
        if words:
            chips.append(_chip(name, words, _limited_request(turn, number, rest)))
    if named:
        request = _limited_request(
            turn, number, replace(read, after=named.after, before=named.before)
        )
        chips.append(_ask_button(texts.ONLY.format(texts.days_words(named)), request, "ta-offer"))
    return f'<span class="ta-chips">{"".join(chips)}</span> ' if chips else ""


def _topic(turn: Turn) -> str:
    """Return the subject that a follow-up was read with; "" for a question of its own."""
    if not (turn.query.prefer or turn.query.own):
        return ""
    return _cut(topic_of(turn.query.text), _LONG_TOPIC)


def _chip(name: str, words: str, request: dict[str, object]) -> str:
    label = f"{name}: {words}"
    button = _ask_button("×", request, aria_label=texts.WITHOUT.format(label))
    return f'<span class="ta-chip"><span>{escape(label)}</span>{button}</span>'


def _edit_form(query: Query, number: int, form: str) -> str:
    """Return the form, hidden at first, to put a question and its limits right."""
    days = query.read if query.read.dated else query.named
    ends = ""
    if days or query.read:
        names, writers = (
            escape(json.dumps(list(some))) for some in (query.read.publishers, query.read.authors)
        )
        ends = "".join(
            f'<span class="end"><label for="{form}-{end}">{label}</label>'
            f'<input type="text" id="{form}-{end}" name="{end}" '
            f'value="{day.strftime("%d/%m/%Y") if day else ""}" '
            f'placeholder="{texts.DAY_EXAMPLE}" autocomplete="off"></span>'
            for end, label, day in (
                ("after", texts.AFTER, query.read.after),
                ("before", texts.BEFORE, query.read.before),
            )
        )
        kept = f'data-publishers="{names}" data-authors="{writers}"'
        ends = f'<span class="ends" {kept}>{ends}</span>'
    return (
        f'<form class="ta-edit" id="{form}" data-turn="{number}" hidden>'
        f'<label for="{form}-text">{texts.CORRECT_LABEL}</label>'
        f'<input type="text" id="{form}-text" name="text" value="{escape(query.text)}" '
        f'maxlength="{LONGEST_QUESTION}" autocomplete="off">{ends}'
        f'<button type="submit" class="ta-solid">{texts.ASK_CORRECTED}</button>'
        f"{_button(texts.CANCEL, 'edit', 'ta-quiet', data_form=form)}</form>"
    )


def _claims_html(turn: Turn, conversation: str, number: int) -> str:
    """Return the sentences of an answer with their citations, the short answer in them bold.

    If they are of several articles, each says of which; one of an article that the first sentence
    does not cite says so, but not in a list of news.
    """
    answer = turn.answer
    if not answer.claims:
        return ""
    short = answer.short_answer
    several = len({citation.passage.article_id for citation in answer.citations}) > 1
    listed = turn.query.kind in TOPICS | {DAYS}
    cited = [[c for c in answer.citations if c.number in claim.cited] for claim in answer.claims]
    articles = [{c.passage.article_id for c in citations} for citations in cited]
    html = ""
    for n, claim in enumerate(answer.claims):
        when = ""
        if several and cited[n]:
            first = cited[n][0].passage
            facts = [texts.date_words(first.published), first.publisher]
            if not listed and articles[0].isdisjoint(articles[n]):
                facts.insert(0, texts.OTHER_ARTICLE)
            when = f'<span class="ta-when">{escape(" · ".join(filter(None, facts)))}</span>'
        before, bold, after = claim.text.partition(short) if short else (claim.text, "", "")
        words = escape(before)
        if bold:
            words += f"<strong>{escape(bold)}</strong>{escape(after)}"
            short = ""
        links = "".join(_cite_link(citation, conversation, number) for citation in cited[n])
        html += f"<p>{when}{words} {links}</p>"
    return f'<div class="ta-answer">{html}</div>'


def _cite_link(citation: Citation, conversation: str, number: int) -> str:
    """Return a citation's link: to the answer's address, the article open at the quote."""
    passage = citation.passage
    named = passage.article_id, passage.content, [(citation.start, citation.end)]
    return (
        f'<a class="ta-cite" href="{escape(address(*named, conversation, number))}" '
        f'data-do="cite" data-to="{_mark_id(number, citation.number)}" '
        f'data-article="{escape(request(*named))}" '
        f'aria-label="{texts.CITATION.format(citation.number)}">[{citation.number}]</a>'
    )


def _mark_id(number: int, citation: int) -> str:
    return f"ta-mark-{number}-{citation}"


def _silence_html(turn: Turn, chosen: Filter, told: silence.Told | None) -> str:
    """Return why there is no answer, what comes nearest, and what to try."""
    answer = turn.answer
    near = ""
    if told:
        near = _told_html(*told)
    elif answer.status != "unsupported" and (found := silence.nearest(answer.evidence)):
        near = f"<p>{texts.NEAREST}</p>{_told_html(found.passage, found.sentence)}"
    if answer.status == "unsupported":
        reason = texts.UNSUPPORTED.format(len(answer.dropped))
    else:
        reason = silence.reason(answer.evidence)
    advice = [texts.ADVICE]
    if turn.query.filter:
        advice = [texts.LIMITED.format(texts.filter_words(turn.query.filter))]
    if turn.query.read:
        advice.append(texts.NOT_WITHOUT_LIMITS)
    again = ""
    if chosen:
        request = {"text": turn.question, "clear": True}
        again = f"<p>{_ask_button(texts.ASK_UNFILTERED, request, 'ta-quiet')}</p>"
    why = f"<p>{escape(reason)}</p>"
    body = near + why if told else why + near
    return (
        f'<div class="ta-none"><h3>{texts.refusal_words(told)}</h3>{body}'
        f"<p>{escape(' '.join(advice))}</p>{again}</div>"
    )


def _told_html(passage: Passage, span: Span) -> str:
    """Return a sentence that comes near, with its headline and a button that opens it there."""
    quote = f"<blockquote>{verbatim(passage.sentence(span))}</blockquote>"
    return _card(passage, quote, _read_link(passage.article_id, passage.content, [span]))


def _foot_html(turn: Turn) -> str:
    answer = turn.answer
    html = ""
    if answer.dropped:
        lines = "".join(f"<li>{escape(claim.text)}</li>" for claim in answer.dropped)
        summary = texts.DROPPED.format(len(answer.dropped))
        html = f'<details class="ta-more"><summary>{summary}</summary><ul>{lines}</ul></details>'
    copy = ""
    if answer.claims:
        text = texts.plain_text(turn)
        copy = _button(texts.COPY, "copy", "ta-link", data_done=texts.COPIED, data_copy=text)
    seconds = texts.duration_words(turn.seconds)
    return f'{html}<div class="ta-foot">{copy}<span>{seconds}</span></div>'


# Articles beside a turn --------------------------------------------------------------------------


def _sources_html(citations: Sequence[Citation], number: int, article_of: ArticleOf) -> str:
    groups: dict[tuple[str, str], list[Citation]] = {}
    for citation in citations:
        key = (citation.passage.article_id, citation.passage.content)
        groups.setdefault(key, []).append(citation)
    cards = [_source_html(group, number, article_of) for group in groups.values()]
    return _aside(texts.SOURCES_LABEL, texts.SOURCES, cards)


def _related_html(evidence: Evidence, told: silence.Told | None) -> str:
    """Return the first articles that were found, but the one that is told in place of an answer."""
    shown = told[0].article_id if told else ""
    found = [hit.passage for hit in evidence.hits if hit.passage.article_id != shown]
    cards = []
    for passage in found[:_RELATED]:
        text = f"<blockquote>{escape(_cut(passage.text, 220))}</blockquote>"
        button = _read_link(passage.article_id, passage.content, passage.spans)
        cards.append(_card(passage, text, button))
    return _aside(texts.RELATED_LABEL, texts.RELATED, cards)


def _aside(label: str, title: str, cards: Sequence[str]) -> str:
    if not cards:
        return ""
    return (
        f'<aside class="ta-sources" aria-label="{label}"><h3>{title}</h3>{"".join(cards)}</aside>'
    )


def _source_html(group: Sequence[Citation], number: int, article_of: ArticleOf) -> str:
    """Return the card of one article with every quote that the answer took from it."""
    passage = group[0].passage
    article = article_of(passage.article_id, passage.content)
    if article and any(article.body[c.start : c.end] != c.quote for c in group):
        article = None
    if article:
        html = _quotes_html(article.body, group, number)
        spans = [(c.start, c.end) for c in group]
        doors = _read_link(passage.article_id, passage.content, spans) + render(
            "reference_menu.html",
            identity=passage.article_id,
            content=passage.content,
            copies=True,
        )
    else:
        marks = [f"<mark {_mark_attributes(number, c)}>{verbatim(c.quote)}</mark>" for c in group]
        html = "".join(f"<blockquote>{mark}</blockquote>" for mark in marks)
        html += f'<p class="ta-also">{texts.TEXT_GONE}</p>'
        doors = ""
    also = dict.fromkeys(other for c in group for other in c.also_in)
    return _card(passage, html + _also_html(list(also), article_of), doors)


def _card(passage: Passage, content: str, doors: str) -> str:
    link = _link(passage.url, texts.PUBLISHER_SITE)
    return (
        f'<article class="ta-card">{_headline(passage)}{content}'
        f'<div class="ta-doors">{doors}{link}</div></article>'
    )


def _headline(passage: Passage) -> str:
    return (
        f"<h4>{escape(passage.title.strip() or texts.UNTITLED)}</h4>"
        f'<p class="ta-byline"><bdi>{escape(passage.publisher or texts.NO_PUBLISHER)}</bdi> · '
        f"{escape(texts.date_words(passage.published))}</p>"
    )


def _mark_attributes(number: int, citation: Citation) -> str:
    mark = _mark_id(number, citation.number)
    return f'id="{mark}" tabindex="-1" data-number="{citation.number}"'


def _quotes_html(body: str, group: Sequence[Citation], number: int) -> str:
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
    html = ""
    for _, cited in excerpts:
        marks = [((c.start, c.end), _mark_attributes(number, c)) for c in cited]
        html += f"<blockquote>{excerpt(body, marks)}</blockquote>"
    return html


def _also_html(article_ids: Sequence[str], article_of: ArticleOf) -> str:
    """Return links to other articles of the same story."""
    links = []
    for article_id in article_ids[:5]:
        if other := article_of(article_id, ""):
            name = other.publisher or other.title or texts.SOME_ARTICLE
            links.append(_read_link(article_id, "", (), name, "ta-link"))
    return f'<p class="ta-also">{texts.ALSO_IN}: {", ".join(links)}</p>' if links else ""


# The rest of the page ----------------------------------------------------------------------------


def welcome_html() -> str:
    """Return the empty state: what this is, with room for questions to begin with."""
    return _empty_html(texts.WELCOME, texts.WELCOME_MORE, '<div id="ta-begin"></div>')


def missing_html() -> str:
    """Return what to do before the first build."""
    commands = f'<div class="ta-none"><pre>{texts.COMMANDS}</pre><p>{texts.COMMANDS_MORE}</p></div>'
    return _empty_html(texts.NOT_INDEXED, texts.NOT_INDEXED_MORE, commands)


def _empty_html(title: str, lead: str, content: str) -> str:
    return f'<div class="lead"><h2>{title}</h2><p>{lead}</p></div>{content}'


def freshness_html(overview: Overview, now: dt.datetime, stale: int = 0) -> str:
    """Return what the index holds and how fresh it is; on a line of its own, if it is `stale`.

    That is by how many days the news are behind.
    """
    waiting = ""
    if overview.trouble:
        older = texts.OLDER_ANSWERS.format(escape(overview.version.name))
        waiting = f' · <span class="waiting">{older}</span>'
    elif overview.waiting:
        words = _with_code(texts.WAITING.format(texts.number_words(overview.waiting)))
        waiting = f' · <span class="waiting">{words}</span>'
    old = f'<span class="stale">{texts.STALE.format(stale)}</span>' if stale else ""
    return (
        f'<p class="ta-freshness" data-version="{escape(overview.version.name)}">'
        f"{texts.freshness_words(overview.version, now)}{waiting}{old}</p>"
    )


def index_notice_html(reason: str) -> str:
    """Return what stands in place of the freshness while no index can be read."""
    return f'<p class="ta-freshness">{_with_code(reason)}</p>'


def refused_html(reason: str, sent: object) -> str:
    """Return what tells the page why it may not ask that, for the person above the question."""
    asked = str(sent.get("text") or "") if isinstance(sent, dict) else ""
    return (
        f'<p class="ta-refused" data-hint="{escape(reason)}" '
        f'data-question="{escape(asked[:LONGEST_QUESTION])}"></p>'
    )
