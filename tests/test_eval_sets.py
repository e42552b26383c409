"""Question sets: imported from other forms, made of an archive, and with filters of their own."""

import datetime as dt
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval import datasets, imports, known_items
from eval.datasets import Question
from index import clean, readers, text
from index.archive import FILE_NAME, Archive
from index.errors import InputError
from index.records import Article, Filter
from tests.conftest import add, article


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
    relevant = {"a": {"x": 1, "y z": 2}, "d": {"x": 1}}
    datasets.write(tmp_path / "set", asked, relevant)
    loaded = datasets.load(tmp_path / "set")
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
    with pytest.raises(InputError, match="row 1") as error:
        datasets.read_questions(tmp_path / "queries.jsonl")
    assert told in str(error.value)


def test_an_id_may_not_stand_twice(tmp_path):
    lines(tmp_path / "queries.jsonl", [{"_id": "a", "text": "Apa?"}] * 2)
    with pytest.raises(InputError, match="'a' stands twice"):
        datasets.read_questions(tmp_path / "queries.jsonl")


def test_the_hash_of_a_set_tells_its_questions_apart():
    one = [Question("a", "Apa?")]
    assert datasets.fingerprint(one) == datasets.fingerprint([Question("a", "Apa?")])
    others = (
        Question("a", "Siapa?"),
        Question("a", "Apa?", ("itu",)),
        Question("a", "Apa?", filter=Filter(after=dt.date(2020, 1, 1))),
    )
    assert len({datasets.fingerprint([q]) for q in (*one, *others)}) == 4


# Imports -----------------------------------------------------------------------------------------


def test_passages_with_a_prefix(tmp_path):
    lines(tmp_path / "uji_passages.jsonl.gz", [{"id": "p1", "text": "Sumur itu dalam."}])
    questions = [
        {"id": "q1", "question": "Apa yang dalam?", "passage_id": "p1", "answers": ["Sumur"]},
        {"id": "q2", "question": "Apa?", "passage_id": "p1", "answerable": False},
    ]
    lines(tmp_path / "uji_qa.jsonl.gz", questions)
    assert imports.import_set(tmp_path, tmp_path / "set", prefix="uji_") == 2
    loaded = datasets.load(tmp_path / "set")
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
    assert imports.import_set(source, tmp_path / "set") == 1
    loaded = datasets.load(tmp_path / "set")
    assert loaded.questions == (Question("1", "Dalamnya sumur?"),)
    assert loaded.relevant == {"1": {"d1": 2, "d2": 0}}
    articles = list(readers.read(tmp_path / "set" / "corpus.jsonl"))
    assert [(a.id, a.title, a.body, a.url) for a in articles if isinstance(a, Article)] == [
        ("d1", "Sumur", "Dalamnya 12 meter.", "u"),
        ("d2", "", "Lain.", ""),
    ]


def test_a_missing_split_of_a_beir_folder_is_told(tmp_path):
    lines(tmp_path / "queries.jsonl", [{"_id": "1", "text": "Apa?"}])
    with pytest.raises(InputError, match="qrels/dev.tsv"):
        imports.import_set(tmp_path, tmp_path / "set", split="dev")


def test_trec_topics_with_judgements(tmp_path):
    (tmp_path / "topics.tsv").write_text("7\tBanjir  di hulu\n8\tTanpa nilai\n", encoding="utf-8")
    (tmp_path / "qrels.txt").write_text("7 0 a 1\n7 0 b 0\n9 0 c 1\n", encoding="utf-8")
    out = tmp_path / "set"
    assert imports.import_set(tmp_path / "topics.tsv", out, qrels=tmp_path / "qrels.txt") == 1
    loaded = datasets.load(out)
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
        imports.import_set(
            tmp_path / "topics.tsv",
            tmp_path / "set",
            qrels=tmp_path / "qrels.txt" if qrels else None,
        )


def test_a_folder_of_something_else_is_told(tmp_path):
    with pytest.raises(InputError, match=r"neither passages.jsonl.gz nor queries.jsonl"):
        imports.import_set(tmp_path, tmp_path / "set")


# Known items -------------------------------------------------------------------------------------

SAMPLE = Path(__file__).parents[1] / "sample" / "articles"


def sample():
    """Return the articles of the sample."""
    read = (item for path in readers.find_files([SAMPLE]) for item in readers.read(path))
    return [item for item in read if isinstance(item, Article)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Return the sample's archive, and half of its articles once more at another publisher."""
    with Archive.open(tmp_path_factory.mktemp("known") / FILE_NAME) as opened:
        add(opened, sample())
        copies = [replace(a, id=f"copy-{a.id}", publisher="Koran Salin") for a in sample()[::2]]
        add(opened, copies)
        yield opened


@pytest.fixture(scope="module")
def known(archive, tmp_path_factory):
    """Return the folder of a known-item set of that archive."""
    out = tmp_path_factory.mktemp("set")
    assert known_items.make(archive, out, questions=500, seed=3) >= 25
    return out


def test_a_known_item_set_is_the_same_by_the_same_seed(archive, known, tmp_path):
    known_items.make(archive, tmp_path / "again", questions=500, seed=3)
    known_items.make(archive, tmp_path / "other", questions=500, seed=4)
    for name in ("queries.jsonl", "qrels.tsv"):
        assert (tmp_path / "again" / name).read_bytes() == (known / name).read_bytes()
    assert (tmp_path / "other" / "queries.jsonl").read_bytes() != (
        known / "queries.jsonl"
    ).read_bytes()


def test_no_question_repeats_three_words_in_a_row(archive, tmp_path):
    for seed in range(12):
        known_items.make(archive, tmp_path / "set", seed=seed)
        loaded = datasets.load(tmp_path / "set")
        for question in loaded.questions:
            assert known_items.FEWEST <= len(question.text.split()) <= known_items.MOST
            asked = text.words(question.text)
            runs = [f" {' '.join(asked[i : i + 3])} " for i in range(len(asked) - 2)]
            found = archive.get(next(iter(loaded.relevant[question.id])))
            whole = f" {' '.join(text.words(f'{found.title} {found.body}'))} "
            assert set(asked) <= set(whole.split())
            assert not any(run in whole for run in runs)


def test_the_sentence_of_a_known_item_is_a_later_one_of_its_article(archive, known):
    loaded = datasets.load(known)
    for question in loaded.questions:
        (sentence,) = question.answers
        body = archive.get(next(iter(loaded.relevant[question.id]))).body
        assert body.index(sentence) > body.index(".")
        assert set(text.words(question.text)) < set(text.words(sentence))


def test_the_whole_story_is_relevant(archive, known):
    stories = {}
    for found, _ in archive.articles(list(archive.fingerprints())):
        stories.setdefault(found.story_id, {})[found.id] = 1
    relevant = datasets.load(known).relevant.values()
    assert all(judged in stories.values() for judged in relevant)
    assert any(len(judged) > 1 for judged in relevant)


def test_a_question_that_fits_another_story_is_left_out(tmp_path):
    """Every second article has another beside it with all of its words and no sentence."""
    articles = sample()
    shuffled = [
        article(n, " ".join(sorted(set(text.words(f"{a.title} {a.body}")))), title="")
        for n, a in enumerate(articles[::2])
    ]
    with Archive.open(tmp_path / FILE_NAME) as opened:
        add(opened, [*articles, *shuffled])
        known_items.make(opened, tmp_path / "set")
    relevant = {a for judged in datasets.load(tmp_path / "set").relevant.values() for a in judged}
    assert not relevant & {a.id for a in articles[::2]}
    assert relevant & {a.id for a in articles[1::2]}


def test_boilerplate_and_scraps_make_no_question(tmp_path):
    body = (
        "Lurah membuka lomba. Hadir banyak warga. Pendek saja. "
        "lanjutan kalimat kecil tanpa huruf besar yang terpotong di tengah jalan oleh mesin. "
        "Skor 21-19, 21-17, 18-21, 22-20, 21-15, 19-21, 30-29, 21-18 dan 21-11.\n"
        "Baca juga: Panitia lomba menyiapkan hadiah kambing bagi juara panjat pinang dusun"
    )
    assert any(map(clean.is_boilerplate, body.split("\n")))
    with Archive.open(tmp_path / FILE_NAME) as opened:
        add(opened, [article(1, body)])
        with pytest.raises(InputError, match="add articles"):
            known_items.make(opened, tmp_path / "set")
