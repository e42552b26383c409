"""How new an answer should be: news of these days, the newest value, or of any time."""

from __future__ import annotations

import re
from dataclasses import replace

from index import text
from index.records import Query
from index.snapshot import SearchIndex
from qa.question.answer_type import MOVING, NOW
from qa.question.sources import tidy
from qa.question.topic import DAYS, MAYBE_NEW, ONLY_NEW, PLAINLY_NEW, TOPICS, asks_for_days

NEWS = re.compile(
    r"\b(berita(nya)?|kabar(nya)?|artikel|liputan|warta|diberitakan|dimuat|diterbitkan|terbit|"
    r"terbitan|edisi|headline|apa (saja )?yang terjadi|peristiwa|kejadian)\b",
    re.IGNORECASE,
)
_LAST = re.compile(r"\b(?:yang )?(?:paling |ter)akhir(?:nya)?\b", re.IGNORECASE)
_TO_COME = re.compile(
    r"\b(?:besok|lusa|nanti (?:pagi|siang|sore|malam)|mendatang|berikutnya|akan datang|"
    r"(?:minggu|pekan|bulan|tahun|musim) (?:ini|depan))\b"
    r"|\b(?:sedang|lagi|tengah|kini)\W+(?:\w+\W+){0,2}?(?:ramai|viral|tren|trending|populer|hits|"
    r"hangat|heboh|sorotan|naik daun|digemari|marak|diminati|disukai|dibicarakan)\b"
    r"|\b(?:baru (?:yang )?(?:di)?|(?:akan|bakal|segera) )(?:rilis|luncur|meluncur)(?:kan)?\b",
    re.IGNORECASE,
)
"""What only the news of these days tell."""
_OFFICE = (
    r"presiden|wapres|menteri|men(?:keu|lu|sos|hub|tan|dag|ko|aker|kes|dagri|hut|hankam)\w*|kapol\w+|"
    r"panglima|kasad|jaksa agung|gubernur|wali ?kota|bupati|kepala|ketua|dirut|direktur utama|ceo|"
    r"pelatih|kapten"
)
_OF_TODAY = re.compile(
    rf"\b(?:{MOVING}|pertumbuhan ekonomi|dijual berapa)\b"
    r"|\b(?:dol+ar|euro|yen|ringgit|rupiah)\b.*\bberapa\b"
    rf"|\b(?:siapa|nama)(?:kah)?\W+(?:nama\W+)?(?:{_OFFICE})(?:\W+\w+){{0,3}}\W*$"
    rf"|^(?:{_OFFICE})\W+(?:\w+\W+){{0,3}}siapa\W*$"
    r"|^\W*bagaimana(?:kah)? (?:\w+ )?(?:penampilan|performa|kiprah|kinerja|pergerakan|prospek)\b",
    re.IGNORECASE,
)
"""What has another value from day to day, or another holder from year to year."""
_CHANGING = re.compile(
    r"\b(?:berapa|jumlah)\W+(?:\w+\W+){0,2}?(?:kasus|korban|pasien|penerima|pengungsi)\b"
    r"|\bberapa\W+(?:\w+\W+){0,3}?(?:tewas|meninggal|luka\w*|hilang|mengungsi|terjangkit|positif)\b"
    r"|\b(?:sudah|belum)\b.*\bberapa\b|\bberapa\b.*\bsudah\b|\b(?:sudah|belum)\W*$",
    re.IGNORECASE,
)
"""What grows for some days, and then stands."""
_HISTORY = re.compile(
    r"\b(?:liputan|pemberitaan|berita|artikel|sejarah|perjalanan)\b.*"
    r"\b(?:tahun(?:an)? (?:terakhir|belakangan)|(?:tiap|per) tahun|dekade(?: terakhir)?)\b"
    r"|\b(?:sejarah|riwayat) (?:kasus|konflik|perkara|sengketa|liputan)\b"
    r"|\bdari (?:tahun|masa) ke (?:tahun|masa)\b",
    re.IGNORECASE,
)


_COMMON, _OFTEN = 0.02, 50
"""Share and number of passages from which on a name tells no case: "Indonesia", "Jakarta"."""


def only_new(words: str, latest: bool, index: SearchIndex | None) -> bool:
    """Return whether a question is answered by news of these days or not at all.

    So is one about what is to come or goes on now; and one for the newest that names nothing by
    which an older answer would be known for what it is.
    """
    if _TO_COME.search(words):
        return True
    now = NOW.search(_LAST.sub(" ", words))
    if index is None or not (latest or now):
        return False
    if now and _OF_TODAY.search(words):
        return True
    counts = index.frequencies(sorted(text.names_and_numbers(words)))
    return all(count > max(_COMMON * index.version.passages, _OFTEN) for count in counts)


def with_recency(query: Query, words: str, *, only: bool) -> Query:
    """Return a query with how new its answer should be, without the words that ask for it.

    `only` is what `only_new` says of the whole question, `words`.
    """
    if _HISTORY.search(words):
        return replace(query, kind="history")
    news = query.kind == "latest" or (query.kind in ("what", "other") and NEWS.search(words))
    dated = query.filter.dated or query.named
    if news and (dated or NOW.search(words)) and asks_for_days(NOW.sub(" ", query.text)):
        return replace(query, kind=DAYS)
    if news and NOW.search(words):
        query = replace(query, kind="latest")
    if query.kind in TOPICS:
        return replace(query, recency=ONLY_NEW) if only else query
    if only or NOW.search(words) or (_OF_TODAY.search(words) and not dated):
        left = tidy(NOW.sub(" ", query.text))
        left = left if text.query_stems(left) else query.text
        return replace(query, text=left, recency=ONLY_NEW if only else PLAINLY_NEW)
    if not dated and _CHANGING.search(words):
        return replace(query, recency=MAYBE_NEW)
    return query
