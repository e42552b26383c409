"""Hostile articles, files and questions through adding, building, asking, and every way out."""

import datetime as dt
import io
import json
import os
import resource
import unicodedata
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from index.archive import FILE_NAME, Archive
from index.errors import InputError
from index.records import Filter
from index.related import Related
from page import html, transcript
from page.article import Opened, article_html
from qa import interface
from qa.chat import Chat
from qa.history import Conversation, KeptTurn
from qa.references import bibtex, reference, ris
from tests import homes
from tests.hostile import corpus, files, laws
from web import mcp

LONG = bool(os.environ.get("TANYA_HOSTILE"))
SIZE = 1_000 if LONG else 5
"""Thousandths of how long the long inputs get."""

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)

# What takes seconds: these belong to `make hostile`.
SLOW = frozenset(
    """gzip-letters gzip-brackets gzip-angles gzip-commas xz-bomb json-columns xml-attributes
    xml-long-tag feed-items html-headings html-metas html-deep html-deep-spans zip-many tree-many
    html-paragraphs html-links json-commas json-deep-objects text-tags text-entities warc-chunks-one
    html-tables text-mojibake xml-doctype-open json-keys text-markdown text-binary json-long-key
    """.split()
)
QUICK = [name for name in files.FILES if LONG or name not in SLOW]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with all hostile articles, added and built by commands."""
    home, folder = tmp_path_factory.mktemp("rumah"), tmp_path_factory.mktemp("isi")
    (folder / "jahat.jsonl").write_bytes(corpus.lines(corpus.rows(SIZE)))
    for command in (["add", folder], ["build"]):
        told = homes.tell(home, *command)
        assert told.returncode == 0, told.stderr
        safe(told)
    return home


@pytest.fixture(scope="module")
def chat(home):
    return Chat.open(home)


@pytest.fixture(scope="module")
def articles(home):
    with Archive.open(home / FILE_NAME) as archive:
        return every(archive)


def every(archive):
    """Return all articles of an archive."""
    return [article for article, _ in archive.articles(list(archive.fingerprints()))]


def safe(told):
    """Hold what a terminal gets: no traceback, nothing that steers it or turns text round."""
    for line in (told.stdout + told.stderr).split("\n"):
        assert "Traceback" not in line and "Unexpected error" not in line, line
        for char in line:
            steers = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
            assert not steers or char in laws.JOINERS, (hex(ord(char)), line[:200])


# Articles ----------------------------------------------------------------------------------------


def test_every_hostile_article_is_kept_and_its_passages_map_back(chat, articles):
    assert len(articles) >= len(corpus.rows(1)) - 5
    index = chat.index()
    for article in articles:
        for part in (article.id, article.title, article.body, article.publisher, article.url):
            part.encode()
            assert "\0" not in part
    hits = chat.search(corpus.ASKED, 300)
    assert len(hits) > 150
    whole = {article.id: article for article in articles}
    for hit in hits:
        for passage in hit.passages:
            laws.mapped(passage, whole[passage.article_id].body)
    assert index.version.articles == len(articles)


def test_terminals_get_nothing_that_steers_them(home):
    for command in (
        ["ask", corpus.ASKED],
        ["ask", corpus.ASKED, "--json"],
        ["search", corpus.ASKED, "-k", 300],
        ["search", corpus.ASKED, "-k", 300, "--json"],
        ["status"],
        ["ask", "\x1b[2J\u202e\udcff siapa " + corpus.TEXTS["terminal/osc-title"]],
        ["ask", "x", "--publisher", "\x1b[2J\u202etidak ada"],
        ["ask", "x", "--after", "\x1b[2J\u202e"],
        ["remove", "\x1b[2J\u202e"],
        ["add", "/tidak/ada\x1b[2J\u202e"],
    ):
        told = homes.tell(home, *command)
        assert told.returncode in (0, 1, 2)
        safe(told)
        for line in told.stdout.splitlines() if "--json" in command else ():
            json.loads(line)


def test_an_export_makes_the_same_archive(home, articles, tmp_path):
    out = tmp_path / "arsip.jsonl.gz"
    safe(homes.tell(home, "export", "--out", out))
    other = tmp_path / "lain"
    other.mkdir()
    safe(homes.tell(other, "add", out))
    with Archive.open(other / FILE_NAME) as archive:
        again = {article.id: article for article in every(archive)}
    for article in articles:
        assert (again[article.id].title, again[article.id].body) == (article.title, article.body)


def test_what_is_opened_and_referenced_holds_no_markup_of_an_article(articles):
    for article in articles:
        opened = Opened(article, article, Related(), ((0, min(40, len(article.body))),))
        page = article_html(opened, NOW.date())
        homes.Page(f"<div>{page}</div>")
        harmless(page)
        laws.printed(reference(article, NOW.date()))
        assert ris(article, NOW.date()).count("\r\nER  - ") == 1
        assert bibtex(article, NOW.date()).count("\n@") == 0


def harmless(page):
    """Parse HTML as a browser does: no script, no handler, no address outside, no broken frame."""
    tree = etree.HTML(f"<div id='bingkai'>{page}</div>")
    for element in tree.iter():
        assert element.tag not in ("script", "iframe", "object", "embed", "base", "style")
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            if name in ("href", "src"):
                assert value.startswith(("/", "#", "http://", "https://")), value
            assert name not in ("src", "action", "formaction", "style", "srcdoc")


# Questions ---------------------------------------------------------------------------------------


def asked():
    found = list(corpus.questions().items())
    return found if LONG else found[::17]


def test_every_hostile_question_is_answered_or_refused_with_quotes_that_hold(chat):
    turns = []
    for name, question in asked():
        try:
            turn = chat.ask(question)
        except InputError as error:
            assert "The question is empty" in str(error) and not any(map(str.isalnum, question))
            continue
        homes.quotes_hold(chat, turn.answer)
        json.dumps(interface.turn_row("", turn)).encode()
        page = html.turn_html(turn, 1, Filter(), chat.article, conversation="percakapan")
        harmless(page)
        for char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068":
            assert char not in turn.answer.short_answer
            assert not any(char in claim.text for claim in turn.answer.claims), name
        turns.append(turn)
    kept = [KeptTurn("x", n, NOW, turn.question, Filter(), turn) for n, turn in enumerate(turns)]
    conversation = Conversation("x", corpus.TEXTS["structure/word-xml"], NOW, NOW, len(kept))
    with zipfile.ZipFile(io.BytesIO(transcript.word(conversation, kept))) as document:
        for name in document.namelist():
            if name.endswith(".xml"):
                etree.fromstring(document.read(name))
    said = transcript.markdown(conversation, kept)
    assert (
        "<script" not in said.replace("\\<script", "")
        and "\u202e" not in said
        and "\x1b" not in said
    )
    json.dumps(transcript.rows(conversation, kept)).encode()


def test_a_model_gets_an_article_between_marks_that_it_cannot_forge(articles):
    for article in articles[:60]:
        row = {
            "id": article.id,
            "publisher": article.publisher,
            "published": "",
            "url": article.url,
            "title": article.title,
            "text": article.body,
        }
        told = mcp._delimited(row)
        mark = told.rsplit("[", 1)[1].split()[0]
        assert told.count(f"[{mark} begins]") == told.count(f"[{mark} ends]") == 1


# Files -------------------------------------------------------------------------------------------


def test_every_hostile_file_is_read_or_told_in_little_memory(tmp_path):
    (tmp_path / "rahasia.txt").write_text(files.SECRET)
    home = tmp_path / "rumah"
    home.mkdir()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in QUICK:
        folder = tmp_path / "isi" / name
        folder.mkdir(parents=True)
        files.make(name, folder)
        told = homes.tell(home, "add", folder)
        assert told.returncode in (0, 1), (name, told.stderr)
        assert told.returncode == 0 or told.stderr.strip(), name
        safe(told)
        for path in folder.iterdir():
            path.unlink() if path.is_symlink() or path.is_file() else None
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1_500_000, f"{grown} kB"
    with Archive.open(home / FILE_NAME) as archive:
        kept = " ".join(article.body + article.title for article in every(archive))
    assert files.SECRET not in kept and "root:" not in kept and "PATH=" not in kept
    # Nothing was written beside the home.
    assert {path.name for path in tmp_path.iterdir()} == {"rahasia.txt", "rumah", "isi"}
    assert not Path("/tmp/luar.jsonl").exists()
