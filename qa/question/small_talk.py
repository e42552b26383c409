"""Knows small talk, which asks nothing of the archive, and what is said to each kind of it."""

from __future__ import annotations

import re

from index import text

SMALL_TALK = "courtesy"
"""The answer type of a query that asks nothing."""

REPLIES = {
    "greeting": (
        "Halo! Silakan bertanya tentang isi arsip berita ini. Setiap kalimat jawaban dikutip dari "
        "artikel yang bisa Anda buka."
    ),
    "thanks": (
        "Sama-sama. Silakan bertanya lagi; setiap jawaban dikutip dari artikel di arsip berita ini."
    ),
    "who": (
        "Ini mesin tanya jawab atas arsip berita, bukan orang. Setiap kalimat jawabannya dikutip "
        "dari artikel yang bisa Anda buka dan periksa."
    ),
    "help": (
        "Saya menjawab pertanyaan dari arsip berita: siapa, apa, kapan, di mana, berapa, mengapa, "
        "atau kabar terbaru sebuah topik. Setiap kalimat jawaban dikutip dari artikel yang bisa "
        "Anda buka. Sebut nama, tempat, atau tahun yang Anda cari."
    ),
    "said": "Silakan: tanyakan apa saja tentang isi arsip berita ini, dan jawabannya dikutip.",
}
"""What is answered to each kind of small talk."""


def _short(word: str) -> str:
    """Write letters that stand several times in a row once: "siiip" is "sip"."""
    return re.sub(r"(.)\1+", r"\1", word)


def _set(words: str) -> frozenset[str]:
    return frozenset(map(_short, words.split()))


_THANKS = _set(
    "terima terimakasih makasih makasi mksh trims trim tengkyu thanks thank thx tq tks nuhun "
    "suwun syukron"
)
_GREETING = _set(
    "halo hai hi hello hey hei hay salam assalamualaikum assalamu samlekum permisi punten met"
)
_OF_DAY = _set("selamat pagi siang sore malam malem")
_SAID = _set(
    "selamat ok oke okay okey okeh baik baiklah siap sip mantap mantul keren bagus hebat asyik "
    "haha hahaha hehe hehehe wkwk wkwkwk wah wow oh ooh hmm hm nice good great noted paham "
    "mengerti ngerti jelas tes test testing ping astaga ampun waduh dah dadah bye jumpa"
)
_AROUND = (
    _THANKS
    | _GREETING
    | _OF_DAY
    | _SAID
    | _set(
        "kasih you ya yah yaa iya deh dong nih sih lah kok sudah udah banyak sekali banget kak "
        "kakak kang min admin bang mas mbak pak bu bapak ibu gan bos bro sis guys there atas "
        "bantuannya infonya informasinya jawabannya penjelasannya saya aku gue gua tunggu dulu "
        "sebentar begitu gitu rupanya ternyata juga semua semuanya lagi apa kabar kabarnya are how "
        "do aduh duh parah gila serem ngeri kasihan kasian lucu sedih yaudah sudahlah itu ini so "
        "much very for your alaikum wr wb sampai tinggal eh sobat teman morning night loh lho aja "
        "cukup asik sangat amat membantu sekian nanti please ga gak nggak tidak"
    )
)
_ITSELF = _set("kamu anda lu lo elu namamu pembuatmu penciptamu bot chatbot botnya you")
_ASKER = _ITSELF | _set("saya aku gue gua kami me i")
_PLEASE = _set("tolong tolongin bantu bantuin membantu menolong help")
_SERVES = _set(
    "lakukan ngapain kerjain jawab ditanyakan ditanyain tanyakan tanyain bantuan do ketahui"
)
_ITS_USE = _set("kemampuanmu fungsimu tugasmu kerjamu fiturmu kegunaanmu gunamu bisamu ")
_ASK, _USE = _set("tanya nanya bertanya"), _set("pakai pake memakai make menggunakan gunakan")
_HOW, _HERE = _set("cara gimana bagaimana caranya how"), _set("ini sini disini")
_SITE = _set("aplikasi app web website situs laman layanan")
_FOR_HELP = (
    _PLEASE
    | _SERVES
    | _ITS_USE
    | _ASK
    | _USE
    | _HOW
    | _HERE
    | _SITE
    | _ASKER
    | _set(
        "bisa bisakah dapat aja saja yang mau ingin minta butuh perlu untuk buat need can what to "
        "kepada ke sama dengan boleh bolehkah mohon kerja tugas fungsi guna fitur kemampuan coba "
        "di tahu tau pinter pintar ajari ajarin jelaskan gunanya"
    )
    | _AROUND
)
_OF_ITSELF = _ITSELF | _set(
    "siapa siapakah nama namanya adalah apa apakah robot ai manusia orang beneran asli mesin "
    "program aplikasi saja sih who are what is name your bagaimana yang bikin buat buatan membuat "
    "membuatmu menciptakan diciptakan dibuat pembuat pencipta jenis pinter pintar sehat "
    "oleh sebenarnya real human a an the punya kenalan boleh tahu tau chat gpt chatgpt"
)

_RULES = (
    ("thanks", (_THANKS,), _AROUND),
    ("greeting", (_GREETING,), _AROUND | _set("bot kamu")),
    ("greeting", (_OF_DAY - _set("selamat"),), _AROUND - _set("itu ini apa")),
    ("greeting", (_set("apa"), _set("kabar")), _set("apa kabar kak min ya dong nih")),
    ("help", (_PLEASE, _ASKER), _FOR_HELP),
    ("help", (_PLEASE,), _PLEASE | _AROUND | _set("bisa bisakah minta mohon perlu")),
    ("help", (_set("bantuan"), _set("butuh perlu minta")), _FOR_HELP),
    ("help", (_SERVES, _ASKER | _HERE), _FOR_HELP),
    ("help", (_ITS_USE,), _FOR_HELP),
    ("help", (_HOW, _USE, _HERE | _ITSELF), _FOR_HELP),
    ("help", (_ASK, _HOW | _set("mau boleh bolehkah bisa izin")), _FOR_HELP | _set("izin")),
    ("help", (_ITSELF, _set("bisa can tahu tau kerja fungsi tugas guna gunanya")), _FOR_HELP),
    ("who", (_ITSELF,), _OF_ITSELF | _AROUND),
    ("who", (_SITE, _set("ini")), _SITE | _set("ini apa sih ya buat untuk")),
)
"""Kinds, each with sets that a text has a word of, and with all words that it may have."""


def small_talk(asked: str) -> str:
    """Return which kind of small talk a text is, a key of REPLIES; "" for a question.

    It is small talk only where each of its words is: "halo kak", "apa yang bisa kamu lakukan?".
    """
    spoken = re.sub(r"\btanya[ -]arsip\b", "kamu", asked, flags=re.IGNORECASE)
    words = {_short(word) for word in text.words(spoken)}
    for kind, needed, allowed in _RULES:
        if words <= allowed and all(words & some for some in needed):
            return kind
    return "said" if words & _SAID and words <= _AROUND and "?" not in asked else ""
