"""Answers: every quote is the archived text, and nothing unproven is shown."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.records import Claim, Filter
from index.settings import AnswerSettings
from qa import answers
from qa.chat import Chat
from tests import homes
from tests.homes import quotes_hold, shown


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    homes.add(home, homes.HARBOUR)
    homes.build(home)
    return Chat.open(home)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Siapa yang meresmikan Pelabuhan Batu Layar?", "Rahmat Hidayat"),
        ("Berapa biaya pembangunan pelabuhan Batu Layar?", "Rp 120 miliar"),
        ("Mengapa proyek pelabuhan Batu Layar tertunda?", "gelombang tinggi"),
        ("Siapa pelatih Melati Timur?", "Dewi Anggraini"),
    ],
)
def test_the_sentence_that_answers_is_shown_and_cited(chat, asked, expected):
    answer = chat.ask(asked).answer
    assert answer.status == "answered"
    assert expected in shown(answer)
    quotes_hold(chat, answer)


@pytest.mark.parametrize(
    "asked",
    ["Siapa presiden Wakanda?", "Berapa harga tiket konser Agnez di Batu Layar tahun 2031?", "zzz"],
)
def test_the_archive_says_nothing(chat, asked):
    answer = chat.ask(asked).answer
    assert answer.status == "no_evidence"
    assert not answer.claims
    assert not answer.citations


def test_a_filter_decides_which_flood(chat):
    asked = "Berapa rumah terendam banjir di Sungai Pinang?"
    before = chat.ask(asked, chosen=Filter(before=dt.date(2023, 12, 31))).answer
    after = chat.ask(asked, chosen=Filter(after=dt.date(2024, 1, 1))).answer
    assert "340" in shown(before) and "95" not in shown(before)
    assert "95" in shown(after) and "340" not in shown(after)


def test_a_follow_up_is_answered_from_the_topic(chat):
    first = chat.ask("Siapa yang meresmikan Pelabuhan Batu Layar?")
    second = chat.ask("Berapa biayanya?", [first])
    assert "120 miliar" in shown(second.answer)


def test_boilerplate_is_never_an_answer(chat):
    answer = chat.ask("Apakah kapal sandar di pelabuhan Batu Layar, baca juga harga cabai?").answer
    assert "Cabai" not in shown(answer)
    assert "Cabai" not in " ".join(hit.passage.text for hit in answer.evidence.hits)


def test_a_dateline_is_never_an_answer(tmp_path):
    body = "Jakarta, CNN Indonesia -- Presiden membuka pameran buku di Lapangan Merdeka pagi ini."
    homes.add(tmp_path, [homes.article(1, body)])
    homes.build(tmp_path)
    assert "--" not in shown(Chat.open(tmp_path).ask("Siapa CNN Indonesia Jakarta?").answer)


WORDS = sorted(
    {word for article in homes.HARBOUR for word in article.body.split() if word.isalnum()}
)


def test_the_archives_own_headlines_are_answered(chat):
    statuses = [chat.ask(article.title).answer.status for article in homes.HARBOUR]
    assert statuses == ["answered"] * len(homes.HARBOUR)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    asked=st.one_of(
        st.text(min_size=1, max_size=60).filter(lambda t: any(c.isalnum() for c in t)),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    )
)
def test_the_quote_law_holds_for_any_question(chat, asked):
    answer = chat.ask(asked).answer
    assert answer.status in ("answered", "no_evidence", "unsupported")
    assert 0 <= answer.confidence <= 1
    quotes_hold(chat, answer)


@pytest.fixture(scope="module")
def evidence(chat):
    return chat.ask("Siapa yang meresmikan Pelabuhan Batu Layar?").answer.evidence


@pytest.fixture(scope="module")
def bodies(chat):
    return lambda passage: chat.article(passage.article_id, passage.content).body


TRUE = "Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat."


@pytest.mark.parametrize(
    "claim",
    [
        TRUE,
        "Gubernur Rahmat Hidayat meresmikan Pelabuhan Batu Layar pada 4 Maret 2025.",
        "Pembangunan pelabuhan menelan biaya Rp 120 miliar.",
    ],
)
def test_a_true_claim_in_other_words_passes_the_check(evidence, bodies, claim):
    assert answers.check(Claim(claim, (1,)), evidence, bodies)


@pytest.mark.parametrize(
    "claim",
    [
        Claim(TRUE, ()),
        Claim(TRUE, (99,)),
        Claim(TRUE, (0,)),
        Claim("", (1,)),
        Claim(TRUE.replace("Rahmat", "Ridwan"), (1,)),
        Claim("Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat pada 2027.", (1,)),
        Claim("Ridwan meresmikan Pelabuhan Batu Layar.", (1,)),
        Claim("500 orang meresmikan Pelabuhan Batu Layar.", (1,)),
        Claim('Pelabuhan Batu Layar diresmikan Gubernur "Ridwan" Hidayat.', (1,)),
        Claim("Pelabuhan Batu Layar diresmikan Gubernur (Ridwan) Hidayat.", (1,)),
        Claim("Pelabuhan Batu Layar diresmikan tujuh gubernur.", (1,)),
        Claim("Pelabuhan Batu Layar tidak diresmikan Gubernur Rahmat Hidayat.", (1,)),
        Claim("Pelabuhan Batu Layar batal diresmikan Gubernur Rahmat Hidayat.", (1,)),
        Claim("Pelabuhan Batu Layar diresmikan 4 Maret 2025 dengan biaya Rp 4 miliar.", (1,)),
        Claim("Harga bensin di kota tetangga naik tajam sejak kemarin pagi.", (1,)),
    ],
)
def test_an_unproven_claim_fails_the_check(evidence, bodies, claim):
    assert not answers.check(claim, evidence, bodies)


VILLAGE = (
    "Harga beras di Pasar Lereng naik 5 persen pada Maret 2025 karena panen padi mundur.",
    "Pedagang Pasar Lereng menerima usul dinas tentang retribusi kios dan keamanan malam.",
    "Bupati Rukmana meresmikan jembatan gantung di Kampung Sawo sesudah warga menunggu dua tahun.",
    "Warga Kampung Sawo bersama Bupati Rukmana menanam pohon kelapa di tepi sungai.",
    "Panitia tidak menjual tiket lomba perahu.",
)


def proof_of(claim, cited=(1,)):
    """Return the sentences that prove a claim about the village, none if it fails the check."""
    passages = [
        homes.passage("a", VILLAGE, ""),
        homes.passage("b", ("Hujan turun di Lereng.",), ""),
    ]
    body = {"a": " ".join(VILLAGE), "b": "Hujan turun di Lereng."}
    found = answers.check(
        Claim(claim, cited),
        homes.evidence("apa", *passages, weights=()),
        lambda p: body[p.article_id],
    )
    return [body[proof.passage.article_id][slice(*proof.span)] for proof in found]


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("Harga beras di Pasar Lereng naik 5 persen.", 0),
        ("Pedagang Pasar Lereng menerima usul dinas.", 1),
        ("Jembatan gantung di Kampung Sawo diresmikan Bupati Rukmana.", 2),
        ("Panitia tidak menjual tiket lomba.", 4),
        *((sentence, number) for number, sentence in enumerate(VILLAGE)),
    ],
)
def test_a_proven_claim_is_shown_with_its_sentence(claim, shown):
    assert proof_of(claim) == [VILLAGE[shown]]


@pytest.mark.parametrize(
    "claim",
    [
        "Harga beras di Pasar Lereng turun 5 persen.",
        "Pedagang Pasar Lereng menolak usul dinas.",
        "Harga beras di Pasar Lereng tidak naik 5 persen.",
        "Panitia menjual tiket lomba perahu.",
        "Harga beras di Pasar Lereng naik 7 persen.",
        "Harga beras di Pasar Kenanga naik 5 persen.",
        "Harga beras di Pasar Lereng naik lima persen.",
        "Warga meresmikan pohon kelapa bersama pedagang kios.",
        "Dinas meresmikan keamanan malam pedagang dan warga.",
        "Panen padi menerima kios.",
    ],
)
def test_a_claim_that_twists_its_sentence_fails_the_check(claim):
    assert proof_of(claim) == []


@pytest.mark.parametrize(
    "claim",
    [
        "Harga beras di Pasar Lereng turun 5 persen.",
        "Pedagang Pasar Lereng menolak usul dinas.",
        "Harga beras di Pasar Lereng tidak naik 5 persen.",
        "Panitia menjual tiket lomba perahu.",
        "Harga beras memang sungguh terasa membebani dapur rumah tangga kecil.",
    ],
)
def test_the_rules_hold_whatever_the_learned_score_says(monkeypatch, claim):
    monkeypatch.setattr(answers, "_LEAST_SUPPORT", 0.0)
    assert proof_of("Harga beras di Pasar Lereng naik 5 persen.")
    assert proof_of(claim) == []


def test_a_claim_of_words_that_stand_nowhere_fails_whatever_is_near(monkeypatch):
    monkeypatch.setattr(answers, "_LEAST_SUPPORT", 0.0)
    # Two words of five are its sentence's: enough to find that one, not to prove the claim.
    assert proof_of("Panen padi memang terasa berat.") == []


def test_a_sentence_of_the_archive_needs_no_other_proof():
    said = "Petani Lereng menanam kembali bibit padi."
    found = homes.evidence("apa", homes.passage("a", (said,), "Panen tidak jadi"), weights=())
    assert answers.check(Claim(said, (1,)), found, lambda p: said)
    other = Claim("Petani Lereng menanam bibit padi.", (1,))
    assert not answers.check(other, found, lambda p: said)


def test_every_cited_hit_must_prove_the_claim():
    assert proof_of("Hujan turun di Lereng.", (0,)) == []
    assert len(proof_of("Hujan turun di Lereng.", (2,))) == 1
    assert proof_of(VILLAGE[1], (1, 2)) == []
    assert proof_of(VILLAGE[1], (1, 1)) == [VILLAGE[1]]


def test_a_claim_is_proven_by_any_passage_of_its_article():
    parts = ("Harga beras naik.", "Panitia menjual tiket lomba perahu di pasar.")
    pages = [homes.passage("a", (parts[0],)), homes.passage("a", (parts[1],), number=1, start=30)]
    body = parts[0].ljust(30) + parts[1]
    found = dataclasses.replace(homes.evidence("apa"), hits=(homes.hit(*pages),))
    (proof,) = answers.check(Claim(parts[1], (1,)), found, lambda p: body)
    assert proof.passage.id == "a#1" and body[slice(*proof.span)] == parts[1]
    assert not answers.check(Claim(parts[1], (1,)), found, lambda p: body[1:])
    assert not answers.check(Claim(parts[1], (1,)), found, lambda p: "")


def test_a_short_answer_is_no_part_of_a_word_or_number(evidence, bodies):
    said = "Pembangunan pelabuhan itu menelan biaya Rp 120 miliar."
    for short, expected in (("20", ""), ("Rp 120 miliar", "Rp 120 miliar")):
        told = dataclasses.replace(evidence, short=short)
        *_, answer = answers.answer(told, Scripted(Claim(said, (1,))), bodies, LENIENT)
        assert answer.short_answer == expected


class Scripted:
    """An answerer that says what it is told to: the check must hold for any of them."""

    name = "scripted"

    def __init__(self, *claims):
        self._claims = claims

    def claims(self, evidence):
        yield from self._claims


def test_dropped_claims_are_counted_and_not_shown(evidence, bodies):
    lie = Claim("Gubernur Ridwan menutup pelabuhan.", (1,))
    *_, answer = answers.answer(
        evidence, Scripted(lie, Claim(TRUE, (1,))), bodies, AnswerSettings()
    )
    assert answer.status == "answered"
    assert [c.text for c in answer.claims] == [TRUE]
    assert answer.dropped == (lie,)


def test_nothing_but_lies_is_unsupported(evidence, bodies):
    lie = Claim("Gubernur Ridwan menutup pelabuhan.", (1,))
    *_, answer = answers.answer(evidence, Scripted(lie), bodies, AnswerSettings())
    assert answer.status == "unsupported"
    assert not answer.claims


def test_two_claims_with_one_proof_share_a_citation(evidence, bodies):
    twice = (Claim(TRUE, (1,)), Claim("Gubernur Rahmat Hidayat meresmikan pelabuhan.", (1,)))
    *_, answer = answers.answer(evidence, Scripted(*twice), bodies, AnswerSettings())
    assert len(answer.claims) == 2
    assert len(answer.citations) == 1


def test_a_removed_article_is_not_cited_even_before_the_next_build(chat, evidence):
    gone = evidence.hits[0].passage.article_id
    *_, answer = answers.answer(
        evidence,
        answers.ExtractiveAnswerer(AnswerSettings()),
        lambda p: None if p.article_id == gone else chat.article(p.article_id).body,
        AnswerSettings(min_confidence=0.0),
    )
    assert gone not in {c.passage.article_id for c in answer.citations}


def test_an_altered_text_is_not_quoted(evidence):
    claim = Claim(TRUE, (1,))
    assert not answers.check(claim, evidence, lambda passage: "x" * 2000)


def test_values_are_frozen(evidence):
    with pytest.raises(dataclasses.FrozenInstanceError):
        evidence.version = "2"


def test_an_unsure_answer_is_no_answer(evidence, bodies):
    claim = Scripted(Claim(TRUE, (1,)))
    for least, expected in ((0.0, "answered"), (1.0, "no_evidence")):
        *_, answer = answers.answer(evidence, claim, bodies, AnswerSettings(min_confidence=least))
        assert answer.status == expected


def test_a_short_answer_stands_in_a_claim_that_is_shown(evidence, bodies):
    short = "Gubernur Rahmat Hidayat"
    evidence = dataclasses.replace(evidence, short=short)
    lines = evidence.hits[0].passage.text
    other = "Pembangunan pelabuhan itu menelan biaya Rp 120 miliar."
    assert other in lines and short not in other
    reworded = "Pelabuhan Batu Layar diresmikan pada 4 Maret 2025."
    for claim, expected in (
        (other, ""),
        (reworded, ""),
        (lines.partition(" Pembangunan")[0], short),
    ):
        *_, answer = answers.answer(evidence, Scripted(Claim(claim, (1,))), bodies, LENIENT)
        assert answer.claims
        assert answer.short_answer == expected


LENIENT = AnswerSettings(min_confidence=0.0)


def test_claims_with_different_proofs_have_their_own_citations(evidence, bodies):
    pair = (Claim(TRUE, (1,)), Claim("Pembangunan pelabuhan menelan biaya Rp 120 miliar.", (1,)))
    *_, answer = answers.answer(evidence, Scripted(*pair), bodies, LENIENT)
    assert [c.cited for c in answer.claims] == [(1,), (2,)]
    assert len({(c.start, c.end) for c in answer.citations}) == 2


FERRIES = [
    ("f1", "Feri Teluk Waru mengangkut 120 penumpang pada pelayaran perdana.", 1),
    ("f2", "Feri Teluk Waru mengangkut 95 penumpang pada pelayaran perdana.", 4),
    ("f3", "Feri Teluk Waru mengangkut 30 mobil dan penumpang pada pelayaran perdana.", 6),
    ("f4", "Feri Teluk Anggrek mengangkut 77 penumpang pada pelayaran perdana.", 9),
]


def ferries(*kept, below=0.5):
    rows = [row for row in FERRIES if row[0] in kept]
    pages = [homes.passage(name, (said,), "", dt.date(2025, 3, day)) for name, said, day in rows]
    found = homes.evidence("Berapa penumpang feri Teluk Waru pada pelayaran perdana?", *pages)
    read = [
        homes.reading(n, page, page.text.split()[4], 5 - below * n)
        for n, page in enumerate(pages, start=1)
    ]
    return dataclasses.replace(found, readings=tuple(read))


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (("f1", "f2", "f3", "f4"), [95, 120]),  # other things and other places do not disagree
        (("f1", "f3"), []),
        (("f1", "f4"), []),
    ],
)
def test_only_amounts_of_the_same_thing_disagree(kept, expected):
    found = answers.disagreeing(ferries(*kept))
    assert [int("".join(filter(str.isdigit, r.words))) for r in found] == expected


def test_a_much_less_likely_amount_is_no_disagreement():
    assert answers.disagreeing(ferries("f1", "f2", below=0.9))
    assert not answers.disagreeing(ferries("f1", "f2", below=1.1))


SHARES = (0.8, 0.1)


def test_sentences_are_added_only_while_they_may_answer():
    page = homes.passage("a", VILLAGE)
    by_score = {
        (9.0, 1.0, 0.5): [0],  # the first is likely enough alone
        (1.0, 0.9, -9.0): [0, 1],  # the third adds nothing
        (1.0, 0.9, 0.8): [0, 1, 2],
    }
    starts = [sentence.split()[0] for sentence in VILLAGE]
    for scores, expected in by_score.items():
        read = [homes.reading(1, page, starts[n], s) for n, s in enumerate(scores)]
        assert [VILLAGE.index(r.words) for r in answers.enough(read, 3, *SHARES)] == expected
    read = [homes.reading(1, page, starts[n], 1.0) for n in range(5)]
    assert len(answers.enough(read, 2, *SHARES)) == 2
    assert answers.enough([], 3, *SHARES) == []


def test_the_first_sentence_stays_first_and_the_others_follow_in_reading_order():
    page = homes.passage("a", VILLAGE)
    read = [homes.reading(1, page, VILLAGE[n].split()[0], 1.0) for n in (3, 4, 0)]
    assert [VILLAGE.index(r.words) for r in answers.enough(read, 3, *SHARES)] == [3, 0, 4]


def test_alike_sentences_are_shown_once():
    twice = ("Harga kopi naik tajam di pasar.", "Harga kopi naik tajam di pasar kota.")
    pages = [homes.passage(str(n), (said,)) for n, said in enumerate(twice)]
    read = [homes.reading(n, page, "Harga kopi", 1.0) for n, page in enumerate(pages, start=1)]
    assert [r.words for r in answers.enough(read, 3, *SHARES)] == [twice[0]]


OFFICE = (
    "Kepala Dinas Pasar Wulandari Saputri meninjau Pasar Lereng pada Senin pagi.",
    "Ia mengatakan retribusi kios akan dihapus mulai bulan depan.",
    '"Pedagang kecil harus dibantu," katanya kepada wartawan.',
    "Retribusi dihapus karena pembeli berkurang sejak jalan raya ditutup.",
)


@pytest.mark.parametrize(
    ("shown", "most", "expected"),
    [
        ([1], 3, [0, 1]),  # a pronoun brings the sentence that names the person
        ([2], 3, [0, 2]),
        ([3], 3, [3]),
        ([1, 2], 3, [0, 1, 2]),  # nobody is introduced twice
        ([3, 2], 2, [3, 2]),  # no more sentences than may be shown
    ],
)
def test_who_is_only_pointed_at_is_introduced(shown, most, expected):
    page = homes.passage("a", OFFICE)
    read = [homes.reading(1, page, OFFICE[n].rstrip(".")[-12:]) for n in shown]
    told = [words for _, words in answers._introduced(read, most)]
    assert [OFFICE.index(words) for words in told] == expected
