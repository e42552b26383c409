"""A whole conversation to be taken away: Markdown, rows of JSON, a Word file."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from index.records import Citation
from index.text import seen, seen_line
from page import texts
from qa.history import Conversation, KeptTurn
from qa.interface import turn_row
from qa.question.small_talk import SMALL_TALK

_ANGLES = str.maketrans({"<": "%3C", ">": "%3E"})
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~])")


def rows(conversation: Conversation, turns: Sequence[KeptTurn]) -> dict[str, Any]:
    """Return a conversation as JSON: its turns are rows of the machine interface."""
    return {
        "title": conversation.title,
        "created": conversation.created.isoformat(),
        "turns": [
            {"asked": kept.asked.isoformat(), **turn_row(str(kept.number), kept.turn)}
            for kept in turns
            if kept.turn
        ],
    }


def markdown(conversation: Conversation, turns: Sequence[KeptTurn]) -> str:
    """Return a conversation in Markdown, with its sources; what articles hold stays text."""
    lines = [f"# {_plain(conversation.title)}", ""]
    for kept in turns:
        lines += [f"## {_plain(kept.question)}", ""]
        lines += [f"*{_plain(_about(kept))}*", ""]
        lines += [f"{_plain(sentence)}\n" for sentence in _sentences(kept)]
        for citation in kept.turn.answer.citations if kept.turn else ():
            url = texts.safe_url(citation.passage.url)
            link = f" <{url.translate(_ANGLES)}>" if url else ""
            lines += [
                f"{citation.number}\\. {_plain(texts.source_words(citation.passage))}{link}  ",
                f"   > {_plain(_quote(citation))}",
                "",
            ]
    return "\n".join(lines)


def word(conversation: Conversation, turns: Sequence[KeptTurn]) -> bytes:
    """Return a conversation as a Word file (.docx)."""
    import docx

    document = docx.Document()
    document.core_properties.title = seen(conversation.title)
    document.core_properties.author = ""
    document.core_properties.created = conversation.created.replace(tzinfo=None)
    document.add_heading(seen(conversation.title), level=0)
    for kept in turns:
        document.add_heading(seen(" ".join(kept.question.split())), level=1)
        document.add_paragraph(seen(_about(kept)), style="Subtitle")
        for sentence in _sentences(kept):
            document.add_paragraph(seen(sentence))
        for citation in kept.turn.answer.citations if kept.turn else ():
            facts = f"[{citation.number}] {texts.source_words(citation.passage)}"
            url = texts.safe_url(citation.passage.url)
            document.add_paragraph(seen(f"{facts} {url}".rstrip()), style="List")
            document.add_paragraph(seen(_quote(citation)), style="Intense Quote")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def file_name(conversation: Conversation) -> str:
    """Return a name for a conversation's file, without what a file system minds."""
    words = re.findall(r"\w+", conversation.title.lower())
    name = "-".join(words)[:60].strip("-") or "percakapan"
    return f"{conversation.created:%Y-%m-%d}-{name}"


def _sentences(kept: KeptTurn) -> list[str]:
    if kept.turn is None:
        return []
    answer = kept.turn.answer
    if kept.turn.query.kind == SMALL_TALK:
        return [kept.turn.notice]
    said = [f"{claim.text} {texts.marks(claim)}" for claim in answer.claims]
    return [*filter(None, [kept.turn.notice]), *(said or [texts.refusal_in_full(answer.evidence)])]


def _about(kept: KeptTurn) -> str:
    """Return when a question was asked, what it was understood as, and what limited the search."""
    facts = [texts.ASKED_ON.format(texts.date_words(kept.asked.date()))]
    if kept.turn:
        query = kept.turn.query
        if " ".join(query.text.split()) != " ".join(kept.question.split()):
            facts.append(f"{texts.UNDERSTOOD_AS}: {query.text}")
        if limits := texts.filter_words(query.filter):
            facts.append(f"{texts.FILTER}: {limits}")
    return " · ".join(facts)


def _quote(citation: Citation) -> str:
    return f"“{' '.join(citation.quote.split())}”"


def _plain(text: str) -> str:
    """Escape what Markdown would read as its own."""
    return _MARKDOWN.sub(r"\\\1", seen_line(text))
