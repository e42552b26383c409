"""What is measured of a question's reply, be it articles found or an answer, and of all replies."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from eval.questions import FIRST, FOLLOW_UP, OPENING, Question, relevant_in

Values = npt.NDArray[np.float64]
Figures = Mapping[str, float | None]
"""What one reply was judged to be worth, by name; None where a figure does not apply.

Of articles found: the values by ir_measures, and `rank` of the first relevant article. Of answers:

shown       a gold string stands in the claims; `would_show`: also in claims that were held back
exact       the short answer is a gold string; `overlap`: their F1 of words
words       number of words of the claims
cited       a quote of a relevant article holds a gold string
relevant    share of the citations that are to the point; `verbatim`: that are as archived
supported   share of the claims that their quotes support
understood  a follow-up was understood as its row says
"""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of an article as it was shown: the best passage of one found, or a quote.

    `number` is its rank, or its citation's number.
    """

    number: int
    article_id: str
    title: str
    publisher: str
    published: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a run has for one question: the articles that a search found, or the chat's answer.

    `articles` are ids, best first, `found` the first few of them in full. Gold strings are looked
    for in `texts`, one an article: best passages, or whole articles; None: they are not known.
    """

    id: str
    milliseconds: float | None = None
    figures: Figures = field(default_factory=dict)
    articles: tuple[str, ...] = ()
    found: tuple[Excerpt, ...] = ()
    texts: tuple[str, ...] | None = None
    part: str = FIRST
    standalone: str = ""
    status: str = ""
    short: str = ""
    confidence: float = 0.0
    claims: tuple[str, ...] = ()
    citations: tuple[Excerpt, ...] = ()
    answerer: str = ""

    @property
    def answered(self) -> bool:
        """Tell whether claims were shown."""
        return self.status == "answered"

    @property
    def unquoted(self) -> list[str]:
        """Return the claims that no citation holds as they are."""
        return [c for c in self.claims if not any(c in cited.text for cited in self.citations)]


Pair = tuple[Question, Reply]
Of = Callable[[Question, Reply], float | None]
When = Callable[[Question, Reply], bool]


@dataclass(frozen=True, slots=True)
class Measure:
    """A value of each question's reply, None where it does not apply.

    `depth` is how many articles found it looks at, 0 for a measure of answers.
    """

    name: str
    meaning: str
    of: Of
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Overall:
    """A measure that only all replies together have.

    `of` takes each reply's confidence and whether it counts, by `columns` of the replies.
    """

    name: str
    meaning: str
    of: Callable[[Values, Values], float]
    columns: Callable[[Sequence[Pair]], tuple[Values, Values]]


@dataclass(frozen=True, slots=True)
class Group:
    """Measures that stand together in a table, with the part of the questions they are of."""

    name: str
    heading: str
    part: str
    measures: tuple[Measure, ...]
    overall: tuple[Overall, ...] = ()

    def meanings(self) -> dict[str, str]:
        """Return what each of its measures means, by name."""
        single = {m.name: m.meaning for m in self.measures}
        return {**single, **{m.name: m.meaning for m in self.overall}}


def values(measure: Measure, pairs: Sequence[Pair]) -> Values:
    """Return a measure's value for each reply, [N]; NaN where it does not apply."""
    found = (measure.of(question, reply) for question, reply in pairs)
    return np.array([np.nan if v is None else v for v in found], dtype=np.float64)


# Text against gold strings -----------------------------------------------------------------------


def normalised(text: str) -> str:
    """Return a text in small letters, without punctuation, with single spaces.

    As SQuAD's evaluation does (Rajpurkar et al. 2016), but English articles are not taken out,
    and punctuation is Unicode's, with its symbols: it separates words, so that "2016.[1]" ends with
    2016; within a number and before a letter that an apostrophe joins it is taken out: 5 does not
    stand in "1,5", and "Jum'at" is "Jumat".
    """
    joined = _WITHIN.sub("", text.casefold())
    return " ".join("".join(" " if _is_punctuation(c) else c for c in joined).split())


_WITHIN = re.compile(r"(?<=\d)[.,:/](?=\d)|(?<=[^\W\d_])['’](?=[^\W\d_])")


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def holds(text: str, gold: Sequence[str]) -> bool:
    """Tell whether a gold string stands in a text as whole words, both normalised."""
    padded = f" {normalised(text)} "
    return any(f" {answer} " in padded for answer in map(normalised, gold) if answer)


def exact(short: str, gold: Sequence[str]) -> float:
    """Return 1 if the short answer is a gold string, both normalised (SQuAD's exact match)."""
    return float(bool(normalised(short)) and normalised(short) in map(normalised, gold))


def overlap(short: str, gold: Sequence[str]) -> float:
    """Return the best F1 of the short answer's words and a gold string's (SQuAD's F1)."""
    mine = normalised(short).split()
    best = 0.0
    for answer in gold:
        theirs = normalised(answer).split()
        shared = sum((Counter(mine) & Counter(theirs)).values())
        best = max(best, 2 * shared / max(len(mine) + len(theirs), 1))
    return best


# Articles found ----------------------------------------------------------------------------------


def ranking(scores: Mapping[str, float]) -> tuple[str, ...]:
    """Return the articles of one question, best first, in the order of trec_eval.

    It reads scores as 32-bit numbers, heeds no rank, and puts the greater id first where scores
    tie (Buckley's trec_eval, `form_res_rels.c`).
    """
    ascending = sorted((float(np.float32(score)), article) for article, score in scores.items())
    return tuple(article for _, article in reversed(ascending))


def ranking_figures(
    relevant: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]]
) -> dict[str, Figures]:
    """Return the figures of each judged question; one without articles scores 0.

    ir_measures is given falling scores by rank, since its measures break ties in several ways.
    """
    import ir_measures
    from ir_measures import RR, R, nDCG

    by_rank = {
        question: {article: -float(rank) for rank, article in enumerate(ranked.get(question, ()))}
        for question in relevant
    }
    measures = [R @ 1, RR @ 10, nDCG @ 10, R @ 10, R @ 100]
    figures: dict[str, dict[str, float | None]] = {}
    for question, grades in relevant.items():
        wanted = relevant_in(grades)
        ranks = (rank for rank, a in enumerate(ranked.get(question, ()), 1) if a in wanted)
        figures[question] = {**dict.fromkeys(map(str, measures), 0.0), "rank": next(ranks, None)}
    judged = {question: dict(grades) for question, grades in relevant.items()}
    for metric in ir_measures.iter_calc(measures, judged, by_rank):
        figures[metric.query_id][str(metric.measure)] = metric.value
    return dict(figures)


def recall_by_depth(
    relevant: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]], depth: int
) -> Values:
    """Return the mean recall at each depth from 1 to `depth`, [depth]."""
    total = np.zeros(depth)
    for question, grades in relevant.items():
        wanted = relevant_in(grades)
        for rank, article in enumerate(ranked.get(question, ())[:depth]):
            if article in wanted:
                total[rank:] += 1 / len(wanted)
    return total / max(1, len(relevant))


def _figure(name: str, when: When = lambda question, reply: True) -> Of:
    """Return the measure that is a figure of the reply, where it applies."""
    return lambda question, reply: reply.figures.get(name) if when(question, reply) else None


def _gold_in_first(depth: int) -> Of:
    def of(question: Question, reply: Reply) -> float | None:
        if not question.answers or reply.texts is None:
            return None
        return float(any(holds(text, question.answers) for text in reply.texts[:depth]))

    return of


RANKED = (
    Measure("R@1", "relevant articles found first", _figure("R@1"), 1),
    Measure("RR@10", "1 / rank of the first relevant article", _figure("RR@10"), 10),
    Measure("nDCG@10", "gain by rank, of the best there is", _figure("nDCG@10"), 10),
    Measure("R@10", "relevant articles among ten", _figure("R@10"), 10),
    Measure("R@100", "relevant articles among a hundred", _figure("R@100"), 100),
)
"""By ir_measures (MacAvaney et al. 2022), under its names."""

GOLD_FOUND = (
    Measure("ans@1", "a gold string is in the first text", _gold_in_first(1), 1),
    Measure("ans@5", "a gold string is in one of five", _gold_in_first(5), 5),
)
"""Of the best passages of the first articles, as `accuracy` is of an answer's claims."""


# Answers -----------------------------------------------------------------------------------------


def right(question: Question, reply: Reply) -> float | None:
    """Return 1 for a gold string shown, or for silence where there is no answer."""
    return reply.figures.get("shown") if question.answerable else float(not reply.answered)


def _right_of_answered(question: Question, reply: Reply) -> float | None:
    return right(question, reply) if reply.answered else None


def _coverage(question: Question, reply: Reply) -> float | None:
    return float(reply.answered) if question.answerable else None


def _declined(question: Question, reply: Reply) -> float | None:
    return None if question.answerable else float(not reply.answered)


def _other_story(question: Question, reply: Reply) -> float | None:
    useful = reply.figures.get("relevant")
    return None if useful is None else float(useful == 0)


def _short_given(question: Question, reply: Reply) -> float | None:
    return float(bool(reply.short)) if question.answerable and reply.answered else None


# Of answerable questions with gold strings; one that is not answered has 0.
_ACCURACY = Measure("accuracy", "a gold string is shown", _figure("shown"))
# El-Yaniv and Wiener (2010); precision is 1 - their selective risk.
_COVERAGE = Measure("coverage", "answered", _coverage)
_PRECISION = Measure(
    "precision", "accuracy of what is answered", _figure("shown", lambda q, r: r.answered)
)
# Rajpurkar et al. (2016); 0 without a short answer.
_EM = Measure("EM", "short answer is a gold string", _figure("exact"))
_F1 = Measure("F1", "words of the short answer", _figure("overlap"))
# Rajpurkar et al. (2018).
_DECLINED = Measure("declined", "unanswerable, not answered", _declined)
_RIGHT = Measure("right", "right answer, or rightly silent", right)
_UNDERSTOOD = Measure("understood", "standalone as it must be", _figure("understood"))
_WORDS = Measure("words", "length of an answer", _figure("words", lambda q, r: q.answerable))
_OTHER_STORY = Measure("other story", "answers that cite only another", _other_story)
_ANSWERABLE = (
    *(_ACCURACY, _COVERAGE, _PRECISION, _EM, _F1),
    Measure("short", "answers with a short answer", _short_given),
    Measure(
        "EM given", "short answers that are right", _figure("exact", lambda q, r: bool(r.short))
    ),
    _WORDS,
)
# After Gao et al. (2023), with judgements in the place of a model of entailment: recall is stricter
# than theirs, who ask only that the quotes support the claim.
_CITATIONS = (
    Measure("cit recall", "relevant article, quote has gold", _figure("cited")),
    Measure("cit prec", "citations to the point", _figure("relevant")),
    Measure("verbatim", "quotes as archived", _figure("verbatim")),
    Measure("supported", "claims that their quotes support", _figure("supported")),
)
_ABSTENTION = (
    _DECLINED,
    Measure("right given", "right, of all answers given", _right_of_answered),
    _RIGHT,
)
_CONVERSATION = (
    _UNDERSTOOD,
    *(_ACCURACY, _COVERAGE, _PRECISION, _EM, _F1),
    *(_OTHER_STORY, _DECLINED, _RIGHT),
)


# All replies together ----------------------------------------------------------------------------


def by_rightness(pairs: Sequence[Pair]) -> tuple[Values, Values]:
    """Return confidence, and 1 for what would be right if it were answered, each [N].

    Left out are answerable questions without a gold string. An answer that the chat held back is
    judged as if it had been shown.
    """
    known = [
        (reply.confidence, reply.figures.get("would_show") or 0.0)
        for question, reply in pairs
        if not question.answerable or reply.figures.get("would_show") is not None
    ]
    return _columns(known)


def by_answerable(pairs: Sequence[Pair]) -> tuple[Values, Values]:
    """Return confidence, and 1 for the answerable, each [N]."""
    return _columns([(reply.confidence, float(question.answerable)) for question, reply in pairs])


def _columns(known: Sequence[tuple[float, float]]) -> tuple[Values, Values]:
    confidence, counts = np.array(known, dtype=np.float64).reshape(-1, 2).T
    return confidence, counts


def risk_by_coverage(confidence: Values, right: Values) -> Values:
    """Return the risk of answering only the 1, 2, ... N questions of most confidence, [N].

    The risk is the share of wrong answers (El-Yaniv and Wiener 2010). Among equal confidences each
    order is as likely, so each of them has their mean.
    """
    if not len(confidence):
        return np.zeros(0)
    _, place, sizes = np.unique(-confidence, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=1 - right) / sizes
    return np.cumsum(np.repeat(means, sizes)) / np.arange(1, len(confidence) + 1)


def aurc(confidence: Values, right: Values) -> float:
    """Return the area under the risk-coverage curve (Geifman, Uziel and El-Yaniv 2019).

    The mean risk over all coverages, from 0; lower is better.
    """
    risk = risk_by_coverage(confidence, right)
    return float(risk.mean()) if len(risk) else float("nan")


def auroc(confidence: Values, positive: Values) -> float:
    """Return how likely a positive has more confidence than a negative; an equal one counts half.

    Mann and Whitney's statistic (Hanley and McNeil 1982); NaN without both kinds.
    """
    for_it, against = confidence[positive > 0], np.sort(confidence[positive <= 0])
    if not len(for_it) or not len(against):
        return float("nan")
    below = np.searchsorted(against, for_it, "left") + np.searchsorted(against, for_it, "right")
    return float(below.mean() / (2 * len(against)))


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence is in [low, high): how many, how sure, how often right."""

    low: float
    high: float
    questions: int
    confidence: float
    accuracy: float


def reliability(confidence: Values, right: Values) -> list[Bin]:
    """Return those of ten bins of equal width that hold questions (Guo et al. 2017)."""
    place = np.minimum((confidence * 10).astype(np.int64), 9)
    found = []
    for at in np.unique(place).tolist():
        inside = place == at
        means = float(confidence[inside].mean()), float(right[inside].mean())
        found.append(Bin(at / 10, (at + 1) / 10, int(inside.sum()), *means))
    return found


def calibration_error(confidence: Values, right: Values) -> float:
    """Return the expected calibration error (Naeini et al. 2015), over bins of equal width.

    The mean distance of confidence and accuracy of a bin, by its questions.
    """
    bins = reliability(confidence, right)
    if not bins:
        return float("nan")
    return sum(b.questions * abs(b.confidence - b.accuracy) for b in bins) / len(confidence)


_AUROC = Overall("AUROC", "confidence tells them apart", auroc, by_answerable)
_CONFIDENCE = (
    _AUROC,
    Overall("AURC", "risk over coverage; low is good", aurc, by_rightness),
    Overall("ECE", "error of confidence; low is good", calibration_error, by_rightness),
)

SEARCHES = (Group("articles", "articles found", FIRST, (*RANKED, *GOLD_FOUND)),)
ANSWERS = (
    Group("answers", "answerable questions", FIRST, _ANSWERABLE),
    Group("citations", "their citations, and every claim", FIRST, _CITATIONS),
    Group("abstention", "when to be silent", FIRST, _ABSTENTION, _CONFIDENCE),
    Group(OPENING, "first turns of conversations", OPENING, _CONVERSATION),
    Group(FOLLOW_UP, "follow-ups", FOLLOW_UP, _CONVERSATION),
)
"""What is shown of a run, by its kind."""

MEANINGS = {k: v for group in (*SEARCHES, *ANSWERS) for k, v in group.meanings().items()}

COMPARED = (
    Group(
        "answers",
        "",
        FIRST,
        tuple(m for m in (*_ANSWERABLE, *_CITATIONS, *_ABSTENTION) if m is not _WORDS),
        (_AUROC, Overall("1 - AURC", "", lambda c, r: 1 - aurc(c, r), by_rightness)),
    ),
    Group(FOLLOW_UP, "", FOLLOW_UP, (_UNDERSTOOD, _ACCURACY, _COVERAGE, _DECLINED, _RIGHT)),
)
"""What two runs of answers are compared by; of each, more is better. Searches: by SEARCHES."""
