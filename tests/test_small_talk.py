"""Small talk is known by its words alone, and gets one sentence that says what this is."""

import pytest

from qa.chat import Chat
from qa.question.small_talk import REPLIES, SMALL_TALK, small_talk
from tests import homes

FORMS = {
    "greeting": "halo|Halo!|hai kak|haloo|hi|selamat pagi|Selamat siang kak|pagi min|"
    "assalamualaikum|permisi kak|halo, apa kabar?|apa kabar?|malam kak|hai bot",
    "thanks": "terima kasih|Terima kasih banyak ya|makasih kak|thank you so much|tq|"
    "oke, terima kasih banyak ya|wah makasih banget|terimakasih atas bantuannya|"
    "sudah cukup, terima kasih|jawabannya bagus, makasih",
    "who": "kamu siapa?|siapa kamu|anda siapa?|kamu itu apa sih|kamu robot?|nama kamu siapa|"
    "apakah kamu manusia|siapa yang membuat kamu?|ini aplikasi apa?|Tanya Arsip itu apa?|"
    "who are you?|halo, kamu siapa?|apakah anda chatgpt?|ini bot ya?",
    "help": "apa yang bisa kamu lakukan?|kamu bisa apa aja?|tolong bantu saya dong|bisa bantu ga?|"
    "bantuin dong|help|bisa minta tolong?|butuh bantuan nih|cara pakai ini gimana?|"
    "gimana cara bertanya di sini?|apa fungsimu?|what can you do?|mau tanya dong|"
    "apa saja yang bisa saya tanyakan?|hai, aku mau tanya-tanya nih|gimana cara kerja kamu?",
    "said": "ok|siiip|wkwkwk|mantap|baik kak|noted|sipp mantap|sampai jumpa lagi",
}
QUESTIONS = (
    "Siapa Makasih?|oke terus kapan?|baik buruknya apa|banjir|apa yang bisa dilakukan?|siapa dia?|"
    "siapa yang membantu?|aplikasi apa itu?|bagaimana caranya?|apa kabar Jokowi?|bantuan|"
    "siapa yang selamat?|selamat pagi Indonesia|apa tugasnya?|siapa yang membuat?|malam apa?|"
    "bagaimana cara menggunakannya?|ini apa?|apa bantuannya?|yakin?|tolong jelaskan|apa itu AI?|"
    "siapa pembuatnya?|bantuan untuk siapa?|apa gunanya?|kata siapa?|terima suap siapa?|siap siapa?"
)


@pytest.mark.parametrize(
    ("kind", "asked"), [(kind, asked) for kind in FORMS for asked in FORMS[kind].split("|")]
)
def test_small_talk_is_known(kind, asked):
    assert small_talk(asked) == kind


@pytest.mark.parametrize("asked", QUESTIONS.split("|"))
def test_a_question_is_no_small_talk(asked):
    assert not small_talk(asked)


def test_it_gets_one_sentence_and_nothing_of_the_archive(tmp_path, capsys):
    homes.harbour(tmp_path)
    chat = Chat.open(tmp_path)
    for kind, forms in FORMS.items():
        turn = chat.ask(forms.partition("|")[0])
        assert turn.query.kind == SMALL_TALK and turn.notice == REPLIES[kind]
        assert not turn.answer.claims and not turn.answer.evidence.hits
        assert "dikutip" in turn.notice or "kutip" in turn.notice
    assert homes.tanya(tmp_path, "ask", "kamu siapa?") == 0
    assert capsys.readouterr().out.split() == REPLIES["who"].split()
