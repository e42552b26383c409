"""What a question seeks, and the features of the evidence's sentences, by hand."""

import datetime as dt

import numpy as np
import pytest

from index import text
from index.errors import ModelError
from index.records import Evidence, Hit, Passage, Query
from qa import sentences
from qa.question import kind_of
from qa.ranking import Stems


def passage(name, pieces, title="Kabar hari ini", published=None):
    spans, at = [], 0
    for piece in pieces:
        spans.append((at, at + len(piece)))
        at += len(piece) + 1
    joined = " ".join(pieces)
    return Passage(f"{name}#0", name, name, joined, tuple(spans), title, "Uji", "", published, "c")


def evidence(asked, *passages, weights=None):
    hits = tuple(Hit(p, 1.0 / n, n, n) for n, p in enumerate(passages, start=1))
    found = tuple((stem, 4.0) for stem in text.query_stems(asked)) if weights is None else weights
    return Evidence(Query(asked, kind=kind_of(asked)), hits, "000001", found)


def rows(found):
    pages = sentences.read_pages(found, Stems())
    matrix = sentences.features(pages, found)
    return [dict(zip(sentences.NAMES, row.tolist(), strict=True)) for row in matrix]


@pytest.mark.parametrize(
    ("asked", "kind", "heads"),
    [
        ("Siapa pelatih Melati Timur?", "person", ()),
        ("Kapan pelabuhan dibuka?", "date", ()),
        ("Tahun berapa pelabuhan dibuka?", "year", ("tahun",)),
        ("Berapa ton ikan ditangkap?", "amount", ("ton", "ikan")),
        ("Di kecamatan manakah tanggul jebol?", "place", ("kecamatan",)),
        ("Kota apakah yang banjir?", "place", ("kota",)),
        ("Apa nama kapal itu?", "named", ("kapal",)),
        ("Partai apakah yang menang?", "thing", ("partai",)),
        ("Mengapa proyek tertunda?", "cause", ()),
        ("Apa yang dimaksud dengan abrasi?", "definition", ()),
        ("Benarkah pelabuhan ditutup?", "verdict", ()),
        ("Pelabuhan ditutup tidak?", "verdict", ()),
        ("Bandingkan pelabuhan dan pasar", "manner", ()),
        ("pelabuhan Batu Layar", "other", ()),
    ],
)
def test_what_a_question_seeks(asked, kind, heads):
    found = sentences.sought(asked, kind_of(asked))
    assert found.kind == kind
    if heads:
        assert found.heads[: len(heads)] == heads


def test_features_by_hand():
    """Stems pelabuhan 3, waru 6, buka 1 of ten: what each of two sentences holds of them."""
    asked = "Kapan Pelabuhan Waru dibuka?"
    stems = text.query_stems(asked)
    found = evidence(
        asked,
        passage(
            "a",
            ("Pelabuhan Waru dibuka pada Senin, 3 Maret 2025.", "Ia dibuka oleh seorang bupati."),
        ),
        passage("b", ("Jembatan di Waru rusak parah.",), title="Pelabuhan tua"),
        weights=tuple(zip(stems, (3.0, 6.0, 1.0), strict=True)),
    )
    first, second, third = rows(found)
    assert [r["covered"] for r in (first, second, third)] == pytest.approx([1, 0.1, 0.6])
    assert third["with_headline"] == third["in_passage"] == pytest.approx(0.9)
    assert second["with_before"] == pytest.approx(1) and second["with_after"] == second["covered"]
    assert second["in_passage"] == pytest.approx(1)
    assert first["near"] == pytest.approx(0.3 + 0.6 / 1.1 + 0.1 / 1.2)
    assert (first["pairs"], second["pairs"], third["pairs"]) == (1, 0, 0)
    assert [r["names"] for r in (first, second, third)] == pytest.approx([1, 0, 2 / 3], abs=1e-4)
    assert second["names_passage"] == 1
    assert [r["below_best"] for r in (first, second, third)] == pytest.approx([0, -0.9, -0.4])
    assert second["below_best_here"] == pytest.approx(-0.9) and third["below_best_here"] == 0
    assert (first["new_dates"], first["new_years"], first["new_counts"]) == (3, 1, 0)
    assert first["offers"] > 0 == second["offers"]
    assert (second["pointing"], first["pointing"]) == (1, 0)
    assert [r["hit"] for r in (first, third)] == pytest.approx([0, np.log(2)])
    assert third["lacks_most"] == pytest.approx(0.1)
    assert third["others"] == 0 and second["others"] == 1


def test_the_year_of_publication_bears_out_a_year():
    asked = "Berapa rumah terendam tahun 2023?"
    pieces = ("Banjir merendam rumah di tepi sungai.",)
    dated, undated = rows(
        evidence(asked, passage("a", pieces, published=dt.date(2023, 1, 2)), passage("b", pieces))
    )
    assert (dated["numbers"], undated["numbers"]) == (1, 0)


def test_a_question_without_terms_and_evidence_without_words_have_features():
    for found in (
        evidence("apa", passage("a", ("Satu dua tiga empat.",)), weights=()),
        evidence("harga kopi", passage("a", ("... !!",), title="")),
    ):
        pages = sentences.read_pages(found, Stems())
        assert np.isfinite(sentences.features(pages, found)).all()


@pytest.mark.parametrize("content", [None, "", "feature_names=a b\n"])
def test_a_broken_model_is_told(tmp_path, content):
    path = tmp_path / "sentences.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match="sentences"):
        sentences.load_trees(path, sentences.NAMES)


def test_a_model_of_other_features_is_told():
    with pytest.raises(ModelError, match="other features"):
        sentences.load_trees(sentences.MODEL_FILE, sentences.NAMES[::-1])


def test_the_shipped_models_are_small():
    folder = sentences.MODEL_FILE.parent
    names = ("sentences.txt", "spans.txt", "certainty.txt", "support.txt", "answers.json")
    assert sum((folder / name).stat().st_size for name in names) < 2_000_000
