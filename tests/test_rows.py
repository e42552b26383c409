"""Training rows: where the answer stands in them, and what stands beside it."""

import json
import random
import zlib

import numpy as np
import pytest
from tokenizers import Tokenizer

from qa.reader import MODEL, Encoder
from tests import homes
from train import rows
from train.rows import Asked, Maker

TWICE = "Tiket dijual 20 ribu. Kapal memuat 20 penumpang. Ada 120 kursi."


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked("Berapa penumpang dimuat kapal?", "a", ("20",), "Kapal memuat 20 penumpang."), 35),
        (Asked("Berapa harga tiket yang dijual?", "a", ("20",)), 13),
        (Asked("Berapa kursi?", "a", ("12",)), None),  # a part of a number is no answer
        (Asked("Berapa?", "a", ("20",), "Kalimat yang tidak ada."), None),
        (Asked("Berapa?", "a"), None),
    ],
)
def test_the_place_of_an_answer(asked, expected):
    span = rows.span_in(TWICE, asked)
    assert (span and span[0]) == expected
    if span:
        assert TWICE[slice(*span)] == "20"


def test_a_group_holds_the_answer_then_what_misleads():
    encoder = Encoder.load(MODEL / "tokenizer.json")
    own = [
        homes.passage("a", ("Kabar lain dari pasar.",), number=0),
        homes.passage("a", ("Bupati Rukmana meresmikan jembatan.",), number=1),
    ]
    same = homes.passage("b", ("Rukmana juga meresmikan pasar.",))
    other = homes.passage("c", ("Jembatan lain rusak.",))
    maker = Maker(encoder, lambda question: [own[0], same, other])
    asked = Asked("Siapa yang meresmikan jembatan?", "a", ("Rukmana",))
    (group,) = maker.groups("news", asked, own, most=1, others=2)
    right, beside, wrong = group.rows
    decode = Tokenizer.from_file(str(MODEL / "tokenizer.json")).decode
    assert decode(right.passage[right.first : right.last + 1]).strip() == "Rukmana"
    # The passage of another article that holds the answer too is not taught to be wrong.
    assert (beside.first, beside.last, wrong.first, wrong.last) == (-1, -1, -1, -1)
    assert "Jembatan lain" in decode(wrong.passage)
    assert decode(group.questions[0]) == asked.question

    (miss,) = maker.groups(
        "miss", Asked("Siapa yang menutup jembatan?", "a"), own, most=2, others=1
    )
    assert len(miss.rows) == 3 and all(row.first < 0 for row in miss.rows)
    assert list(maker.groups("news", Asked("Siapa?", "a", ("Zul",)), own, most=1, others=0)) == []
    assert maker.lost == 1


def test_pairs_are_left_out_where_the_article_is_another(tmp_path):
    row = {
        "article_id": "a", "question": "Siapa?", "near_miss": "Kapan?", "start": 7, "end": 14,
        "check": zlib.crc32(b"Rukmana"),
    }  # fmt: skip
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    ((good, miss),) = rows.pairs({"a": "Bupati Rukmana datang."}, path)
    assert good.answers == ("Rukmana",) and miss.answers == ()
    assert list(rows.pairs({"a": "Sekretaris Rukmana datang."}, path)) == []
    assert list(rows.pairs({}, path)) == []


def test_the_matched_pairs_hold_no_text_of_an_article():
    lines = rows.PAIRS.read_text(encoding="utf-8").splitlines()
    keys = {"article_id", "question", "start", "end", "check", "near_miss", "kind", "style"}
    for line in lines:
        row = json.loads(line)
        assert row.keys() == keys
        assert row["question"] != row["near_miss"] and row["start"] < row["end"]
    assert len(lines) > 2000


def test_turns_are_read_with_what_was_said_before(tmp_path):
    place = [7, 14, zlib.crc32(b"Rukmana")]
    asked = [["Siapa yang datang?", *place], ["kapan?"], ["kenapa dia?", *place]]
    path = tmp_path / "turns.jsonl"
    path.write_text(json.dumps({"article_id": "a", "turns": asked}) + "\n", encoding="utf-8")
    certain = random.Random()
    certain.random = lambda: 0.0  # type: ignore[method-assign]
    found = list(rows.turns({"a": "Bupati Rukmana datang."}, certain, path))
    assert [turn.question for turn, _ in found] == [
        "Siapa yang datang?",
        "kapan? (Rukmana; Siapa yang datang)",
        "kenapa dia? (kapan; Siapa yang datang)",
    ]
    assert [turn.answers for turn, _ in found] == [("Rukmana",), (), ("Rukmana",)]
    assert found[1][1] == "kapan? Siapa yang datang?"
    # A turn whose answer is no longer there is left out; one without an answer needs none.
    changed = list(rows.turns({"a": "Sekretaris Rukmana datang."}, certain, path))
    assert [turn.answers for turn, _ in changed] == [()]


def test_a_question_about_another_article_strays_into_a_conversation(tmp_path):
    place = [7, 14, zlib.crc32(b"Rukmana")]
    lines = [
        {"article_id": "a", "turns": [["Siapa yang datang?", *place], ["kapan?"]]},
        {"article_id": "b", "turns": [["Siapa yang pergi?", *place]]},
    ]
    path = tmp_path / "turns.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    always = random.Random()
    always.random = lambda: 0.1  # type: ignore[method-assign]
    bodies = {"a": "Bupati Rukmana datang.", "b": "Bupati Rukmana pergi."}
    *_, here, there = rows.turns(bodies, always, path)
    stray = "Siapa yang datang? (Rukmana; Siapa yang pergi)"
    assert here == (Asked(stray, "b"), "Siapa yang datang?")
    assert there == (Asked(stray, "a", ("Rukmana",)), "Siapa yang datang?")


def test_the_conversations_hold_no_text_of_an_article():
    lines = rows.CONVERSATIONS.read_text(encoding="utf-8").splitlines()
    for line in lines:
        row = json.loads(line)
        assert row.keys() == {"article_id", "turns"} and len(row["turns"]) > 1
        for question, *place in row["turns"]:
            assert question.strip()
            assert not place or (len(place) == 3 and place[0] < place[1])
    assert len(lines) > 1700


def pieces(*ids):
    return np.array(ids, dtype=np.uint16)


GROUPS = [
    rows.Group(
        "news",
        3,
        [pieces(7, 8), pieces(9)],
        [rows.Row(pieces(), pieces(5, 6, 40_000), 1, 2), rows.Row(pieces(4), pieces(11), -1, -1)],
    ),
    rows.Group("nli", 1, [pieces(7, 8)], [rows.Row(pieces(4), pieces(12), -1, -1)], True),
    rows.Group("miss", 1, [pieces(9)], [rows.Row(pieces(4), pieces(5), -1, -1)]),
]


def test_groups_come_back_as_they_were_written(tmp_path):
    rows.write(tmp_path / "rows.npz", GROUPS)
    assert repr(rows.read(tmp_path / "rows.npz")) == repr(GROUPS)


def test_a_question_is_also_learned_as_typed_in_haste():
    typed = rows.hasty("Mengapa Gubernur Rukmana tidak datang?", random.Random(3))
    assert typed == typed.lower() and not typed.endswith("?") and len(typed.split()) == 5
    assert {rows.hasty("Yang mana?", random.Random(n)) for n in range(9)} == {
        "yang mana",
        "yg mana",
    }


# Training ----------------------------------------------------------------------------------------


def test_a_batch_is_what_the_product_reads():
    torch = pytest.importorskip("torch")
    from train.reader import tensors

    encoder = Encoder.load(MODEL / "tokenizer.json")
    passage = homes.passage("a", ("Bupati Rukmana meresmikan jembatan.",))
    asked = "Siapa yang meresmikan jembatan?"
    read = encoder.encode(asked, passage.title, passage.published, passage.text)
    maker = Maker(encoder, lambda question: [])
    maker.rng.random = lambda: 0.5  # type: ignore[method-assign]
    row = maker.row(passage, (7, 14))
    batch = tensors([rows.Group("news", 1, [maker.pieces(asked)], [row]), GROUPS[2]])
    assert batch.ids[0, : len(read.ids)].tolist() == read.ids
    assert batch.mask.sum(1).tolist() == [len(read.ids), 1 + 1 + 2 + 1 + 1 + 1 + 1]
    assert (batch.barred[0] == 0).nonzero()[1].item() == read.begin
    first, last = batch.wanted[0].tolist()
    assert (
        Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        .decode(batch.ids[0, first : last + 1].tolist())
        .strip()
        == "Rukmana"
    )
    assert batch.wanted[1].tolist() == [0, 0] and batch.group.tolist() == [0, 1]
    assert torch.equal(batch.claims, torch.tensor([-1.0, -1.0]))


def test_the_loss_falls_where_the_right_span_is_surer():
    torch = pytest.importorskip("torch")
    from train.reader import loss_of, tensors

    batch = tensors([GROUPS[0], GROUPS[1], GROUPS[2]])

    def loss(sure: float, verdict: float = 0.0) -> float:
        spans = torch.zeros(*batch.ids.shape, 2)
        for row, (first, last) in enumerate(batch.wanted.tolist()):
            spans[row, first, 0] = spans[row, last, 1] = sure
        verdicts = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [-1, 0]]) * verdict
        return float(loss_of(lambda ids, mask: (spans, verdicts), batch))

    assert loss(8) < loss(2) < loss(0) < loss(-2)
    assert loss(0, 3) < loss(0) < loss(0, -3)
