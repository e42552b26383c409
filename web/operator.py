"""The operator's page, /pengelola: what the archive holds and lacks, and what changes it."""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import shlex
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse

from eval import opening, runs, tables
from index import build as builds
from index import home as homes
from index import reports, settings
from index.archive import FILE_NAME
from index.errors import (
    BusyError,
    DiskError,
    IndexDamagedError,
    IndexUnreadableError,
    InputError,
    TanyaError,
)
from index.home import open_archive, open_versions
from index.manifest import IndexVersion, stale_days
from index.records import ReadProblem
from index.reports import Ingest
from index.settings import UploadSettings
from index.versions import disk_bytes, number
from page import texts
from page.operator import Chart, charts
from page.templates import render
from qa.history import History
from qa.unanswered import Asked, gaps
from web import first
from web.access import Access, Sent, at_least, of_our_page
from web.requests import note
from web.who import who
from web.work import State, Task, Worker

logger = logging.getLogger("tanya.web")

_Value = TypeVar("_Value")

PUBLISHERS_SHOWN = 200
PROBLEMS_SHOWN = 20
GAPS_SHOWN = 50
REMARKS_SHOWN = 50
_ASKED_LOOKED_AT = 1_000

EVALUATIONS = "eval"
"""The folder of a home whose runs are shown."""


class Remark(NamedTuple):
    """What a reader said of an answer of a version: whether it is good, and in words."""

    when: dt.datetime
    question: str
    good: bool
    words: str
    version: str


def remarks(history: History) -> Iterator[Remark]:
    """Yield what readers said of the answers last, the newest first."""
    for kept in history.judged(REMARKS_SHOWN):
        if kept.turn and (said := kept.verdict):
            right = f"{texts.RIGHT_ANSWER}: “{said.right_answer}”" if said.right_answer else ""
            reason = texts.VERDICT_REASONS.get(said.reason, "")
            words = " · ".join(filter(None, (reason, said.words, right, said.right_article)))
            version = kept.turn.answer.evidence.version
            yield Remark(said.given, kept.question, said.good, words, version)


# What is shown -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Published:
    """The articles of the archive by day and by publisher, the biggest publisher first."""

    charts: list[Chart]
    undated: int
    publishers: list[tuple[str, int, dt.date | None]]


def published(home: Path) -> Published:
    """Count the articles of a home's archive."""
    with open_archive(home) as archive:
        counts = archive.published_counts()
    days: Counter[dt.date] = Counter()
    sizes: Counter[str] = Counter()
    newest: dict[str, dt.date] = {}
    undated = 0
    for publisher, day, count in counts:
        sizes[publisher] += count
        if day is None:
            undated += count
            continue
        days[day] += count
        newest[publisher] = max(day, newest.get(publisher, day))
    ordered = [(name, count, newest.get(name)) for name, count in sizes.most_common()]
    return Published(charts(days), undated, ordered)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that is kept; `about` is None for a damaged one. `bytes` count shared files too."""

    name: str
    about: IndexVersion | None
    bytes: int
    live: bool


def kept_versions(home: Path) -> list[Kept]:
    """Return the versions of a home, newest first."""
    versions = open_versions(home)
    live = live_version(home)
    found = []
    for name in reversed(versions.names()):
        try:
            about = versions.describe(name)
        except (IndexDamagedError, IndexUnreadableError):
            about = None
        found.append(Kept(name, about, disk_bytes([versions.path(name)]), name == live))
    return found


def live_version(home: Path) -> str | None:
    """Return the name of the live version; None where there is none, or it is not known which."""
    try:
        return open_versions(home).live()
    except IndexDamagedError:
        return None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measures of a run; `problem` says why there are none."""

    name: str
    of_answers: bool
    version: str = ""
    date: dt.datetime | None = None
    asked: str = ""
    questions: int = 0
    measures: tuple[tuple[str, float], ...] = ()
    problem: str = ""


SEARCH_MEASURES = ("R@1", "RR@10", "R@10", "R@100", "ans@1", "ans@5")
ANSWER_MEASURES = ("accuracy", "coverage", "precision", "EM", "declined", "right")


def evaluations(home: Path) -> list[Evaluation]:
    """Return the runs that stand in the home's folder of evaluations, newest version first."""
    found = []
    for about in sorted((home / EVALUATIONS).glob("*/*.json")):
        for files in (runs.SEARCH, runs.ANSWERS):
            last = about.with_name(files.last)
            if about.name == files.about and last.is_file():
                found.append(_evaluation(home, about.parent, last.stat().st_mtime_ns))
    return sorted(found, key=lambda each: (number(each.version), each.name), reverse=True)


@functools.lru_cache(200)
def _evaluation(home: Path, folder: Path, written: int) -> Evaluation:
    """Read a run that was `written` last at a time; to judge a search takes a moment."""
    of_answers = runs.is_answers(folder)
    try:
        run = runs.load(folder)
        about = run.provenance
        if about is None:
            raise InputError(f"{folder} does not say what it was made with.")
        if of_answers:
            means = _answer_means(folder)
        else:
            _, [judged] = opening.judged(home, Path(about.set_path), [folder], logger.info)
            means = tables.search_row(judged)["measures"]
    except (TanyaError, OSError, ValueError, KeyError, TypeError) as error:
        return Evaluation(folder.name, of_answers, problem=str(error))
    wanted = ANSWER_MEASURES if of_answers else SEARCH_MEASURES
    return Evaluation(
        folder.name,
        of_answers,
        about.version,
        dt.datetime.fromisoformat(about.date),
        about.set_name,
        about.questions,
        tuple((name, means[name]) for name in wanted if name in means),
    )


def _answer_means(folder: Path) -> dict[str, float]:
    """Return the means of the first turns' measures by name."""
    groups = json.loads((folder / runs.ANSWERS.last).read_text(encoding="utf-8"))["groups"]
    return {
        each["measure"]: float(each["value"])
        for name in ("abstention", "answers")
        for each in groups[name]
    }


def work_words(state: State) -> str:
    """Return how a work stands, or ended, in a sentence."""
    if state.running:
        return texts.WORK_NAMES.get(state.stage, texts.WORK_NAMES["index"])
    if isinstance(state.error, BusyError):
        return texts.ARCHIVE_IN_USE
    if isinstance(state.error, InputError) and state.task.uploaded is not None:
        return texts.NOTHING_READ
    if state.error is not None:
        return texts.WORK_FAILED
    if state.version:
        return texts.BUILT.format(state.version)
    return texts.NOTHING_TO_BUILD if state.task.build else texts.ADDED_WAITS


class Operator:
    """Gathers what the page shows of one home."""

    def __init__(
        self,
        home: Path,
        bounds: UploadSettings,
        worker: Worker,
        history: History,
        now: Callable[[], dt.datetime],
        trouble: Callable[[], str],
    ) -> None:
        self._home, self._bounds, self._worker = home, bounds, worker
        self._history, self._now, self._trouble = history, now, trouble

    def facts(self) -> dict[str, Any]:
        """Return the values of the page's template. Raises TanyaError, OSError, sqlite3.Error."""
        home = self._home
        there = (home / FILE_NAME).exists()
        status: dict[str, Any] = {}
        damage = ""
        try:
            status = homes.status(home, self._now()) if there else {}
        except (IndexDamagedError, IndexUnreadableError) as error:
            damage = str(error)
        asked = (Asked(*outcome) for outcome in self._history.outcomes(_ASKED_LOOKED_AT))
        versions = kept_versions(home)
        evaluated = evaluations(home)
        live = next((each.about for each in versions if each.live and each.about), None)
        after = settings.load(home).chat.stale_after
        return {
            "now": self._now(),
            "status": status,
            "stale": stale_days(live, after, self._now()) if live else 0,
            "trouble": self._trouble(),
            "damage": damage,
            "newest": _day(status.get("newest_article")),
            "waiting_words": _waiting_words(status),
            "published": published(home) if there else None,
            "publishers_shown": PUBLISHERS_SHOWN,
            "anew": any(each.live and _is_outdated(each.about) for each in versions),
            "versions": versions,
            "versions_bytes": disk_bytes([open_versions(home).path(v.name) for v in versions]),
            "ingests": [(each, _problems_shown(each)) for each in reports.last(home)],
            "gaps": gaps(asked)[:GAPS_SHOWN],
            "remarks": list(remarks(self._history)),
            "evaluations": [
                (title, names, [e for e in evaluated if e.of_answers == of_answers])
                for title, names, of_answers in (
                    (texts.SEARCH_RUNS, SEARCH_MEASURES, False),
                    (texts.ANSWER_RUNS, ANSWER_MEASURES, True),
                )
            ],
            "evaluation_folder": home / EVALUATIONS,
            "evaluation_commands": _evaluation_commands(home, evaluated),
            **self.adding(),
        }

    def adding(self) -> dict[str, Any]:
        """Return the values of the page for those who may add articles and no more."""
        return {"bounds": self._bounds, **self.work()}

    def work(self) -> dict[str, Any]:
        """Return the values of the template that tells of the work under way or done."""
        state = self._worker.state
        ingest = state.ingest if state else None
        return {
            "state": state,
            "words": work_words(state) if state else "",
            "ingest": ingest,
            "problems": _problems_shown(ingest) if ingest else [],
            "passed_words": _passed_words,
        }


def _is_outdated(version: IndexVersion | None) -> bool:
    """Tell whether this program's rules are others than a version's: all is then built anew."""
    return version is not None and version.recipe.rules != builds.rules()


def _day(written: str | None) -> dt.date | None:
    return dt.date.fromisoformat(written) if written else None


def _waiting_words(status: Mapping[str, Any]) -> str:
    counts = {
        texts.NEW_ARTICLES: status.get("waiting_new"),
        texts.CHANGED_ARTICLES: status.get("waiting_changed"),
        texts.REMOVED_ARTICLES: status.get("waiting_removed"),
    }
    return ", ".join(words.format(texts.number_words(n)) for words, n in counts.items() if n)


def _passed_words(passed: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{texts.number_words(count)} {kind}" for kind, count in passed)


def _evaluation_commands(home: Path, evaluated: Sequence[Evaluation]) -> list[str]:
    """Return the commands that make the next evaluation of a home, and that compare the last."""
    tanya, folder = first.command(home), home / EVALUATIONS
    asked = shlex.quote(str(folder / "kumpulan"))
    run = shlex.quote(str(folder / f"cari-{live_version(home) or '000001'}"))
    made = [] if evaluated else [f"{tanya} eval make {asked}"]
    return [*made, f"{tanya} eval run {asked} --out {run}"]


def _problems_shown(ingest: Ingest) -> list[ReadProblem]:
    return list(ingest.told[:PROBLEMS_SHOWN])


# Routes ------------------------------------------------------------------------------------------


def router(
    home: Path,
    bounds: UploadSettings,
    worker: Worker,
    history: History,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    *,
    access: Access,
    trouble: Callable[[], str] = lambda: "",
) -> APIRouter:
    """Return the routes of the operator's page; `trouble` says which version is damaged."""
    operator = Operator(home, bounds, worker, history, now, trouble)
    routes = APIRouter()
    routes.include_router(_showing(operator, home, access))
    routes.include_router(_changing(home, worker))
    return routes


def _showing(operator: Operator, home: Path, access: Access) -> APIRouter:
    routes = APIRouter()
    editor = at_least("editor")
    reading = [Depends(editor)]

    @routes.get("/pengelola", response_class=HTMLResponse)
    def page(request: Request) -> HTMLResponse:
        somebody = {"who": who(request), "open_to_all": access.open_to_all, "may_log_in": False}
        try:
            editor(request)
            # Editors add articles; what the archive holds and lacks is for operators.
            facts = operator.facts() if who(request).may("operator") else operator.adding()
            return HTMLResponse(render("operator.html", **facts, **somebody))
        except HTTPException as error:
            refused = error
        except (TanyaError, OSError, sqlite3.Error) as error:
            logger.warning("the operator's page cannot be made: %s", error)
            refused = HTTPException(503, str(error))
        values = {
            "status": refused.status_code,
            "detail": refused.detail,
            "account": who(request).name,
        }
        refusal = render("operator_refused.html", **values)
        return HTMLResponse(refusal, refused.status_code, refused.headers)

    @routes.get("/page/operator/door", response_class=HTMLResponse)
    def door(request: Request) -> str:
        """Return who is logged in, and for those who may the link to this page and how to begin."""
        somebody = who(request)
        articles, ids = first.holds(home) if somebody.may("operator") else (1, "")
        may_log_in = access.open_to_all and access.users.exist()
        values = {"articles": articles, "ids": ids, "command": first.command(home)}
        values |= {"who": somebody, "may_log_in": may_log_in}
        return render("operator_door.html", **values)

    @routes.get("/page/operator/work", response_class=HTMLResponse, dependencies=reading)
    def work() -> str:
        return render("operator_work.html", **operator.work())

    @routes.get("/page/operator/problems/{name}", dependencies=reading)
    def problems(name: str) -> PlainTextResponse:
        for ingest in reports.last(home):
            if ingest.name == name:
                lines = "".join(f"{told.place}: {told.reason}\n" for told in ingest.told)
                disposition = f'attachment; filename="masalah-{ingest.name}.txt"'
                return PlainTextResponse(lines, headers={"content-disposition": disposition})
        raise HTTPException(404, texts.REPORT_GONE)

    return routes


def _changing(home: Path, worker: Worker) -> APIRouter:
    routes = APIRouter(dependencies=[Depends(at_least("operator")), Depends(of_our_page)])

    @routes.post("/page/operator/build")
    def build(sent: Sent) -> dict[str, Any]:
        try:
            return {"work": worker.start(Task(home)).number}
        except BusyError as error:
            raise HTTPException(409, texts.WORK_BUSY) from error

    @routes.post("/page/operator/live")
    def live(sent: Sent) -> dict[str, Any]:
        name = str(sent.get("version"))
        _changed(lambda: open_versions(home).switch(name))
        note("switch", version=name)
        return {"words": texts.MADE_LIVE.format(name)}

    @routes.post("/page/operator/prune")
    def prune(sent: Sent) -> dict[str, Any]:
        keep = sent.get("keep")
        if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1:
            raise HTTPException(422, texts.REQUEST_UNREADABLE)
        versions = open_versions(home)
        gone = _changed(lambda: versions.prune(keep))
        note("prune", versions=gone)
        return {"words": texts.PRUNED.format(len(gone), len(versions.names()))}

    return routes


def _changed(change: Callable[[], _Value]) -> _Value:
    """Make a change of the versions; tell a person why it cannot be made."""
    try:
        return change()
    except BusyError as error:
        raise HTTPException(409, texts.ARCHIVE_IN_USE) from error
    except (TanyaError, OSError) as error:
        logger.warning("the versions cannot be changed: %s", error)
        reason = error.__cause__ if isinstance(error, InputError) else error
        if isinstance(reason, OSError | DiskError):
            raise HTTPException(409, texts.error_words(DiskError())) from error
        raise HTTPException(409, texts.CANNOT_SWITCH) from error
