"""Turns what a person typed into a `Query`: a question that stands alone, its kind, its filter."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index import text
from index.records import Filter, Query
from index.snapshot import SearchIndex
from qa.question import conversation, dates, english, follow_up, lexicon, recency
from qa.question.answer_type import answer_type
from qa.question.dates import When
from qa.question.follow_up import Subject
from qa.question.sources import tidy, without_author, without_publisher
from qa.question.spelling import Speller
from qa.question.topic import PLAINLY_NEW, TOPICS

LONGEST = 2000
"""Characters of a question that are read."""

_WHY_START = re.compile(r"^(kok|koq)\b(?= )", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Understood:
    """One way to understand a question; `notice` tells the person what was done to its words.

    One `within` is looked for in the articles cited before alone. `own` are the words of what may
    be a question of its own; one `if_strange` is tried only if they name what those articles do
    not. One `sure_only` must be likelier right than wrong. A `trial` is kept only if its filter
    does not make the answer worse than the next meaning's. `widened` is a filter of
    the question that was lifted for want of an answer; `swaps` are corrected words, (typed, meant).
    """

    query: Query
    notice: str = ""
    own: str = ""
    within: bool = False
    if_strange: bool = False
    sure_only: bool = False
    trial: bool = False
    widened: Filter = Filter()
    swaps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question's words in Indonesian, well spelled, and the filter that stands in them.

    `undated` are they without the days that are only `named`.
    """

    text: str
    read: Filter
    whole: str
    named: Filter = Filter()
    undated: str = ""


def understand(
    asked: str,
    subjects: Sequence[Subject] = (),
    chosen: Filter = Filter(),  # noqa: B008
    *,
    today: dt.date,
    index: SearchIndex | None = None,
    speller: Speller | None = None,
) -> list[Understood]:
    """Return the meanings of a question, to be tried in this order until one is answered.

    `subjects` are those of the conversation, the last one last; `chosen` is the filter that the
    person set, which outweighs one that stands in the question. Words are corrected by `speller`,
    publishers known by `index`.
    """
    words, notices, swaps = _worded(" ".join(asked[:LONGEST].split()), index, speller)
    publishers = [name for name, _ in index.version.publishers] if index else []
    today, counted = _counted_from(words, today, index)
    notices += [counted] if counted else []
    words, before, back = conversation.returned(words, subjects)
    words, writers = without_author(words, index.authors() if index else ())
    meanings = _of_the_turn_before(words, before, chosen, today)
    lead, words = conversation.led(words) if before and not meanings else ("", words)
    if not meanings:
        meanings = _in_conversation(words, before, chosen, today, publishers, back, bool(lead))
    if before and lead:
        meanings = _narrowed(lead, meanings, before, today)
    latest = any(meant.query.kind == "latest" for meant in meanings)
    only = recency.only_new(words, latest, index)
    meanings = [replace(m, query=recency.with_recency(m.query, words, only=only)) for m in meanings]
    if not any(meant.query.kind in TOPICS for meant in meanings):
        meanings = [m for meant in meanings for m in _or_as_topic(meant)]
    meanings = _by(writers, meanings)
    if before is None and english.NOTICE in notices:
        typed = " ".join(asked[:LONGEST].split())
        meanings = [replace(m, query=replace(m.query, reads=typed)) for m in meanings]
    return [replace(r, notice=" ".join(notices), swaps=swaps) for r in meanings]


def _by(writers: tuple[str, ...], meanings: list[Understood]) -> list[Understood]:
    """Return the meanings among what these authors wrote, then the last one among all articles."""
    if not writers:
        return meanings
    wrote = Filter(authors=writers)

    last = meanings[-1]
    return [
        *(_among(m, wrote) for m in meanings if not (m.widened or m.within)),
        replace(last, widened=wrote.within(last.widened)),
    ]


def _among(meant: Understood, limits: Filter) -> Understood:
    """Return a meaning within limits, where its own filter does not say otherwise."""
    query = meant.query
    query = replace(query, filter=limits.within(query.filter), read=limits.within(query.read))
    return replace(meant, query=query)


def _counted_from(words: str, today: dt.date, index: SearchIndex | None) -> tuple[dt.date, str]:
    """Return the day that dates are counted from, and what to say if it is not today.

    Where "hari ini" or "minggu lalu" lies after the archive's end, it is the archive's.
    """
    newest = index.version.newest if index else None
    late = [
        when
        for when in dates.dates(words, today)
        if when.relative and when.after and newest and newest < when.after
    ]
    if not late or newest is None:
        return today, ""
    said = words[late[0].start : late[0].end]
    notice = f"Artikel terbaru di arsip: {text.written(newest)}; “{said}” dihitung dari hari itu."
    return newest, notice


def _worded(
    question: str, index: SearchIndex | None, speller: Speller | None
) -> tuple[str, list[str], tuple[tuple[str, str], ...]]:
    """Put a question into well spelled Indonesian; tell what was done to it."""
    notices = []
    if english.is_english(question):
        question = english.to_indonesian(question, lambda word: _archived(word, index))
        notices.append(english.NOTICE)
    question = _formal(question)
    if speller is None:
        return question, notices, ()
    question = speller.as_written(question)
    spelled = speller.correct(question)
    if spelled.swaps:
        meant = ", ".join(f"“{right}”" for _, right in spelled.swaps)
        typed = ", ".join(f"“{wrong}”" for wrong, _ in spelled.swaps)
        notices.append(f"Menampilkan hasil untuk {meant}, bukan {typed}.")
    return spelled.text, notices, spelled.swaps


def _archived(word: str, index: SearchIndex | None) -> bool:
    return index is None or any(index.frequencies(text.stems(word)))


def _formal(question: str) -> str:
    """Put chat words into those that newspapers use: "knp" becomes "kenapa"."""
    question = _WHY_START.sub("kenapa", question)
    written = lexicon.meanings("chat_words")
    kept = []
    for word in question.split():
        bare = word.strip(",.?!")
        meant = written.get(bare.lower()) if not bare.isupper() else None
        if meant is None:
            kept.append(word)
        elif meant:
            kept.append(word.replace(bare, meant.capitalize() if bare.istitle() else meant))
        elif word.endswith("?") and kept:
            kept[-1] += "?"
    return " ".join(kept) or question


_STATE = re.compile(
    r"^\W*bagaimana(kah)? (?!(cara|proses|mekanisme|prosedur|bisa|mungkin|bentuk|bunyi|ciri|sifat|"
    r"struktur|sistem|rumus|hubungan)(nya)?\b)"
    r"|\b(belakangan( ini)?|(akhir-akhir|baru-baru|saat) ini|terbaru|terkini|sekarang)\b"
    r"|\b(kabar|berita)\b",
    re.IGNORECASE,
)
_BARE = 6
"""Words that name a topic and ask nothing of it."""


def _or_as_topic(meant: Understood) -> list[Understood]:
    """Return a meaning, and it as a topic where a question of how things stand may be read so.

    So may a few bare words: "gempa Tarrawe". How things stand now, the news tell better than a
    sentence that may be right.
    """
    query = meant.query
    if meant.trial or meant.within or meant.if_strange:
        return [meant]
    bare = query.kind == "other" and len(text.query_stems(query.text)) <= _BARE
    state = query.recency >= PLAINLY_NEW or _STATE.search(query.text)
    asks = query.kind in ("how", "what", "other") and state
    if not bare and not asks:
        return [meant]
    as_topic = replace(meant, query=replace(query, kind="development"))
    return [replace(meant, sure_only=True), as_topic, meant] if query.recency else [meant, as_topic]


# Dates and publishers ----------------------------------------------------------------------------


def _dated(words: str, whole: str, names: tuple[str, ...], today: dt.date) -> _Asked:
    """Read the dates that stand in a question; `names` are the publishers that were read.

    A brief relative date ("minggu lalu"), and one of the news ("berita ... 2019"), is when an
    article was published. Any other date, "dua tahun lalu" too, may just as well be a part of the
    fact that is asked for: it is only named.
    """
    found = dates.dates(words, today)
    relative = [w for w in found if _is_recent(w)]
    # Of several dates none is known to be the articles'.
    several = relative if len(relative) == 1 else found
    if len(several) != 1:
        return _Asked(words, Filter(publishers=names), whole)
    (meant,) = several
    if _is_recent(meant) or recency.NEWS.search(words):
        words = tidy(dates.without(words, [meant]))
        if meant.relative:
            # In the articles of other days "minggu lalu" is another week.
            others = [w for w in dates.dates(whole, today) if w.relative]
            whole = tidy(dates.without(whole, others[:1])) if others else whole
        return _Asked(words, Filter(meant.after, meant.before, names), whole)
    named = Filter(meant.after, meant.before)
    return _Asked(
        words, Filter(publishers=names), whole, named, tidy(dates.without(words, [meant]))
    )


_BRIEF = dt.timedelta(days=100)


def _is_recent(date: When) -> bool:
    return bool(date.relative and date.after and date.before and date.before - date.after < _BRIEF)


def limits(chosen: Filter) -> str:
    """Say a filter within a sentence: "pada 15 Desember 2016", "dari Kompas.com oleh Sari D"."""
    first, last = map(text.written, (chosen.after, chosen.before))
    days = ""
    if first and last:
        days = f"pada {first}" if first == last else f"antara {first} dan {last}"
    elif first or last:
        days = f"sejak {first}" if first else f"sampai {last}"
    names = f"dari {', '.join(chosen.publishers)}" if chosen.publishers else ""
    by = f"oleh {', '.join(chosen.authors)}" if chosen.authors else ""
    return " ".join(filter(None, [days, names, by]))


# Conversations -----------------------------------------------------------------------------------


def _in_conversation(
    question: str,
    before: Subject | None,
    chosen: Filter,
    today: dt.date,
    known: Sequence[str],
    unknown_subject: bool,
    led: bool,
) -> list[Understood]:
    bare, names = without_publisher(question, known)
    alone = _meanings(_dated(bare, question, names, today), chosen)
    if before is None:
        return alone
    leans = "yes" if led else follow_up.leans(bare)
    joined = follow_up.standalone(bare, before, today)[:LONGEST]
    whole = follow_up.standalone(question, before, today)[:LONGEST]
    following = _meanings(_dated(joined, whole, names, today), chosen, before)
    plain_joined = next(m for m in following if not m.trial)
    plain = next(m for m in alone if not m.trial) if leans == "no" else plain_joined
    among = replace(plain.query, prefer=before.articles)
    here = [replace(plain, query=among, within=True)] if before.articles else []
    alone_first = leans == "perhaps" and follow_up.stands_alone(bare)
    if leans == "no" or alone_first or unknown_subject:
        last = following[-1] if following[-1].widened else plain_joined
        following = [*alone, last]
    else:
        strange = [replace(m, if_strange=True) for m in alone if here and not m.trial]
        following = [*strange, *following]
    reads = follow_up.in_context(question, before.first, before.asked, before.heard)
    return [
        replace(
            meant,
            own=bare,
            query=replace(meant.query, reads=reads) if meant.query.prefer else meant.query,
        )
        for meant in (*here, *following)
    ]


def _narrowed(
    lead: str, meanings: list[Understood], before: Subject, today: dt.date
) -> list[Understood]:
    """Put before the meanings of a question the one among the articles that its lead asks for."""
    days = Filter()
    if conversation.newer(lead) and before.newest:
        days = Filter(before.newest + dt.timedelta(1))
    elif not conversation.doubted(lead):
        found = dates.dates(lead, today)
        days = Filter(found[0].after, found[0].before) if found else days
    plain = next((m for m in meanings if not (m.within or m.trial or m.if_strange)), None)
    if plain is None or not days.dated:
        return meanings
    return [_among(plain, days), *meanings]


def _of_the_turn_before(
    words: str, before: Subject | None, chosen: Filter, today: dt.date
) -> list[Understood]:
    """Return the meanings of a turn that speaks of the answer before; none of any other."""
    if before is None:
        return []
    asked = _Asked(before.text, before.read, before.text)
    again = _meanings(asked, chosen, before)[0]
    if conversation.doubted(words) and before.articles:
        return [replace(again, within=True), again]
    if conversation.newer(words) and before.newest:
        after = Filter(before.newest + dt.timedelta(1)).within(before.read)
        found = _meanings(replace(asked, read=Filter(after.after, None, after.publishers)), chosen)
        return found[:1]
    other = conversation.other_than(words)
    if other:
        elsewhere = conversation.without(before)
        text_ = follow_up.standalone(f"kalau {other}", elsewhere, today)[:LONGEST]
        return _meanings(_dated(text_, text_, (), today), chosen, elsewhere)
    return []


def _meanings(asked: _Asked, chosen: Filter, before: Subject | None = None) -> list[Understood]:
    """Return the meanings of a question's words: with the filter in them, and without."""
    read = asked.read
    if before:
        fresh = read.dated or asked.named.dated
        earlier = before.read
        read = (Filter(publishers=earlier.publishers) if fresh else earlier).within(read)
    own = follow_up.own_of(asked.text) if before else ""
    kind = answer_type(own)
    query = Query(
        asked.text,
        read.within(chosen),
        # "Kapan selesai (kabar terbaru bendungan)?" asks when.
        kind if own and kind != "other" else answer_type(asked.text),
        read,
        asked.named,
        before.articles if before else (),
        own,
    )
    meanings = [Understood(query)]
    if asked.named and not chosen.dated:
        days = asked.named.within(read)
        dated = replace(query, filter=days.within(chosen), read=days, named=Filter())
        # What those days' articles answer is no less an answer where they do not repeat the date.
        if text.query_stems(asked.undated):
            meanings.append(Understood(replace(dated, text=asked.undated), sure_only=True))
        meanings.insert(0, Understood(dated, trial=True))
    if query.filter != chosen:
        wide = replace(query, text=asked.whole, filter=chosen, read=Filter())
        meanings.append(Understood(wide, widened=query.read))
    return meanings
