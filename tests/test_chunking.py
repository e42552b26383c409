"""Passages hold every kept sentence once, in order, within the budget."""

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import chunking, clean, text
from index.archive import content_hash
from index.records import Article
from tests.news import article

PIECES = st.sampled_from(
    [
        "Warga menanam 1.200 bakau. ",
        '"Kami senang. Kami bangga," kata Umi. ',
        "Hujan! ",
        "12 ekor sapi hilang. ",
        "\n",
        "Baca juga: Harga Cabai Naik Lagi\n",
        "massal.,Seusai ",
        "kata " * 40,
        "x" * 90,
        " " * 30,
        "Ínì ðengan huruf — “aneh” … ",
        "。",
        "5",
    ]
)
BODIES = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=300)


def cut(body, budget=40, **fields):
    given = Article("a1", "P", "Judul", body, **fields)
    return given, chunking.passages(given, max_tokens=budget)


@given(body=BODIES, budget=st.integers(20, 120))
@example(body="1" * 300, budget=20)
@example(body=f"kata {'y' * 400} kata", budget=20)
@example(body=". ".join(["Ínì ada"] * 200), budget=40)
def test_passages_hold_the_news_once_in_order_within_the_budget(body, budget):
    given, passages = cut(body, budget)
    assert [p.id for p in passages] == [f"a1#{n}" for n in range(len(passages))]
    position = 0
    for passage in passages:
        assert passage.spans
        assert passage.text == " ".join(body[a:b] for a, b in passage.spans)
        assert passage.text == chunking.join(body, passage.spans)
        assert text.count_tokens([passage.text])[0] <= budget
        for start, end in passage.spans:
            assert position <= start < end
            position = end
    kept = "".join(
        body[a:b]
        for start, end in clean.kept_spans(body, title=given.title)
        for a, b in text.sentences(body, start, end)
    )
    assert "".join("".join(p.text for p in passages).split()) == "".join(kept.split())


@given(body=BODIES, budget=st.integers(20, 120))
def test_sentences_are_whole_where_the_budget_allows(body, budget):
    given, passages = cut(body, budget)
    spans = [span for passage in passages for span in passage.spans]
    for start, end in clean.kept_spans(body, title=given.title):
        for sentence in text.sentences(body, start, end):
            # Beside it a joining space may cost two tokens.
            if text.count_tokens([body[slice(*sentence)]])[0] <= budget - 2:
                assert sentence in spans


def test_what_a_passage_knows_of_its_article():
    given = dataclasses.replace(article(1, sentences=30), story_id="a0")
    passages = chunking.passages(given, max_tokens=60)
    assert len(passages) > 3
    for passage in passages:
        assert passage.article_id == "a1"
        assert (passage.story_id, passage.content) == ("a0", content_hash(given))
        assert (passage.title, passage.publisher) == (given.title, given.publisher)
        assert (passage.url, passage.published) == (given.url, given.published)
        assert given.body[passage.start : passage.end].startswith(passage.text[:20])


def test_passages_are_even():
    _, passages = cut(article(1, sentences=13).body, 100)
    counts = text.count_tokens([passage.text for passage in passages])
    assert max(counts) < 2 * min(counts)


def test_boilerplate_is_in_no_passage():
    body = "Panen raya dimulai.\nBaca juga: Harga Cabai Naik\nPetani senang.\nSetia bersama kami"
    given = Article("a1", "P", "Judul", body)
    repeated = frozenset({clean.line_key("Setia bersama kami")})
    (passage,) = chunking.passages(given, max_tokens=100, repeated=repeated)
    assert passage.text == "Panen raya dimulai. Petani senang."
    assert (passage.start, passage.end) == (0, body.index("senang.") + 7)


@pytest.mark.parametrize("body", ["", " \n\t", "Baca juga: Harga Cabai Naik\n", "Judul", "...\n--"])
def test_nothing_but_boilerplate_gives_no_passage(body):
    assert cut(body)[1] == []


def test_a_long_sentence_is_cut_between_words():
    words = ["kata", "https://contoh.example/" + "panjang-sekali-" * 6, "lagi"] * 12
    _, passages = cut(" ".join(words), 60)
    assert len(passages) > 3
    assert [word for passage in passages for word in passage.text.split()] == words


def test_a_long_word_is_cut_only_where_it_is_over_the_budget_itself():
    link = "https://contoh.example/" + "anu-" * 9
    _, passages = cut(f"Laporan lengkap para peneliti itu kini ada di {link} sekarang", 40)
    assert any(link in passage.text.split() for passage in passages)


def test_an_absurd_word_is_cut_within_the_budget():
    _, passages = cut("q" * 20_000, 50)
    assert sum(len(p.text) for p in passages) == 20_000
    assert max(text.count_tokens([p.text for p in passages])) <= 50


def test_an_absurd_gap_costs_nothing():
    _, passages = cut("Awal kalimat" + " " * 1_000_000 + "akhir kalimat.", 40)
    assert " ".join(" ".join(p.text for p in passages).split()) == "Awal kalimat akhir kalimat."
