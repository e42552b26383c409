"""Follow-ups: whether a question leans on the one before it, and what it then means alone."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from index import text
from index.records import Filter
from qa.question import dates, lexicon


@dataclass(frozen=True, slots=True)
class Subject:
    """What the turns about one subject leave behind.

    `text` is the last one's standalone question and `read` what was read as its filter; `topic` is
    what the first one was about. `articles` were cited, with their `titles`, and `said` are the
    short answers with the kind of their question: of each the last turn's first. `newest` is the
    day of the newest article that the last turn cited. `asked` and `first` are the last and the
    first question as typed, `heard` is the likeliest short answer to the last one, shown or not.
    """

    text: str
    read: Filter = Filter()
    articles: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()
    titles: tuple[str, ...] = ()
    topic: str = ""
    newest: dt.date | None = None
    asked: str = ""
    first: str = ""
    heard: str = ""


# Words that point back at what was said before.
_POINTING = frozenset("itu tersebut tadi dia ia beliau mereka begitu situ sana tsb".split())
_POINTED = (
    ("who", re.compile(r"\b(?:dia|ia|beliau|mereka|orang itu|orangnya)\b", re.IGNORECASE)),
    ("where", re.compile(r"\b(?:di|ke|dari) (?:sana|situ)\b|\btempat itu\b", re.IGNORECASE)),
    ("when", re.compile(r"\b(?:saat|waktu|ketika|hari|tanggal|tahun) itu\b", re.IGNORECASE)),
)
"""Kinds of answers with the words that point at them."""
_LEAD = re.compile(
    r"^(?:(?:lalu|terus|trus|kemudian|dan|nah|oh|oke|ok|selanjutnya|setelah itu|"
    r"habis itu)\b,?\s*)+",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    r"^(?:(?:bagaimana|gimana|kalau|kalo|bila|jika)\s+)?(?:dengan|kalau|kalo|bila|jika)\s+(.+)$"
    r"|^(?:bagaimana|gimana)\s+(?:soal|dgn|untuk|di)\s+(.+)$|^(untuk\s+.+)$",
    re.IGNORECASE,
)
_CLITIC = re.compile(r"^[\w-]{3,}nya$", re.IGNORECASE)
# "-nya" that points nowhere.
_FREE_NYA = frozenset(
    "hanya tanya punya nya bertanya menanya hubungannya sebenarnya akhirnya biasanya sebelumnya "
    "sesungguhnya umumnya khususnya misalnya seharusnya semestinya tampaknya rupanya harusnya "
    "satunya tentunya intinya pokoknya banyaknya adanya".split()
)
_LITTLE = frozenset(
    "terjadi kejadian jadi ada saja saat waktu sekarang kini dulu sejak soal jam hari apa-apa "
    "memang sebenarnya akhirnya pernah masih juga mau ingin kah mereka orang "
    "banyak lama kalau kalo bila jika bagi coba yang tanggal tgl dari".split()
)
_MOST_WORDS = 7
"""A longer question without a pointing word says by itself what it is about."""

_ENOUGH_WORDS = 5
"""Words of content that let a question without names stand alone."""

_TOPIC = re.compile(r"^(?P<own>.*?) \((?P<topic>.+)\)\?$")
_NAME = r"[A-Z][\w'’.-]*"
_RUN = re.compile(rf"{_NAME}(?: (?:bin |dan |of |de )?{_NAME}| \d{{1,2}}\b)*")


def leans(question: str) -> str:
    """Return whether a question leans on the one before: "yes", "no", or "perhaps"."""
    bare = _LEAD.sub("", question)
    found = [word.strip("\"'“”‘’(),.?!:;") for word in bare.split()]
    if _INSTEAD.match(bare.rstrip(" ?.!")):
        return "yes"
    content = _content(bare)
    pointing = {word.lower() for word in found} & _POINTING or any(map(_points, found))
    if names(bare) and pointing:
        return "perhaps"
    if names(bare):
        # "Di Jakarta?": a place and no question of its own.
        fragment = re.match(r"(?:di|ke|dari|oleh|untuk)\b", bare, re.IGNORECASE)
        return "yes" if fragment and not _asks(bare) and len(content) <= 3 else "no"
    if len(content) < 2 or (pointing and len(content) <= _MOST_WORDS):
        return "yes"
    return "perhaps"


def stands_alone(question: str) -> bool:
    """Return whether a question says enough to be one of its own: a name, or many words."""
    bare = _LEAD.sub("", question)
    return bool(names(bare)) or len(_content(bare)) >= _ENOUGH_WORDS


def topic_stems(question: str) -> set[str]:
    """Return the stems that a follow-up's standalone question takes from the turns before."""
    match = _TOPIC.match(question)
    return set(text.query_stems(match["topic"])) if match else set()


def _points(word: str) -> bool:
    return bool(_CLITIC.match(word)) and word.lower() not in _FREE_NYA


def _asks(question: str) -> bool:
    return bool(set(text.words(question)) & text.QUESTION_WORDS)


def _content(question: str) -> list[str]:
    skipped = text.QUESTION_WORDS | text.STOP_WORDS | _POINTING | _LITTLE
    return [word for word in text.words(question) if word not in skipped]


def names(question: str) -> list[str]:
    """Return the runs of capitalised words in a question; its first word alone is no name."""
    found = []
    for match in _RUN.finditer(question):
        run = match.group().split()
        if match.start() == 0:
            # A question begins with a capital, whatever its first word is.
            plain = run[0].lower() in text.QUESTION_WORDS | text.STOP_WORDS
            if plain or (len(run) == 1 and not (run[0].isupper() and len(run[0]) > 1)):
                run = run[1:]
        while run and _points(run[-1]):
            run = run[:-1]
        if run:
            found.append(" ".join(run).rstrip("."))
    return found


def topic_of(question: str) -> str:
    """Return what a standalone question is about, without what it asks of it."""
    match = _TOPIC.match(question)
    if match:
        return match["topic"]
    skipped = text.QUESTION_WORDS | _POINTING
    words = [
        word for word in question.rstrip(" ?.!").split() if word.lower().strip(",?") not in skipped
    ]
    edge = text.STOP_WORDS | _LITTLE
    while words and words[0].lower() in edge:
        words = words[1:]
    while words and words[-1].lower() in edge:
        words = words[:-1]
    return " ".join(words)


def own_of(question: str) -> str:
    """Return a standalone follow-up's own words; "" for a question that took no topic."""
    match = _TOPIC.match(question)
    return match["own"] if match and _content(match["own"]) else ""


def standalone(question: str, before: Subject, today: dt.date) -> str:
    """Return a follow-up as a question of its own: "Siapa dubesnya (Wiranto dengan China)?"."""
    bare = _LEAD.sub("", question).rstrip(" ?.!")
    instead = _INSTEAD.match(bare)
    if instead:
        other = next(group for group in instead.groups() if group)
        if not (_asks(other) and len(_content(other)) > 1):
            return _swap(other, before.text, today) or _with_more(other, before.text)
        # "Kalau yang di Cilacap sanksinya apa?" asks something of its own.
        bare = other
    named = dates.dates(bare, today)
    if named and not _asks(bare) and not _content(dates.without(bare, named)):
        # "Yang tanggal 27 Mei?": only the day is another.
        return _swap_date(bare, before.text, today)
    if not _asks(bare) and not _content(bare):
        # "Kalau menurut Kompas?": only the publisher is another.
        return before.text
    if not _asks(bare) and names(bare):
        swapped = _swap(bare, before.text, today)
        if swapped:
            return swapped
    topic = topic_of(before.text)
    for kind, pointing in _POINTED:
        meant = next((short for of, short in before.said if of == kind), "")
        if meant and pointing.search(bare) and meant.lower() not in topic.lower():
            topic = f"{meant}, {topic}"
    own = " ".join(word for word in bare.split() if word.lower() not in _POINTING - {"itu"})
    own = f"{own[:1].upper()}{own[1:]}" or "Apa"
    return f"{own} ({topic})?" if topic else f"{own}?"


def in_context(question: str, first: str, asked: str, heard: str) -> str:
    """Return a follow-up as the reader reads it: with what was said before, the nearest first."""
    before = dict.fromkeys(filter(None, (heard, asked.rstrip(" ?.!"), first.rstrip(" ?.!"))))
    return f"{question.rstrip(' ?.!')}? ({'; '.join(before)})"


def _with_more(other: str, question: str) -> str:
    """Ask the question before once more, of something else: "Kalau anak-anak?"."""
    match = _TOPIC.match(question)
    other = f"{other[:1].lower()}{other[1:]}" if not names(other) else other
    if match:
        return f"{match['own']} {other} ({match['topic']})?"
    return f"{question.rstrip(' ?.!')}, {other}?"


# "Bagaimana dengan Jepang?" ----------------------------------------------------------------------


def _swap(other: str, question: str, today: dt.date) -> str:
    """Put something in the place of its like in the question before; "" if it has none there."""
    named = dates.dates(other, today)
    if named and not _content(dates.without(other, named[:1])):
        return _swap_date(other, question, today)
    lead = re.match(r"(?:(di|ke|dari|untuk|oleh|kepada|pada)\s+)?(.+)$", other, re.IGNORECASE)
    if not lead:
        return ""
    preposition, thing = (lead[1] or "").lower(), lead[2].strip()
    if _CLITIC.match(thing.split()[-1]) and len(thing.split()) == 1:
        return ""
    old = _like(thing, preposition, question)
    if not old:
        return ""
    begin, end = old
    swapped = f"{question[:begin]}{thing}{question[end:]}"
    return swapped if swapped.endswith("?") else f"{swapped}?"


def _swap_date(other: str, question: str, today: dt.date) -> str:
    new = dates.dates(other, today)[0]
    said = other[new.start : new.end]
    for old in dates.dates(question, today):
        return f"{question[: old.start]}{said}{question[old.end :]}"
    return f"{question.rstrip(' ?.!')} {said}?"


_ACRONYM = 6
"""Letters of an acronym at most."""


def _like(thing: str, preposition: str, question: str) -> tuple[int, int] | None:
    """Return where the question before names something of the same kind."""
    lowered = thing.lower()
    countries = lexicon.table("countries")
    if lowered in countries:
        pattern = "|".join(sorted(map(re.escape, countries), key=len, reverse=True))
        found = [
            m.span()
            for m in re.finditer(rf"\b(?:{pattern})\b", question, re.IGNORECASE)
            if m.group() != "as"
        ]
        if found:
            return found[-1]
    shared = _shared_head(lowered, question)
    if shared:
        return shared
    runs = _runs(question)
    if not names(f"- {thing}"):
        if " " not in thing and len(thing) <= _ACRONYM:
            # "Kalau pbnu?" after "Apa kata MUI?": an acronym typed in a hurry.
            capitals = list(re.finditer(r"\b[A-Z]{2,}\b", question))
            if capitals:
                return capitals[-1].span()
        last = re.search(r"\b(?:untuk|bagi) ([a-z-]+)(?=[ ?]*$| \()", question)
        return last.span(1) if last and " " not in thing else None
    if not runs:
        return None
    if preposition in ("di", "ke", "dari"):
        placed = [r for r in runs if re.search(r"\b(?:di|ke|dari)\s+$", question[: r[0]])]
        runs = placed or runs
    begin, end = runs[-1]
    if not thing[0].isupper():
        # "banjir Karangtirta" takes the place of "longsor Girimukti", not of "Girimukti" alone.
        head = re.search(r"[a-z]+ $", question[:begin])
        begin = head.start() if head and head.group().strip() not in text.STOP_WORDS else begin
    return begin, end


def _runs(question: str) -> list[tuple[int, int]]:
    spans = []
    at = 0
    for name in names(question):
        begin = question.find(name, at)
        if begin >= 0:
            at = begin + len(name)
            spans.append((begin, at))
    return spans


def _shared_head(thing: str, question: str) -> tuple[int, int] | None:
    """Find "medali emas" for "medali perak"."""
    first, *rest = thing.split()
    if not rest or first in text.STOP_WORDS:
        return None
    match = re.search(rf"\b{re.escape(first)}((?: [\w-]+){{1,{len(rest)}}})", question, re.I)
    return match.span() if match else None
