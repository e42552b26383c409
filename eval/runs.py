"""Runs: a set's questions searched for, or asked of the chat, kept with all they were made with.

A search                                          Answers
questions.jsonl  a question a line                answers.jsonl     the row of `tanya ask --batch`,
                                                                    then `part`, `answerable`,
                                                                    `gold` and `figures`
run.json         provenance                       provenance.json
run.trec         TREC lines, written last; the    scores.json       the measures, written last
                 scores fall strictly, so that
                 every reader ranks alike

A folder without what is written last goes on where it stopped.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from eval import measures, provenance
from eval.judging import answer_figures
from eval.measures import Excerpt, Pair, Reply
from eval.provenance import Provenance
from eval.questions import (
    Question,
    QuestionSet,
    Relevant,
    archived_id,
    fingerprint,
    relevant_in,
)
from index.errors import InputError
from index.files import read_lines, unwritable, written_whole
from index.records import Filter, Hit, Turn
from index.text import encodable

if TYPE_CHECKING:
    from index.snapshot import SearchIndex
    from qa.chat import Chat

DEPTH = 100
SHOWN = 5
"""Articles of each question whose passages are kept."""

Row = dict[str, Any]
Ask = Callable[[Question], Row]
TextsOf = Callable[[Sequence[str]], Mapping[str, str]]
"""Looks up the texts of articles by id; unknown ones are left out."""


class Files(NamedTuple):
    """The files of a kind of run, and the command that writes them."""

    rows: str
    about: str
    last: str
    command: str
    noun: str


SEARCH = Files("questions.jsonl", "run.json", "run.trec", "tanya eval run", "run")
ANSWERS = Files("answers.jsonl", "provenance.json", "scores.json", "tanya eval answers", "answers")


@dataclass(frozen=True, slots=True)
class Run:
    """Replies by question, read from disk or just made.

    One of another program has no provenance. `questions` are those it is measured by: of answers
    always there, of a search once it is judged. `by_article`: gold strings are looked for in whole
    articles, not in passages.
    """

    name: str
    replies: Mapping[str, Reply]
    questions: Mapping[str, Question] = field(default_factory=dict)
    provenance: Provenance | None = None
    of_answers: bool = False
    by_article: bool = False

    def pairs(self, part: str = "") -> list[Pair]:
        """Return the questions with their replies, of one part or of all."""
        both = ((question, self.replies[i]) for i, question in self.questions.items())
        return [(question, reply) for question, reply in both if part in ("", reply.part)]

    @property
    def threshold(self) -> float:
        """Return the confidence below which the chat declined."""
        known = self.provenance.answers if self.provenance else None
        return float(known["min_confidence"]) if known else 0.0


# Asking ------------------------------------------------------------------------------------------


def ask(asked: Sequence[Question], reply_to: Ask, done: Collection[str] = ()) -> Iterator[Row]:
    """Ask what is not done yet, one question after the other; yield a row each.

    The first question is asked once before, so that loading the models is in no figure. Raises
    InputError for an empty question.
    """
    for each in asked:
        if not any(map(str.isalnum, each.text)):
            raise InputError(f"The question {each.id!r} is empty; mend the set's files.")
    waiting = [each for each in asked if each.id not in done]
    if waiting:
        # Nothing follows a question without an id, so its turn is not kept for the next ones.
        reply_to(replace(waiting[0], id=""))
    for each in waiting:
        yield reply_to(each)


def searching(chat: Chat, k: int, mode: str, index: SearchIndex | None = None) -> Ask:
    """Return the search that `tanya search` makes, on the live version or on `index`.

    A follow-up is searched as it was typed.
    """

    def reply_to(asked: Question) -> Row:
        chosen = _resolved(asked.filter, chat, index)
        began = time.perf_counter()
        hits = chat.search(asked.text, k, mode=mode, chosen=chosen, index=index)
        return search_row(asked.id, (time.perf_counter() - began) * 1000, hits)

    return reply_to


def _resolved(chosen: Filter, chat: Chat, index: SearchIndex | None = None) -> Filter:
    from qa.question import sources

    if not chosen.publishers:
        return chosen
    known = [name for name, _ in index.version.publishers] if index else chat.publishers()
    return replace(chosen, publishers=sources.resolve_publishers(chosen.publishers, known))


def ranked(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    """Return articles with scores that fall strictly, so that every reader of a run ranks alike."""
    found: list[tuple[str, float]] = []
    for hit in hits:
        score = round(hit.score, 6)
        if found:
            last = found[-1][1]
            # trec_eval reads scores as 32-bit numbers; less of a step would be a tie there.
            score = min(score, round(last - max(1e-6, abs(last) * 1e-6), 6))
        found.append((hit.passage.article_id, score))
    return found


def trec_lines(question_id: str, ranked: Iterable[tuple[str, float]], mode: str) -> str:
    """Return what a question found as lines of a TREC run."""
    return "".join(
        f"{question_id} Q0 {article} {rank} {score:.6f} tanya-{mode}\n"
        for rank, (article, score) in enumerate(ranked, start=1)
    )


def search_row(question_id: str, milliseconds: float, hits: Sequence[Hit]) -> Row:
    """Return a question's row: all articles with falling scores, the first few in full."""
    passages = enumerate((hit.passage for hit in hits[:SHOWN]), start=1)
    return {
        "id": question_id,
        "milliseconds": round(milliseconds, 3),
        "found": [
            {
                "rank": rank,
                "article_id": p.article_id,
                "title": p.title,
                "publisher": p.publisher,
                "published": p.published.isoformat() if p.published else "",
                "passage_id": p.id,
                "start": p.start,
                "end": p.end,
                "text": p.text,
            }
            for rank, p in passages
        ],
        "ranked": ranked(hits),
    }


def answering(
    chat: Chat,
    asked: Sequence[Question],
    relevant: Relevant,
    version: str,
    row_of: Callable[[str, Turn], Mapping[str, object]],
) -> Ask:
    """Return what asks the chat, each turn of a conversation after those before it.

    `row_of` gives the machine interface's row of an answered question. What is returned raises
    InputError if another version of the index goes live meanwhile.
    """
    by_id = {one.id: one for one in asked}
    followed = {one.follows for one in asked} - {""}
    turns: dict[str, tuple[Turn, ...]] = {}

    def conversation(one: Question) -> tuple[Turn, ...]:
        """Return the turns up to and with a question; those before it are asked if need be."""
        if one.id in turns:
            return turns[one.id]
        before = conversation(by_id[one.follows]) if one.follows else ()
        whole = (*before, chat.ask(one.text, before, _resolved(one.filter, chat)))
        if one.id in followed:
            turns[one.id] = whole
        return whole

    def reply_to(one: Question) -> Row:
        turn = conversation(one)[-1]
        found = turn.answer.evidence.version
        if found != version:
            raise InputError(
                f"Version {found} of the index went live while questions were asked of {version}: "
                "ask again, into another folder."
            )
        return {
            **row_of(one.id, turn),
            **({"after": one.follows} if one.follows else {}),
            "part": one.part,
            "answerable": one.answerable,
            "gold": list(one.answers),
            "figures": answer_figures(chat, one, turn, relevant_in(relevant.get(one.id, {}))),
        }

    return reply_to


# On disk -----------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """A run's folder while it is made: the rows that are there, and what adds to it.

    A row is on disk when `put` returns; `finish` writes the file that makes the folder complete.
    """

    rows: dict[str, Row]
    put: Callable[[Row], None]
    finish: Callable[[str], None]


@contextmanager
def kept(out: Path | None, about: Provenance, *, again: bool = False) -> Iterator[Kept]:
    """Open the folder of a run that is made, or goes on; without one, nothing is written.

    With `again`, an earlier run gives way, a complete one only to a complete one. Raises InputError
    if the folder is something else's, complete, or was begun with other questions, settings,
    version or code. A folder in which nothing was asked goes again.
    """
    rows: dict[str, Row] = {}
    if out is None:
        yield Kept(rows, lambda row: rows.update({row["id"]: row}), lambda content: None)
        return
    files = ANSWERS if about.of_answers else SEARCH
    ours = (out / files.about).is_file()
    whole = ours and (out / files.last).is_file()
    if out.exists() and not ours and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out} holds no {files.noun}: name another folder, or delete that first.")
    if whole and not again:
        raise InputError(f"{out} is there already: name another folder, or give --replace.")
    folder = out.with_name(f".{out.name}.part") if whole else out
    rows = _begun(folder, about, files, again=again and not whole, strict=not whole)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / files.about, json.dumps(about.row(), ensure_ascii=False, indent=1) + "\n")
        _write(folder / files.rows, "".join(map(_line, rows.values())))
        file = (folder / files.rows).open("a", encoding="utf-8")
    except OSError as error:
        raise unwritable(out, error) from error

    def put(row: Row) -> None:
        rows[row["id"]] = row
        file.write(_line(row))
        file.flush()

    def finish(content: str) -> None:
        _write(folder / files.last, content)
        if folder != out:
            _swap(folder, out)

    try:
        with file:
            yield Kept(rows, put, finish)
    finally:
        if not rows:
            shutil.rmtree(folder, ignore_errors=True)


def _begun(
    folder: Path, about: Provenance, files: Files, *, again: bool, strict: bool
) -> dict[str, Row]:
    """Return the rows to go on with; raises InputError for others' if `strict`."""
    if again or not (folder / files.about).is_file():
        return {}
    differs = _read_about(folder, files).difference(about)
    if differs and strict:
        raise InputError(
            f"{folder} was begun with another {differs}: name another folder, or give --replace."
        )
    return {} if differs else _read_rows(folder / files.rows, files)


def _swap(folder: Path, out: Path) -> None:
    """Put a complete folder in another's place."""
    before = out.with_name(f".{out.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    out.rename(before)
    folder.rename(out)
    shutil.rmtree(before)


def _line(row: Row) -> str:
    return encodable(json.dumps(row, ensure_ascii=False)) + "\n"


def _write(path: Path, content: str) -> None:
    with written_whole(path) as file:
        file.write(content)


def _read_rows(path: Path, files: Files) -> dict[str, Row]:
    """Read the rows of a run; a last one that was cut off is left out."""
    found = {}
    try:
        lines = path.read_text("utf-8", "replace").split("\n") if path.is_file() else []
        for number, line in enumerate(filter(None, lines), start=1):
            try:
                row = json.loads(line)
                found[str(row["id"])] = row
            except ValueError:
                if number < len(lines):
                    raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _foreign(path.parent, files, error) from error
    return found


def _read_about(folder: Path, files: Files) -> Provenance:
    try:
        return provenance.read(folder / files.about)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _foreign(folder, files, error) from error


def _foreign(folder: Path, files: Files, error: Exception) -> InputError:
    return InputError(
        f"{folder} holds no {files.noun} of this program ({error!r}): run `{files.command}` again."
    )


def is_answers(path: Path) -> bool:
    """Tell whether `tanya eval answers` wrote, or began, this folder."""
    return (path / ANSWERS.about).is_file() and (path / ANSWERS.rows).is_file()


def load(path: Path) -> Run:
    """Read a folder of ours, or a TREC run of any program; raises InputError."""
    if not path.exists():
        raise InputError(f"There is no run {path}.")
    if not path.is_dir():
        name = path.name.removesuffix(".gz")
        scores = read_trec(path)
        replies = {i: Reply(i, articles=measures.ranking(found)) for i, found in scores.items()}
        return Run(name.rpartition(".")[0] or name, replies)
    files = ANSWERS if is_answers(path) else SEARCH
    if not (path / files.about).is_file():
        raise InputError(f"{path} holds no run: name a folder that `{SEARCH.command}` wrote.")
    if not (path / files.last).is_file():
        raise InputError(f"{path} is not complete: run its `{files.command}` again to go on.")
    rows = _read_rows(path / files.rows, files)
    about, name = _read_about(path, files), path.resolve().name
    try:
        if files is ANSWERS:
            return answers_run(name, rows.values(), about)
        scores = read_trec(path / files.last)
        for i, row in rows.items():
            row["ranked"] = list(scores.get(i, {}).items())
        return search_run(name, rows.values(), about)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _foreign(path, files, error) from error


def read_trec(path: Path) -> dict[str, dict[str, float]]:
    """Read a TREC run: question, Q0, article, rank, score, tag; the score orders it.

    Articles are named as the archive names them; an id may hold single spaces. Raises InputError
    for a line that is none, a score that is no number, an article that stands twice, as trec_eval
    does, and a file without any result.
    """
    run: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_lines(path, "a TREC run"), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) < 6:
                raise ValueError
            score = float(fields[-2])
        except ValueError:
            raise InputError(f"{path}:{number} is no TREC run line: {line!r:.200}.") from None
        if not math.isfinite(score):
            raise InputError(f"{path}:{number}: the score {fields[-2]!r} ranks nothing.")
        found, article = run.setdefault(fields[0], {}), " ".join(fields[2:-3])
        if archived_id(article) in found:
            raise InputError(
                f"{path}:{number}: the article {article!r} stands twice for {fields[0]!r}; leave "
                "its best line."
            )
        found[archived_id(article)] = score
    if not run:
        raise InputError(f"{path} holds no result: it is empty, or was cut short.")
    return run


def search_run(name: str, rows: Iterable[Row], about: Provenance | None = None) -> Run:
    """Return the rows of a search as a run; raises KeyError, TypeError, ValueError for others."""
    replies = {}
    for row in rows:
        found = tuple(_excerpt(one, "rank", "text") for one in row["found"])
        replies[row["id"]] = Reply(
            row["id"],
            float(row["milliseconds"]),
            articles=measures.ranking(dict(row["ranked"])),
            found=found,
            texts=tuple(f.text for f in found),
        )
    return Run(name, replies, provenance=about)


def answers_run(name: str, rows: Iterable[Row], about: Provenance | None = None) -> Run:
    """Return rows of answers as a run; raises KeyError, TypeError, ValueError for others."""
    questions, replies = {}, {}
    for row in rows:
        one = Question(str(row["id"]), row["question"], tuple(row["gold"]), row["answerable"])
        questions[one.id] = one
        replies[one.id] = Reply(
            one.id,
            1000 * float(row["seconds"]),
            {key: None if v is None else float(v) for key, v in row["figures"].items()},
            part=row["part"],
            standalone=row["standalone"],
            status=row["status"],
            short=row["short_answer"],
            confidence=float(row["confidence"]),
            claims=tuple(claim["text"] for claim in row["claims"]),
            citations=tuple(_excerpt(one, "number", "quote") for one in row["citations"]),
            answerer=row["answerer"],
        )
    return Run(name, replies, questions, about, of_answers=True)


def _excerpt(row: Row, number: str, text: str) -> Excerpt:
    about = {name: row[name] or "" for name in ("article_id", "title", "publisher", "published")}
    return Excerpt(row[number], **about, text=row[text])


# Judging -----------------------------------------------------------------------------------------


def judge(asked: QuestionSet, run: Run, texts_of: TextsOf | None = None) -> Run:
    """Return a search with the set's judged questions and figures, in order of their ids.

    Gold strings are looked for in its passages, else in the articles that `texts_of` has.
    """
    known = {question.id: question for question in asked.questions}
    questions = {i: known.get(i) or Question(i, "") for i in sorted(asked.relevant)}
    ranked = {i: run.replies[i].articles for i in questions if i in run.replies}
    figures = measures.ranking_figures(asked.relevant, ranked)
    texts = {i: reply.texts for i, reply in run.replies.items() if reply.texts is not None}
    by_article = not texts
    if by_article and texts_of and any(question.answers for question in questions.values()):
        texts = _article_texts(ranked, texts_of)
    none = None if not texts else ()
    judged = {
        i: replace(run.replies.get(i) or Reply(i), figures=figures[i], texts=texts.get(i, none))
        for i in questions
    }
    replies = {**run.replies, **judged}
    return replace(run, questions=questions, replies=replies, by_article=by_article and bool(texts))


def _article_texts(
    ranked: Mapping[str, Sequence[str]], texts_of: TextsOf
) -> dict[str, tuple[str, ...]]:
    """Return the texts of each question's first articles; nothing if no article is known."""
    depth = max(measure.depth for measure in measures.GOLD_FOUND)
    first = {i: articles[:depth] for i, articles in ranked.items()}
    known = texts_of(list(dict.fromkeys(a for articles in first.values() for a in articles)))
    return {i: tuple(known.get(a, "") for a in some) for i, some in first.items()} if known else {}


def is_of(run: Run, asked: QuestionSet) -> bool:
    """Tell whether a run asked these questions; one of another program is taken at its word."""
    if run.provenance is None or not asked.questions:
        return True
    return run.provenance.set_hash == fingerprint(asked.questions)


def without_results(run: Run, asked: QuestionSet) -> int:
    """Return how many judged questions have no result in a run; raises InputError if none has."""
    found = sum(bool(i in run.replies and run.replies[i].articles) for i in asked.relevant)
    if not found:
        raise InputError(f"The run {run.name!r} has no result for any question of the set.")
    return len(asked.relevant) - found
