"""What a conversation is about: its subjects, and what is said about the turns before."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import replace

from index import text
from index.records import Turn
from qa.question.follow_up import Subject, topic_of
from qa.question.small_talk import SMALL_TALK

_MOST_ARTICLES = 6
_MOST_SAID = 6
_FOUND = 2


def _only(question: str, core: Set[str], around: Set[str]) -> bool:
    """Return whether a question has one of the core words, and no others but those around them."""
    words = set(text.words(question))
    return bool(words & core) and words <= core | around


def subjects(turns: Sequence[Turn]) -> list[Subject]:
    """Return the subjects of a conversation, that of the last turn last."""
    found: list[Subject] = []
    for turn in turns:
        query, answer = turn.query, turn.answer
        if query.kind == SMALL_TALK:
            continue
        cited = dict.fromkeys(c.passage.article_id for c in answer.citations)
        if not cited and not query.prefer:
            # Nothing was shown, but what was found is the likeliest story still.
            cited = dict.fromkeys(h.passage.article_id for h in answer.evidence.hits[:_FOUND])
        days = [c.passage.published for c in answer.citations]
        titles = dict.fromkeys(c.passage.title for c in answer.citations)
        short = ((query.kind, answer.short_answer),) if answer.short_answer else ()
        last = Subject("")
        if found and (query.prefer or query.own):
            last = found.pop(_same(found, query.prefer))
        elif found and set(cited) & set(found[-1].articles):
            last = found.pop()
        new = Subject(
            query.text,
            query.read,
            tuple(dict.fromkeys((*cited, *last.articles)))[:_MOST_ARTICLES],
            (*short, *last.said)[:_MOST_SAID],
            tuple(dict.fromkeys((*titles, *last.titles)))[:_MOST_ARTICLES],
            last.topic or topic_of(query.text),
            max(filter(None, days), default=last.newest),
            turn.question,
            last.first or turn.question,
            answer.evidence.readings[0].short if cited and answer.evidence.readings else "",
        )
        found.append(new)
    return found


def _same(found: Sequence[Subject], prefer: Sequence[str]) -> int:
    """Return which subject a turn went on with: that of most of the articles it preferred."""
    shared = [len(set(prefer) & set(subject.articles)) for subject in found]
    return max(range(len(found)), key=lambda n: (shared[n], n))


_BACK = re.compile(
    r"\b(?:balik(?:an)?|kembali|tadi|sebelumnya|yang pertama|lanjut(?:kan|in)?)\b", re.IGNORECASE
)
_BACK_WORDS = re.compile(
    r"^\W*(?:(?:oke?|nah|eh|terus|lalu|kalau|mau|mari|coba|kita|ya|saya) )*"
    r"(?P<says>(?:balik|kembali|lanjut(?:kan|in)?) (?:(?:lagi|dulu) )?)?"
    r"(?:(?:ke|soal|tentang|pada|untuk|kasus|berita|yang) )*",
    re.IGNORECASE,
)


def returned(question: str, found: Sequence[Subject]) -> tuple[str, Subject | None, bool]:
    """Return a question without the words that go back to an earlier subject, and its subject.

    That is the one which shares most words with it that the last subject does not have, else the
    last one; the third value tells whether it goes back to what none of them is known by.
    """
    last = found[-1] if found else None
    if last is None or not _BACK.search(question):
        return question, last, False
    lead = _BACK_WORDS.match(question)
    bare = question[lead.end() :] if lead else question
    bare = " ".join(re.sub(r"\b(?:tadi|sebelumnya)\b", "", bare, flags=re.IGNORECASE).split())
    bare = bare.replace(" ,", ",") or question
    mine = set(text.query_stems(question))
    now = _stems(last)
    shared = [len(mine & _stems(subject) - now) for subject in found[:-1]]
    if not any(shared):
        says = bool(lead and lead["says"])
        return (bare if says else question), last, says and not mine & now
    subject = found[max(range(len(shared)), key=lambda n: (shared[n], n))]
    _, comma, rest = bare.partition(",")
    return (rest.strip() if comma and text.query_stems(rest) else bare), subject, False


def _stems(subject: Subject) -> set[str]:
    said = " ".join(short for _, short in subject.said)
    return set(text.stems(f"{subject.text} {subject.topic} {said} {' '.join(subject.titles)}"))


# What is said about the answer before -------------------------------------------------------------

_DOUBT = frozenset(
    "yakin serius masa masak beneran bener benar betul benarkah betulkah really sure".split()
)
_SOURCE = frozenset(
    "sumber sumbernya bukti buktinya tahu tau link linknya rujukan rujukannya source".split()
)
_HEARD = frozenset("info infonya berita beritanya dapat dapet".split())
_NEWER = frozenset("terbaru terbarunya terkini update updatenya teranyar".split())
_AROUND = frozenset(
    "eh oh lho loh hah ah kok tapi ini itu wah apa kamu anda emang memang apakah nih tuh sih iya "
    "begitu gitu segitu tidak nggak gak ya dengan jawabannya mana boleh minta ada dari coba kasih "
    "tunjukkan lihat cek di dong tersebut media siapa yang cari artikel kabar adakah kalau "
    "tampilkan punya lagi bagaimana gimana soal are you bilang tulis nulis menulis".split()
)
_DOUBT_WITH_REASON = re.compile(
    r"\W*(?:(?:eh|oh|lho|loh|hah|ah|wah|tapi|kok) )*(?:yakin|serius|masa|masak)\b.*"
    r"\bada (?:media|berita|artikel|koran|situs|yang)\b",
    re.IGNORECASE,
)
_NOT_THAT = re.compile(
    r"^\W*(?:(?:eh|oh|tapi|lho) )?(?:bukan|jangan)"
    r"(?:(?: (?:yang|kasus|soal|artikel))* (?:itu|ini|tadi|dia|di sana)|,)"
    r"(?: (?:deng|dong|sih))?\W*"
    r"(?:(?:tapi|melainkan|maksud(?:ku| saya|nya)?) )*(?P<other>\S.*)$",
    re.IGNORECASE,
)


def doubted(question: str) -> bool:
    """Return whether a turn only asks what the answer rests on: "yakin?", "sumbernya?"."""
    if _only(question, _HEARD, _AROUND) and "dari mana" in question.lower():
        return True
    if _only(question, _DOUBT | _SOURCE, _AROUND | _HEARD):
        return True
    # "Masa turun? Ada berita yang bilang naik": doubt with its reason, and no question of its own.
    return bool(_DOUBT_WITH_REASON.match(question)) and not _ASKS.search(question)


_ASKS = re.compile(
    r"\b(?:apa|siapa|kapan|kenapa|mengapa|bagaimana|(?:di|ke|dari) ?mana|mana|berapa|bukannya|"
    r"bukankah|apakah)\b",
    re.IGNORECASE,
)


def led(question: str) -> tuple[str, str]:
    """Split a turn of two parts, the first of which only doubts or narrows the answer before.

    "Yakin? Bukannya sudah ditahan?", "yang lebih baru ada? dia ditahan di mana". Returns the first
    part and the question after it; "" and the whole question for any other.
    """
    for match in re.finditer(r"[?,.!;]\s+", question):
        lead, rest = question[: match.start()], question[match.end() :]
        if not _ASKS.search(rest) or not (doubted(lead) or newer(lead) or dated(lead)):
            continue
        return lead, re.sub(r"^bukan(?:nya|kah)\b", "apakah", rest, flags=re.IGNORECASE)
    return "", question


def dated(question: str) -> bool:
    """Return whether a turn only asks for what a day tells: "yang tanggal 16 Oktober ada?"."""
    return bool(_OF_A_DAY.fullmatch(question))


_OF_A_DAY = re.compile(
    r"\W*(?:(?:coba|cari|berita|artikel|kabar|yang|dari) )*(?:tanggal|tgl|bulan|tahun) "
    r"(?:\w+ ){0,3}?\w+(?: (?:ada|coba|kan|saja|aja|tidak|dong|mana))*\W*",
    re.IGNORECASE,
)


def newer(question: str) -> bool:
    """Return whether a turn asks for a newer answer: "yang lebih baru ada?"."""
    comparing = re.sub(r"\b(?:lebih|paling) (?:baru|anyar)\b", "terbaru", question.lower())
    return _only(comparing, _NEWER, _AROUND | _HEARD)


def other_than(question: str) -> str:
    """Return what is meant instead: "bukan yang itu, yang di Bekasi" -> "di Bekasi"; else ""."""
    match = _NOT_THAT.match(question)
    if not match:
        return ""
    return re.sub(r"^(?:yang|soal)\s+", "", match["other"].rstrip(" ?.!"), flags=re.IGNORECASE)


def without(subject: Subject) -> Subject:
    """Return a subject whose articles are not to be gone on with."""
    return replace(subject, articles=(), said=())
