"""Decides which characters of an archived body are news: offsets, never rewritten text."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from index.files import word_table
from index.records import Span
from index.text import sentences, squeezed

RULES = 4
"""Raised whenever the kept spans come out differently: a recipe is compared by it."""

_FRAME = Path(__file__).with_name("frame.txt")
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


@functools.cache
def frame(name: str) -> frozenset[str]:
    """Return a list of `frame.txt`: words and lines, squeezed, that stand around articles.

    "openers" begin a sentence and, capitalised in a run of title words, end a headline; "small"
    words stay small in one; nothing ends with the "unfinished"; "furniture" are class names.
    """
    return frozenset(word_table(_FRAME)[name])


# --- whole lines ---------------------------------------------------------------------------------

_LONGEST_LABEL = 40


def is_label(text: str) -> bool:
    """Tell whether a text is nothing but the label of a link to other articles.

    "Baca juga" is, "Berita terkait" and "Video pilihan redaksi".
    """
    words = set(squeezed(text).split()) if len(text) <= _LONGEST_LABEL else set()
    marks = words & (frame("label verbs") | frame("teaser heads") | frame("label marks"))
    return bool(marks) and words - marks <= frame("label words")


def heads_teasers(line: str) -> bool:
    """Tell whether a line heads a list of other articles ("Berita terkait", "Terpopuler")."""
    words = squeezed(line).split()
    if not is_label(line) or words[0] in frame("label verbs") - {"baca"} or "juga" in words:
        return False
    return not frame("teaser heads").isdisjoint(words) and (
        len(words) > 1 or words[0] == "terpopuler"
    )


def is_foot(line: str) -> bool:
    """Tell whether no article goes on after a line."""
    return heads_teasers(line) or (len(line) < 60 and squeezed(line) in frame("foot lines"))


_LINK_WORDS = (
    r"(?:(?:Baca|BACA)(?:[ _]+(?:[Jj]uga|JUGA|[Pp]ula|PULA|[Ss]elengkapnya|[Bb]erita))?"
    r"|(?:Pilihan|PILIHAN) (?:[Ee]ditor|EDITOR|[Rr]edaksi|REDAKSI))"
)
_WATCH_WORDS = r"(?:Simak|SIMAK|Lihat|LIHAT|Tonton|TONTON|Saksikan|SAKSIKAN)"
_ROLES = (
    r"(?:Penulis|PENULIS|Reporter|REPORTER|Pewarta|PEWARTA|Wartawan|Editor|EDITOR|Redaktur"
    r"|REDAKTUR|Penyunting|Sumber|SUMBER|Kontributor|Uploader|Source|Author|Oleh|Rep|Red)"
)
_REPORT_BY = r"Laporan (?:[Ww]artawann?|[Rr]eporter|[Kk]ontributor)"
_FRAME_RULES = Path(__file__).with_name("frame_rules.txt")


class _Rules(NamedTuple):
    """What begins a whole line of the page's own; what is inside one, with a needle to look for."""

    line: re.Pattern[str]
    inside: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]


@functools.cache
def _rules() -> _Rules:
    named = {"watch": _WATCH_WORDS, "role": _ROLES, "report": _REPORT_BY, "caps": _CAPS_MARK}
    whole: list[str] = []
    inside: list[tuple[tuple[str, ...], re.Pattern[str]]] = []
    for line in _FRAME_RULES.read_text(encoding="utf-8").splitlines():
        needles, _, rule = line.partition(" ~ ")
        for name, words in named.items():
            rule = rule.replace(f"<{name}>", words)
        if needles == "line":
            whole.append(rule)
        elif not line.startswith("#"):
            inside.append((tuple(needles.split(", ")), re.compile(rule)))
    return _Rules(re.compile("|".join(whole)), tuple(inside))


_FOLLOW_LINE = re.compile(
    r"[-(\s]{0,3}(?:(?:Ikuti|IKUTI|Ayo ikuti|AYO IKUTI|Follow|FOLLOW|Dapatkan|DAPATKAN|Gabung"
    r"|Bergabung|Mari bergabung|Yuk gabung|Temukan kami)|"
    r"(?P<news>Cek|CEK|Baca|BACA|Simak|SIMAK|Akses|Klik|Caranya klik|Update|Temukan))\b"
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
_CREDIT_LINE = re.compile(r"\([a-z]{2,5}(?:/[a-z]{2,5}){1,2}\)")
_SIGNATURE = re.compile(r"\((?:\*{1,3}|end|[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]*){1,4})\)$")


# An offer of the publisher's own: it calls on the reader, for a service, about what is read.
_CALL = re.compile(
    r"(?:anda|kamu|sisa|sudah|belum|ingin|mau|yuk|ayo|mari|silakan|untuk|dapatkan|nikmati|berlangganan"
    r"|langganan|subscribe|masuk|login|log in|daftar|daftarkan|unduh|download|instal|install|pasang"
    r"|aktifkan|jadilah|dukung|lanjut|lanjutkan|baca|akses|temukan|klik|konten|artikel|berita|buat|coba|gunakan)\b",
    re.IGNORECASE,
)
_SERVICE = re.compile(
    r"\b(?:berlangganan|langganan|pelanggan|akun|log ?in|newsletter|buletin|aplikasi|notifikasi"
    r"|premium|member(?:ship)?|anggota|akses (?:penuh|tanpa batas|eksklusif)|paket"
    r"|gratis|(?:tanpa|bebas) iklan|e-?paper|kotak masuk|(?:email|surel) anda"
    r"|app store|play store|google play|subscri\w+)\b",
    re.IGNORECASE,
)
_READ = re.compile(
    r"\b(?:(?:mem)?baca\w*|(?:artikel|konten) (?:ini|premium|eksklusif|gratis)"
    r"|(?:semua|seluruh|untuk|update) (?:berita|artikel|konten|kabar)|konten ini"
    r"|berita (?:ini|ter\w+|pilihan|lainnya|eksklusif|premium)|jurnalisme|newsletter|e-?paper"
    r"|kabar ter\w+|informasi ter\w+|selengkapnya)\b",
    re.IGNORECASE,
)
_BARE_OFFER = re.compile(
    r"(?:Sudah (?:berlangganan|menjadi pelanggan|jadi pelanggan|punya akun|memiliki akun|terdaftar)"
    r"|Belum (?:berlangganan|punya akun|memiliki akun|terdaftar))\s?\?.{0,160}$"
    r"|(?:Masuk|Login|Log in) (?:(?:ke|dengan) akun(?: anda)?|atau daftar|/ daftar|di sini)\W*$"
    r"|(?:Berlangganan|Langganan) (?:sekarang|di sini|mulai (?:dari )?Rp)\b.{0,120}$"
    r"|(?:Mulai|Hanya) (?:dari )?Rp.{3,80}\b(?:batalkan|berhenti) kapan (?:saja|pun)\W*$"
    r"|(?:Kami|(?:Situs|Laman|Website)(?: web)? ini|Dengan (?:melanjutkan|mendaftar|masuk|mengklik"
    r"|menggunakan))\b.{0,200}\b(?:cookies?|kebijakan privasi|syarat (?:dan|&) ketentuan)\b.*$",
    re.IGNORECASE,
)
_LONGEST_OFFER = 320
_SAID = re.compile(
    r"[,”\"]\s(?:kata|ujar|tutur|ucap|jelas|ungkap|imbuh|tambah|sebut|demikian)\w*\s|\bmengatakan\b"
)


def is_offer(text: str) -> bool:
    """Tell whether a text offers the reader a subscription, an account, a newsletter or an app."""
    if len(text) > _LONGEST_OFFER or _SAID.search(text):
        return False
    if _BARE_OFFER.match(text):
        return True
    return bool(_CALL.match(text) and _SERVICE.search(text) and _READ.search(text))


def _is_share_bar(text: str) -> bool:
    if len(text) > 120 or text[-1] in ".!?":
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    return len(words) > 1 and all(word in frame("share") for word in words)


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
    if not key or _CREDIT_LINE.fullmatch(line):
        return True
    if len(line) < 60 and (key in frame("bare lines") or is_foot(line) or is_label(line)):
        return True
    if _rules().line.match(line) or opens_with_label(line):
        return not _goes_on(line)
    return any(rule(line) for rule in (_is_follow, _is_caption, is_offer, _is_share_bar, _is_pager))


def opens_with_label(line: str) -> bool:
    """Tell whether a line is a label and a colon, and perhaps what that is the label of."""
    label, colon, _ = line[: _LONGEST_LABEL + 1].partition(":")
    if not colon or not is_label(label):
        return False
    return " " in label.strip() or label.strip().lower() == "baca"


def _is_pager(text: str) -> bool:
    """Tell whether a text leads to the other pages of an article: "Halaman 2 dari 3", "1 2 Next".

    A word alone counts, a number alone does not.
    """
    words = squeezed(text).split() if len(text) <= 80 else []
    rest = {word for word in words if not (word.isdecimal() and len(word) <= 3)}
    return not rest.isdisjoint(frame("pager")) and rest <= frame("pager") | frame("beside pager")


def _goes_on(line: str) -> bool:
    """Tell whether real sentences follow on a line that begins as a link to another article."""
    if opens_with_label(line):
        if re.match(r"\s*[a-z]", line.partition(":")[2]):
            return True
    elif not line[:4].lower() == "baca":
        return False
    return len(line) > 220 or bool(re.search(r"[a-z)\d][.][\"”]?\s+[A-Z\"“]", line[:-1]))


# --- inside a line -------------------------------------------------------------------------------

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
    if bare[:1].isupper() and bare.lower() in frame("openers"):
        return word.start()
    if glued := re.search(r"[?!](?=[A-Z\"“])", word[0]):
        return word.start() + glued.end()
    return word.end() if bare[-1:] in ("?", "!") else start


def _is_title_word(word: str) -> bool:
    return not word or not word[0].islower() or word in frame("small")


_CAPS_MARK = (
    r"ADVERTISEMENT(?:\s*SCROLL TO (?:CONTINUE|RESUME)(?: WITH)? CONTENT)?"
    r"|SCROLL TO (?:CONTINUE|RESUME)(?: WITH)? CONTENT"
)
_MARK_AHEAD = rf"(?:{_CAPS_MARK}|\[Gambas\b|Baca [Jj]uga\s?:|\n)"

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
    for needles, rule in _rules().inside:
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
            label = line if is_label(line) else ""
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
    # Some put a blank line between all pieces; where only some lines have one, it is a paragraph's.
    gaps = [body.count("\n", ends[n], lines[n][0]) for n in range(len(texts))]
    fewest = min(gaps[1:], default=0)
    near = {n for n in range(1, len(texts)) if gaps[n] == fewest}
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
            enough = length >= _LONG_LINE / 3 or _is_named(texts[n - 1])
            if long or (enough and _ends(texts, n, plain)):
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
    return bool(key) and is_boilerplate(line) and not (followed and key in frame("share"))


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
    if before[-1] == "," or words[-1] in frame("unfinished"):
        return True
    inside = n - 1 in joined
    if inside and len(words) == 1 and before.islower() and len(texts[n - 2]) >= _LONG_LINE:
        return True
    if not _is_named(line):
        return False
    if not (inside or words[-1][0].islower()):
        # A sentence that opens with an office and its holder: "Bupati", "Rani Sari", "berkata".
        opens = n == 1 or texts[n - 2][-1] in _STOPS or texts[n - 2][-1] in _CLOSERS
        return opens and _is_named(before) and n + 1 in plain and _ends(texts, n + 1, plain)
    return n + 1 in plain if line[-1] not in _STOPS else not words[-1][0].isupper()


def _is_named(line: str) -> bool:
    """Tell whether a line may be the text of a link: words as in a name, without a stop."""
    words = line.split()
    return len(line) <= _LONGEST_LINK and all(_is_title_word(w.strip(_WORD_EDGE)) for w in words)


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
_BESIDE_NAME = re.compile(r"\s+[-–—|]\s*.*$|\s*\([^)]*\)?\s*$")
_DATE_BESIDE = re.compile(
    r"[\s,|(]*(?:\b(?:Senin|Selasa|Rabu|Kamis|Jum['’]?at|Sabtu|Minggu)\b[\s,(]*)?(?<!\w)\d.*$"
)
_LONGEST_CREDIT = 2_000
_HOST_LIKE = re.compile(r"\.(?:com|co|id|net|org)\b|^tribun", re.IGNORECASE)


def names(text: str) -> tuple[str, ...]:
    """Split a list of names: "A dan B", "A, B", "A/B" are two people; desks and "N/A" are none."""
    found: dict[str, None] = {}
    if is_newsroom(text[:_LONGEST_CREDIT].strip().replace("/", ".")):
        return ()
    written = _BESIDE_NAME.sub("", _DATE_BESIDE.sub("", text[:_LONGEST_CREDIT]))
    for part in _NAME_BREAK.split(written):
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
