"""The reader: its input, its spans, its order; the shipped form computes what torch does."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from qa import reader
from qa.reader import MODEL, Encoded, Encoder, Reader
from tests import homes


@pytest.fixture(scope="module")
def encoder():
    return Encoder.load(MODEL / "tokenizer.json")


def test_a_row_is_question_headline_and_passage(encoder):
    read = encoder.encode("Siapa?", "Banjir", dt.date(2026, 5, 3), "Air naik di Waru.")
    bare = encoder.encode("Siapa?", "Banjir", None, "Air naik di Waru.")
    assert read.ids[0] == 0 and read.ids[-1] == 2 and read.ids[read.begin - 1] == 2
    assert len(read.ids) == read.begin + len(read.offsets) + 1
    assert len(bare.ids) < len(read.ids)
    assert bare.ids[bare.begin :] == read.ids[read.begin :]


@given(asked=st.text(max_size=300), title=st.text(max_size=400), passage=st.text(max_size=4000))
def test_no_row_is_longer_than_the_model_reads(encoder, asked, title, passage):
    read = encoder.encode(asked, title, dt.date(2026, 5, 3), passage)
    most = reader.QUESTION_PIECES + reader.HEADER_PIECES + reader.PASSAGE_PIECES + 5
    assert len(read.ids) <= most <= 389
    assert all(0 <= a <= b <= len(passage) for a, b in read.offsets)


def found(words, sentences, first, last, none=0.0):
    """Return the best spans of a passage where two logits stand out.

    As the tokenizer does it, a piece begins with the space before its word.
    """
    pieces, at = [], 0
    for word in words:
        pieces.append((max(at - 1, 0), at + len(word)))
        at += len(word) + 1
    spans = np.full((len(words) + 3, 2), -5.0, dtype=np.float32)
    spans[0] = none
    spans[2 + first, 0] = spans[2 + last, 1] = 3.0
    return list(reader.best_spans(spans, Encoded([0] * len(spans), 2, pieces), sentences))


def test_the_best_span_is_found_by_hand():
    words = "Bupati Rukmana datang pagi itu".split()
    (best,) = found(words, [(0, 30)], 0, 1, none=1.0)
    assert (best.sentence, best.start, best.end) == (0, 0, 14)
    assert best.score == pytest.approx((3 + 3 - 2) / 2)


def test_no_span_goes_over_the_end_of_a_sentence_or_backwards():
    words = "satu dua tiga empat lima enam".split()
    sentences = [(0, 13), (14, 29)]
    for first, last in ((1, 4), (4, 1)):
        for best in found(words, sentences, first, last):
            assert best.start < best.end
            begin = sum(end - start + 1 for start, end in sentences[: best.sentence])
            low, high = sentences[best.sentence]
            # Trimming takes off the space that comes before a piece's word.
            assert begin - 1 <= best.start and best.end <= begin + high - low


def test_an_answer_at_the_begin_of_a_sentence_is_of_that_sentence(encoder):
    said = ("Hujan turun semalam.", "Polisi Resor Sagara menutup jalan.")
    page = homes.passage("a", said)
    read = encoder.encode("Siapa yang menutup jalan?", "", None, page.text)
    at = page.text.index("Polisi")
    words = [n for n, (a, b) in enumerate(read.offsets) if b > at and a < at + len("Polisi Resor")]
    spans = np.full((len(read.ids), 2), -5.0, dtype=np.float32)
    spans[read.begin + words[0], 0] = spans[read.begin + words[-1], 1] = 3.0
    best = next(reader.best_spans(spans, read, page.spans))
    assert best.sentence == 1
    start, end = reader._in_body(page, best)
    assert page.text[start:end] == "Polisi Resor"


def test_a_passage_longer_than_the_model_reads_is_read_in_parts():
    said = [f"Warga Kampung {n} menanam padi di sawah sebelah timur sungai itu." for n in range(60)]
    said[55] = "Kepala desanya bernama Wiradi Sanjaya sejak tahun lalu."
    page = homes.passage("a", said)
    readings = reader.reader().read("Siapa nama kepala desanya?", [(1, page)])
    best = max(readings, key=lambda r: r.span)
    assert best.words == said[55] and "Wiradi" in best.short
    assert best.passage is page


def test_a_very_long_answer_is_not_looked_for():
    words = [f"kata{n}" for n in range(reader.LONGEST_ANSWER + 5)]
    (best,) = found(words, [(0, sum(map(len, words)) + len(words))], 0, len(words) - 1)
    assert len(" ".join(words)[best.start : best.end].split()) <= reader.LONGEST_ANSWER


@pytest.mark.parametrize(
    ("words", "part", "expected"),
    [
        ("Rapat dipimpin Budi Santoso, kemarin.", "Budi Santoso,", "Budi Santoso"),
        ("Ketua (Budi Santoso) hadir.", "(Budi Santoso", "Budi Santoso"),
        ("Ketua (Budi Santoso) hadir.", "(Budi Santoso)", "(Budi Santoso)"),
        ("Tim Lereng menang 3-1 di Waru.", "ereng menang 3-", "Lereng menang 3"),
        ('Kata dia, "kami siap", lalu pergi.', '"kami siap', "kami siap"),
        ("Harganya Rp 1.200 sekilo.", "Rp 1.200", "Rp 1.200"),
        ("Suhu -20 derajat.", "-20 derajat", "-20 derajat"),
        ("Ya, , .", ", ,", ""),
    ],
)
def test_an_answer_ends_at_whole_words(words, part, expected):
    at = words.index(part)
    start, end = reader.trimmed(words, at, at + len(part))
    assert words[start:end] == expected


@given(words=st.text(max_size=60), data=st.data())
def test_trimming_stays_inside(words, data):
    start = data.draw(st.integers(0, len(words)))
    end = data.draw(st.integers(start, len(words)))
    low, high = reader.trimmed(words, start, end)
    assert 0 <= low <= high <= len(words)


def test_what_was_found_is_read_first_then_what_stands_around_it():
    pages = [
        [homes.passage(name, (f"Kabar {name} {n}.",), number=n) for n in range(3)]
        for name in ("a", "b")
    ]
    hits = [homes.hit(*pages[0], best=1), homes.hit(*pages[1], best=0)]
    order = [page.id for _, page in reader.order(hits)]
    assert order[0] == "a#1"
    assert order.index("b#0") < order.index("b#1") < order.index("b#2")
    assert order.index("a#0") < order.index("b#1")
    assert sorted(order) == sorted(page.id for some in pages for page in some)
    assert [n for n, _ in reader.order(hits)].count(1) == 3


def test_an_answer_is_a_part_of_the_archived_body():
    body = "BANJIR. Air naik di Waru -- Wali Kota Surya Adinata meninjau tanggul pada Senin pagi."
    spans = ((8, 24), (28, len(body)))
    page = homes.passage("a", [body[a:b] for a, b in spans], "Banjir Waru")
    page = type(page)(
        **{name: getattr(page, name) for name in page.__slots__ if name != "spans"}, spans=spans
    )
    readings = reader.reader().read("Siapa yang meninjau tanggul?", [(1, page)])
    assert all(body[r.start : r.end] == r.short for r in readings)
    best = max(readings, key=lambda r: r.span)
    assert best.words == body[28:] and best.short in best.words
    assert best.hit == 1


def test_what_else_is_read_changes_no_answer():
    towns = ("Sagara", "Waru", "Lereng", "Sadane", "Pinang", "Sawo")
    pages = [
        (
            n,
            homes.passage(
                town, (" ".join([f"Juara lomba perahu di {town} adalah Regu {n}."] * n),)
            ),
        )
        for n, town in enumerate(towns, start=1)
    ]
    read = reader.reader().read
    together = read("Siapa juara lomba perahu di Sadane?", pages)
    alone = [r for page in pages for r in read("Siapa juara lomba perahu di Sadane?", [page])]
    assert together == alone


def test_a_missing_or_broken_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="reader.onnx"):
        Reader.load(tmp_path)
    (tmp_path / "reader.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="reader.onnx"):
        Reader.load(tmp_path)


def test_the_shipped_form_computes_what_torch_does(tmp_path):
    """A tiny model: int8 may move a logit by a little, and must not move the answer."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from train.reader import write_onnx
    from train.reader_model import ReaderModel

    torch.manual_seed(0)
    model = ReaderModel(pieces=60, width=48, layers=2, heads=4, inner=96).eval()
    model.words.copy_(torch.randint(-127, 128, (60, 48), dtype=torch.int8))
    model.scales.fill_(0.02)
    for weight in model.spans.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    write_onnx(model, tmp_path)
    session = Reader.load_session(tmp_path)
    ids = torch.randint(3, 60, (3, 20))
    mask = torch.ones(3, 20)
    mask[1, 12:] = 0
    with torch.no_grad():
        spans, verdicts = model(ids, mask)
    ours = session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})
    real = mask.numpy().astype(bool)
    assert np.abs(ours[0] - spans.numpy())[real].max() < 0.1 * spans.numpy()[real].std()
    assert np.abs(ours[1] - verdicts.numpy()).max() < 0.1
    assert (ours[0].argmax(1)[real.all(1)] == spans.numpy().argmax(1)[real.all(1)]).all()


def test_what_was_read_before_is_not_read_again():
    shipped = reader.reader()
    pages = [(1, homes.passage("a", ["Rapat itu dibuka Bupati Sutarno di Balai Desa Wolasi."]))]
    asked = "Siapa yang membuka rapat di Balai Desa Wolasi?"
    first = shipped.read(asked, pages)
    before = shipped._known.cache_info()
    assert shipped.read(asked, pages) == first
    assert shipped.read(asked + "?", pages)
    after = shipped._known.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 1)
