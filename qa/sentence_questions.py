"""Makes the questions that a sentence of news answers, by its form: subject, verb, what is around.

"Kapan", "Di mana" and "Mengapa" go before the clause without its date, place or reason, "Siapa
yang" takes the subject's place, "berapa" that of an amount. Whoever shows one has it answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from index import text
from index.records import Passage, Span


class Made(NamedTuple):
    """A question, the sentence that answers it, and the words of that which do."""

    text: str
    kind: str
    passage: Passage
    sentence: Span
    answer: str


FEWEST, MOST = 5, 15
"""Words of a question."""

_NAME = r"[A-Z][\w'’-]*"
_FULL_NAME = re.compile(rf"{_NAME}(?: (?:bin |binti |al )?{_NAME})+")

# Words that only the article around them explains.
_POINTS = re.compile(
    r"\b(?:itu|ini|tersebut|dia|ia|beliau|mereka|kami|kita|saya|aku|anda|kamu|tadi|demikian|begitu|"
    r"hal|pihaknya|lainnya|keduanya|sebelumnya|selanjutnya|sementara|juga|pun|lagi|kemarin|besok|"
    r"kini|sekarang|lalu|kemudian|sana|sini|begini|namun|tapi|tetapi|bahkan|selain|salah|antara|"
    r"lain|kedua|ketiga|keempat|hampir|terakhir|mendatang|nanti|pertama|saja|masing-masing|berikut|hanya|masih|yakni|yaitu)\b|"
    r"\w{3,}nya\b|\w+ku\b",
    re.IGNORECASE,
)
_IS_NYA = frozenset("tanya bertanya punya mempunyai karnya".split())
_SIGNS = re.compile(r"[\"“”:;?!…%*|/\\<>@#=_{}\[\]]|\.\.|--|–|—|- | ,")
_VERB = re.compile(r"(?:me(?:m|n|ng|ny)?|di|ber|ter)[a-z]{3,}")
_NO_VERBS = frozenset(
    "menteri mentri media medis medan meja merek merah mesin meter metode menit meski meskipun "
    "menurut mengenai melalui menjelang merupakan terhadap terkait tersangka terdakwa terduga "
    "terpidana terminal tertentu tersebut terbaru terkini termasuk terlapor terbaik terbesar "
    "terakhir berita berat beras berkas bersama berbagai beberapa berdasarkan bersamaan besar "
    "dinas dirjen direktur direksi diri dini distrik divisi disebut dia dinding dialog dinamika "
    "menengah mendatang medali memang men merdeka mereka berikut berkat bernama berupa berusia "
    "berumur berinisial bertajuk berjudul terjemahan terkenal teman tempat tengah tentang tentara "
    "tenaga terus teror tersendiri merek member mental".split()
)
_ROOT_VERBS = frozenset(
    "datang pergi tewas hilang hadir lolos tiba pulang masuk naik turun mundur gugur lahir wafat "
    "jatuh menang kalah tampil tumbuh".split()
)
_AUXILIARY = frozenset(
    "akan telah sudah sedang pernah dapat bisa harus resmi berhasil mulai tengah kembali sempat "
    "silih baru langsung kian akhirnya bakal siap ikut turut".split()
)
_LINKS = frozenset(
    "yang karena lantaran sebab sehingga agar supaya setelah sebelum saat ketika sementara namun "
    "tetapi tapi meski meskipun walau jika apabila bila usai sejak hingga sampai sambil seraya "
    "untuk dan atau serta bahwa guna demi akibat seperti sebagaimana termasuk selama "
    "melalui menurut berdasarkan terkait terhadap".split()
)
"""Words before which a clause may be cut."""
_TIES = frozenset("yang dan atau bahwa serta seperti termasuk terkait sebagaimana".split())
"""Words that go on with what stands before them."""
_PREPOSITIONS = frozenset("di ke dari pada kepada dalam oleh terhadap".split())
_OPENERS = frozenset(
    "para si sang sejumlah beberapa berbagai bagi sebesar senilai sebuah seorang suatu".split()
)
"""Words that open a group of words, so that none ends with them."""
_NO_SUBJECTS = frozenset(
    "di ke dari dalam pada gagal bagi kata ada salah selain tanpa usai berkat tak tidak belum "
    "sebagai seorang hal itu ini para apa siapa sedangkan sementara adapun maka sayang "
    "alasan penyebab jadwal hasil total".split()
)

_MONTH = "|".join(text.MONTHS)
_WEEKDAY = "Senin|Selasa|Rabu|Kamis|Jumat|Jum'at|Sabtu|Minggu|Ahad"
_ZONE = "(?:waktu setempat|WIB|WITA|WIT|Wita)"
_HOURS = "(?:dini hari|pagi|siang|sore|petang|malam)"
_DATE = re.compile(
    rf",? (?:(?:pada|sejak|mulai) )?(?:(?:hari )?(?:{_WEEKDAY}),? )?(?:{_HOURS},? )?"
    rf"(?:\((?P<figures>\d{{1,2}}[/-]\d{{1,2}}(?:[/-]\d{{2,4}})?)\)|"
    rf"(?:pada |tanggal |\()?\d{{1,2}} (?:{_MONTH})(?: \d{{4}})?\)?|"
    rf"(?:pada |sejak |mulai )(?:bulan )?(?:{_MONTH}) \d{{4}})(?: {_HOURS})?(?: {_ZONE})?"
)
_SITES = (
    "kawasan|kota|kabupaten|desa|kecamatan|kelurahan|jalan|gedung|hotel|stadion|bandara|pasar|"
    "rumah sakit|wilayah|daerah|provinsi|pulau|pantai|kantor|kompleks|markas|kampus|lapangan|"
    "pelabuhan|"
    "terminal|stasiun|taman|museum|perairan|sirkuit|gunung|masjid|gereja|negara|kampung|dusun"
)
_PLACE = re.compile(
    rf" di ((?:(?:{_SITES}) )?{_NAME}(?:,? {_NAME}| [IVX]+)*)(?=[,.(]| pada | \(|$)"
)
_REASON = re.compile(r",? (?:karena|lantaran|akibat) (?!itu\b|ini\b)(\w[^,.;]{12,})")
_BRACKETS = re.compile(r" ?\([^)]*\)")
_ABOUT = r"(?:(?:sekitar|sebanyak|sedikitnya|setidaknya|hampir|total|lebih dari|kurang lebih) )?"
_MONEY = re.compile(
    rf"(?:mencapai|sebesar|senilai|sekitar|adalah|tercatat) {_ABOUT}"
    r"(?P<number>(?:Rp ?|US\$ ?|USD )\d+(?:[.,]\d+)*(?: (?:ribu|juta|miliar|triliun))?)\b"
)
_COUNTED = re.compile(
    rf"(?i:{_ABOUT})(?P<number>\d+(?:[.,]\d+)*(?: (?:ribu|juta))?) "
    r"(?P<noun>[a-z]{3,}(?: [\w'’-]+)*)"
)
_AMOUNT = re.compile(
    rf"{_ABOUT}"
    r"(?P<number>\d+(?:[.,]\d+)*(?: (?:ribu|juta|miliar|triliun))?) "
    r"(?P<noun>[a-z]{3,}(?: [a-z]{4,})?)"
)
_WHO = rf"(?P<who>{_NAME}(?: {_NAME})*(?: [A-Z][a-z'’]+))"
_SAYS = (
    "mengatakan|menyebut|menyatakan|menilai|menegaskan|menjelaskan|mengungkapkan|menuturkan|"
    "mengklaim|membantah|mengimbau|meminta"
)
_SAID = "kata|ujar|ucap|tutur|ungkap|jelas|tegas|papar|imbuh"
_SPEECH = re.compile(
    rf"(?:^|, ){_WHO}(?: \([^)]*\))?,? (?:{_SAYS}),? "
    r"(?:bahwa |kalau )?(?P<topic>[^,.\"“]{8,})"
)
_QUOTED = re.compile(
    rf"[\"“](?P<quote>[^\"”]{{40,400}})[\"”],? (?:{_SAID}) {_WHO}(?=[ ,.(]|$)(?! [A-Z])"
)
_SPEAKER = re.compile(
    rf"(?:{_SAID}) ({_NAME}(?: {_NAME})+)|({_NAME}(?: {_NAME})+) (?:{_SAYS}|mengaku)"
)
_MARKER = re.compile(
    r"^(?:Namun|Selain itu|Sementara itu|Sebagai informasi|Sebelumnya|Diketahui|Kemudian|Adapun|"
    r"Akan tetapi|Tak hanya itu|Diberitakan sebelumnya|Sebagaimana diketahui|Saat itu|Sementara|"
    r"Seperti diketahui|Di sisi lain|Karena itu|Oleh karena itu|Bahkan|Lalu|Menurut dia|"
    r"Menurutnya|Dengan demikian|Di samping itu),? "
)
_OFFICES = frozenset(
    "presiden wakil menteri gubernur bupati wali walikota ketua kepala kapolres kapolda kapolri "
    "kapolsek direktur komisaris jenderal sekretaris anggota pengacara juru pelatih penyanyi aktor "
    "aktris politikus politisi pengamat dirut dirjen camat lurah panglima jaksa hakim".split()
)


def made(passages: Sequence[Passage]) -> list[Made]:
    """Return the questions that the sentences of an article answer, in reading order."""
    whole = " ".join(passage.text for passage in passages)
    names = set(_FULL_NAME.findall(whole))
    plain = {word for word in whole.split() if word.islower()}
    about = topic(passages)
    speakers = {m[1] or m[2] for m in _SPEAKER.finditer(whole)}
    found: dict[str, Made] = {}
    for passage in passages:
        for span, piece in zip(passage.spans, passage.sentences(), strict=True):
            begin = text.dateline_end(piece, 0, len(piece))
            words = " ".join(piece[begin:].split())
            for kind, asked, answer in _asked(words, names, speakers, about, plain):
                asked = asked[0].upper() + asked[1:]
                found.setdefault(asked, Made(asked, kind, passage, span, answer))
    return list(found.values())


def _asked(
    words: str, names: Set[str], speakers: Set[str], about: str, plain: Set[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield kind, question and answer of a sentence's questions."""
    words = _MARKER.sub("", words)
    found = [*_of_speech(words), *_of_quote(words, about)]
    if clause := _Clause.of(words, plain):
        found += [*_of_around(words, clause), *_of_amount(clause), *_of_subject(clause, speakers)]
    for kind, asked, answer in found:
        asked = _completed(" ".join(asked.split()), names, speakers)
        if _is_whole(asked):
            yield kind, f"{asked}?", answer


def topic(passages: Sequence[Passage]) -> str:
    """Return the longest full name of an article that its headline holds too; "" for none."""
    names = set(_FULL_NAME.findall(" ".join(passage.text for passage in passages)))
    head = passages[0].title.lower() if passages else ""
    held = [name for name in names if re.search(rf"\b{re.escape(name.lower())}\b", head)]
    return max(held, key=lambda name: (len(name), name), default="")


def _of_around(words: str, clause: _Clause) -> Iterator[tuple[str, str, str]]:
    """Ask for the day, the place and the reason of what a clause tells."""
    subject, verb, rest = clause
    if clause.says:
        return
    told, whole = f"{verb} {rest}", _cut(clause.core)
    date = _DATE.search(words)
    if date and whole is not None:
        yield "when", f"Kapan {subject} {verb} {whole}", date[0].strip(" ,()")
    place = _PLACE.search(told) if verb.split()[-1] in _EVENTS else None
    for kind, begins, match in (
        ("where", "Di mana", place),
        ("why", "Mengapa", _REASON.search(told)),
    ):
        if match:
            before = _plain(told[: match.start()])
            if not _joins(before) and {"di", "pada"}.isdisjoint(before.split()):
                yield kind, f"{begins} {subject} {before}", match[1]


_UNTIL = re.compile(r" ?[-–]| (?:hingga|sampai)\b")
_EVENTS = frozenset(
    "berada terletak digelar menggelar dilaksanakan diadakan mengadakan berlangsung terjadi "
    "ditemukan ditangkap diresmikan dibuka ditutup dimakamkan dikebumikan dilahirkan menghadiri "
    "bertemu berlaga tampil diselenggarakan menyelenggarakan dimulai tewas dirawat ditahan "
    "menjalani diperiksa disidang bertanding menghadapi dibangun membangun mengikuti meresmikan "
    "berkumpul mendarat jatuh terbakar tenggelam bermarkas berkantor diluncurkan "
    "meluncurkan".split()
)


def _of_subject(clause: _Clause, speakers: Set[str]) -> Iterator[tuple[str, str, str]]:
    """Ask who does what a whole clause tells of somebody."""
    subject, verb, _ = clause
    rest, active = clause.core, verb.split()[-1].startswith(("me", "ber"))
    if rest and rest == _cut(rest) and active and _is_person(subject, speakers):
        yield "who", f"Siapa yang {verb} {rest}", subject


def _of_amount(clause: _Clause) -> Iterator[tuple[str, str, str]]:
    """Ask how many, of what is counted in the subject or right after the verb."""
    subject, verb, _ = clause
    core = clause.core
    rest = _cut(core)
    if rest is None or clause.says:
        return
    if counted := _COUNTED.fullmatch(subject):
        yield "howmany", f"Berapa {counted['noun']} yang {verb} {rest}", counted["number"]
    elif (amount := _AMOUNT.match(rest)) and amount["noun"] not in _LINKS | _PREPOSITIONS:
        around = f"{amount['noun']}{rest[amount.end() :]}"
        if amount["noun"].split()[0] not in _NOT_COUNTED and not any(map(_is_verb, around.split())):
            yield "howmany", f"{subject} {verb} berapa {around}", amount["number"]
    elif (money := _MONEY.match(f"{verb} {core}")) and not subject.istitle():
        yield "howmany", f"Berapa {subject}", money["number"]


def _plain(words: str) -> str:
    """Return words without dates and what stands in brackets."""
    return _BRACKETS.sub("", _DATE.sub("", f" {words}")).strip()


_NOT_COUNTED = frozenset(
    "tahun bulan hari jam menit persen kali milimeter sentimeter meter kilometer gram kilogram ton "
    "liter hektare hektar derajat".split()
)
_ABOUT_WORDS = frozenset("sebanyak sekitar sedikitnya setidaknya".split())


def _joins(words: str) -> bool:
    """Return whether words hold more than one clause."""
    return "," in words or not _LINKS.isdisjoint(words.split())


class _Clause(NamedTuple):
    subject: str
    verb: str
    rest: str

    @property
    def says(self) -> bool:
        """Tell whether the clause only says who says what follows."""
        return self.verb.split()[-1] in _SPEAKS

    @property
    def core(self) -> str:
        """Return what follows the verb without dates and brackets."""
        return _plain(self.rest)

    @classmethod
    def of(cls, words: str, plain: Set[str]) -> _Clause | None:
        """Return the first clause of a sentence; None if its form is another.

        `plain` are the words that the article writes in lower case.
        """
        date = _DATE.search(words)
        if _SIGNS.search(_plain(words)) or (date and _UNTIL.match(words, date.end())):
            return None
        if lead := _LEAD.match(words):
            words = (
                f"{words[lead.end() :].rstrip('.')} {lead[0][0].lower()}{lead[0][1:].rstrip(', ')}"
            )
        parts = words.rstrip(".").split(" ")
        at = next((n for n, word in enumerate(parts[:14]) if _is_verb(word)), 0)
        if not at or at + 2 > len(parts):
            return None
        begin = at
        while begin and parts[begin - 1].lower() in _AUXILIARY:
            begin -= 1
        subject = _BRACKETS.sub("", " ".join(parts[:begin]))
        words_of = subject.lower().split()
        if not words_of or words_of[0] in _NO_SUBJECTS or re.search(r"[,.(]", subject):
            return None
        # "Akan meresmikan", "Beralih": who does it was said before.
        if words_of[0] in _AUXILIARY or any(map(_is_verb, words_of)):
            return None
        if not (_LINKS - {"dan"} | {"tak", "tidak", "belum", "pada", "ada"}).isdisjoint(words_of):
            return None
        return cls(
            _as_within(subject, plain), " ".join(parts[begin : at + 1]), " ".join(parts[at + 1 :])
        )


_LEAD = re.compile(rf"Pada (?:[^,()]{{0,20}})?{_DATE.pattern}, |Pada \d{{4}}, ")


def _as_within(subject: str, plain: Set[str]) -> str:
    """Write the first word of a sentence as within one: in lower case where it is no name."""
    first, _, others = subject.partition(" ")
    if first.lower() in _ABOUT_WORDS and others:
        return others
    common = first.lower() in plain and not others[:1].isupper()
    common = common or first.lower() in _COMMON or (first.isupper() and len(first) > 6)
    return f"{first.lower()} {others}" if others and common else subject


_COMMON = frozenset(
    "sejumlah pemain pelatih "
    "pemerintah polisi warga tim petugas penyidik kebakaran banjir gempa kecelakaan acara rapat "
    "sidang anggota pelaku korban harga jumlah peserta perusahaan kasus program proyek laga "
    "dua tiga empat lima enam tujuh delapan sembilan sepuluh belasan puluhan ratusan ribuan".split()
)


def _is_verb(word: str) -> bool:
    if word in _ROOT_VERBS:
        return True
    return bool(_VERB.fullmatch(word)) and word not in _NO_VERBS and not word.endswith("nya")


def _cut(rest: str) -> str | None:
    """Return what follows a verb up to where another clause begins; None where it is torn there."""
    kept: list[str] = []
    for word in rest.split():
        if word in _TIES:
            return None
        if word in _LINKS:
            break
        kept.append(word.rstrip(","))
        if word.endswith(","):
            break
    if kept and kept[-1] in _PREPOSITIONS:
        return None
    return " ".join(kept)


def _is_person(subject: str, speakers: Set[str]) -> bool:
    """Return whether a subject is somebody in full: with an office, or who says something."""
    words = subject.split()
    if subject in speakers:
        return True
    capitals = all(word[:1].isupper() for word in words)
    return capitals and words[0].lower() in _OFFICES and len(words) > 2 and words[-1].istitle()


def _of_speech(words: str) -> Iterator[tuple[str, str, str]]:
    speech = _SPEECH.search(words)
    if not speech:
        return
    topic: list[str] = []
    for word in speech["topic"].split(" "):
        if _is_verb(word) or word in _AUXILIARY | _LINKS | _NOT_TOPICS:
            break
        topic.append(word)
    if speech["who"].split()[-1].lower() in _RANKS:
        return
    named = {word for word in topic if word[:1].isupper()}
    if not named or named & set(speech["who"].split()) or not 2 <= len(topic) <= 6:
        return
    if len(topic) < len(speech["topic"].split(" ")) and re.match(r"[A-Z\d]", topic[-1]):
        yield "quote", f"Apa kata {speech['who']} tentang {' '.join(topic)}", speech["topic"]


def _of_quote(words: str, topic: str) -> Iterator[tuple[str, str, str]]:
    """Ask what somebody says of what the article is about, where the sentence quotes it."""
    said = _QUOTED.match(words)
    if not said or not topic or said["who"].split()[-1].lower() in _RANKS:
        return
    if set(topic.split()) & set(said["who"].split()):
        return
    # "Ketua Umum PSSI, Erick": of an office the name may only follow.
    office = said["who"].split()[0].lower() in _OFFICES
    if not re.match(r" (?:dan|&) |, [A-Z]" if office else " (?:dan|&) ", words[said.end() :]):
        yield "quote", f"Apa kata {said['who']} tentang {topic}", said["quote"]


_SPEAKS = frozenset(_SAYS.split("|")) | frozenset(
    "menyebutkan mengaku mengakui melaporkan memastikan menambahkan memaparkan berharap "
    "berpendapat menduga meyakini menyampaikan mengumumkan".split()
)
_RANKS = frozenset(
    "brigjen irjen komjen kombes akbp kompol akp iptu ipda aiptu jenderal letjen mayjen letkol "
    "kolonel mayor kapten dr drs prof ustaz ustad haji pol".split()
)
_NOT_TOPICS = frozenset(
    "sendiri turut sangat lebih paling kembali tidak belum adalah ada bukan tak siap perlu ingin "
    "mau di ke dari pada kepada dalam untuk oleh kini sekarang masih juga pun".split()
)


def _completed(asked: str, names: Set[str], speakers: Set[str]) -> str:
    """Write a single name in full where it is that of one who speaks; "" where it is another's.

    "Rahmat" alone tells nobody who it is.
    """
    words = asked.split(" ")
    for at, word in enumerate(words):
        beside = words[max(at - 1, 1) : at] + words[at + 1 : at + 2]
        # The subject comes after "kapan", "di mana", "apa kata".
        if not 1 <= at <= 2 or not word.istitle() or any(one[:1].isupper() for one in beside):
            continue
        longer = {name for name in names if word in name.split(" ")[-2:] or name.startswith(word)}
        said = [name for name in longer & speakers if len(name.split(" ")) <= 3]
        if any(set(name.split(" ")) & {*words[:at], *words[at + 1 :]} for name in said):
            continue
        if len(said) == 1:
            words[at] = said[0]
        elif longer:
            return ""
    return " ".join(words)


_BROKEN = re.compile(
    r"[a-z]{2}[A-Z][a-z]{2}|,[^\W\d]|\b(\w+) \1\b|\d (?:para|sang|si)\b|\b[Bb]erapa para\b",
)
_MONTHS = re.compile(rf"\b(?:{_MONTH})\b")
_ZONES = frozenset("WIB Wib WITA Wita WIT Wit".split())
"""What scrapers glued or writers doubled; a day that is told already; names of no thing."""


def _is_whole(asked: str) -> bool:
    """Return whether a question is understood without its article: it names what it asks about."""
    words = asked.split(" ")
    if not FEWEST <= len(words) <= MOST or _SIGNS.search(asked) or re.search(r"[().,]( |$)", asked):
        return False
    if _BROKEN.search(asked) or (asked.startswith("Kapan ") and _MONTHS.search(asked)):
        return False
    if any(m[0].lower() not in _IS_NYA for m in _POINTS.finditer(asked)):
        return False
    if words[-1] in _PREPOSITIONS | _OPENERS:
        return False
    # A single word in capitals where a subject begins may be any word that began the sentence.
    begin = 2 if asked.startswith("Di mana ") else 1
    begins = words[begin].istitle() and not words[begin + 1][:1].isupper()
    told = words[begin + begins :]
    names = [word for word in told if word[:1].isupper() and word not in _ZONES]
    return bool(names) and len(names) + sum(word[:1].isdigit() for word in told) >= 2
