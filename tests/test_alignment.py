"""Alignment: what bears out each word of a question, and the attention as it was trained."""

import numpy as np
import pytest

from index.errors import ModelError
from qa import alignment, sentences
from qa.alignment import NAMES, Aligner
from qa.ranking import Stems
from tests.test_sentences import evidence, passage

POET = (
    "Penyair Wirasena adalah putra seorang nelayan.",
    "Ia wafat di Labuhan pada 1987.",
    "Bukunya dicetak ulang 12 kali.",
)


def laid(asked, place=1, short="1987"):
    found = evidence(asked, passage("a", POET))
    return alignment.read(
        found, 0, sentences.sentence_texts(found.hits[0].passage), place, short, Stems()
    )


def values(asked, **where):
    return dict(zip(NAMES, laid(asked, **where).values.tolist(), strict=True))


def test_a_word_is_borne_out_by_itself_and_nearly_by_one_like_it():
    same, alike, other = (
        values(f"Kapan Wirasena {verb}?")["verb_alike"]
        for verb in ("wafat", "meninggal", "menikah")
    )
    assert same == 1
    assert 1 > alike > other


def test_values_by_hand():
    found = values("Kapan Wirasena wafat di Labuhan?")
    assert found["lacking_around"] == 0 and found["lacks_most_around"] == 0
    assert values("Kapan Wirasena dipenjara?")["lacking_around"] == 1
    subject = values("Siapa penyair Wirasena?", place=0, short="")["subject"]
    assert subject == pytest.approx(1)
    assert values("Siapa penyair Wirasena?")["subject"] == 0


def test_marks_tell_where_a_word_stands():
    pair = laid("Kapan Wirasena wafat pada 1987?")
    wafat, year = pair.asked[2], pair.asked[4]
    assert wafat[1:4].tolist() == [1, 1, 1]  # in the sentence, around it, in the hit
    assert pair.asked[1][1:4].tolist() == [0, 1, 1]
    assert year[5] == 1 and wafat[6] == 1 and pair.asked[0][7] == 1
    # The words of the sentence, then those of the one before it, then the headline's.
    assert pair.said[:, :3].sum(axis=0).tolist()[:2] == [6, 6]
    assert pair.said[5, 4] == 1 and pair.said[5, 5] == 1  # the short answer, and nearest to itself
    assert pair.same.sum() == 4


def test_the_score_is_what_the_trained_network_computes(tmp_path):
    torch = pytest.importorskip("torch")
    from train import alignment as training

    torch.manual_seed(3)
    pairs = [laid("Kapan Wirasena wafat?"), laid("Siapa penyair itu?", place=0, short="")]
    net = training.network(pairs[0].question.shape[1]).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            # Larger weights tell the pairs apart; the file holds them with half the digits.
            parameter.copy_((parameter * (3 if parameter.dim() else 1)).half().float())
    aligner = training.saved(net, tmp_path / "a.npz")
    with torch.no_grad():
        told = net(*training.Padded(pairs).batch(np.arange(2))).tolist()
    assert [aligner.score(pair) for pair in pairs] == pytest.approx(told, abs=2e-3)
    read = Aligner.load(tmp_path / "a.npz")
    assert read.score(pairs[0]) == pytest.approx(aligner.score(pairs[0]))
    assert told[0] != pytest.approx(told[1], abs=0.1)


def test_the_shipped_aligner_prefers_what_answers():
    aligner = Aligner.load()
    right = aligner.score(laid("Kapan Wirasena wafat?"))
    assert right > aligner.score(laid("Kapan Wirasena dipenjara di Belanda?"))
    assert right > aligner.score(laid("Kapan Wirasena wafat?", place=2, short="12 kali"))


def test_a_question_without_words_scores_nothing():
    assert Aligner.load().score(laid("???")) == 0


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_a_damaged_file_is_told(tmp_path, content):
    path = tmp_path / "alignment.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="restore the file"):
        Aligner.load(path)


def test_few_words_are_kept():
    known = alignment.Words(most=3)
    first = known.of(["kapal", "laut"])
    assert known.of(["laut", "badai", "karam", "kapal"]).shape == (4, first.shape[1])
    assert np.array_equal(known.of(["kapal", "laut"]), first)
    assert known.of([]).shape == (0, first.shape[1])
