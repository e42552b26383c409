"""Questions for news: about a topic, or of some days whatever they are about."""

from __future__ import annotations

from index import text

TOPICS = frozenset({"latest", "development", "history"})
"""Kinds of question that a timeline answers: the last news, all of them, one story a year."""

DAYS = "days"
"""The kind of a question for the news of some days, whatever they are about."""

ONLY_NEW, PLAINLY_NEW, MAYBE_NEW = 3.0, 2.5, 1.0
"""How much less likely a newer answer may be, a logit: of a question that speaks of now, of one for
the newest value, of one about a thing that changes for some days."""

TOPIC_WORDS = frozenset(
    "kabar kabarnya berita beritanya pemberitaan diberitakan info informasi isu cerita terbaru "
    "terkini terakhir teranyar update perkembangan kelanjutan kronologi perjalanan perkara "
    "ceritakan jelaskan awal sampai hingga kasus soal mengenai tentang seputar terkait hal apa "
    "bagaimana latest belakangan sekarang kondisi situasi keadaan nasib performa kinerja "
    "penampilan kiprah pergerakan tren dibahas baik buruk viral kejadian peristiwa terjadi ada "
    "saja headline utama penting heboh ramai liputan sejarah tahun dekade ke dari masa lalu".split()
)


_CASES = frozenset("kasus perkara".split())


def subject(question: str) -> str:
    """Return the words of a question about news that say what it is about; all, if none do."""
    unsaid = (TOPIC_WORDS | text.QUESTION_WORDS) - _CASES
    kept = [word for word in question.split() if not unsaid.issuperset(text.words(word))]
    return " ".join(kept) if text.query_stems(" ".join(kept)) else question


def asks_for_days(question: str) -> bool:
    """Return whether a question about news names no subject: "Berita terbaru apa?"."""
    own = (TOPIC_WORDS | text.QUESTION_WORDS | text.STOP_WORDS) - _CASES
    return own.issuperset(text.words(question))
