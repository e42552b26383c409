"""Small real archives for tests: articles in, a version built, by the product's own doors."""

from __future__ import annotations

import datetime as dt
import io
import random
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from pathlib import Path

from commands.main import app, home_first, run
from index import build as builds
from index import settings, text
from index.archive import FILE_NAME, Archive
from index.embedding import open_embedder
from index.engines.opening import open_engine
from index.records import Answer, Article, Candidate, Evidence, Hit, Passage, Query, Reading
from index.settings import EngineSettings, Settings
from index.versions import Versions
from qa.chat import Chat
from qa.question.answer_type import answer_type
from tests import news
from tests.news import NOW


def tanya(home: Path, *arguments: object) -> int:
    """Run a command line in this process; return its exit status."""
    return run(app, ["--home", str(home), *map(str, arguments)])


def harbour(folder: Path) -> Path:
    """Make a folder a home with the articles of the harbour, built; return it."""
    add(folder, HARBOUR)
    build(folder)
    return folder


def tell(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command line in this process; return its exit status and what it printed.

    It prints to streams as strict as those of a process: a lone surrogate cannot be written.
    """
    printed = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    problems = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True)
    command = ["--home", str(home), *map(str, arguments)]
    with redirect_stdout(printed), redirect_stderr(problems):
        status = run(app, home_first(command))
    out, err = (file.buffer.getvalue().decode("utf-8") for file in (printed, problems))
    return subprocess.CompletedProcess(command, status, out, err)


def run_tanya(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, which takes seconds of importing."""
    command = [sys.executable, "-c", "from commands.main import main; main()", "--home", str(home)]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )


def add(home: Path, articles: Sequence[Article]) -> None:
    """Add articles to the home's archive."""
    with Archive.open(home / FILE_NAME, create=True) as archive:
        news.add(archive, articles)


def build(home: Path, location: str = "local") -> builds.BuildReport:
    """Build the home's next version with its settings' model, by the engine at a location."""
    embedder = open_embedder(settings.load(home).embedding)
    versions = Versions(home / "versions", open_engine(EngineSettings(location), home))
    recipe = builds.recipe(versions.engine, embedder, Settings().chunking)
    with Archive.open(home / FILE_NAME) as archive:
        return builds.build(archive, versions, recipe, embedder, now=NOW)


def article(number: int | str, body: str, **fields: object) -> Article:
    """Return an article with an id and a headline of its own."""
    usual = {"publisher": "Harian Uji", "title": f"Judul {number}", "url": "", "published": None}
    return news.article(number, body, **{**usual, **fields})


def passage(
    name: str,
    pieces: Sequence[str],
    title: str = "Kabar hari ini",
    published: dt.date | None = None,
    number: int = 0,
    start: int = 0,
) -> Passage:
    """Return the passage of an article that consists of these sentences, from `start` on."""
    spans, at = [], start
    for piece in pieces:
        spans.append((at, at + len(piece)))
        at += len(piece) + 1
    whole = " ".join(pieces)
    return Passage(
        f"{name}#{number}", name, name, whole, tuple(spans), title, "Uji", "", published, "c"
    )


def hit(*passages: Passage, score: float = 1.0, best: int = 0) -> Hit:
    """Return an article with these passages as it is found."""
    return Hit(passages, best, Candidate(passages[best].id, score, 0.5, 1, 1), score)


def evidence(
    asked: str,
    *passages: Passage,
    weights: Sequence[tuple[str, float]] | None = None,
    confidence: float = 1.0,
) -> Evidence:
    """Return the evidence for a question that these passages, each its article's only one, are."""
    hits = tuple(hit(p, score=1.0 / n) for n, p in enumerate(passages, start=1))
    found = [(stem, 4.0) for stem in text.query_stems(asked)] if weights is None else weights
    query = Query(asked, kind=answer_type(asked))
    return Evidence(query, hits, "000001", tuple(found), confidence=confidence)


def reading(number: int, page: Passage, short: str, score: float = 0.0) -> Reading:
    """Return the reading of a hit that finds an answer in the first sentence that holds it."""
    for span in page.spans:
        at = page.sentence(span).find(short)
        if at >= 0:
            start = span[0] + at
            return Reading(number, page, start, start + len(short), span, score, score, score)
    raise ValueError(f"{short!r} stands in no sentence of {page.id!r}")


def quotes_hold(chat: Chat, answer: Answer) -> None:
    """Check that each quote is the archived text, and that claims cite all and only citations."""
    for citation in answer.citations:
        article = chat.article(citation.passage.article_id, citation.passage.content)
        assert citation.quote == article.body[citation.start : citation.end]
        assert citation.quote.strip()
    numbers = [c.number for c in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {n for claim in answer.claims for n in claim.cited} == set(numbers)


def shown(answer: Answer) -> str:
    """Return what an answer shows."""
    return " ".join(claim.text for claim in answer.claims)


HARBOUR = [
    article(
        1,
        "Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat pada Selasa, 4 Maret 2025. "
        "Pembangunan pelabuhan itu menelan biaya Rp 120 miliar. "
        '"Kapal besar kini bisa sandar tanpa menunggu air pasang," kata Rahmat.\n'
        "Baca juga: Harga Cabai Turun\n"
        "Proyek sempat tertunda setahun karena gelombang tinggi merusak tiang pancang.",
        title="Gubernur Resmikan Pelabuhan Batu Layar",
        published=dt.date(2025, 3, 4),
        url="https://harianuji.example/pelabuhan",
    ),
    article(
        2,
        "Banjir merendam 340 rumah di Kecamatan Sungai Pinang pada Januari 2023. "
        "Warga mengungsi ke balai desa. Hujan lebat membuat tanggul jebol di dua titik.",
        title="Banjir Rendam Sungai Pinang",
        published=dt.date(2023, 1, 12),
        publisher="Kabar Hulu",
    ),
    article(
        3,
        "Banjir kembali merendam Sungai Pinang. Kali ini 95 rumah terendam dan tidak ada korban. "
        "Tanggul yang diperbaiki tahun lalu bertahan dari terjangan air.",
        title="Sungai Pinang Banjir Lagi",
        published=dt.date(2025, 2, 2),
        publisher="Kabar Hulu",
    ),
    article(
        4,
        "Tim voli putri Melati Timur menjuarai turnamen antardesa setelah menang tiga set. "
        "Pelatih Dewi Anggraini memuji pertahanan anak asuhnya.",
        title="Melati Timur Juara Voli",
    ),
]


# Three publishers with one story, and acronyms with their meaning.
REPRINT = [
    article(
        f"r{number}",
        f"{dateline} Satelit Nusadirgantara berhasil mengorbit setelah diluncurkan dari Biak pada "
        "Senin pagi. Satelit seberat 750 kilogram itu akan memotret sawah, hutan, dan garis "
        "pantai selama lima tahun. Kepala proyek Laksmi Wardani mengatakan sinyal pertama "
        "diterima stasiun bumi tujuh menit setelah roket melepas muatannya. Biaya peluncuran "
        "ditanggung bersama oleh dua kementerian dan sebuah perusahaan telekomunikasi.",
        title="Satelit Nusadirgantara Mengorbit",
        publisher=publisher,
        published=dt.date(2024, 7, 1),
    )
    for number, (dateline, publisher) in enumerate(
        [("BIAK --", "Kabar Hulu"), ("Biak,", "Harian Uji"), ("BIAK, HARIAN PAGI -", "Harian Pagi")]
    )
]

INTRODUCING = [
    article(n, f"Badan Air Bersih Daerah (BABD) rapat ke-{n}. Warga menunggu.", title="")
    for n in range(1, 4)
]
OTHERS = [
    article(10, "BABD memasang pipa baru di Teluk Jati bersama warga desa.", title=""),
    article(11, "Badan Air Bersih Daerah menutup sumur tua di Gunung Ladang.", title=""),
    article(12, "Badan jalan daerah rusak, air meluap, warga desa mengeluh.", title=""),
]


DIGGING_ASKED = "Siapa yang menggali Kolam Zamrud?"
DIGGING_PUBLISHERS = ("Harian Uji", "Kabar Hulu", "Suara & <b>Muara</b>", "")
DIGGING_TITLE = '<script>window.pwned=1</script>\' onload="pwned=1" {{ 7*7 }} ${window.pwned=1}'


def digging() -> list[Article]:
    """Return 61 articles about a pond, of four publishers over seven years, and 30 others.

    Every ninth is undated; one has a hostile headline.
    """
    rng = random.Random(3)
    title = DIGGING_TITLE
    found = [article("jahat", f"Kolam Zamrud {title} dibuka. Lalu hujan.", title=title)]
    for number in range(90):
        body = " ".join(news.sentence(rng) for _ in range(4))
        told = f" Regu menggali Kolam Zamrud ke-{number}." if number % 3 else ""
        day = dt.date(2018, 1, 10) + dt.timedelta(days=29 * number)
        fields = {"publisher": DIGGING_PUBLISHERS[number % 4]}
        found.append(
            article(number, body + told, **fields, published=None if number % 9 == 1 else day)
        )
    return found


class Page(HTMLParser):
    """Collects a page's tags, their attributes, and checks that they close."""

    VOID = ("meta", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.ids: list[str | None] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        self.ids.extend(value for name, value in attrs if name == "id")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = "<script>alert('x')</script><img src=x onerror=\"y\"> $\\frac{ & _nama \x07 漢 \ud800"
