"""What a question asks for: a person, a number, a reason, the news of a topic."""

from __future__ import annotations

import re

NOW = re.compile(
    r"\b(?:yang )?(?:paling )?(?:(?:ter|paling )(?:baru|kini|anyar|akhir)|(?:per )?hari ini|"
    r"(?<!hingga )(?<!sampai )(?:sekarang(?: ini)?|saat ini|kini)|update)(?:nya)?\b"
    r"|\b(?:belakangan(?: ini)?|(?:akhir-akhir|baru-baru|dewasa) ini)\b",
    re.IGNORECASE,
)
_FIGURE = r"harga|kurs|nilai tukar|tarif|suku bunga|bi rate"
_AMOUNT = re.compile(rf"\b(?:{_FIGURE}|jumlah)\b")
MOVING = rf"{_FIGURE}|ihsg|inflasi|iuran|cukai|klasemen|peringkat"
_VALUE = re.compile(rf"\b(?:{MOVING}|berapa|siapa|jumlah|skor)\b", re.IGNORECASE)

# The first that matches is the type.
KINDS = (
    (
        "latest",
        r"\b((kabar|berita|info|informasi|perkembangan) (terbaru|terakhir|terkini|teranyar)|"
        r"terkini|update(nya)?|apa kabar(nya)?|latest)\b",
    ),
    ("latest", r"\bapa\b.*\b(di(beritakan|kabarkan|laporkan)|ramai)\W*$"),
    (
        "development",
        r"\b(perkembangan|kelanjutan|kronologi|perjalanan (kasus|perkara|karier|proyek)|"
        r"dari awal (sampai|hingga))(nya)?\b|\bsampai (di ?)?(mana|tahap apa)\W*$|"
        r"\b(kasus|nasib|kabar|perkara|hasil)nya (sekarang )?(gimana|bagaimana|apa)\b|"
        r"\b(gimana|bagaimana) (sekarang )?(nasib|kabar|hasil)(nya)?\b|\bkabarnya\W*$",
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
_COMPARISON = _KINDS[-1][1]
_WHEN_COUNT = re.compile(r"\b(tanggal|tahun|bulan|pukul|jam|hari) berapa\b")
_YESNO_START = re.compile(
    r"^\s*(benarkah|betulkah|adakah|sudahkah|bisakah|akankah|mungkinkah|pernahkah|haruskah|"
    r"is|are|was|were|did|does|do|has|have|had|can|will)\b"
)


def answer_type(question: str) -> str:
    """Return what is asked for: one of the names in KINDS, or "other"."""
    lowered = question.lower()
    if _VALUE.search(lowered):
        # "Update harga beras": a value is asked for, not what happened.
        lowered = NOW.sub(" ", lowered)
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
    return "howmany" if _AMOUNT.search(lowered) else "other"
