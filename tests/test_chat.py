"""The chat's flow over a living archive: builds, removals and corrections while it runs."""

import json
import shutil
import threading

import pytest

from index.archive import FILE_NAME, Archive
from index.embedding import MODEL_FOLDER
from index.errors import IndexMissingError, InputError
from qa.chat import Chat
from qa.reader import reader
from tests import homes
from tests.homes import REPRINT

ASKED = "Siapa yang meresmikan Pelabuhan Batu Layar?"


@pytest.fixture
def home(tmp_path):
    homes.harbour(tmp_path)
    return tmp_path


def cited(turn):
    return {citation.passage.article_id for citation in turn.answer.citations}


def test_before_the_first_build_it_says_what_to_do(tmp_path):
    chat = Chat.open(tmp_path)
    with pytest.raises(IndexMissingError, match="tanya build"):
        chat.ask(ASKED)
    with pytest.raises(IndexMissingError):
        chat.overview()
    homes.harbour(tmp_path)
    assert chat.ask(ASKED).answer.status == "answered"


def test_an_empty_question_is_refused(home):
    with pytest.raises(InputError):
        Chat.open(home).ask(" ?! ")


def test_an_answer_grows_claim_by_claim(home):
    shut = homes.article(5, "Jembatan Waru ditutup karena tiangnya retak.")
    mended = homes.article(6, "Perbaikan Jembatan Waru selesai.")
    homes.add(home, [shut, mended])
    homes.build(home)
    turns = list(Chat.open(home).stream("Apa kabar terbaru soal Jembatan Waru?"))
    counts = [len(turn.answer.claims) for turn in turns]
    assert counts == sorted(counts) and counts[-1] == 2
    assert turns[-1].seconds >= turns[0].seconds > 0


def test_what_was_asked_of_a_day_is_not_answered_by_a_doubtful_one_of_another(home, monkeypatch):
    chat = Chat.open(home)
    sure = chat.ask("Siapa pelatih Melati Timur kemarin?")
    assert sure.answer.status == "answered" and "hasil dari seluruh arsip" in sure.notice
    asked = "Siapa pelatih Melati Timur{}?"
    assert chat.ask(asked.format("")).notice == "Artikel yang dikutip tidak bertanggal."
    monkeypatch.setattr("qa.chat._ANOTHER_DAY", 1.0)
    assert chat.ask(asked.format("")).answer.status == "answered"
    assert chat.ask(asked.format(" kemarin")).answer.status == "no_evidence"


def test_a_new_version_is_picked_up_by_a_running_chat(home):
    chat = Chat.open(home)
    assert chat.ask("Siapa pemilik kedai kopi Ranupane?").answer.status == "no_evidence"
    homes.add(home, [homes.article(9, "Kedai kopi Ranupane dimiliki Yulianti, bekas perawat.")])
    assert chat.overview().waiting == 1
    assert chat.ask("Siapa pemilik kedai kopi Ranupane?").answer.status == "no_evidence"
    homes.build(home)
    answer = chat.ask("Siapa pemilik kedai kopi Ranupane?").answer
    assert "Yulianti" in answer.claims[0].text
    assert chat.overview().waiting == 0
    assert chat.overview().version.articles == 5


def test_a_version_built_with_another_model_is_picked_up_too(home):
    chat = Chat.open(home)
    first = chat.ask(ASKED).answer
    (home / "tanya.toml").write_text('[embedding]\nquery_prompt = "pertanyaan: "\n')
    assert chat.ask(ASKED).answer == first, "not built yet"
    homes.build(home)
    assert chat.ask(ASKED).answer.evidence.version == "000002"
    assert cited(chat.ask(ASKED)) == {"a1"}
    chat._versions.rollback()
    assert chat.ask(ASKED).answer.evidence.version == "000001"


def test_new_weights_in_the_folder_of_a_model_are_picked_up(home):
    folder = home / "model"
    shutil.copytree(MODEL_FOLDER, folder)
    (home / "tanya.toml").write_text(f"[embedding]\nmodel = {json.dumps(str(folder))}\n")
    homes.build(home)
    chat = Chat.open(home)
    assert cited(chat.ask(ASKED)) == {"a1"}
    (folder / "README.md").write_text("other weights")
    config = folder / "config_sentence_transformers.json"
    config.write_text(config.read_text() + "\n")
    homes.build(home)
    assert chat.ask(ASKED).answer.evidence.version == "000003"


def test_a_removed_article_is_not_cited_from_that_moment(home):
    chat = Chat.open(home)
    assert cited(chat.ask(ASKED)) == {"a1"}
    with Archive.open(home / FILE_NAME) as archive:
        archive.remove(["a1"], homes.NOW)
    turn = chat.ask(ASKED)
    assert "a1" not in cited(turn)
    assert "a1" not in {hit.passage.article_id for hit in turn.answer.evidence.hits}


def test_removing_one_reprint_leaves_the_others(tmp_path):
    homes.add(tmp_path, REPRINT)
    homes.build(tmp_path)
    chat = Chat.open(tmp_path)
    left = {article.id for article in REPRINT}
    while left:
        turn = chat.ask("Kapan satelit Nusadirgantara mengorbit?")
        (citation,) = {c.passage.article_id: c for c in turn.answer.citations}.values()
        assert {citation.passage.article_id, *citation.also_in} == left
        found = {hit.passage.article_id for hit in chat.search("satelit Nusadirgantara", 9)}
        assert found == left
        with Archive.open(tmp_path / FILE_NAME) as archive:
            archive.remove([citation.passage.article_id], homes.NOW)
        left.remove(citation.passage.article_id)
    assert chat.ask("Kapan satelit Nusadirgantara mengorbit?").answer.status == "no_evidence"


def test_a_corrected_article_is_quoted_as_it_was_until_the_build(home):
    chat = Chat.open(home)
    old = homes.HARBOUR[0]
    new = homes.article(
        1,
        old.body.replace("120 miliar", "135 miliar"),
        title=old.title,
        url=old.url,
        published=old.published,
    )
    homes.add(home, [new])
    asked = "Berapa biaya pembangunan Pelabuhan Batu Layar?"
    for expected in ("120 miliar", "135 miliar"):
        answer = chat.ask(asked).answer
        assert expected in " ".join(claim.text for claim in answer.claims)
        for citation in answer.citations:
            article = chat.article(citation.passage.article_id, citation.passage.content)
            assert citation.quote == article.body[citation.start : citation.end]
        homes.build(home)


def test_many_people_ask_at_once(home):
    chat = Chat.open(home)
    asked = [ASKED, "Siapa pelatih Melati Timur?", "Berapa rumah terendam di Sungai Pinang?"] * 8
    alone = {question: cited(chat.ask(question)) for question in set(asked)}
    found: list[tuple[str, set[str]]] = []
    threads = [
        threading.Thread(target=lambda q=q: found.append((q, cited(chat.ask(q))))) for q in asked
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(asked)
    assert all(articles == alone[question] for question, articles in found)


def test_an_understood_question_can_be_corrected(home):
    chat = Chat.open(home)
    turn = chat.ask("salah ketik entah apa")
    corrected = chat.ask(turn.question, understood=chat.ask(ASKED).query)
    assert corrected.query.text == ASKED
    assert cited(corrected) == {"a1"}
    assert corrected.question == "salah ketik entah apa"


def test_a_question_of_a_book_length_is_cut_and_said_so(home):
    turn = Chat.open(home).ask(ASKED + " lalu" * 2000)
    assert turn.notice


def test_no_passage_is_read_twice_for_one_question(home, monkeypatch):
    pairs = []

    class Counting:
        def read(self, question, pages):
            pairs.extend((question, page.id) for _, page in pages)
            return reader().read(question, pages)

    monkeypatch.setattr("qa.chat.reader", Counting)
    # Not answered, so that each of its meanings is read: of the year, of all years.
    turn = Chat.open(home).ask("Siapa nakhoda kapal Sungai Pinang tahun 2023?")
    assert turn.answer.status == "no_evidence"
    assert pairs and len(set(pairs)) == len(pairs)
