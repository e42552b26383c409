"""The extractive answerer over small archives: what is shown, brought along, in what order."""

import dataclasses
import datetime as dt

import pytest

from index import text
from index.errors import ModelError
from index.records import Claim
from index.settings import AnswerSettings
from qa import answers, extractive, sentences, spans
from qa.chat import Chat
from qa.ranking import Stems
from tests import homes
from tests.test_sentences import evidence as evidence_of
from tests.test_sentences import passage as passage_of

ARTICLES = [
    homes.article(
        1,
        "Kepala Dinas Pasar Wulandari Saputri meninjau Pasar Lereng pada Senin, 3 Februari 2025. "
        "Ia mengatakan retribusi kios akan dihapus mulai bulan depan. "
        '"Pedagang kecil harus dibantu," katanya. '
        "Retribusi dihapus karena pembeli berkurang sejak jalan raya ditutup.",
        title="Retribusi Pasar Lereng Dihapus",
        published=dt.date(2025, 2, 3),
    ),
    homes.article(
        2,
        "Longsor di Bukit Tamiang menewaskan 7 orang dan merusak dua jembatan.",
        title="Longsor Bukit Tamiang",
        published=dt.date(2025, 5, 2),
        publisher="Kabar Hulu",
    ),
    homes.article(
        3,
        "Petugas menyebut longsor di Bukit Tamiang menewaskan 12 orang menurut data terakhir.",
        title="Korban Longsor Bukit Tamiang",
        published=dt.date(2025, 5, 3),
        publisher="Harian Pesisir",
    ),
    homes.article(
        4,
        "Alat berat membersihkan jalan di Bukit Tamiang sesudah longsor. Sekolah masih libur.",
        title="Pembersihan Bukit Tamiang",
        published=dt.date(2025, 5, 9),
    ),
    homes.article(
        5,
        "Festival layang-layang digelar di Pantai Kelapa. "
        "Juara festival layang-layang itu adalah Bagas Pratama dari Desa Wonosari.",
        title="Festival Layang-layang",
    ),
    homes.article(
        6,
        "Posko longsor di Bukit Tamiang menerima sumbangan selimut. Dapur umum berdiri.",
        title="Posko Longsor",
    ),
]


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    homes.add(home, ARTICLES)
    homes.build(home)
    return Chat.open(home)


def claims(answer):
    return [claim.text for claim in answer.claims]


def cited_articles(answer):
    by_number = {c.number: c.passage.article_id for c in answer.citations}
    return [by_number[n] for claim in answer.claims for n in claim.cited]


@pytest.mark.parametrize(
    ("asked", "short"),
    [
        ("Siapa juara festival layang-layang di Pantai Kelapa?", "Bagas Pratama"),
        ("Kapan Wulandari Saputri meninjau Pasar Lereng?", "3 Februari 2025"),
    ],
)
def test_the_short_answer_is_a_verbatim_part_of_a_claim_and_its_quote(chat, asked, short):
    answer = chat.ask(asked).answer
    assert short in answer.short_answer or answer.short_answer in short
    assert answer.short_answer
    assert any(answer.short_answer in t for t in claims(answer))
    assert any(answer.short_answer in c.quote for c in answer.citations)


def test_why_has_no_short_answer_but_the_cause(chat):
    answer = chat.ask("Mengapa retribusi Pasar Lereng dihapus?").answer
    assert answer.short_answer == ""
    assert any("karena pembeli berkurang" in t for t in claims(answer))


def test_a_pronoun_brings_the_sentence_that_names_the_person(chat):
    evidence = chat.ask("Apa kata Kepala Dinas soal retribusi kios Pasar Lereng?").answer.evidence
    number = next(
        n for n, hit in enumerate(evidence.hits, start=1) if hit.passage.article_id == "a1"
    )
    pieces = [
        " ".join(piece.split())
        for piece in extractive.sentences.sentence_texts(evidence.hits[number - 1].passage)
    ]
    pointing = extractive.Sentence(number, 1, pieces[1], 0.0, 0.9)
    spoken = extractive.Sentence(number, 2, pieces[2], 0.0, 0.9)
    plain = extractive.Sentence(number, 3, pieces[3], 0.0, 0.9)
    introduced = extractive._introduced
    assert [s.place for s in introduced(evidence, [pointing], 3)] == [0, 1]
    assert [s.place for s in introduced(evidence, [spoken], 3)] == [0, 2]
    assert [s.place for s in introduced(evidence, [plain], 3)] == [3]
    # Nobody is introduced twice, and no more sentences are shown than may be.
    assert [s.place for s in introduced(evidence, [pointing, spoken], 3)] == [0, 1, 2]
    assert [s.place for s in introduced(evidence, [plain, spoken], 2)] == [3, 2]


def test_sources_that_disagree_are_shown_newest_first(chat):
    answer = chat.ask("Longsor di Bukit Tamiang menewaskan berapa orang?").answer
    assert cited_articles(answer) == ["a3", "a2"]
    assert ["12 orang" in t for t in claims(answer)] == [True, False]
    assert "7 orang" in claims(answer)[1]


def test_one_number_is_no_disagreement(chat):
    evidence = chat.ask("Berapa jembatan rusak akibat longsor di Bukit Tamiang?").answer.evidence
    assert extractive.disagreeing(evidence, extractive.read(evidence)) == []


FERRIES = [
    ("f1", "Feri Teluk Waru mengangkut 120 penumpang pada pelayaran perdana.", 1),
    ("f2", "Feri Teluk Waru mengangkut 95 penumpang pada pelayaran perdana.", 4),
    ("f3", "Feri Teluk Waru mengangkut 30 mobil dan penumpang pada pelayaran perdana.", 6),
    ("f4", "Feri Teluk Anggrek mengangkut 77 penumpang pada pelayaran perdana.", 9),
]


def ferries(*kept):
    passages = [
        passage_of(name, (said,), "", dt.date(2025, 3, day))
        for name, said, day in FERRIES
        if name in kept
    ]
    asked = "Berapa penumpang feri Teluk Waru pada pelayaran perdana?"
    # The name weighs so little that only the rule for names keeps the other bay out.
    weights = tuple((stem, 0.1 if stem == "waru" else 4.0) for stem in text.query_stems(asked))
    return evidence_of(asked, *passages, weights=weights)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (("f1", "f2", "f3", "f4"), [95, 120]),  # other things and other places do not disagree
        (("f1", "f3"), []),
        (("f1", "f4"), []),
    ],
)
def test_only_amounts_of_the_same_thing_disagree(kept, expected):
    evidence = ferries(*kept)
    found = extractive.disagreeing(evidence, extractive.read(evidence))
    assert [int("".join(filter(str.isdigit, s.words))) for s in found] == expected


def test_nobody_has_the_name_of_a_place():
    piece = "Penari dilatih di Pantai Lagusa, Kota Wara, oleh Syarifah Laila."
    asked = sentences.read_question(evidence_of("Siapa pelatihnya?"), Stems())
    tokens = spans.read_tokens([piece, "Laila tersenyum."], asked, Stems())
    named = extractive._places(tokens)
    places = [word for word, of_place in zip(tokens.words, named, strict=True) if of_place]
    assert places == ["di", "Pantai", "Lagusa", "Kota", "Wara"]


def test_a_topic_gets_a_timeline_newest_first_and_the_undated_last(chat):
    answer = chat.ask("perkembangan longsor Bukit Tamiang").answer
    assert answer.status == "answered"
    assert cited_articles(answer) == ["a4", "a3", "a2", "a6"]
    assert answer.short_answer == ""


def test_the_latest_news_are_looked_for_among_the_newest_articles(chat):
    # Three of the last year tell it, so the undated article is not asked.
    answer = chat.ask("kabar terbaru longsor Bukit Tamiang").answer
    assert cited_articles(answer) == ["a4", "a3", "a2"]


def test_a_question_about_news_is_searched_by_its_subject():
    said = extractive.subject
    assert said("Apa kabar terbaru soal Bendungan Waelomata?") == "Bendungan Waelomata?"
    assert said("Bagaimana perkembangan kasus ambulans laut?") == "kasus ambulans laut?"
    assert said("Apa kabar terbaru?") == "Apa kabar terbaru?"


def test_a_topic_without_names_needs_most_of_its_words():
    passages = (
        passage_of("a", ("Harga beras impor naik di pasar.",), ""),
        passage_of("b", ("Harga tiket naik.",), ""),
    )
    evidence = evidence_of("kabar terbaru harga beras impor", *passages)
    assert extractive.about(evidence) == [1]


def test_a_timeline_holds_to_the_names(chat):
    evidence = chat.ask("kabar terbaru longsor Bukit Tamiang").answer.evidence
    everywhere = chat.ask("kabar terbaru longsor jembatan Bukit Tamiang Cempaka").answer.evidence
    assert extractive.about(evidence)
    assert extractive.about(everywhere) == []


def test_a_topic_that_the_archive_lacks_gets_no_timeline(chat):
    answer = chat.ask("kabar terbaru longsor Bukit Cempaka").answer
    assert answer.status == "no_evidence"


def test_no_more_sentences_than_the_settings_say(chat):
    evidence = chat.ask("retribusi kios Pasar Lereng pedagang pembeli").answer.evidence
    for most in (1, 2, 3):
        answerer = extractive.ExtractiveAnswerer(AnswerSettings(max_sentences=most))
        assert 1 <= len(list(answerer.claims(evidence))) <= most + 1


def test_another_year_is_another_question(chat):
    asked = "Kapan Wulandari Saputri meninjau Pasar Lereng"
    right = chat.ask(f"{asked} tahun 2025?").answer.confidence
    wrong = chat.ask(f"{asked} tahun 2019?").answer.confidence
    assert wrong < right / 2


def test_an_undated_story_without_a_year_is_less_sure_but_not_of_another_year(chat):
    asked = "Siapa juara festival layang-layang di Pantai Kelapa"
    plain = chat.ask(f"{asked}?").answer
    dated = chat.ask(f"{asked} tahun 2019?").answer
    assert dated.confidence < plain.confidence
    left = [extractive._numbers_borne_out(a.evidence, 1) for a in (plain, dated)]
    assert left == [1.0, extractive._NO_NUMBER]
    assert extractive._OTHER_YEAR < extractive._NO_NUMBER


def test_a_name_that_the_archive_lacks_lowers_the_confidence(chat):
    right = chat.ask("Siapa juara festival layang-layang di Pantai Kelapa?").answer.confidence
    wrong = chat.ask("Siapa juara festival layang-layang di Pantai Sorowako?").answer.confidence
    assert wrong < right


def test_nothing_is_read_out_of_nothing(chat):
    evidence = chat.ask("zzz").answer.evidence
    assert extractive.read(evidence).confidence == 0
    reading = extractive.read(dataclasses.replace(evidence, hits=()))
    assert (reading.sentences, reading.short, reading.confidence) == ((), "", 0.0)


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        ("Panen raya dimulai hari Senin.", True),
        ("Panen raya dimulai.", False),
        ("Apakah panen raya jadi dimulai?", False),
        ('"Apakah panen raya jadi dimulai?"', False),
        ("WANASIGRA, KABAR LERENG, Senin --", False),
    ],
)
def test_stumps_and_questions_are_not_shown(piece, expected):
    assert extractive._showable(piece) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Harga kopi naik tajam di pasar.", "Harga kopi naik tajam di pasar kota.", True),
        ("Harga kopi naik tajam di pasar.", "Tim voli menang tiga set kemarin.", False),
        ("Harga kopi naik di pasar.", "Harga teh turun di pasar.", False),
    ],
)
def test_alike(one, other, expected):
    assert extractive.alike(one, other) is expected


@pytest.mark.parametrize("content", ["", "{}", '{"sharpness": "x"}'])
def test_broken_fitted_numbers_are_told(tmp_path, monkeypatch, content):
    path = tmp_path / "answers.json"
    path.write_text(content)
    monkeypatch.setattr(extractive, "FITTED_FILE", path)
    extractive.models.cache_clear()
    with pytest.raises(ModelError, match="answers.json"):
        extractive.models()
    monkeypatch.undo()
    extractive.models.cache_clear()


def test_every_sentence_of_the_answerer_passes_the_check(chat):
    bodies = lambda passage: chat.article(passage.article_id, passage.content).body  # noqa: E731
    for asked in ("retribusi kios", "longsor Bukit Tamiang", "juara layang-layang Pantai Kelapa"):
        evidence = chat.ask(asked).answer.evidence
        for claim in extractive.ExtractiveAnswerer(AnswerSettings()).claims(evidence):
            assert isinstance(claim, Claim)
            assert answers.check(claim, evidence, bodies)


def test_an_article_without_a_name_of_the_question_gives_way_to_one_with_it(tmp_path):
    treaty = "Wali Kota Surya Adinata sepakat dengan pedagang soal pajak kios pasar."
    homes.add(
        tmp_path,
        [
            homes.article(1, treaty, title="Surya Adinata Sepakat"),
            homes.article(
                2,
                "Wali Kota Surya Adinata menerima utusan Kerajaan Bahari di balai kota. Keduanya "
                "menyetujui kerja sama pelabuhan dan pelatihan nelayan.",
                title="Utusan Kerajaan Bahari Berkunjung",
            ),
        ],
    )
    homes.build(tmp_path)
    asked = "Apa yang disepakati Surya Adinata dengan Bahari?"
    evidence = Chat.open(tmp_path).ask(asked).answer.evidence
    assert evidence.hits[extractive.read(evidence).sentences[0].hit - 1].passage.article_id == "a2"
    lacking = extractive._lacks_names(evidence)
    by_article = dict(
        zip((hit.passage.article_id for hit in evidence.hits), lacking.tolist(), strict=True)
    )
    assert by_article == {"a1": 1.0, "a2": 0.0}


def test_what_is_said_of_others_is_no_answer_about_somebody_unknown(chat, monkeypatch):
    known = chat.ask("Kapan Wulandari Saputri meninjau Pasar Lereng?").answer
    other = chat.ask("Kapan Zulfahmi Qodari meninjau Pasar Lereng?").answer
    assert extractive.unknown_names(known.evidence) == []
    assert extractive.unknown_names(other.evidence) == ["Zulfahmi", "Qodari"]
    monkeypatch.setattr(extractive, "_UNKNOWN_NAME", 1.0)
    extractive.read.cache_clear()
    assert other.confidence == pytest.approx(0.5 * extractive.read(other.evidence).confidence)
    assert known.confidence == extractive.read(known.evidence).confidence
    extractive.read.cache_clear()


def test_a_number_of_the_question_is_no_short_answer():
    piece = "Pada Senin (25/5/2026) harga beras naik lagi."
    found = evidence_of("Berapa harga beras 25 Mei 2026?", passage_of(1, [piece]))
    assert "25" not in extractive.read(found).short
