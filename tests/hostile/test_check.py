"""What a language model writes and the archive does not say: characters that only look the same."""

import pytest

from index.records import Claim
from qa import answers, llm
from qa.llm import Sentences
from tests import homes

SENTENCE = (
    "Bupati Rahmat Hidayat meresmikan 52 rumah senilai Rp 120 miliar di Desa Sungai Pinang kemarin."
)
BODY = SENTENCE + " Warga menyambut gembira."


@pytest.fixture(scope="module")
def found():
    pieces = [SENTENCE, "Warga menyambut gembira."]
    return homes.evidence("Siapa meresmikan rumah?", homes.passage("a", pieces))


def proven(evidence, words):
    return bool(answers.check(Claim(words, (1,)), evidence, lambda _: BODY))


def told(words):
    """Return the claims that are read of a model's words."""
    sentences = Sentences()
    return [*sentences.feed(words), *sentences.finish()]


def test_a_paraphrase_is_proven(found):
    assert proven(found, SENTENCE)
    assert proven(found, "Bupati Rahmat Hidayat meresmikan 52 rumah di Desa Sungai Pinang.")


@pytest.mark.parametrize(
    "words",
    [
        "Bupati R\u0430hmat Hidayat meresmikan 52 rumah di Desa Sungai Pinang.",  # Cyrillic
        "Bupati Rahmat Hid\u03b1yat meresmikan 52 rumah di Desa Sungai Pinang.",  # Greek
        "Bupati Rahmat Hidayat meresmik\u0430n 52 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan \uff15\uff12 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan \u0665\u0662 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan 5\u00b2 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan \U0001d7d3\U0001d7d0 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan 52\u00bd rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan -52 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan 52 rumah senilai $120 miliar di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan 52 rumah di Desa Sungai Pi\u0336nang.",
        "Bupati Rahmat Hidayat meresmikan 52 rumah di Desa \u00abSukamaju Sungai Pinang.",
        "Bupati Rahmat Hidayat dan eks-Camat meresmikan 52 rumah di Desa Sungai Pinang.",
        "\uff22upati Rahmat Hidayat meresmikan 52 rumah di Desa Sungai Pinang.",
        "Bupati Rahmat Hidayat meresmikan 52 rumah \u216b di Desa Sungai Pinang.",
    ],
)
def test_what_only_looks_like_the_archives_words_is_not_proven(found, words):
    assert not proven(found, words)


@pytest.mark.parametrize("char", "\u202e\u202d\u2066\u2067\u200b\u2060\u200f\ufeff\u00ad\x07\x1b")
def test_a_claim_with_what_is_not_seen_is_not_proven_and_a_models_are_read_without(found, char):
    words = f"Bupati Rahmat {char}Hidayat meresmikan 52 rumah di Desa Sungai Pinang."
    assert not proven(found, words)
    (claim,) = told(f"{words} [1]")
    assert char not in claim.text
    kept = llm.attach(claim, found, lambda _: BODY)
    assert kept is not None and kept.text.isprintable()


def test_a_quote_with_a_turning_character_stays_as_archived_and_its_claim_shows_none():
    sentence = "Bupati meresmikan \u202e25\u202c rumah di Desa Sungai Pinang."
    evidence = homes.evidence("Berapa rumah?", homes.passage("a", [sentence]))
    (proof,) = answers.check(
        Claim("Bupati meresmikan 25 rumah di Desa Sungai Pinang.", (1,)),
        evidence,
        lambda _: sentence,
    )
    assert proof.passage.sentence(proof.span) == sentence
