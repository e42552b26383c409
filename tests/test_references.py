"""References: what stands in them, and that no article breaks BibTeX or RIS."""

import datetime as dt
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import Article
from qa import references

TODAY = dt.date(2026, 11, 26)
HARBOUR = Article(
    "a1",
    "Harian Uji",
    'Pelabuhan "Batu Layar" & 100% Siap',
    "Isi.",
    "https://harianuji.example/pelabuhan_baru?x=1",
    dt.date(2025, 3, 4),
    ("Rini Maharani", "Bayu Aji, S.H."),
)
NASTY = '{}\\"%$#&_~^@,\n\r\t\x00\x1b\u202e\u2066\ufeff\u2028\ud800é漢a '


def test_a_reference_in_words():
    assert references.reference(HARBOUR, TODAY) == (
        "Rini Maharani dan Bayu Aji, S.H. 2025. “Pelabuhan 'Batu Layar' & 100% Siap”. Harian Uji, "
        "4 Maret 2025. https://harianuji.example/pelabuhan_baru?x=1 (diakses 26 November 2026)."
    )


@pytest.mark.parametrize(
    ("article", "words"),
    [
        (Article("1", "", "", ""), "[Tanpa judul]. t.t."),
        (Article("1", "Koran", "Judul.", ""), "Koran. t.t. “Judul.”. Koran."),
        (
            Article("1", "", "Judul", "", published=dt.date(2020, 5, 1)),
            "“Judul”. 2020. 1 Mei 2020.",
        ),
        (Article("1", "K", "J", "", authors=("A", "B", "C")), "A, B dan C. t.t. “J”. K."),
        (Article("1", "K", "J", "", authors=tuple("ABCD")), "A dkk. t.t. “J”. K."),
        (Article("1", "K", "J", "", "ftp://k.example"), "K. t.t. “J”. K."),
        (Article("1", "K\u202eL", "J\n\x00K", ""), "KL. t.t. “J K”. KL."),
    ],
)
def test_what_is_not_known_is_left_out(article, words):
    assert references.reference(article, TODAY) == words


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://ani:rahasia@uji.example:8080/a?b=1#c", "https://uji.example:8080/a?b=1#c"),
        ("https://bank.example@jahat.example/", "https://jahat.example/"),
        ("https://uji.example/@ani", "https://uji.example/@ani"),
        ("https://ani@", ""),
        ("https://uji.example/\u202egpj", ""),
    ],
)
def test_an_address_says_nothing_that_logs_in(url, safe):
    assert references.safe_url(url) == safe
    for form in (references.reference, references.bibtex, references.ris):
        assert "rahasia" not in form(Article("1", "K", "J", "", url), TODAY)


def test_bibtex():
    assert references.bibtex(HARBOUR, TODAY) == (
        f"@article{{{references.key(HARBOUR)},\n"
        "  author = {{Rini Maharani} and {Bayu Aji, S.H.}},\n"
        '  title = {{Pelabuhan "Batu Layar" \\& 100\\% Siap}},\n'
        "  journal = {Harian Uji},\n"
        "  year = {2025},\n"
        "  day = {4},\n"
        "  url = {https://harianuji.example/pelabuhan_baru?x=1},\n"
        "  urldate = {2026-11-26},\n"
        "  month = mar,\n"
        "  language = {indonesian},\n"
        "}\n"
    )
    assert references.bibtex(Article("1", "K", "J", ""), TODAY).startswith("@misc{ktt-")


def test_ris():
    assert references.ris(HARBOUR, TODAY).split("\r\n") == [
        "TY  - NEWS",
        "AU  - Rini Maharani",
        "AU  - Bayu Aji, S.H.",
        'TI  - Pelabuhan "Batu Layar" & 100% Siap',
        "T2  - Harian Uji",
        "PY  - 2025",
        "DA  - 2025/03/04",
        "UR  - https://harianuji.example/pelabuhan_baru?x=1",
        "Y2  - 2026/11/26",
        "LA  - id",
        "ER  - ",
        "",
    ]


nasty = st.text(st.one_of(st.sampled_from(NASTY), st.characters()), max_size=40)
hostile = st.builds(
    Article,
    nasty,
    nasty,
    nasty,
    nasty,
    st.one_of(nasty, nasty.map("https://u:p@uji.example/{}".format)),
    st.none() | st.dates(),
    st.lists(nasty, max_size=3).map(tuple),
)


def depth(text):
    """Return how deep in braces each character stands, as BibTeX counts them."""
    depths, now = [], 0
    for char in text:
        now += (char == "{") - (char == "}")
        depths.append(now)
    return depths


@given(hostile)
def test_no_article_breaks_an_entry(article):
    entry = references.bibtex(article, TODAY)
    depths = depth(entry)
    assert min(depths[:-2]) >= 0
    assert depths[-1] == 0
    # Nothing closes the entry before its end, and each line is one field.
    assert 0 not in depths[entry.index("{") : -2]
    first, *fields, last, rest = entry.split("\n")
    assert re.fullmatch(r"@(article|misc)\{[a-z0-9-]+,", first)
    assert (last, rest) == ("}", "")
    assert all(re.fullmatch(r"  [a-z]+ = (\{.*\}|[a-z]{3}),", field) for field in fields)
    assert entry.encode()


@given(hostile)
def test_ris_has_one_value_a_line(article):
    record = references.ris(article, TODAY)
    lines = record.split("\r\n")
    assert lines[0] == "TY  - NEWS"
    assert lines[-2:] == ["ER  - ", ""]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - .*", line) for line in lines[:-1])
    assert not [c for c in "".join(lines) if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
    assert record.encode()


@given(hostile)
def test_a_reference_is_one_line_that_nothing_turns_round(article):
    words = references.reference(article, TODAY)
    assert len(words.splitlines()) == 1
    assert not set(words) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


@given(st.sets(nasty, min_size=2, max_size=6), nasty)
def test_each_article_has_a_key_of_its_own(ids, publisher):
    keys = {references.key(Article(each, publisher, "J", "")) for each in ids}
    assert len(keys) == len(ids)
    assert all(re.fullmatch("[a-z0-9-]+", key) for key in keys)
