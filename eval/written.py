"""Questions written for this project over openly licensed news, with where their answers stand.

written.jsonl holds no word of an article: an answer is (article, start, end, CRC-32 of its bytes),
and is left out where the archive's text is another. The sets are

    conversations             30 conversations of five turns, to develop on
    conversations-held-out    10 more, for the end
    newest                    50 questions for the newest news
    missing                   100 questions that the archive cannot answer, each with one like it
                              that it can
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval import datasets
from eval.answers import CONVERSATIONS
from index.archive import Archive
from index.errors import InputError

FILE = Path(__file__).parent / "written.jsonl"
SETS = ("conversations", "conversations-held-out", "newest", "missing")


def make(archive: Archive, name: str, out: Path) -> int:
    """Write a set as a folder, the turns of conversations also alone, by what they mean.

    Returns the number of questions; raises InputError for an archive that lacks their articles.
    """
    made = list(_rows(archive, name))
    if not any(row["answers"] for row in made):
        raise InputError(
            f"The archive holds none of the articles that the set {name!r} was written over: "
            "click_id, indosum_dev and detik_2026 of the development data."
        )
    out.mkdir(parents=True, exist_ok=True)
    alone = [_alone(row) for row in made if row.get("meant") and row["kind"] != "small"]
    _write(out / datasets.QUERIES, alone or made)
    if alone:
        _write(out / CONVERSATIONS, made)
    with (out / datasets.QRELS).open("w", encoding="utf-8") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for row in (*made, *alone):
            file.writelines(f"{row['_id']}\t{article}\t1\n" for article in row["articles"])
    return len(made)


def _rows(archive: Archive, name: str) -> Iterator[dict[str, Any]]:
    for line in FILE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.pop("set") != name:
            continue
        row["_id"] = row.pop("id")
        found = (_answer(archive, *place) for place in row["answers"])
        row["answers"] = list(dict.fromkeys(filter(None, found)))
        yield row


def _answer(archive: Archive, article_id: str, start: int, end: int, check: int) -> str:
    article = archive.get(article_id)
    words = article.body[start:end] if article else ""
    return words if zlib.crc32(words.encode()) == check else ""


def _alone(row: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key != "follows"}
    return {**kept, "_id": f"{row['_id']}-alone", "text": row["meant"]}


def _write(path: Path, made: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in made)
