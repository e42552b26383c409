"""Decides which characters of an archived body are news: offsets, never rewritten text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.records import Span
from index.text import squeezed

RULES = 2
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

FOOT_LINES = frozenset(
    "komentar|kirim komentar|tulis komentar|berita terkini|berita terkait|berita populer"
    "|berita lainnya|artikel terkait|terpopuler|ikuti kami|ikuti kami di|topik terkait"
    "|rekomendasi untuk anda|video terkait|baca artikel lainnya".split("|")
)
"""Lines, squeezed, of which no article goes on after one."""

_BARE_LINES = FOOT_LINES | frozenset(
    "advertisement|iklan|scroll to continue with content|baca juga|baca|baca selengkapnya|simak"
    "|simak juga|lihat juga|berita pilihan|artikel lainnya|terkini|breaking news|selengkapnya|news"
    "|follow us|follow kami|bagikan|share|share this|copy link|salin tautan|tag|tags|foto terkait"
    "|all right reserved|all rights reserved|all right reservedannotated|halaman selanjutnya"
    "|halaman berikutnya|lanjut ke halaman berikutnya|selanjutnya|loading|next|previous|back to top"
    "|kembali ke atas|daftar isi|whatsapp|facebook|twitter|telegram|saksikan live|lihat semua"
    "|lihat selengkapnya|load more|pilihan editor".split("|")
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
            r"Baca [Jj]uga\s+\S.{0,150}[^.\s]\s*$",
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
    r"|\b(?:Foto|FOTO|Photo)\s?:\s?[^.:]{1,60}|\bKredit\s?:\s?[^.:]{1,60})$"
)
_SENTENCE_END = re.compile(r"[.!?][\"”’']?\s+[A-Z\"“]")
_INITIALS = re.compile(r"\((?:[a-z]{2,5}|[A-Z]{2,5}|[A-Z]-?\d{1,3})(?:/[A-Za-z0-9-]{1,6}){0,2}\)")
_PAIRED_INITIALS = re.compile(r"\([a-z]{2,4}/[a-z]{2,5}\d?\)")
_SIGNATURE = re.compile(r"\((?:\*{1,3}|end|[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]*){1,4})\)$")


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
    return _is_follow(line) or _is_caption(line)


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
    spans: list[Span] = []
    next_cut = 0
    after_link = False
    for start, end in _lines(body):
        line = body[start:end]
        if _skipped(line, title_key, repeated):
            after_link = _opens_link(line)
            continue
        if after_link and _is_linked_title(line):
            after_link = False
            continue
        after_link = False
        while cuts[next_cut][1] <= start:
            next_cut += 1
        number = next_cut
        while cuts[number][0] < end:
            _keep(body, start, cuts[number][0], spans)
            start = max(start, cuts[number][1])
            number += 1
        _keep(body, start, end, spans)
    return tuple(spans)


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
    return line[-1] == ":" and line[:4].lower() == "baca"


def _is_linked_title(line: str) -> bool:
    words = [word.strip(_WORD_EDGE) for word in line.split()]
    if len(line) > _LONGEST_TITLE or line[-1] == "." or len(words) < 3:
        return False
    return all(_is_title_word(word) for word in words)


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
_HOST_LIKE = re.compile(r"\.(?:com|co|id|net|org)\b|^tribun", re.IGNORECASE)


def names(text: str) -> tuple[str, ...]:
    """Split a list of names: "A dan B", "A, B", "A/B" are two people."""
    found: dict[str, None] = {}
    for part in _NAME_BREAK.split(text):
        name = part.strip(" .:()-\t*")
        if name and len(name) <= 60 and any(c.isalpha() for c in name):
            found.setdefault(name)
    return tuple(found)


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
