"""Asks in Indonesian for what a sentence says, by its grammar; also in other words."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from index import text
from index.files import word_table
from qa.question import lexicon

FEWEST, MOST = 4, 14
"""Words of the clause that a question is made of."""

_LEAST_TELLING = 3
"""Words of a clause, but for stop words, that make it tell one event from others."""

IsCommon = Callable[[str], bool]
"""Tells whether a word, in small letters, is no name."""


class About(NamedTuple):
    """What is known of the article that a sentence stands in.

    `is_common` tells which words are no names, `people` are those it quotes (see `people`),
    `title` its headline's words.
    """

    is_common: IsCommon
    people: Mapping[str, str]
    title: frozenset[str]

    def names(self, word: str) -> bool:
        """Tell whether a word, as written, is a name or a part of one."""
        return word[:1].isupper() and not self.is_common(word.lower())


class Asked(NamedTuple):
    """A question for a part of a sentence: its kind, the part that answers, and its own words.

    `kept` are the words of the sentence that the question was made of.
    """

    kind: str
    text: str
    answer: str
    kept: str


# What a clause is --------------------------------------------------------------------------------

_MONTH = "|".join(text.MONTHS)
_DAY = "Senin|Selasa|Rabu|Kamis|Jumat|Jum'at|Sabtu|Minggu|Ahad"
_FIGURES = r"\(\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?\)"
_DATE = rf"\d{{1,2}} (?:{_MONTH})(?: \d{{4}})?"
_WHEN = re.compile(
    rf",? ?\b(?:[Pp]ada )?(?:hari |tanggal )?((?:(?:{_DAY}),? ?(?:pagi|siang|sore|petang|malam)? ?"
    rf"(?:{_FIGURES}|\(?{_DATE}\)?))|(?<=tanggal ){_DATE}|(?<=[Pp]ada ){_DATE}|"
    rf"(?<=[Pp]ada )(?:tahun |bulan )?(?:(?:{_MONTH}) )?(?:19|20)\d\d)"
    r"(?: (?:pagi|siang|sore|petang|malam|dini hari))?(?: (?:silam|lalu|mendatang|kemarin|ini))?"
    r"(?: waktu setempat| WIB| WITA| WIT)?(?![\w-])(?! (?:dan|hingga|sampai|s\.?d\.?) \d)"
)
_CLOCK = re.compile(
    r",? (?:pada |sekitar |mulai )*pukul \d{1,2}[.:]\d\d(?: (?:WIB|WITA|WIT))?", re.IGNORECASE
)
_WHERE = re.compile(
    r",? ?\b[Dd]i "
    r"((?:(?:kawasan|daerah|wilayah|kota|desa|rumah sakit|gedung|stadion|kantor|hotel|"
    r"jalan|kampus|markas|halaman|sekitar|pantai|pulau|sejumlah|lapangan|pelabuhan|bandara) ){0,2}"
    r"[A-Z][\w.'-]*(?: [A-Z0-9][\w.'-]*)*(?:, [A-Z][\w'-]*(?: [A-Z][\w'-]*)*){0,2})"
)
_REASON = re.compile(r",? \b(?:karena|lantaran|gara-gara|disebabkan oleh|disebabkan) (?!itu\b)")
_STOPS = re.compile(
    r",(?!\d)|[;:(]| [-–—]+ |(?: |^)(?:kendati|yang|bahwa|setelah|"
    r"usai|sebelum|saat|ketika|sejak|karena|lantaran|"
    r"akibat|sehingga|hingga|sampai|agar|supaya|meski\w*|walau\w*|sementara|sedangkan|namun|tetapi|"
    r"tapi|jika|bila|kalau|seperti|termasuk|yakni|yaitu|sambil|serta|demi|guna|menurut|apabila|"
    r"sekaligus|dengan|dimana|di mana|seiring|melainkan|tanpa|maupun|seusai|jelang|menjelang|usai|"
    r"selama|dan) "
)
_DISCOURSE = re.compile(
    r"^(?:Selain itu|Sementara itu|Sebelumnya|Namun|Diketahui|Seperti diketahui|Diberitakan "
    r"sebelumnya|Sebagai informasi|Di sisi lain|Tak hanya itu|Akibatnya|Kini|Bahkan|Adapun|"
    r"Sementara|Selanjutnya|Lebih lanjut|Untuk diketahui|Sekadar informasi|Kemudian|Lalu),? "
)
_FILLERS = re.compile(
    r" (?:sebelumnya|juga|pun|lantas|memang|sendiri|kemudian|bahkan|justru|tentunya|telah|sudah|"
    r"langsung|akhirnya|masih|sempat|diketahui|turut|secara resmi)(?= )"
)
_VERB = re.compile(r"^(?:me[lmnrwy]\w{4,}|di[a-z]{4,}|ber[a-z]{4,}|ter[a-z]{4,})$")
_SAID = (
    r"(?:mengatakan|menyebut(?:kan)?|menilai|menegaskan|menyatakan|menjelaskan|mengungkapkan|"
    r"menuturkan|mengaku|berharap|meminta|memastikan|mengklaim|membantah|menambahkan|mengakui|"
    r"menyampaikan|menerangkan|memaparkan|membenarkan|menduga|mengimbau|mengingatkan|meyakini|"
    r"menganggap|memprediksi|mengungkap|menceritakan|melaporkan|mempersilakan|"
    r"melanjutkan|berpandangan|berpendapat|berujar|berkata|menuding)"
)
_WORD = re.compile(r"[\w'’-]*\w|[A-Z]\.|\d[\d.,]*\d")


@functools.cache
def _words(kind: str) -> frozenset[str]:
    """Return the words of clause_words.txt that tell one thing."""
    return frozenset(word_table(Path(__file__).with_name("clause_words.txt"))[kind])


def questions(sentence: str, about: About) -> list[Asked]:
    """Return the questions that a sentence on one line answers, of each kind at most one."""
    if not _is_plain(sentence):
        return []
    said = re.sub(r" \((?!\d)[^()]*\)", "", _DISCOURSE.sub("", sentence)).rstrip(".")
    said = _FILLERS.sub("", _CLOCK.sub("", said))
    said = said[:1].upper() + said[1:]
    makers = (_when, _where, _why, _how_many, _who, _quote)
    made = (asked for maker in makers for asked in maker(said, about))
    return list({asked.kind: asked for asked in made}.values())


def _is_plain(sentence: str) -> bool:
    """Tell whether a sentence is whole, without quotation, holes of lost links, odd signs."""
    return (
        re.match(r"[A-Z0-9]", sentence) is not None
        and sentence.endswith(".")
        and not re.search(
            r"[\"“”‘*|#\[\]{}<>@�!?…]|,\s*,|,\S*[a-z],|,(?=[^\W\d])|\s,|  |[A-Z]{3,}-[A-Z][a-z]",
            sentence,
        )
        and sentence.count("(") == sentence.count(")")
        and 6 <= len(sentence.split()) <= 45
    )


def _main(said: str) -> str:
    """Return the main clause that a text begins with, up to what hangs on it.

    "" where that tells which of several things is meant, or what somebody wants or says.
    """
    found = _STOPS.search(said)
    if found and found[0].strip() in ("yang", "agar", "supaya", "bahwa"):
        return ""
    return said[: found.start()].strip() if found else said


def _verb_at(words: list[str]) -> int:
    """Return where the first verb of a clause stands, behind its subject; 0 if none does."""
    for at, word in enumerate(words[1:], start=1):
        if word in _words("verb") or (_VERB.match(word) and word not in _words("no verb")):
            return at
    return 0


def _is_clause(clause: str, about: About, *, subject: bool = True) -> bool:
    """Tell whether a clause stands by itself: with a subject and verb, a name, no pronoun."""
    words = clause.split()
    lowered = [word.lower() for word in words]
    if not FEWEST <= len(words) <= MOST or lowered[-1] in _words("no end") or words[0][0].isdigit():
        return False
    if _words("pronoun").intersection(lowered) or any(map(_leans, lowered)):
        return False
    if not all(map(_WORD.fullmatch, words)) or lowered[-1] in text.NUMERALS:
        return False
    if text.QUESTION_WORDS.intersection(lowered) - {"berapa"}:
        return False
    if subject and not _has_subject(words, about):
        return False
    telling = [w for w in text.words(clause) if w not in text.STOP_WORDS and not w[0].isdigit()]
    named = any(about.names(word) for word in words)
    return named and len(set(telling)) >= _LEAST_TELLING


def _has_subject(words: list[str], about: About) -> bool:
    """Tell whether a clause begins with somebody or something that can be known out of context."""
    verb = _verb_at(words)
    if not verb or words[0].lower() in _words("no subject"):
        return False
    if verb == 1:
        # "Satria" is somebody else in the next article, unless the headline is about him.
        return words[0].isupper() or words[0] in about.title
    return verb > 2 or any(about.names(word) for word in words[:verb])


def _leans(word: str) -> bool:
    return word.endswith("nya") and len(word) > 4 and word not in _words("whole")


def _within(clause: str, about: About) -> str:
    """Return a clause as it stands in a sentence: its first letter small unless it is a name."""
    first, space, rest = clause.partition(" ")
    return (first.lower() if about.is_common(first.lower()) else first) + space + rest


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


# Who is a person ---------------------------------------------------------------------------------

_FULL_NAME = re.compile(
    r"\b(?:kata|ujar|tutur|ucap|ungkap|jelas|tegas|papar|terang|imbuh|tambah|sebut|beber) "
    r"((?:[A-Z][\w'’]+ ?)+)"
)


def people(body: str) -> dict[str, str]:
    """Return the full names of those whom an article quotes, by their first and last words."""
    found: dict[str, str] = {}
    for match in _FULL_NAME.finditer(body):
        run = match[1].split()
        if len(run) == 1:
            # Who is called by one name here was introduced by the whole of it before.
            run = _introduced(run[0], body)
        if 2 <= len(run) <= 3 and not any(
            w.lower() in _words("office") or w.isupper() for w in run
        ):
            name = " ".join(run)
            found.update({name: name, run[0]: name, run[-1]: name})
    return found


def _introduced(name: str, body: str) -> list[str]:
    quoted = re.escape(name)
    before = re.search(rf"\b{quoted}(?: [A-Z][a-z'’]+){{1,2}}\b", body)
    return before[0].split() if before else [name]


def _in_full(clause: str, known: Mapping[str, str]) -> str:
    """Return a clause with the full name of the person that it begins with."""
    words = clause.split()
    alone = len(words) > 1 and words[0] in known and not words[1][0].isupper()
    return " ".join([known[words[0]], *words[1:]]) if alone else clause


# Kinds of questions ------------------------------------------------------------------------------


def _when(said: str, about: About) -> Iterator[Asked]:
    yield from _without("when", "Kapan", _WHEN, said, about)


def _where(said: str, about: About) -> Iterator[Asked]:
    yield from _without("where", "Di mana", _WHERE, _dateless(said), about)


def _dateless(said: str) -> str:
    return _upper(_WHEN.sub("", said, count=1).strip(" ,"))


def _without(
    kind: str, asking: str, answer: re.Pattern[str], said: str, about: About
) -> Iterator[Asked]:
    """Ask for a time or place of the main clause, which stands in it, at its end, or before it."""
    found = answer.search(said)
    if not found:
        return
    before, after = said[: found.start()], said[found.end() :]
    clause = _main(f"{before}{after}" if before.strip() else after.lstrip(" ,"))
    # What hangs on the clause has its own time and place.
    if len(before) > len(clause) or (before.strip() and not _verb_at(before.split())):
        return
    if re.search(rf"\b(?:untuk|adalah|ialah|tidak|tak|bukan|{_SAID})\b", clause):
        return
    behind = clause[len(before) :].split() if before.strip() else []
    if _verb_at(["x", *behind]) or (behind and kind == "where"):
        # It may be the time or place of the subject, or of another part, alone.
        return
    if kind == "where" and found[1].split()[0].lower() in _words("no place"):
        return
    clause = _in_full(clause, about.people)
    if _is_clause(clause, about):
        asked = f"{asking} {_within(clause, about)}?"
        yield Asked(kind, asked, found[1].strip(" ,"), clause)


def _why(said: str, about: About) -> Iterator[Asked]:
    found = _REASON.search(said)
    if not found:
        return
    before = _dateless(said[: found.start()])
    clause, answer = _main(before), re.split(r"[,;]", said[found.end() :])[0].strip()
    if clause != before or re.search(rf"\b{_SAID}\b", clause) or len(answer.split()) < 2:
        return
    clause = _in_full(clause, about.people)
    if _is_clause(clause, about):
        yield Asked("why", f"Mengapa {_within(clause, about)}?", answer, clause)


_NUMBER = (
    r"(?:Rp ?)?\d[\d.,]*(?: (?:ribu|juta|miliar|triliun))?|"
    r"(?:dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|sepuluh|ratusan|ribuan|puluhan|belasan)"
    r"(?: (?:belas|puluh|ratus|ribu|juta))?"
)
_UNITS = (
    "orang|rumah|unit|warga|anggota|korban|ekor|hektare|hektar|ton|kilogram|kilometer|pasien|siswa|"
    "mahasiswa|peserta|penumpang|kendaraan|mobil|gol|poin|kali|kursi|suara|desa|kecamatan|"
    "kabupaten|provinsi|negara|saksi|pelaku|tersangka|pemain|pekerja|karyawan|perusahaan|persen|"
    "kapal|pesawat|personel|petugas|sekolah|gedung|bangunan|pohon|kasus|paket|keluarga|jiwa|lembar|"
    "liter|lokasi|titik|penonton|tahun penjara|bulan penjara|medali|trofi|gelar|episode|lagu|desain"
)
_ABOUT = r"(?: (?:sekitar|sekira|hampir|lebih dari|kurang dari|kurang lebih|total|hingga))*"
_COUNT = re.compile(rf"{_ABOUT} (?P<number>{_NUMBER}) (?P<unit>{_UNITS})\b(?!/)")
_AMOUNT = re.compile(
    rf" (?P<lead>sebesar|senilai|mencapai|sebanyak|seharga|sejauh|seluas){_ABOUT} "
    rf"(?P<number>{_NUMBER})(?![\w.])(?P<unit> (?:{_UNITS})\b)?"
)
_HEAD = re.compile(
    r"^(?:(?:Sebanyak|Sedikitnya|Setidaknya|Sekitar|Ada|Tercatat|Total) )"
    rf"(?P<number>{_NUMBER}) (?=[a-z])"
)


def _how_many(said: str, about: About) -> Iterator[Asked]:
    """Ask for a number where it stands, as people do: "menewaskan berapa orang"."""
    clause = _main(_dateless(said))
    head = _HEAD.match(clause)
    if head:
        rest = clause[head.end() :]
        if _is_clause(rest, about, subject=False) and _verb_at(rest.split()):
            yield Asked("howmany", f"Berapa {rest}?", head["number"], rest)
        return
    clause = _in_full(clause, about.people)
    found = _AMOUNT.search(clause) or _COUNT.search(clause)
    if not found or re.search(rf"\b(?:{_SAID}|\d+ tahun \d+)\b", clause):
        return
    before, after = clause[: found.start()], clause[found.end() :]
    lead, unit = found.groupdict().get("lead"), (found["unit"] or "").strip()
    asked = " ".join(filter(None, (before, lead, "berapa", unit, after.strip())))
    if _verb_at(before.split()) and _is_clause(asked, about):
        number = found["number"] + (f" {unit}" if unit else "")
        yield Asked("howmany", f"{_upper(asked)}?", number, f"{before} {unit} {after}")


_SUBJECT = re.compile(
    r"^(?P<who>[A-Z][\w'’./-]*(?: (?:[A-Z][\w'’./-]*|dan|bidang))*),? "
    r"(?P<verb>me[a-z]{5,}|ber[a-z]{4,})\b(?P<rest>.*)$"
)


def _who(said: str, about: About) -> Iterator[Asked]:
    """Ask who does something, where the subject ends with a person's full name."""
    found = _SUBJECT.match(_in_full(_dateless(said), about.people))
    if not found or found["verb"] in _words("no verb"):
        return
    who = found["who"].split()
    name = next(
        (n for n in (" ".join(who[at:]) for at in range(len(who))) if n in about.people), ""
    )
    clause = _main(found["verb"] + re.sub(r"^,? bahwa ", " ", found["rest"]))
    words = clause.split()
    inner = _verb_at(words)
    # What is said is a sentence of its own, of which no part may be missing.
    if len(words) - inner <= _LEAST_TELLING or (re.fullmatch(_SAID, words[0]) and not inner):
        return
    if " " in name and _is_clause(clause, about, subject=False):
        # Later in an article a person is called by one name.
        written = name if name in said else said.split()[0]
        yield Asked("who", f"Siapa yang {clause}?", written, clause)


_SAYS = re.compile(
    r"^(?P<who>[A-Z][^,]{2,80}?),? (?:mengatakan|menyebut|menilai|menegaskan|menyatakan|"
    r"menjelaskan|"
    r"mengungkapkan|menuturkan|memastikan|mengklaim|menambahkan|mengakui|menerangkan|memaparkan|"
    r"membenarkan|menduga|meyakini|memprediksi),? (?:bahwa )?(?P<what>.+)$"
)


def _quote(said: str, about: About) -> Iterator[Asked]:
    """Ask what somebody said of the thing that what he said begins with."""
    found = _SAYS.match(_in_full(_dateless(said), about.people))
    if not found:
        return
    who, what = found["who"].split(), found["what"].split()
    topic = what[: max(_verb_at(["x", *what]) - 1, 0)]
    while topic and topic[-1].lower() in _words("no end"):
        topic.pop()
    lowered = [word.lower() for word in (*who, *topic)]
    if not (1 < len(topic) <= 6 and 1 < len(who) <= 9) or _verb_at(who):
        return
    if {lowered[0], topic[0].lower()} & _words("no subject") or _words("no topic").intersection(
        lowered
    ):
        return
    if _words("pronoun").intersection(lowered) or any(map(_leans, lowered)):
        return
    if not all(map(_WORD.fullmatch, (*who, *topic))) or not about.names(who[-1]):
        return
    speaker, topics = _within(" ".join(who), about), " ".join(topic)
    asked = f"Apa kata {speaker} soal {topics}?"
    yield Asked("quote", asked, " ".join(what), f"{speaker} {topics}")


def headline(title: str, about: About) -> str:
    """Return a question whether what a headline says is so; "" for one that is no clause."""
    words = title.split()
    small = [w if w.isupper() or not about.is_common(w.lower()) else w.lower() for w in words]
    if not 5 <= len(words) <= 13 or not all(map(_WORD.fullmatch, words)):
        return ""
    first, last = words[0].lower(), words[-1].lower()
    if (
        first in _words("no subject") | _words("no headline")
        or last in _words("no end")
        or first[0].isdigit()
    ):
        return ""
    if _words("pronoun").intersection(map(str.lower, words)) or not _has_subject(small, about):
        return ""
    if _verb_at(["x", *small]) == 1 or sum(about.names(w) for w in small) > 6:
        return ""
    return f"Benarkah {' '.join(small)}?"


# Other words -------------------------------------------------------------------------------------


@functools.cache
def _synonyms() -> Mapping[str, Sequence[str]]:
    return word_table(Path(__file__).with_name("synonyms.txt"))


def in_other_words(asked: str, rng: random.Random, most: int) -> str:
    """Return a question with up to `most` of its words replaced by others that mean the same."""
    words = asked.rstrip("?").split()
    places = [at for at, word in enumerate(words) if word in _synonyms()]
    for at in rng.sample(places, min(most, len(places))):
        words[at] = rng.choice(_synonyms()[words[at]])
    return " ".join(words) + "?"


def _may_end(words: list[str]) -> bool:
    last = words[-1].lower()
    whole = last not in _words("no end") | text.NUMERALS
    return whole and len(text.query_stems(" ".join(words))) >= _LEAST_TELLING


def shortened(asked: str, rng: random.Random) -> str:
    """Return a question without a last part that tells circumstances, if enough is left."""
    words = asked.rstrip("?").split()
    if words[0] in ("Siapa", "Apa"):
        # What somebody did or said is told by all of it.
        return asked
    asking = words.index("berapa") if "berapa" in words else 0
    behind = range(max(5, _verb_at(words) + 1, asking + 2), len(words))
    cuts = [at for at in behind if words[at] in _words("preposition")]
    telling = [at for at in cuts if _may_end(words[:at])]
    return " ".join(words[: rng.choice(telling)] if telling else words) + "?"


def typed(asked: str, rng: random.Random) -> str:
    """Return a question as it is typed in haste: small letters, chat's short words, two slips."""
    chat = lexicon.table("chat_words")
    words = asked.rstrip("?").lower().split()
    long = [at for at, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    for at in rng.sample(long, min(2, len(long))):
        word = words[at]
        cut = rng.randrange(1, len(word) - 2)
        slip = word[cut + 1] + word[cut] if rng.random() < 0.5 else word[cut + 1]
        words[at] = word[:cut] + slip + word[cut + 2 :]
    shorter = {
        word: [form for form in chat.get(word, ()) if len(form) < len(word)] for word in words
    }
    return " ".join(rng.choice(shorter[word] or [word]) for word in words)
