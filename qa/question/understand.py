"""Turns what a person typed into a `Query`: a question that stands alone, its kind, its filter."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from index import text
from index.engine import SearchIndex
from index.errors import InputError
from index.records import Filter, Query
from qa.question import dates, english, follow_up
from qa.question.dates import When
from qa.question.follow_up import Before
from qa.question.spelling import Speller

LONGEST = 2000
"""Characters of a question that are read."""

# The first that matches is the kind.
KINDS = (
    (
        "latest",
        r"\b((kabar|berita|info|informasi|perkembangan) (terbaru|terakhir|terkini|teranyar)|"
        r"terkini|update(nya)?|apa kabar(nya)?|latest)\b",
    ),
    (
        "development",
        r"\b(perkembangan|kelanjutan|kronologi|perjalanan (kasus|perkara|karier|proyek)|"
        r"dari awal (sampai|hingga))(nya)?\b",
    ),
    ("howmany", r"\b((se)?berapa(kah)?|how (many|much|long|old|big|large|far|high|tall|deep))\b"),
    (
        "why",
        r"\b(mengapa(kah)?|kenapa(kah)?|apa (saja )?(yang )?(jadi |menjadi )?"
        r"(penyebab|sebab|alasan|pemicu|biang)\w*|apa yang (menyebabkan|memicu|membuat)|"
        r"(gara-gara|karena|akibat|lantaran|untuk) apa|ngapain|why|what caused)\b",
    ),
    ("when", r"\b(kapan(kah)?|bilamana(kah)?|bilakah|hari apa|bulan apa|when|what (year|date))\b"),
    (
        "where",
        r"\b((di|ke|dari) ?mana(kah)?|(lokasi|tempat|letak)\w* (apa|mana|di mana)|where|"
        r"(di|ke|dari) (negara|kota|provinsi|propinsi|daerah|desa|kabupaten|kecamatan|pulau|"
        r"stadion|gedung|bandara|tempat|lokasi|kampung|jalan) (mana|apa)(kah)?)\b",
    ),
    (
        "quote",
        r"\b((apa|bagaimana) (kata|ujar|ucap|tutur|isi pernyataan|pernyataan|komentar|tanggapan|"
        r"pendapat|respons|reaksi|pesan|imbauan|harapan)(nya)?|"
        r"apa(kah)? (saja )?yang (\w+ )?(di)?(katakan|sampaikan|ungkapkan|nyatakan|tegaskan|"
        r"ucapkan|jelaskan|tuturkan|mengatakan|menyatakan|bilang|omongkan|kemukakan)|"
        r"(bilang|ngomong|berkata|mengatakan|komentar|katanya) apa|apa katanya|"
        r"what (did|does|has|have) .{1,60}? (say|said))\b",
    ),
    ("who", r"\b(siapa(kah)?|who|whom|whose)\b"),
    ("how", r"\b(bagaimana(kah)?|gimana|(cara|lewat|melalui) (apa|mana)|how)\b"),
    ("what", r"\b(apa|apa saja|apaan|manakah|mana|what|which)\b"),
    (
        "yesno",
        r"\b(apakah|benarkah|betulkah|adakah|sudahkah|bisakah|"
        r"(nggak|enggak|tidak|belum|bukan)(?= *\?*$))",
    ),
    (
        "comparison",
        r"^(tolong )?bandingkan\b|\bperbandingan\b|\b(apa|di mana) (saja )?(per)?beda(an)?(nya)?\b|"
        r"\bbeda(nya)? (apa|antara)\b|\blebih \w+ (yang )?mana\b|\bmana(kah)? (yang )?lebih\b|"
        r"\bdibanding(kan)? (dengan )?(siapa|apa|yang mana)\b|\blebih \w+ [^?]+ atau \w+|"
        r"\b(difference between|compare)\b",
    ),
)
_KINDS = tuple((kind, re.compile(pattern)) for kind, pattern in KINDS)
_NEWS_ABOUT = re.compile(
    r"\b(kabar|berita|info(rmasi)?|isu|cerita)( (?!apa\b)\w+){0,2}( apa)?( saja)? "
    r"(soal|tentang|mengenai|seputar|terkait|menyangkut|ihwal)\b"
)
_FACT = re.compile(
    r"\b(siapa|kapan|berapa|mengapa|kenapa|apakah|benarkah|(di|ke|dari) ?mana|penulis)(kah)?\b"
)
_STATE = re.compile(
    r"^\W*bagaimana(kah)? (?!(cara|proses|mekanisme|prosedur|bisa|mungkin|bentuk|bunyi|ciri|sifat|"
    r"struktur|sistem|rumus|hubungan)(nya)?\b)"
    r"|\b(belakangan( ini)?|(akhir-akhir|baru-baru|saat) ini|terbaru|terkini|sekarang)\b"
    r"|\b(kabar|berita)\b",
    re.IGNORECASE,
)
_COMPARISON = _KINDS[-1][1]
_WHEN_COUNT = re.compile(r"\b(tanggal|tahun|bulan|pukul|jam|hari) berapa\b")
_YESNO_START = re.compile(
    r"^\s*(benarkah|betulkah|adakah|sudahkah|bisakah|akankah|mungkinkah|pernahkah|haruskah|"
    r"is|are|was|were|did|does|do|has|have|had|can|will)\b"
)

# How people write in chats; "" is dropped. Names and the search's own stop words stay untouched.
_COLLOQUIAL = {
    **dict.fromkeys("gimana gmn gmna bgmn bgimana".split(), "bagaimana"),
    **dict.fromkeys("knp knapa napa ngapa".split(), "kenapa"),
    **dict.fromkeys("dimana dmn dmana".split(), "di mana"),
    **dict.fromkeys("kemana kmn kmana".split(), "ke mana"),
    **dict.fromkeys("brp brapa".split(), "berapa"),
    **dict.fromkeys("gak ga gk nggak ngga enggak engga kagak tdk tak".split(), "tidak"),
    **dict.fromkeys("udah udh sdh".split(), "sudah"),
    **dict.fromkeys("blm belom".split(), "belum"),
    **dict.fromkeys("kalo klo klu".split(), "kalau"),
    **dict.fromkeys("sih dong kok nih tuh deh loh lho kan ya yah yak bgt banget".split(), ""),
    **dict(
        pair.split("=")
        for pair in (
            "darimana=dari_mana kpn=kapan siapo=siapa apaan=apa yg=yang dgn=dengan utk=untuk "
            "dlm=dalam krn=karena karna=karena aja=saja emang=memang gara2=gara-gara org=orang "
            "jgn=jangan bs=bisa dpt=dapat ttg=tentang tsb=tersebut skrg=sekarang thn=tahun"
        ).split()
    ),
}
_WHY_START = re.compile(r"^(kok|koq)\b(?= )", re.IGNORECASE)

_NEWS = re.compile(
    r"\b(berita(nya)?|kabar(nya)?|artikel|liputan|warta|diberitakan|dimuat|diterbitkan|terbit|"
    r"terbitan|edisi|headline|apa (saja )?yang terjadi|peristiwa apa)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Understood:
    """One way to understand a question; `notice` tells the person what was done to its words.

    `own` are words that a follow-up must find covered, by an article cited before if `cited`.
    A `trial` is kept only if its filter does not make the answer worse than the next meaning's.
    `widened` is a filter of the question that was lifted for want of an answer; `swaps` are
    corrected words, (typed, meant).
    """

    query: Query
    notice: str = ""
    own: str = ""
    cited: bool = False
    trial: bool = False
    widened: Filter = Filter()
    swaps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question's words in Indonesian, well spelled, and the filter that stands in them."""

    text: str
    read: Filter
    whole: str
    named: Filter = Filter()


_COURTESY = frozenset(
    "terima terimakasih makasih makasi trims thanks thank halo hai hi hello hey selamat ok oke "
    "okay baik baiklah siap sip mantap assalamualaikum".split()
)
_POLITE = _COURTESY | frozenset(
    "kasih you pagi siang sore malam ya sudah banyak kak min bang mas mbak pak bu atas "
    "bantuannya infonya jawabannya".split()
)


def is_courtesy(asked: str) -> bool:
    """Tell whether nothing is asked: "terima kasih banyak", "halo"."""
    words = text.words(asked)
    return bool(words) and words[0] in _COURTESY and _POLITE.issuperset(words) and "?" not in asked


def understand(
    asked: str,
    before: Before | None = None,
    chosen: Filter = Filter(),  # noqa: B008
    *,
    today: dt.date,
    index: SearchIndex | None = None,
    speller: Speller | None = None,
) -> list[Understood]:
    """Return the meanings of a question, to be tried in this order until one is answered.

    `before` is the turn before; `chosen` is the filter that the person set, which outweighs one
    that stands in the question. Words are corrected by `speller`, publishers known by `index`.
    """
    words, notices, swaps = _worded(" ".join(asked[:LONGEST].split()), index, speller)
    publishers = [name for name, _ in index.version.publishers] if index else []
    meanings = _in_conversation(words, before, chosen, today, publishers)
    if not any(meant.query.kind == "development" for meant in meanings):
        meanings.extend(_as_topic(meanings[-1]))
    if before is None and english.NOTICE in notices:
        typed = " ".join(asked[:LONGEST].split())
        meanings = [replace(m, query=replace(m.query, english=typed)) for m in meanings]
    return [replace(r, notice=" ".join(notices), swaps=swaps) for r in meanings]


def _worded(
    question: str, index: SearchIndex | None, speller: Speller | None
) -> tuple[str, list[str], tuple[tuple[str, str], ...]]:
    """Put a question into well spelled Indonesian; tell what was done to it."""
    notices = []
    if english.is_english(question):
        question = english.to_indonesian(question, lambda words: _counts(words, index))
        notices.append(english.NOTICE)
    question = _formal(question)
    if speller is None:
        return question, notices, ()
    spelled = speller.correct(question)
    if spelled.swaps:
        meant = ", ".join(f"“{right}”" for _, right in spelled.swaps)
        typed = ", ".join(f"“{wrong}”" for wrong, _ in spelled.swaps)
        notices.append(f"Menampilkan hasil untuk {meant}, bukan {typed}.")
    return spelled.text, notices, spelled.swaps


def _counts(words: Sequence[str], index: SearchIndex | None) -> list[int]:
    if index is None:
        return [1] * len(words)
    return [max(index.frequencies(text.stems(word)), default=0) for word in words]


def _formal(question: str) -> str:
    """Put chat words into those that newspapers use: "knp" becomes "kenapa"."""
    question = _WHY_START.sub("kenapa", question)
    kept = []
    for word in question.split():
        bare = word.strip(",.?!")
        meant = _COLLOQUIAL.get(bare.lower()) if not bare.isupper() else None
        if meant is None:
            kept.append(word)
        elif meant:
            said = meant.replace("_", " ")
            kept.append(word.replace(bare, said.capitalize() if bare.istitle() else said))
        elif word.endswith("?") and kept:
            kept[-1] += "?"
    return " ".join(kept) or question


_BARE = 6
"""Words that name a topic and ask nothing of it."""


def _as_topic(meant: Understood) -> list[Understood]:
    """Return the meaning as a topic, where a question of how things stand may be read so.

    So may a few bare words: "gempa Tarrawe".
    """
    query = meant.query
    bare = query.kind == "other" and len(text.query_stems(query.text)) <= _BARE
    asks = query.kind in ("how", "what", "other") and _STATE.search(query.text)
    if not bare and not asks:
        return []
    return [replace(meant, query=replace(query, kind="development"))]


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
    if _is_recent(meant) or _NEWS.search(words):
        words = _without(words, meant)
        if meant.relative:
            # In the articles of other days "minggu lalu" is another week.
            others = [w for w in dates.dates(whole, today) if w.relative]
            whole = _without(whole, others[0]) if others else whole
        return _Asked(words, Filter(meant.after, meant.before, names), whole)
    return _Asked(words, Filter(publishers=names), whole, Filter(meant.after, meant.before))


_BRIEF = dt.timedelta(days=100)


def _is_recent(date: When) -> bool:
    return bool(date.relative and date.after and date.before and date.before - date.after < _BRIEF)


def _without(words: str, date: When) -> str:
    return _tidy(f"{words[: date.start]} {words[date.end :]}")


def _tidy(words: str) -> str:
    words = re.sub(r"\s+([?,.!])", r"\1", " ".join(words.split()))
    words = re.sub(r"^[,.\s]+|[,\s]+(?=\?$)", "", words)
    return f"{words[:1].upper()}{words[1:]}"


_CITED = re.compile(
    r"\b(?:menurut|versi|dilansir|melansir|dikutip|mengutip|diberitakan|dimuat|dilaporkan|ditulis|"
    r"(?:kata\s+)?(?:berita|kabar|artikel|laporan|liputan|tulisan)(?=\s+(?:di|dari|pada|oleh)\b)|"
    r"(?:di|dari|pada)\s+(?=(?:koran|harian|media|portal|situs|laman|surat kabar|berita)\b)|"
    r"(?P<bare>di|dari)(?=\s))"
    r"(?:\s+(?:di|dari|pada|oleh|dalam))?(?P<kind>\s+(?:koran|harian|media|portal|situs|laman|"
    r"surat kabar|berita)(?=\s))*\s+",
    re.IGNORECASE,
)
_ABOUT_PAPERS = re.compile(
    r"\b(karyawan|wartawan|jurnalis|redaksi|redaktur|pemimpin|saham|kantor|pemilik|pelanggan|"
    r"oplah|pendiri|didirikan|situs|pembaca)\b",
    re.IGNORECASE,
)


def _without_publisher(question: str, publishers: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Take "menurut Kompas" out of a question; return the publishers that it means.

    A publisher that a question is about is left in it.
    """
    if not publishers:
        return question, ()
    known = _by_key(publishers)
    for cue in _CITED.finditer(question):
        if cue["bare"] and _ABOUT_PAPERS.search(question):
            continue
        # "Harian Samudra" may be a paper's whole name, or "harian" only say what it is.
        for begin in (cue.start("kind"), cue.end()):
            found = _publisher_at(question[max(begin, 0) :], known, bool(cue["bare"]))
            if begin >= 0 and found:
                names, rest = found
                left = f"{question[: cue.start()]} {rest}".rstrip()
                end = "?" if question.endswith("?") and not left.endswith("?") else ""
                return _tidy(left + end), names
    return question, ()


def _publisher_at(
    said: str, known: Mapping[str, Sequence[str]], bare: bool
) -> tuple[tuple[str, ...], str] | None:
    """Return the publishers that some words begin with, and the words after them."""
    words = said.split()
    for length in range(min(4, len(words)), 0, -1):
        name = " ".join(words[:length]).rstrip("?,.!")
        names = known.get(_key(name))
        # "di antara" is no paper; "di detik.com" and "di Antara" are.
        if names and not (bare and name.islower() and "." not in name and len(name) < 8):
            return tuple(names), " ".join(words[length:])
    return None


def limits(chosen: Filter) -> str:
    """Say a filter within a sentence: "pada 15 Desember 2016", "dari Kompas.com"."""
    first, last = map(dates.written, (chosen.after, chosen.before))
    days = ""
    if first and last:
        days = f"pada {first}" if first == last else f"antara {first} dan {last}"
    elif first or last:
        days = f"sejak {first}" if first else f"sampai {last}"
    names = f"dari {', '.join(chosen.publishers)}" if chosen.publishers else ""
    return " ".join(filter(None, [days, names]))


# Conversations -----------------------------------------------------------------------------------


def _in_conversation(
    question: str, before: Before | None, chosen: Filter, today: dt.date, known: Sequence[str]
) -> list[Understood]:
    bare, names = _without_publisher(question, known)
    leans = follow_up.leans(bare) if before else "no"
    alone = _meanings(_dated(bare, question, names, today), chosen)
    if before is None:
        return alone
    joined = follow_up.standalone(bare, before, today)[:LONGEST]
    whole = follow_up.standalone(question, before, today)[:LONGEST]
    following = _meanings(_dated(joined, whole, names, today), chosen, before)
    if leans == "yes":
        return following
    if leans == "perhaps":
        return [*(replace(r, own=bare, cited=True) for r in following), *alone]
    # What has names of its own is a new topic, unless that finds nothing.
    return [*alone, *_as_topic(alone[-1]), replace(following[-1], own=bare)]


def _meanings(asked: _Asked, chosen: Filter, before: Before | None = None) -> list[Understood]:
    """Return the meanings of a question's words: with the filter in them, and without."""
    read = asked.read
    if before:
        fresh = read.dated or asked.named.dated
        earlier = before.read
        read = (Filter(publishers=earlier.publishers) if fresh else earlier).within(read)
    own = follow_up.own_of(asked.text) if before else ""
    kind = kind_of(own)
    query = Query(
        asked.text,
        read.within(chosen),
        # "Kapan selesai (kabar terbaru bendungan)?" asks when.
        kind if own and kind != "other" else kind_of(asked.text),
        read,
        asked.named,
        before.articles if before else (),
        own,
    )
    meanings = [Understood(query)]
    if asked.named and not chosen.dated:
        days = asked.named.within(read)
        dated = replace(query, filter=days.within(chosen), read=days, named=Filter())
        meanings.insert(0, Understood(dated, trial=True))
    if query.filter != chosen:
        wide = replace(query, text=asked.whole, filter=chosen, read=Filter())
        meanings.append(Understood(wide, widened=query.read))
    return meanings


# Kinds -------------------------------------------------------------------------------------------


def kind_of(question: str) -> str:
    """Return what is asked for: one of the names in KINDS, or "other"."""
    lowered = question.lower()
    if _YESNO_START.search(lowered):
        return "yesno"
    if _COMPARISON.search(lowered):
        return "comparison"
    if _WHEN_COUNT.search(lowered):
        return "when"
    if _NEWS_ABOUT.search(lowered) and not _FACT.search(lowered):
        return "latest"
    for kind, pattern in _KINDS:
        if pattern.search(lowered):
            return kind
    return "other"


def resolve_publishers(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the index's own spellings of publishers; raises InputError for one it does not hold.

    A name that is not spelled exactly as in the index stands for all that differ from it only by
    case, punctuation or a domain's end (".com", ".id").
    """
    by_key = _by_key(known)
    resolved: list[str] = []
    for name in names:
        matches = [name] if name in known else by_key.get(_key(name), [])
        if not matches:
            near = difflib.get_close_matches(_key(name), list(by_key), n=3, cutoff=0.5)
            meant = ", ".join(repr(by_key[key][0]) for key in near)
            hint = (
                f"did you mean {meant}?" if meant else "`tanya status` lists those that it holds."
            )
            raise InputError(f"The index holds no publisher {name!r}; {hint}")
        resolved.extend(matches)
    return tuple(dict.fromkeys(resolved))


_DOMAIN = re.compile(r"\.(com|co\.id|or\.id|id|net|org|tv|news)$")


def _by_key(names: Sequence[str]) -> dict[str, list[str]]:
    by_key: dict[str, list[str]] = {}
    for name in names:
        if _key(name):
            by_key.setdefault(_key(name), []).append(name)
    return by_key


def _key(name: str) -> str:
    name = _DOMAIN.sub("", name.lower().removeprefix("www.").strip())
    return re.sub(r"[\W_]+", "", name).removesuffix("com")
