"""Retrieval: fusion, one hit a story, filters, and what is told of a missing model."""

import dataclasses
import datetime as dt

import pytest

from index.embedding import open_embedder
from index.errors import ModelError
from index.local_engine import LocalEngine
from index.records import Filter, Query
from index.settings import EmbeddingSettings, RetrievalSettings
from index.versions import Versions
from qa.retriever import Retriever
from qa.sentences import sentence_texts
from tests import homes

REPRINT = [
    homes.article(
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


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    homes.add(home, [*homes.HARBOUR, *REPRINT])
    homes.build(home)
    return Versions(home / "versions", LocalEngine()).current()


@pytest.fixture(scope="module")
def embedder():
    return open_embedder(EmbeddingSettings())


@pytest.fixture
def retriever(embedder):
    return Retriever(RetrievalSettings(), lambda _: embedder)


def test_a_story_counts_once_and_names_its_other_articles(retriever, index):
    hits = retriever.retrieve(Query("Kapan satelit Nusadirgantara mengorbit?"), index).hits
    of_story = [hit for hit in hits if hit.passage.article_id in {"ar0", "ar1", "ar2"}]
    assert len(of_story) == 1
    everyone = {of_story[0].passage.article_id, *of_story[0].also_in}
    assert everyone == {"ar0", "ar1", "ar2"}


def test_a_search_for_articles_lists_every_reprint(retriever, index):
    hits = retriever.articles(Query("satelit Nusadirgantara"), index, 10)
    assert {"ar0", "ar1", "ar2"} <= {hit.passage.article_id for hit in hits}


@pytest.mark.parametrize("mode", ["lexical", "dense", "hybrid"])
def test_scores_fall_and_articles_are_distinct(retriever, index, mode):
    hits = retriever.articles(Query("banjir Sungai Pinang tanggul"), index, 10, mode=mode)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    ids = [hit.passage.article_id for hit in hits]
    assert len(ids) == len(set(ids))
    assert ids[0] in {"a2", "a3"}


def test_hybrid_holds_the_stated_mixture(retriever, index, embedder):
    query = Query("banjir Sungai Pinang")
    weight = RetrievalSettings().dense_weight
    vector = embedder.embed_queries([query.text])[0]
    cosine = {s.passage_id: s.score for s in index.dense(vector, 100, Filter())}
    bm25 = {s.passage_id: s.score for s in index.lexical(query.text, 100, Filter())}
    best = max(bm25.values())
    for hit in retriever.articles(query, index, 10, mode="hybrid"):
        passage_id = hit.passage.id
        expected = (1 - weight) * bm25.get(passage_id, 0) / best + weight * cosine[passage_id]
        assert hit.score == pytest.approx(expected, abs=1e-5)


def test_a_filter_holds_in_every_mode(retriever, index):
    chosen = Filter(after=dt.date(2024, 1, 1), publishers=("Kabar Hulu",))
    for mode in ("lexical", "dense", "hybrid"):
        hits = retriever.articles(Query("banjir satelit voli", chosen), index, 10, mode=mode)
        found = {hit.passage.article_id for hit in hits}
        assert "a3" in found and found <= {"a3", "ar0"}


def test_lexical_search_needs_no_model(index):
    def no_model(_):
        raise AssertionError("the model was asked for")

    hits = Retriever(RetrievalSettings(mode="lexical"), no_model).retrieve(Query("banjir"), index)
    assert hits.hits


def test_another_model_than_the_index_was_built_with_is_refused(index):
    other = open_embedder(EmbeddingSettings(query_prompt="tanya: "))
    with pytest.raises(ModelError, match="tanya build"):
        Retriever(RetrievalSettings(), lambda _: other).retrieve(Query("banjir"), index)


def test_weights_are_inverse_document_frequencies(retriever, index):
    weights = dict(retriever.retrieve(Query("banjir wakanda"), index).weights)
    assert weights["wakanda"] > weights["banjir"] > 0


def test_evidence_is_a_value(retriever, index):
    evidence = retriever.retrieve(Query("banjir"), index)
    assert dataclasses.replace(evidence) == evidence
    assert evidence.version == index.version.name


def test_the_best_hits_bring_the_passages_beside_theirs(tmp_path, embedder):
    plain = "Panen di lembah itu dimulai pada pukul enam pagi dan berlangsung sampai siang hari."
    facts = {2: "Kopi Lembah Sadane dikirim ke Norwegia.", 20: "Ketua koperasi bernama Wiradi."}
    sentences = [facts.get(number, f"{plain} Hari {number}.") for number in range(80)]
    long = homes.article("panjang", " ".join(sentences), title="Kopi Sadane")
    homes.add(tmp_path, [long, *homes.HARBOUR])
    homes.build(tmp_path)
    index = Versions(tmp_path / "versions", LocalEngine()).current()
    evidence = Retriever(RetrievalSettings(), lambda _: embedder).retrieve(
        Query("Kopi Lembah Sadane dikirim ke Norwegia"), index
    )
    best = evidence.hits[0].passage
    (size,) = index.sizes([best.article_id])
    assert size > 3
    assert index.sizes(["tiada"]) == [0]
    first, second = index.passages([f"{best.article_id}#{n}" for n in range(2)])
    assert best.spans == (*first.spans, *second.spans)
    assert [long.body[start:end] for start, end in best.spans] == sentence_texts(best)
    assert [h.passage for h in evidence.hits[3:]] == index.passages(
        [h.passage.id for h in evidence.hits[3:]]
    )
