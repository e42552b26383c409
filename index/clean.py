"""Decides which characters of an archived body are news: offsets, never rewritten text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.records import Span
from index.text import sentences, squeezed

RULES = 3
"""Raised whenever the kept spans come out differently: a recipe is compared by it."""

LONGEST_REPEATED = 200
SHORTEST_REPEATED = 8
_STATEMENT_WORDS = 7


@dataclass(frozen=True, slots=True)
class Byline:
    """Who made an article, as a line of it tells; `origin` is the agency that it was taken from."""

    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    origin: str = ""


def line_key(line: str) -> str:
    """Return the key under which repeats of a line are counted; "" for one that is not counted.

    Lines too long or too short are not, nor sentences with a number: a rule or a price that a
    publisher states every day is news. Digits are kept in the key: price lists differ by them.
    """
    line = line.strip()
    if len(line) > LONGEST_REPEATED:
        return ""
    key = squeezed(line)
    if len(key) < SHORTEST_REPEATED or (
        key.count(" ") >= _STATEMENT_WORDS - 1 and any(map(str.isdigit, key))
    ):
        return ""
    return key


# --- whole lines ---------------------------------------------------------------------------------

TEASER_HEADS = frozenset(
    "berita terkini|berita terkait|berita populer|berita lainnya|artikel terkait|artikel lainnya"
    "|terpopuler|rekomendasi untuk anda|video terkait|baca artikel lainnya".split("|")
)
"""Lines, squeezed, that head a list of other articles."""

FOOT_LINES = TEASER_HEADS | frozenset(
    "komentar|kirim komentar|tulis komentar|ikuti kami|ikuti kami di|topik terkait".split("|")
)
"""Lines, squeezed, of which no article goes on after one."""

_BARE_LINES = FOOT_LINES | frozenset(
    "advertisement|iklan|scroll to continue with content|baca juga|baca|baca selengkapnya|simak"
    "|simak juga|lihat juga|berita pilihan|terkini|breaking news|selengkapnya|news"
    "|follow us|follow kami|bagikan|share|share this|copy link|salin tautan|tag|tags|foto terkait"
    "|all right reserved|all rights reserved|all right reservedannotated|halaman selanjutnya"
    "|halaman berikutnya|lanjut ke halaman berikutnya|selanjutnya|loading|next|previous|back to top"
    "|kembali ke atas|daftar isi|whatsapp|facebook|twitter|telegram|saksikan live|lihat semua"
    "|lihat selengkapnya|load more|pilihan editor|pilihan redaksi|lihat foto|tampilkan semua"
    "|dengarkan artikel|dengarkan artikel ini|removed|tidak ditemukan|login"
    "|berlangganan|subscribe".split("|")
)
LINK_LABELS = frozenset(
    "baca|baca juga|baca selengkapnya|simak juga|lihat juga|artikel terkait|berita terkait".split(
        "|"
    )
)
"""Lines, squeezed, before the headline of another article."""

_SHARE_WORDS = frozenset(
    """facebook twitter x whatsapp wa telegram line linkedin instagram tiktok youtube pinterest
    threads google email surel copy link salin tautan print cetak share shares bagikan tweet kirim
    simpan""".split()
)

_LINK_WORDS = r"(?:Baca|BACA)(?:[ _]+(?:[Jj]uga|JUGA|[Pp]ula|PULA|[Ss]elengkapnya|[Bb]erita))?"
_WATCH_WORDS = r"(?:Simak|SIMAK|Lihat|LIHAT|Tonton|TONTON|Saksikan|SAKSIKAN)"
_ROLES = (
    r"(?:Penulis|PENULIS|Reporter|REPORTER|Pewarta|PEWARTA|Wartawan|Editor|EDITOR|Redaktur"
    r"|REDAKTUR|Penyunting|Sumber|SUMBER|Kontributor|Uploader|Source|Author|Oleh|Rep|Red)"
)
_REPORT_BY = r"Laporan (?:[Ww]artawann?|[Rr]eporter|[Kk]ontributor)"
_LINE_RULES = re.compile(
    "|".join(
        (
            rf"{_LINK_WORDS}\s*:",
            r"(?:Baca [Jj]uga|BACA JUGA)\s+\S.{0,150}[^.\s]\s*$",
            r"(?:Artikel|Berita|ARTIKEL|BERITA) (?:[Tt]erkait|TERKAIT|[Ll]ainnya|LAINNYA)\s?:",
            r"(?:Tags?|TAGS?|Topik|TOPIK|[Kk]ata [Kk]unci)\s?:\s?\S.{0,200}[^.!?\s]\s*$",
            r"(?:#[\w-]+[\s,]*)+$",
            r"(?:Scroll|SCROLL|Gulir)\s(?:untuk|ke|down)\b.{0,80}$",
            r"(?:BACA|Baca|LIHAT|Lihat|SIMAK|Simak)\s*(?:ARTIKEL )?(?:SELENGKAPNYA|[Ss]elengkapnya)"
            r"(?:\s*(?:DI SINI|di ?sini|>+|<+|\.))*\s*$",
            rf"{_WATCH_WORDS}\s+(?:[Jj]uga\s+)?(?:[Vv]ideo|[Ll]ive)\b.{{0,220}}$",
            rf"{_WATCH_WORDS}\s+[Jj]uga\s*(?::|['\"‘’“]).{{0,220}}$",
            r"\[Gambas\b.{0,80}$",
            r"(?:©|\([cC]\)\s|[Cc]opyright\b|COPYRIGHT\b|Hak [Cc]ipta\b|HAK CIPTA\b"
            r"|[Aa]ll [Rr]ights? [Rr]eserved).{0,160}$",
            r"Dilarang (?:keras )?(?:mengambil|menyalin|memperbanyak|mengutip)\b.{0,260}$",
            rf"{_ROLES}\s?:\s?\S.{{0,90}}[^.!?:\s]\s*$",
            r"\(?(?:[Ff]oto|FOTO|Photo|Dok|Ilustrasi|Video)\s?:\s?\S.{0,90}$",
            rf"{_REPORT_BY}\b.{{0,110}}[^.!?\s]\s*$",
            r"Halaman\s*:?(?:\s+\d{1,2}){1,12}(?:\s+Selanjutnya)?\s*$",
            r"(?:(?:Lanjut ke|Baca lanjutan|Simak|Lanjutkan|Buka|Klik)\b.{0,80})?"
            r"\b[Hh]alaman (?:selanjutnya|berikutnya)\s*[.>]*\s*$",
            r"(?:Bagikan|Share)\s*(?::|ke |artikel ini|berita ini|this).{0,80}$",
            r"Konten ini (?:diolah|dibuat) dengan bantuan AI\.?$",
            r"(?:A post shared by|Sebuah kiriman dibagikan oleh|View this post on)\b.{0,120}$",
            r"Artikel ini (?:telah|sudah) (?:tayang|naik|terbit|dimuat|ditayangkan) di\b.{0,260}$",
            r"https?://\S{1,190}$",
        )
    )
)
_FOLLOW_LINE = re.compile(
    r"[-(\s]{0,3}(?:(?:Ikuti|IKUTI|Ayo ikuti|AYO IKUTI|Follow|FOLLOW|Dapatkan|DAPATKAN|Gabung"
    r"|Bergabung|Mari bergabung|Yuk gabung)|(?P<news>Cek|CEK|Baca|BACA|Simak|SIMAK|Akses|Klik"
    r"|Caranya klik|Update|Temukan))\b"
)
_CHANNEL = re.compile(r"google\s+news|whats?app|telegram", re.IGNORECASE)
_FOLLOWED = re.compile(
    r"google\s+news|whats?app|telegram|saluran|channel|kanal|instagram|facebook|twitter",
    re.IGNORECASE,
)
_CAPTION_LINE = re.compile(
    r"(?:\((?:[Ff]oto|FOTO|[Cc]redit|[Ss]umber|[Dd]ok)\s?[:.]?\s?[^()]{0,90}\)\.?"
    r"|\b(?:Foto|FOTO|Photo)\s?:\s?[^.:]{1,60}|\bKredit\s?:\s?[^.:]{1,60}|©\s?\S{3,60})$"
)
_SENTENCE_END = re.compile(r"[.!?][\"”’']?\s+[A-Z\"“]")
_INITIALS = re.compile(r"\((?:[a-z]{2,5}|[A-Z]{2,5}|[A-Z]-?\d{1,3})(?:/[A-Za-z0-9-]{1,6}){0,2}\)")
_PAIRED_INITIALS = re.compile(r"\([a-z]{2,4}/[a-z]{2,5}\d?\)")
_SIGNATURE = re.compile(r"\((?:\*{1,3}|end|[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]*){1,4})\)$")


# An offer of the publisher's own: it calls on the reader, for a service, about what is read.
_CALL = re.compile(
    r"(?:anda|kamu|sisa|sudah|belum|ingin|mau|yuk|ayo|mari|silakan|untuk|dapatkan|nikmati|berlangganan"
    r"|langganan|subscribe|masuk|login|log in|daftar|daftarkan|unduh|download|instal|install|pasang"
    r"|aktifkan|jadilah|dukung|lanjut|lanjutkan|baca|akses|temukan|klik|konten|artikel|berita)\b",
    re.IGNORECASE,
)
_SERVICE = re.compile(
    r"\b(?:berlangganan|langganan|pelanggan|akun|log ?in|newsletter|buletin|aplikasi|notifikasi"
    r"|premium|membership|gratis|(?:tanpa|bebas) iklan|e-?paper|kotak masuk|(?:email|surel) anda"
    r"|app store|play store|google play|subscri\w+)\b",
    re.IGNORECASE,
)
_READ = re.compile(
    r"\b(?:(?:mem)?baca\w*|(?:artikel|konten) (?:ini|premium|eksklusif|gratis)"
    r"|berita (?:ini|ter\w+|pilihan|lainnya|eksklusif|premium)|jurnalisme|newsletter|e-?paper"
    r"|kabar ter\w+|informasi ter\w+|selengkapnya)\b",
    re.IGNORECASE,
)
_BARE_OFFER = re.compile(
    r"(?:Sudah (?:berlangganan|menjadi pelanggan|jadi pelanggan|punya akun|memiliki akun|terdaftar)"
    r"|Belum (?:berlangganan|punya akun|memiliki akun|terdaftar))\s?\?.{0,160}$"
    r"|(?:Masuk|Login|Log in) (?:(?:ke|dengan) akun(?: anda)?|atau daftar|/ daftar|di sini)\W*$"
    r"|(?:Berlangganan|Langganan) (?:sekarang|di sini|mulai (?:dari )?Rp)\b.{0,120}$",
    re.IGNORECASE,
)
_LONGEST_OFFER = 320
_SAID = re.compile(
    r"[,”\"]\s(?:kata|ujar|tutur|ucap|jelas|ungkap|imbuh|tambah|sebut|demikian)\w*\s|\bmengatakan\b"
)


def is_offer(text: str) -> bool:
    """Tell whether a text offers the reader a subscription, an account, a newsletter or an app."""
    if len(text) > _LONGEST_OFFER or not _CALL.match(text) or _SAID.search(text):
        return False
    if _BARE_OFFER.match(text):
        return True
    return bool(_SERVICE.search(text) and _READ.search(text))


def _is_share_bar(text: str) -> bool:
    if len(text) > 120 or text[-1] in ".!?":
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    return len(words) > 1 and all(word in _SHARE_WORDS for word in words)


def _is_follow(text: str) -> bool:
    match = _FOLLOW_LINE.match(text) if len(text) <= 320 else None
    if not match:
        return False
    return bool((_CHANNEL if match["news"] else _FOLLOWED).search(text))


def _is_caption(text: str) -> bool:
    if len(text) > 250 or text[0] in '"“':
        return False
    return bool(_CAPTION_LINE.search(text)) and not _SENTENCE_END.search(text[:-20])


def is_boilerplate(line: str) -> bool:
    """Tell whether a whole line (trimmed, one paragraph) is certainly not news."""
    if len(line) > 400:
        return False
    key = squeezed(line[:80])
    if not key or (len(line) < 60 and key in _BARE_LINES):
        return True
    if _LINE_RULES.match(line):
        return not _goes_on(line)
    return _is_follow(line) or _is_caption(line) or is_offer(line) or _is_share_bar(line)


def _goes_on(line: str) -> bool:
    """Tell whether real sentences follow on a line that begins as a link to another article."""
    if not line[:4].lower() == "baca":
        return False
    return len(line) > 220 or bool(re.search(r"[a-z)\d][.][\"”]?\s+[A-Z\"“]", line[:-1]))


# --- inside a line -------------------------------------------------------------------------------

# Words that open a sentence and, capitalised in the middle of a run of title words, end a headline.
_OPENERS = frozenset(
    """selain menurut dia ia sebelumnya namun sementara adapun saat setelah sebab karena
    diketahui kemudian meski meskipun hal berdasarkan akibat sehingga selanjutnya selama sejak
    lebih terkait dengan dalam pada untuk seperti para mereka kami kita sedangkan bahkan tak
    oleh jika apabila nah lalu lantas ketika hingga sejauh sejumlah pihaknya dikatakan diberitakan
    dijelaskan ditambahkan ditanya ditemui begitu demikian itu ini tersebut bagi atas""".split()
)
_TITLE_SMALL = frozenset(
    """di ke dari dan atau yang untuk dengan pada dalam vs oleh akan ini itu bagi per hingga soal
    karena usai jadi saat tak juga agar demi para bukan tapi sampai jelang lewat bisa serta si
    sang atas sebagai antar tentang terhadap of the for and in to a""".split()
)
_WORD = re.compile(r"\S+")
_SENTENCES_MEET = re.compile(r"[a-z]\.[A-Z]")
_LONGEST_TITLE = 160
_WORD_EDGE = " \"'“”‘’(),;:[]"


def _link_end(text: str, start: int, stop: int) -> int:
    """Return where the headline that starts at `start` ends, or `start` where that is not certain.

    A headline is a run of capitalised words. Its end is certain at the line's end, before other
    boilerplate, at a question or exclamation mark, or before a word that opens a sentence.
    """
    stop_at = min(stop, start + _LONGEST_TITLE)
    certain = start
    count = 0
    for match in _WORD.finditer(text, start, stop_at):
        bare = match[0].strip(_WORD_EDGE)
        if certain == start and count >= 3:
            certain = _end_at(match, bare, start)
        if not _is_title_word(bare) or _SENTENCES_MEET.search(bare):
            return certain
        if bare.endswith(".") and len(bare) > 4:
            return certain
        count += 1
    return stop if stop_at == stop and 3 <= count <= 25 else certain


def _end_at(word: re.Match[str], bare: str, start: int) -> int:
    """Return where a headline ends at or within a word, `start` where it goes on."""
    if bare[:1].isupper() and bare.lower() in _OPENERS:
        return word.start()
    if glued := re.search(r"[?!](?=[A-Z\"“])", word[0]):
        return word.start() + glued.end()
    return word.end() if bare[-1:] in ("?", "!") else start


def _is_title_word(word: str) -> bool:
    return not word or not word[0].islower() or word in _TITLE_SMALL


_CAPS_MARK = (
    r"ADVERTISEMENT(?:\s*SCROLL TO (?:CONTINUE|RESUME)(?: WITH)? CONTENT)?"
    r"|SCROLL TO (?:CONTINUE|RESUME)(?: WITH)? CONTENT"
)
_MARK_AHEAD = rf"(?:{_CAPS_MARK}|\[Gambas\b|Baca [Jj]uga\s?:|\n)"

# A rule runs only over a body that holds its needle (compared in lower case).
_INLINE_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("advertisement", "scroll to"), re.compile(_CAPS_MARK)),
    (
        ("advertisement",),
        re.compile(r"(?<=[.!?\"”)…])\s{1,8}Advertisement(?=\s{1,8}[A-Z\"“(\d]|\s{0,8}$)"),
    ),
    (("[gambas",), re.compile(r"\[Gambas\s?:[^\]\n]{0,80}\]")),
    (
        ("baca juga",),
        re.compile(r"(?<=[.!?\"”)…])\s{0,8}Baca Juga(?=\s{1,8}[A-Z\"“]|[A-Z][a-z])"),
    ),
    (
        ("(baca", "[baca"),
        re.compile(r"[(\[](?:Baca|BACA|baca)(?: [Jj]uga)?\s?:[^()\n\]]{0,200}[)\]]"),
    ),
    (
        ("(foto", "(dok", "(credit", "(sumber foto", "(ist"),
        re.compile(
            r"\((?:[Ff]oto|FOTO|[Dd]ok\.|[Cc]redit|[Ss]umber [Ff]oto|[Ii]st(?:imewa)?\))"
            r"(?:\s?[:.]?[^()\n]{0,90}\))?"
        ),
    ),
    (
        ("video", "simak juga", "lihat juga", "tonton juga"),
        re.compile(
            rf"{_WATCH_WORDS}\s+(?:[Jj]uga\s+)?(?:[Vv]ideo\s*:?\s*)?"
            r"(?:['\"‘“][^\n\[]{1,160}?['\"’”](?:\s+di sini)?\s*:"
            r"|[^\n\[.]{1,160}(?=\[Gambas))"
        ),
    ),
    (("saksikan live",), re.compile(r"Saksikan Live\s?[Dd]etik\s?(?:[Pp]agi|[Ss]ore)\s?:")),
    (
        ("dapatkan update",),
        re.compile(
            r"Dapatkan [Uu]pdate\b[^\n]{0,500}?(?:terlebih (?:dulu|dahulu) di ponsel\.?)"
            r"[\"';\]]{0,4}"
        ),
    ),
    (
        ("google",),
        re.compile(
            r"(?:Cek|Baca|Simak|Ikuti) (?:[Bb]erita|[Aa]rtikel)[^\n.]{0,80}Google\s{1,40}News"
            r"(?:\s+dan\s+WA\s+Channel)?\.?"
        ),
    ),
    (
        ("copyright ©", "copyright (c)"),
        re.compile(
            r"(?:(?:Pewarta|Penerjemah)\s?:[^\n:]{1,80})?(?:Editor\s?:[^\n:]{1,60})?Copyright "
            r"(?:©|\([cC]\))(?: ?[\w.]{1,30}){0,2} \d{4}"
            r"\s?(?:Dilarang keras[^\n]{0,260}?ANTARA\.?)?"
        ),
    ),
    (
        ("artikel ini telah",),
        re.compile(
            r"Artikel ini telah (?:tayang|naik|terbit) di [^\n]{1,40}? dengan judul [^\n]{1,200}$",
            re.MULTILINE,
        ),
    ),
    (
        ("selengkapnya",),
        re.compile(r"BACA SELENGKAPNYA(?: DI SINI)?(?:\s*[<>]{1,5})?"),
    ),
    (("halaman",), re.compile(r"Halaman(?:\s{1,40}\d{1,2}){2,12}(?:\s{1,40}Selanjutnya)?")),
)
_LINK = re.compile(
    rf"(?<![A-Za-z])(?:{_LINK_WORDS}|{_WATCH_WORDS}(?: [Jj]uga)?(?: [Vv]ideo)?)\s?:\s?"
)
_NEXT_MARK = re.compile(_MARK_AHEAD)
# A list of paragraphs that a scraper joined by commas: "... kata dia.,Menurut ...".
_JOINT = re.compile(r"(?<=[a-z0-9)\"”%][a-z0-9)\"”%][.?!]),|(?<=[.?!][\"”]),(?=[A-Z\"“])")
_DEGREE = re.compile(r"\.[A-Z][a-z]{1,2}\.$")
_LEAD_BYLINE = re.compile(
    r"\s{0,8}(?:Laporan [Ww]artawann? [^\n]{3,90}?|Penulis\s?:[^\n:]{3,60}?)?"
    r"(?=\s[A-Z][A-Z.\- ]{3,30}\.(?:COM|CO|ID|NET)\b)"
)
_LAST_BYLINE = re.compile(
    r"(?:\s*(?:Penulis|Editor|Reporter|Pewarta)\s?:\s?[A-Z][^:\n\"”]{2,50}?){1,3}[,.]?$"
)


def _inline_cuts(body: str, title: str) -> Iterator[Span]:
    """Yield the stretches of a body that are certainly boilerplate, in no order."""
    low = body.lower()
    for needles, rule in _INLINE_RULES:
        if any(needle in low for needle in needles):
            for match in rule.finditer(body):
                yield match.span()
    if "baca" in low or "video" in low:
        yield from _link_cuts(body)
    if ".," in body and "\n" not in body.strip():
        for match in _JOINT.finditer(body):
            before = body[max(0, match.start() - 5) : match.start()]
            if body[match.end() : match.end() + 1].strip() and not _DEGREE.search(before):
                yield match.span()
    # Scrapers put the headline and the byline before the dateline, on its line.
    after_title = len(title) if title and body.startswith(title) else 0
    if (lead := _LEAD_BYLINE.match(body, after_title)) is not None:
        yield 0, lead.end()
    yield from _tail_cuts(body)


def _link_cuts(body: str) -> Iterator[Span]:
    position = 0
    while (match := _LINK.search(body, position)) is not None:
        ahead = _NEXT_MARK.search(body, match.end(), match.end() + _LONGEST_TITLE + 1)
        stop = ahead.start() if ahead else len(body)
        end = _link_end(body, match.end(), stop)
        yield match.start(), end
        position = max(end, match.end())


_TAIL = 400


def _tail_cuts(body: str) -> Iterator[Span]:
    """Yield what closes a body: editors' initials, a signature, and the tags after initials."""
    end = len(body.rstrip())
    start = max(0, end - _TAIL)
    tail = body[start:end]
    last = sentences(body, start, end) if _SERVICE.search(tail) else []
    while len(last) > 1 and is_offer(body[slice(*last[-1])]):
        yield last.pop()
    pairs = list(_PAIRED_INITIALS.finditer(tail))
    if pairs and _are_tags(tail[pairs[-1].end() :]):
        yield start + pairs[-1].start(), end
        return
    if (byline := _LAST_BYLINE.search(tail, max(0, len(tail) - 200))) is not None:
        if _closes(tail[: byline.start()]):
            yield start + byline.start(), end
    for rule in (_INITIALS, _SIGNATURE):
        for match in rule.finditer(tail):
            if match.end() == len(tail) and _closes(tail[: match.start()]):
                yield start + match.start(), end


def _closes(before: str) -> bool:
    before = before.rstrip(" \t")
    return not before or before[-1] in '.!?"”’\n]'


def _are_tags(rest: str) -> bool:
    """Tell whether what follows the initials is no text: short lines or words without a stop."""
    if re.search(r"[.!?\"”](?:\s|$)", rest):
        return False
    lines = [line for line in rest.split("\n") if line.strip()]
    if len(lines) > 1 or rest[:1] == "\n":
        return all(len(line) <= 80 for line in lines)
    return rest == rest.lower()


# --- the spans -----------------------------------------------------------------------------------


def kept_spans(
    body: str, *, title: str = "", repeated: frozenset[str] = frozenset()
) -> tuple[Span, ...]:
    """Return the half-open spans of a body that are news, in order, trimmed, without overlap.

    Each span is a paragraph (a line) or a part of one. `repeated` holds the `line_key` of lines
    that the publisher repeats in many articles.
    """
    cuts = _merged(_inline_cuts(body, title))
    cuts.append((len(body) + 1, len(body) + 1))
    title_key = squeezed(title[:400])
    lines = list(_lines(body))
    joined = _joined_lines(body, lines)
    spans: list[Span] = []
    next_cut = 0
    label = ""
    for index, (start, end) in enumerate(lines):
        line = body[start:end]
        goes_on = index in joined
        if not goes_on and _skipped(line, title_key, repeated):
            label = line if _opens_link(line) else ""
            continue
        if label and _is_linked_title(line, label):
            label = ""
            continue
        label = ""
        while cuts[next_cut][1] <= start:
            next_cut += 1
        number, begin, count = next_cut, start, len(spans)
        while cuts[number][0] < end:
            _keep(body, begin, cuts[number][0], spans)
            begin = max(begin, cuts[number][1])
            number += 1
        _keep(body, begin, end, spans)
        if goes_on and count and spans[count - 1][1] == lines[index - 1][1]:
            _append(spans, count, start, end)
    return tuple(spans)


def _append(spans: list[Span], count: int, start: int, end: int) -> None:
    """Make a line at [start, end) one span with the line before, whose span is `count` - 1."""
    begin = spans[count - 1][0]
    if len(spans) == count:
        # It is nothing but a comma, a stop or a dash.
        spans[count - 1] = (begin, end) if end - start <= 2 else spans[count - 1]
    elif spans[count][0] - start <= 2:
        spans[count - 1 : count + 1] = [(begin, spans[count][1])]


def _skipped(line: str, title_key: str, repeated: frozenset[str]) -> bool:
    if is_boilerplate(line):
        return True
    if len(line) > 400:
        return False
    if title_key and len(line) < 2 * len(title_key) + 20:
        if squeezed(line) == title_key:
            return True
    return bool(repeated) and line_key(line) in repeated


def _opens_link(line: str) -> bool:
    return squeezed(line) in LINK_LABELS or (line[-1] == ":" and line[:4].lower() == "baca")


def _is_linked_title(line: str, label: str) -> bool:
    words = [word.strip(_WORD_EDGE) for word in line.split()]
    # After a label without its colon a short line may be a heading of the article's own.
    fewest = 3 if label[-1] == ":" else 8
    if len(line) > _LONGEST_TITLE or line[-1] == "." or len(words) < fewest:
        return False
    return not _LIST_MARK.match(line) and all(_is_title_word(word) for word in words)


def _lines(body: str) -> Iterator[Span]:
    """Yield the trimmed extent of every line that is not blank."""
    start = 0
    while start < len(body):
        end = body.find("\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end]
        if text := line.strip():
            first = start + len(line) - len(line.lstrip())
            yield first, first + len(text)
        start = end + 1


# --- lines that are no paragraphs ----------------------------------------------------------------

_STOPS = frozenset(".!?:;…>")
_CLOSERS = frozenset('"”’)]')
_CLOSING = re.compile(r"[,;.)\]](?:\s|$)|[”\"](?:$|[,.]\s)|-(?:nya|lah|kah|pun|ku|mu)\b")
_DASH = re.compile(r"[-–—]{1,2}(?:\s|$)")
# "(KPK) menyita": a line that is nothing but brackets is a signature.
_SHORT_NAME = re.compile(r"\([^\W\d_][\w\s-]{0,40}\)[\s.,]")
_LIST_MARK = re.compile(r"(?:[-–—•*·▪]|\d{1,3}[.)]|[A-Za-z][.)])\s")
# Nothing ends with these: a headline, a list's item or a sentence goes on after them.
_UNFINISHED = frozenset(
    """di ke dari dan atau yang untuk dengan pada dalam oleh akan kepada bahwa agar supaya karena
    serta antara terhadap tentang sebagai seperti adalah ialah yakni yaitu hingga sampai para si
    sang kata ujar tutur jelas ungkap menurut saat ketika melalui bernama terkait soal""".split()
)
_LONG_LINE = 40
_LONGEST_LINK = 80
_LINES_AHEAD = 16


def _joined_lines(body: str, lines: Sequence[Span]) -> set[int]:
    """Return the numbers of the lines that go on with the sentence of the line before.

    Scrapers that take a page's text piece by piece put each link and each word in italics on a
    line of its own. Where two lines of a body go on in the middle of a sentence, it was broken so,
    and then a name on a line of its own belongs to the sentence around it.
    """
    texts = [body[start:end] for start, end in lines]
    ends = [0, *(end for _, end in lines)]
    near = {n for n in range(1, len(texts)) if body.count("\n", ends[n], lines[n][0]) == 1}
    plain = {n for n in near if _goes_on_plainly(texts[n - 1], texts[n])}
    joined: set[int] = set()
    # Where all is in small letters, these say nothing.
    if not plain or sum(map(str.isupper, body)) * 200 < len(body):
        return joined
    length = 0
    for n in sorted(near):
        length = length + len(texts[n - 1]) if n - 1 in joined else len(texts[n - 1])
        if _is_no_piece(texts[n], n + 1 in plain):
            continue
        if n in plain and texts[n][0].islower():
            long = length >= _LONG_LINE or len(texts[n]) >= _LONG_LINE
            if long or (length >= _LONG_LINE / 3 and _ends(texts, n, plain)):
                joined.add(n)
        elif n in plain or (len(plain) > 1 and _is_piece(texts, n, joined, plain)):
            joined.add(n)
    return joined


def _goes_on_plainly(before: str, line: str) -> bool:
    """Tell whether a line, by its own first character, goes on with the line before."""
    if before[-1] in "([“‘" or _CLOSING.match(line):
        return True
    if before[-1] in _STOPS or before[-1] in _CLOSERS:
        return before[-1] == ")" and line[0] == "("
    if _LIST_MARK.match(line):
        return False
    return line[0].islower() or line == "(" or bool(_SHORT_NAME.match(line))


def _is_no_piece(line: str, followed: bool) -> bool:
    """Tell whether a line is boilerplate; "Facebook" is not where the next line goes on."""
    key = squeezed(line[:80])
    return bool(key) and is_boilerplate(line) and not (followed and key in _SHARE_WORDS)


def _ends(texts: Sequence[str], n: int, plain: set[int]) -> bool:
    """Tell whether the lines from this one on, each going on with the last, come to a stop."""
    for m in range(n, min(n + _LINES_AHEAD, len(texts))):
        if texts[m][-1] in ".!?":
            return True
        if m + 1 not in plain and (m + 1 >= len(texts) or not _is_piece(texts, m + 1, {m}, plain)):
            return False
    return False


def _is_piece(texts: Sequence[str], n: int, joined: set[int], plain: set[int]) -> bool:
    """Tell whether a line is a piece of the sentence before it, in a body broken at its links.

    `joined` are the lines so far that go on with the one before, `plain` all that do so plainly.
    """
    before, line = texts[n - 1], texts[n]
    words = before.split()
    if n <= 2 and len(before) <= _LONGEST_LINK and not any(word[0].islower() for word in words):
        # The dash of a dateline stands on a line of its own, or before the text.
        if _DASH.match(line) or _DASH.fullmatch(words[-1]):
            return True
    if before[-1] in _STOPS or _LIST_MARK.match(line):
        return False
    if before[-1] in _CLOSERS:
        return line[0].islower() and len(before) >= _LONG_LINE
    if before[-1] == "," or words[-1] in _UNFINISHED:
        return True
    inside = n - 1 in joined
    if inside and len(words) == 1 and before.islower() and len(texts[n - 2]) >= _LONG_LINE:
        return True
    named = all(_is_title_word(word.strip(_WORD_EDGE)) for word in line.split())
    if not named or len(line) > _LONGEST_LINK or not (inside or words[-1][0].islower()):
        return False
    return n + 1 in plain if line[-1] not in _STOPS else not words[-1][0].isupper()


def _merged(cuts: Iterator[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(cuts):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


_LETTER = re.compile(r"[^\W_]")
_OUTER = re.compile(r"[\s,;]*")
_LAST_JOINT = re.compile(r"(?<=[.?!\"”)])\s*,[\s,]*$")


def _keep(body: str, start: int, end: int, spans: list[Span]) -> None:
    """Add what stands between two cuts, without the commas that joined paragraphs."""
    if start >= end:
        return
    piece = body[start:end].rstrip()
    if joint := _LAST_JOINT.search(piece, max(0, len(piece) - 40)):
        piece = piece[: joint.start()]
    lead = _OUTER.match(piece)
    first = lead.end() if lead else 0
    if _LETTER.search(piece, first):
        spans.append((start + first, start + len(piece)))


# --- bylines -------------------------------------------------------------------------------------

_BYLINE = re.compile(
    r"\(?(?P<role>penulis|reporter|pewarta|wartawan|kontributor|author|oleh|rep|by|editor|redaktur"
    r"|red|penyunting|sumber|source)\s?(?::|(?<=oleh)\s|(?<=by)\s)\s?(?P<names>[^\n|]{2,120})$",
    re.IGNORECASE,
)
_REPORT = re.compile(rf"{_REPORT_BY},?\s+(?P<rest>.{{2,110}})$")
_NAME_BREAK = re.compile(r"\s*(?:[,;/&|]|\bdan\b|\band\b)\s*")
_EDITORS = frozenset(("editor", "redaktur", "red", "penyunting"))
_ORIGINS = frozenset(("sumber", "source"))
# What stands where a name should: the newsroom, nobody, the word for a missing value.
_NOBODY = re.compile(
    r"(?:(?:tim|team) )?(?:liputan|pemberitaan|riset|news|newsroom|digital|multimedia|network)\b.*"
    r"|tim|team|(?:desk|dewan|staf|kru)\b.*|.*\b(?:redaksi|redaktur|editorial|reporter|newsdesk)"
    r"|admin(?:istrator|\d+)?|anonim|anonymous|unknown|undefined|none|null|nan|na|nil|n\.a"
    r"|tidak (?:ditemukan|ada|diketahui)|not found|penulis|editor|wartawan|pewarta|penyunting"
    r"|kontributor|dok(?:umentasi)?|istimewa|ist|antara|afp|reuters|ap|dpa|xinhua|bernama|anadolu"
    r"|(?:kantor berita|lkbn)\b.*",
    re.IGNORECASE,
)
# "Tim detikcom" is a newsroom, Tim Cook a man.
_TEAM = re.compile(r"(?:[Tt]im|[Tt]eam) (?:[a-z]|Harian|Koran|Media|Tribun|Liputan|CNN|CNBC).*")
# A programme or desk of a publisher after a name: "Rina Maharani - detikOto".
_BESIDE_NAME = re.compile(r"\s+[-–—|]\s+.*$|\s*\([^)]*\)?\s*$")
_LONGEST_CREDIT = 2_000
_HOST_LIKE = re.compile(r"\.(?:com|co|id|net|org)\b|^tribun", re.IGNORECASE)


def names(text: str) -> tuple[str, ...]:
    """Split a list of names: "A dan B", "A, B", "A/B" are two people; desks and "N/A" are none."""
    found: dict[str, None] = {}
    if is_newsroom(text[:_LONGEST_CREDIT].strip().replace("/", ".")):
        return ()
    for part in _NAME_BREAK.split(_BESIDE_NAME.sub("", text[:_LONGEST_CREDIT])):
        name = part.strip(" .:()-\t*")
        if name and len(name) <= 60 and any(c.isalpha() for c in name):
            if not is_newsroom(name):
                found.setdefault(name)
    return tuple(found)


def is_newsroom(name: str) -> bool:
    """Tell whether what stands for a name is a newsroom's, or nobody's ("Tim Redaksi", "N/A")."""
    return bool(_NOBODY.fullmatch(name) or _TEAM.fullmatch(name))


def read_byline(line: str) -> Byline | None:
    """Read a line that names who made the article; None for any other line."""
    line = line.strip()
    if len(line) > 160:
        return None
    if report := _REPORT.match(line):
        people = [n for n in names(report["rest"]) if not _HOST_LIKE.search(n)]
        return Byline(authors=tuple(people)) if line[-1] not in "!?" else None
    parts = [_BYLINE.match(part.strip(" ()")) for part in line.split("|")]
    if not parts[0] or len(line) > 130:
        return None
    result = Byline()
    for part in parts:
        if part is not None:
            result = _joined(result, part["role"].lower(), part["names"])
    return result if result != Byline() else None


def _joined(byline: Byline, role: str, text: str) -> Byline:
    if role in _ORIGINS:
        return Byline(byline.authors, byline.editors, text.strip(" .()"))
    if role in _EDITORS:
        return Byline(byline.authors, byline.editors + names(text), byline.origin)
    return Byline(byline.authors + names(text), byline.editors, byline.origin)
