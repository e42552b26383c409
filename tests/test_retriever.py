"""Retrieval: fusion, one hit a story, filters, and what is told of a missing model."""

import dataclasses
import datetime as dt

import pytest

from index.embedding import open_embedder
from index.engines.local import LocalEngine
from index.errors import ModelError
from index.records import Filter, Query
from index.settings import EmbeddingSettings, RetrievalSettings
from index.versions import Versions
from qa.retriever import MOST_PASSAGES, Retriever
from tests import homes


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    homes.add(home, [*homes.HARBOUR, *homes.REPRINT])
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
    hits = retriever.articles(Query("satelit Nusadirgantara"), index, 10, mode="hybrid").hits
    assert {"ar0", "ar1", "ar2"} <= {hit.passage.article_id for hit in hits}


@pytest.mark.parametrize("mode", ["lexical", "dense", "hybrid"])
def test_scores_fall_and_articles_are_distinct(retriever, index, mode):
    hits = retriever.articles(Query("banjir Sungai Pinang tanggul"), index, 10, mode=mode).hits
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
    for hit in retriever.articles(query, index, 10, mode="hybrid").hits:
        passage_id = hit.passage.id
        expected = (1 - weight) * bm25.get(passage_id, 0) / best + weight * cosine[passage_id]
        assert hit.score == pytest.approx(expected, abs=1e-5)


def test_a_filter_holds_in_every_mode(retriever, index):
    chosen = Filter(after=dt.date(2024, 1, 1), publishers=("Kabar Hulu",))
    for mode in ("lexical", "dense", "hybrid"):
        hits = retriever.articles(Query("banjir satelit voli", chosen), index, 10, mode=mode).hits
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


def test_a_hit_brings_all_passages_of_its_article(tmp_path, embedder):
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
    hit = evidence.hits[0]
    (size,) = index.sizes([hit.passage.article_id])
    assert size > 3
    assert index.sizes(["tiada"]) == [0]
    assert list(hit.passages) == index.passages([f"apanjang#{n}" for n in range(size)])
    assert "Norwegia" in hit.passage.text
    spans = [span for passage in hit.passages for span in passage.spans]
    texts = [text for passage in hit.passages for text in passage.sentences()]
    assert [long.body[start:end] for start, end in spans] == texts
    assert texts == [passage.sentence(s) for passage in hit.passages for s in passage.spans]


def test_of_a_very_long_article_the_passages_around_the_found_one_come(tmp_path, embedder):
    plain = "Panen di lembah itu dimulai pada pukul enam pagi dan berlangsung sampai siang hari."
    sentences = [f"{plain} Hari ke-{number} berjalan lancar." for number in range(400)]
    sentences[380] = "Kopi Lembah Sadane dikirim ke Norwegia."
    homes.add(tmp_path, [homes.article("panjang", " ".join(sentences)), *homes.HARBOUR])
    homes.build(tmp_path)
    index = Versions(tmp_path / "versions", LocalEngine()).current()
    evidence = Retriever(RetrievalSettings(), lambda _: embedder).retrieve(
        Query("Kopi Lembah Sadane dikirim ke Norwegia"), index
    )
    hit = evidence.hits[0]
    assert len(hit.passages) == MOST_PASSAGES < index.sizes(["apanjang"])[0]
    assert "Norwegia" in hit.passage.text
    numbers = [int(passage.id.partition("#")[2]) for passage in hit.passages]
    assert numbers == list(range(numbers[0], numbers[0] + MOST_PASSAGES))
