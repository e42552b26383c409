"""Question sets: imported from other forms, made of an archive, and with filters of their own."""

import datetime as dt
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from commands.main import app, run
from eval import making
from eval import questions as sets
from eval.questions import Question, QuestionSet
from index import clean
from index.archive import FILE_NAME, Archive
from index.errors import InputError
from index.reading.files import find_files, read
from index.records import Article, Filter
from tests.news import add, article


def lines(path, rows):
    """Write JSON lines, gzipped if the name ends so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in rows)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(content)


# Filters -----------------------------------------------------------------------------------------


def test_a_set_comes_back_as_it_was_written(tmp_path):
    asked = [
        Question("a", "Berapa rumah terendam?", ("340 rumah",)),
        Question("b", "Kapan itu?", ("2023",), follows="a"),
        Question("c", "Siapa presiden Atlantis?", answerable=False),
        Question(
            "d",
            "Apa kabar terbaru?",
            filter=Filter(dt.date(2023, 1, 1), dt.date(2023, 12, 31), ("Kabar Hulu",)),
        ),
    ]
    relevant = {"a": {"x": 1, "y.z": 2}, "d": {"x": 1}}
    sets.write(tmp_path / "set", asked, relevant)
    loaded = sets.load(tmp_path / "set")
    assert loaded.questions == tuple(asked)
    assert loaded.relevant == relevant
    assert sorted(p.name for p in (tmp_path / "set").iterdir()) == ["qrels.tsv", "queries.jsonl"]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"after": "kemarin"}, "'kemarin'"),
        ({"after": 2020}, "2020"),
        ({"publishers": "Kabar Hulu"}, "'Kabar Hulu'"),
        ({"sesudah": "2020-01-01"}, "sesudah"),
        ("2020", "'2020'"),
    ],
)
def test_a_broken_filter_names_its_row(tmp_path, chosen, told):
    lines(tmp_path / "queries.jsonl", [{"_id": "a", "text": "Apa?", "filter": chosen}])
    with pytest.raises(InputError, match=r"queries\.jsonl:1: ") as error:
        sets.read_questions(tmp_path / "queries.jsonl")
    assert told in str(error.value)


def test_an_id_may_not_stand_twice(tmp_path):
    lines(tmp_path / "queries.jsonl", [{"_id": "a", "text": "Apa?"}] * 2)
    with pytest.raises(InputError, match="'a' stands twice"):
        sets.read_questions(tmp_path / "queries.jsonl")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"_id": "b", "text": 5}', "'text' is 5 but must be a string"),
        ('{"_id": "b", "text": "Apa?", "answers": "dua"}', "'answers' is 'dua'"),
        ('{"_id": "b", "text": "Apa?", "answers": ["dua", 2]}', "'answers' is ['dua', 2]"),
        ('{"_id": "b"}', "lacks 'text'"),
        ("[]", "no JSON object"),
        ('{"_id": }', "is not JSON: Expecting value, character 9."),
        (f"{'[' * 100_000}", "not JSON"),
    ],
)
def test_a_broken_row_is_named_once_by_its_line(tmp_path, row, told):
    path = tmp_path / "queries.jsonl"
    path.write_text(f'{{"_id": "a", "text": "Apa?"}}\n\n{row}\n', encoding="utf-8")
    with pytest.raises(InputError) as error:
        sets.read_questions(path)
    message = str(error.value)
    assert message.startswith(f"{path}:3") and told in message
    assert message.count(str(path)) == 1 and "line 1" not in message


def test_answers_may_be_null(tmp_path):
    lines(tmp_path / "queries.jsonl", [{"_id": "a", "text": "Apa?", "answers": None}])
    assert sets.read_questions(tmp_path / "queries.jsonl") == (Question("a", "Apa?"),)


def test_a_file_that_cannot_be_read_is_told_plainly(tmp_path):
    with pytest.raises(InputError, match=r"^There is no \S+/queries\.jsonl\.$"):
        sets.load(tmp_path)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"_id": "a", "text": "Apa?"}' * 9)[:-9])
    with pytest.raises(InputError, match="damaged or cut short"):
        sets.read_questions(tmp_path / "a.jsonl.gz")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="not UTF-8 text"):
        sets.read_questions(tmp_path / "b.jsonl")
    with pytest.raises(InputError, match="is a folder"):
        sets.read_qrels(tmp_path)


def test_judgements_of_no_use_are_told(tmp_path):
    sets.write(tmp_path, [Question("a", "Apa?")], {"b": {"x": 1}})
    with pytest.raises(InputError, match=r"qrels\.tsv names no question"):
        sets.load(tmp_path)
    sets.write(tmp_path, [Question("a", "Apa?")], {"a": {"x": 0}, "b": {"x": 1}})
    with pytest.raises(InputError, match=r"qrels\.tsv judges no article relevant"):
        sets.load(tmp_path)


def test_what_a_set_cannot_measure():
    asked = tuple(Question(i, "Apa?") for i in "abcd")
    relevant = {"a": {"x": 1}, "b": {"y": 1, "z": 1}, "c": {"x": 0}, "e": {"x": 1}}
    some = QuestionSet(asked, relevant)
    assert some.wanted() == ["x", "y", "z"]
    unknown = "1 of 4 questions is not in queries.jsonl."
    useless = "1 of 4 questions has only judgements of 0."
    assert sets.gaps(some) == sets.gaps(some, {"x", "z"}) == [unknown, useless]
    absent = "1 of 4 questions has no relevant article in this archive."
    assert sets.gaps(some, {"z"}) == [unknown, useless, absent]
    with pytest.raises(InputError, match=r"tanya add.*corpus\.jsonl"):
        sets.gaps(some, set())
    judged = QuestionSet((), {"a": {"x": 1}, "b": {"y": 1}, "c": {"z": 1}})
    absent = "2 of 3 questions have no relevant article in this archive."
    assert sets.gaps(judged, {"x"}) == [absent] and sets.gaps(judged) == []


def test_the_hash_of_a_set_tells_its_questions_apart():
    one = [Question("a", "Apa?")]
    assert sets.fingerprint(one) == sets.fingerprint([Question("a", "Apa?")])
    others = (
        Question("a", "Siapa?"),
        Question("a", "Apa?", ("itu",)),
        Question("a", "Apa?", filter=Filter(after=dt.date(2020, 1, 1))),
    )
    assert len({sets.fingerprint([q]) for q in (*one, *others)}) == 4


# Imports -----------------------------------------------------------------------------------------


def test_passages_with_a_prefix(tmp_path):
    lines(tmp_path / "uji_passages.jsonl.gz", [{"id": "p1", "text": "Sumur itu dalam."}])
    questions = [
        {"id": "q1", "question": "Apa yang dalam?", "passage_id": "p1", "answers": ["Sumur"]},
        {"id": "q2", "question": "Apa?", "passage_id": "p1", "answerable": False},
    ]
    lines(tmp_path / "uji_qa.jsonl.gz", questions)
    assert sets.import_set(tmp_path, tmp_path / "set", prefix="uji_") == 2
    loaded = sets.load(tmp_path / "set")
    assert [q.answerable for q in loaded.questions] == [True, False]
    assert loaded.relevant == {"q1": {"p1": 1}}


@pytest.mark.parametrize("zipped", ["", ".gz"])
@pytest.mark.parametrize("place", ["qrels/test.tsv", "qrels.tsv"])
def test_a_beir_folder(tmp_path, zipped, place):
    source = tmp_path / "beir"
    corpus = [
        {"_id": "d1", "title": "Sumur", "text": "Dalamnya 12 meter.", "metadata": {"url": "u"}},
        {"_id": "d2", "title": None, "text": "Lain."},
    ]
    lines(source / f"corpus.jsonl{zipped}", corpus)
    queries = [{"_id": "1", "text": "Dalamnya sumur?"}, {"_id": "2", "text": "Bukan dari uji?"}]
    lines(source / f"queries.jsonl{zipped}", queries)
    qrels = source / place
    qrels.parent.mkdir(exist_ok=True)
    qrels.write_text("query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t0\n", encoding="utf-8")
    assert sets.import_set(source, tmp_path / "set") == 1
    loaded = sets.load(tmp_path / "set")
    assert loaded.questions == (Question("1", "Dalamnya sumur?"),)
    assert loaded.relevant == {"1": {"d1": 2, "d2": 0}}
    articles = list(read(tmp_path / "set" / "corpus.jsonl"))
    assert [(a.id, a.title, a.body, a.url) for a in articles if isinstance(a, Article)] == [
        ("d1", "Sumur", "Dalamnya 12 meter.", "u"),
        ("d2", "", "Lain.", ""),
    ]


def test_a_missing_split_of_a_beir_folder_is_told(tmp_path):
    lines(tmp_path / "queries.jsonl", [{"_id": "1", "text": "Apa?"}])
    with pytest.raises(InputError, match="qrels/dev.tsv"):
        sets.import_set(tmp_path, tmp_path / "set", split="dev")


def test_trec_topics_with_judgements(tmp_path):
    (tmp_path / "topics.tsv").write_text("7\tBanjir  di hulu\n8\tTanpa nilai\n", encoding="utf-8")
    (tmp_path / "qrels.txt").write_text("7 0 a 1\n7 0 b 0\n9 0 c 1\n", encoding="utf-8")
    out = tmp_path / "set"
    assert sets.import_set(tmp_path / "topics.tsv", out, qrels=tmp_path / "qrels.txt") == 1
    loaded = sets.load(out)
    assert loaded.questions == (Question("7", "Banjir di hulu"),)
    assert loaded.relevant == {"7": {"a": 1, "b": 0}}
    assert not (out / "corpus.jsonl").exists()


@pytest.mark.parametrize(
    ("topics", "qrels", "told"),
    [
        ("7 Banjir\n", "7 0 a 1\n", "topics.tsv:1"),
        ("7\tBanjir\n", "8 0 a 1\n", "do not match"),
        ("7\tBanjir\n", None, "--qrels"),
    ],
)
def test_broken_topics_are_told(tmp_path, topics, qrels, told):
    (tmp_path / "topics.tsv").write_text(topics, encoding="utf-8")
    if qrels:
        (tmp_path / "qrels.txt").write_text(qrels, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        sets.import_set(
            tmp_path / "topics.tsv",
            tmp_path / "set",
            qrels=tmp_path / "qrels.txt" if qrels else None,
        )


def test_answers_to_import_are_strings(tmp_path):
    lines(tmp_path / "passages.jsonl", [{"id": "p1", "text": "Sumur itu dalam."}])
    row = {"id": "q1", "question": "Apa?", "passage_id": "p1", "answers": "Sumur"}
    lines(tmp_path / "qa.jsonl", [row])
    with pytest.raises(InputError, match=r"qa\.jsonl:1: 'answers'"):
        sets.import_set(tmp_path, tmp_path / "set")


def test_a_set_is_not_overwritten_unless_told(tmp_path, capsys):
    beir, topics = tmp_path / "beir", tmp_path / "topics.tsv"
    sets.write(beir, [Question("1", "Apa?")], {"1": {"d1": 1}})
    lines(beir / "corpus.jsonl", [{"_id": "d1", "text": "Isi."}])
    topics.write_text("7\tBanjir\n", encoding="utf-8")
    (tmp_path / "qrels.txt").write_text("7 0 a 1\n", encoding="utf-8")
    out = tmp_path / "set"
    second = ["eval", "import", str(topics), str(out), "--qrels", str(tmp_path / "qrels.txt")]
    assert run(app, ["eval", "import", str(beir), str(out)]) == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    assert run(app, second) == 1
    assert run(app, ["eval", "make", str(out)]) == 1
    assert run(app, ["eval", "import", str(beir), str(topics)]) == 1
    assert run(app, ["eval", "import", str(beir), str(beir), "--replace"]) == 1
    told = capsys.readouterr()
    assert told.err.count("give --replace") == 2
    assert "is a file" in told.err and "into itself" in told.err
    assert told.out == f"1 question written to {out}\n"
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert run(app, [*second, "--replace"]) == 0
    # The corpus was that of the other set.
    assert sorted(p.name for p in out.iterdir()) == ["qrels.tsv", "queries.jsonl"]
    assert sorted(p.name for p in beir.iterdir()) == ["corpus.jsonl", "qrels.tsv", "queries.jsonl"]


def test_topics_without_judgements_are_wrong_usage(tmp_path, capsys):
    (tmp_path / "topics.tsv").write_text("7\tBanjir\n", encoding="utf-8")
    assert run(app, ["eval", "import", str(tmp_path / "topics.tsv"), str(tmp_path / "set")]) == 2
    assert "--qrels" in capsys.readouterr().err


def test_a_folder_of_something_else_is_told(tmp_path):
    with pytest.raises(InputError, match=r"neither passages.jsonl.gz nor queries.jsonl"):
        sets.import_set(tmp_path, tmp_path / "set")


# Made of an archive ------------------------------------------------------------------------------

SAMPLE = Path(__file__).parents[1] / "sample" / "articles"


def sample():
    """Return the articles of the sample."""
    outcomes = (item for path in find_files([SAMPLE]) for item in read(path))
    return [item for item in outcomes if isinstance(item, Article)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Return the sample's archive, and half of its articles once more at another publisher."""
    with Archive.open(tmp_path_factory.mktemp("made") / FILE_NAME, create=True) as opened:
        add(opened, sample())
        copies = [replace(a, id=f"copy-{a.id}", publisher="Koran Salin") for a in sample()[::2]]
        add(opened, copies)
        yield opened


@pytest.fixture(scope="module")
def made(archive, tmp_path_factory):
    """Return the folder of a set that was made of that archive."""
    out = tmp_path_factory.mktemp("set")
    assert making.make(archive, out, questions=500, seed=3) >= 15
    return out


def test_a_set_is_the_same_by_the_same_seed(archive, made, tmp_path):
    making.make(archive, tmp_path / "again", questions=500, seed=3)
    making.make(archive, tmp_path / "other", questions=500, seed=4)
    for name in ("queries.jsonl", "qrels.tsv"):
        assert (tmp_path / "again" / name).read_bytes() == (made / name).read_bytes()
    other = (tmp_path / "other" / "queries.jsonl").read_bytes()
    assert other != (made / "queries.jsonl").read_bytes()


def test_what_answers_stands_in_the_article_and_most_kinds_are_asked(archive, made):
    loaded = sets.load(made)
    for question in loaded.questions:
        bodies = [archive.get(found).body for found in loaded.relevant[question.id]]
        assert any(question.answers[0] in " ".join(body.split()) for body in bodies)
        assert question.kind in making.KINDS and question.id.startswith(question.kind)
    assert len({question.kind for question in loaded.questions}) >= 6


def test_so_many_questions_are_made_as_were_asked_for_of_the_kinds_in_turn(archive, tmp_path):
    told = []
    count = making.make(
        archive, tmp_path / "set", questions=8, progress=lambda *at: told.append(at)
    )
    kinds = [question.kind for question in sets.load(tmp_path / "set").questions]
    assert count == len(kinds) == 8
    assert len(set(kinds)) >= 6
    assert told and all(done <= total for done, total in told)


def test_a_question_within_a_month_is_of_the_month_of_its_article(archive, made):
    loaded = sets.load(made)
    dated = [question for question in loaded.questions if question.kind == "dated"]
    assert dated
    for question in dated:
        found = archive.get(next(iter(loaded.relevant[question.id])))
        assert question.filter.after <= found.published <= question.filter.before
        assert question.filter.after.day == 1


def test_conversations_ask_on_about_the_same_sentence(tmp_path):
    body = (
        "Gubernur membuka rapat. Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat di "
        "Kecamatan Sandubaya pada Selasa (4/3/2025). Warga menyambut."
    )
    with Archive.open(tmp_path / FILE_NAME, create=True) as opened:
        add(opened, [article(1, body, title="Pelabuhan dibuka")])
        making.make(opened, tmp_path / "set")
    asked = sets.load_asked(tmp_path / "set")
    opening, follow_up = (q for q in asked if q.part != sets.FIRST)
    assert follow_up.follows == opening.id
    assert {opening.answers, follow_up.answers} == {
        ("Kecamatan Sandubaya",),
        ("Selasa (4/3/2025)",),
    }


def test_the_whole_story_is_relevant(archive, made):
    stories = {}
    for found, _ in archive.articles(list(archive.fingerprints())):
        stories.setdefault(found.story_id, {})[found.id] = 1
    relevant = sets.load(made).relevant.values()
    assert all(judged in stories.values() for judged in relevant)
    assert any(len(judged) > 1 for judged in relevant)


def test_a_question_that_another_story_answers_too_is_left_out(tmp_path):
    """Of one article each sentence stands in another story; the words of another are scattered."""
    bodies = [
        "Rapat dibuka pagi. Jembatan Lantera Baru diresmikan Bupati Sari Dewi pada 3 Mei 2024. "
        "Warga menonton dari tepi sungai sambil membawa bekal.",
        "Pasar tutup lebih awal. Menara Suar Kelana dirubuhkan Dinas Perhubungan pada 9 Juni 2024. "
        "Kapal nelayan menunggu di luar pelabuhan sampai malam.",
    ]
    again = (
        "Hujan turun semalaman di hulu. Jembatan Lantera Baru diresmikan Bupati Sari Dewi pada "
        "3 Mei 2024. Jalan menuju kebun teh masih licin dan sepi pengunjung hari itu."
    )
    scattered = (
        "Menara tua itu retak. Suar mati sejak lama. Kelana pergi. Sekolah dirubuhkan angin. "
        "Kepala Dinas datang. Urusan Perhubungan belum selesai juga kata mereka."
    )
    with Archive.open(tmp_path / FILE_NAME, create=True) as opened:
        bodies += [again, scattered]
        add(opened, [article(n, body, title="Kabar desa") for n, body in enumerate(bodies)])
        making.make(opened, tmp_path / "set")
    relevant = {a for judged in sets.load(tmp_path / "set").relevant.values() for a in judged}
    assert relevant == {article(1, "").id}


def test_boilerplate_and_scraps_make_no_question(tmp_path):
    body = (
        "Lurah membuka lomba. Hadir banyak warga. Pendek saja. "
        "lanjutan kalimat kecil tanpa huruf besar yang terpotong di tengah jalan oleh mesin. "
        "Skor 21-19, 21-17, 18-21, 22-20, 21-15, 19-21, 30-29, 21-18 dan 21-11.\n"
        "Baca juga: Panitia lomba menyiapkan hadiah kambing bagi juara panjat pinang dusun"
    )
    assert any(map(clean.is_boilerplate, body.split("\n")))
    with Archive.open(tmp_path / FILE_NAME, create=True) as opened:
        add(opened, [article(1, body)])
        with pytest.raises(InputError, match="add articles"):
            making.make(opened, tmp_path / "set")
