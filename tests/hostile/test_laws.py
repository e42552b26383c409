"""Laws of readers, cleaner, question and claim parsers, links and terminal, tried on any input."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import corpus, files, fuzz, laws

# `make hostile` tries each law longer.
LONG = bool(os.environ.get("TANYA_HOSTILE"))
bounded = settings(
    max_examples=2_000 if LONG else 25,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)

FRAGMENTS = (
    *"<p> </p> <item> </item> <![CDATA[ ]]> <!-- --> \" ' , ; \n \r \t \0 { } [ ] : \\ & &lt; = "
    "--- ``` ![ ]( # * | » « “ ” ‘ . .. … ? ! - — / @ % \u202e \u2067 \ufeff \u200b é А １ ²".split(
        " "
    ),
    "Baca juga: ",
    "BITUNG, KABAR.ID -- ",
    "Tugu Zamrud setinggi 15 meter. ",
    '"text": ',
    "title,text\n",
    "WARC/1.0\r\n",
    "Content-Length: 9\r\n\r\n",
    "<?xml version='1.0'?><rss><channel>",
    "<html><body><article>",
    "12/3/2020",
    "minggu lalu",
    "[1]",
    "[2-",
    "<think>",
    "(kutipan 3)",
)
texts = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join),
    st.lists(st.sampled_from([*corpus.TEXTS.values()]), max_size=3).map(" ".join),
)


@pytest.mark.parametrize("suffix", [*dict.fromkeys(fuzz.READERS.values())])
@bounded
@given(data=st.one_of(st.binary(max_size=400), texts.map(lambda t: t.encode("utf-8", "replace"))))
def test_a_reader_gives_articles_and_problems_whatever_it_reads(suffix, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"berita{suffix}"
        path.write_bytes(data)
        laws.reads(path)


words = st.lists(
    st.text(
        st.characters(categories=["L", "Nd", "Po", "Sc"], exclude_characters="<>&\\"), min_size=1
    ),
    min_size=5,
    max_size=30,
).map(" ".join)


@bounded
@given(said=words)
def test_a_row_keeps_its_text_character_for_character(said):
    whole = f"Warga desa berkumpul pagi ini. {said} selesai sudah begitu."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "berita.jsonl"
        path.write_bytes(corpus.lines({"a": {"title": "Warga berkumpul", "text": whole}}))
        (article,) = laws.reads(path)
    assert article.body == whole


@bounded
@given(body=texts, title=texts)
def test_what_is_kept_of_a_body_maps_back_to_it(body, title):
    laws.cleans(body, title)


@bounded
@given(asked=texts)
def test_every_question_is_understood_as_something(asked):
    laws.understood(asked)


@bounded
@given(pieces=st.lists(texts, max_size=6))
def test_words_of_a_model_become_claims_on_one_line(pieces):
    laws.claimed(pieces)


@bounded
@given(
    url=st.one_of(texts, texts.map("https://contoh.example/".__add__), texts.map("http://".__add__))
)
def test_a_link_is_a_web_address_without_an_account(url):
    laws.linked(url)


@bounded
@given(value=texts)
def test_a_terminal_gets_one_line_of_what_is_seen(value):
    laws.printed(value)


# The hostile corpus ------------------------------------------------------------------------------


def test_each_text_of_the_corpus_is_cleaned_understood_read_as_a_claim_and_printed():
    for text in corpus.TEXTS.values():
        laws.cleans(text)
        laws.claimed([text, "[1].", text])
        laws.printed(text)
    for asked in corpus.questions().values():
        laws.understood(asked)
    for url in corpus.URLS.values():
        laws.linked(url)


def test_the_corpus_has_inputs_of_all_kinds():
    found = corpus.counts()
    assert sum(found.values()) >= 500 and min(found.values()) >= 5


# What was found by fuzzing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        # htmldate removes the page's own root.
        ("a.html", b"<a><meta property='og:type' content='article'><del>" + files.BODY.encode()),
        # A carriage return within a row whose quote is open.
        ("a.csv", b'title,text\n"a\rb",c\n"x"y,z\n"open,\r1\n' + b"a,b\n" * 60),
        # A name of a column without end is told in part.
        ("a.csv", b"n" * 90_000 + b',b\n"' + files.BODY.encode() * 3 + b'",x\n'),
        ("a.jsonl", b'{"' + b"n" * 90_000 + b'": "' + files.BODY.encode() * 3 + b'"}\n'),
        # A NUL in the address that a crawl says.
        (
            "a.warc",
            files.DATA["warc-uri"][1].replace(b"javascript:1\x1b[2J", b"https://c\0\x05.example/a"),
        ),
    ],
)
def test_an_input_that_fell_is_read(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    laws.reads(path)
