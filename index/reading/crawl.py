"""An article out of a page's text as crawled: which lines are headline, head, body and foot."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from index import clean
from index.reading import cells, inputs
from index.reading.dates import beside_date, date_in, date_in_url, date_of
from index.reading.fields import plan
from index.reading.inputs import TOO_LONG, InputFile, Outcome, decode
from index.reading.markdown import front_matter, plain
from index.reading.publishers import (
    article_id,
    canonical_publisher,
    host_of,
    is_dateline,
    is_host,
    is_known,
    publisher_in,
    publisher_of_dateline,
)
from index.reading.scraped import one_line, people, persons, tidied
from index.records import Article
from index.text import squeezed

_UPDATED = re.compile(r"\b(?:diperbarui|updated?|last update)\b", re.IGNORECASE)
_PERSON = re.compile(r"[A-Z][\w.'’\-]*(?: (?:[A-Z][\w.'’\-]*|bin|binti|dan|van|de)){0,8}")
_WEEKDAY_DATE = re.compile(
    r"\b(?:Senin|Selasa|Rabu|Kamis|Jum['’]?at|Sabtu|Minggu|Ahad)[ ,]{1,2}\(?([^()\n]{6,24}?\d{4})\b"
)
_BRACKET_DATE = re.compile(r"\((\d{1,2}[/.-]\d{1,2}[/.-]\d{4})\)")
_HEAD_LINES = 14
_PARAGRAPH = 100


def read(file: InputFile) -> Iterator[Outcome]:
    """Read a crawled page: title, head (teaser, byline, date, caption), body, foot."""
    data = file.whole(inputs.RECORD_LIMIT)
    if data is None:
        yield file.problem(TOO_LONG)
    else:
        told, text = front_matter(tidied(decode(data, file.encoding)))
        certain = bool(told) or file.name.lower().removesuffix(".gz").endswith(".md")
        found = _article(plain(text, certain=certain), file)
        yield _told(found, told, file) if isinstance(found, Article) and told else found


def _told(article: Article, told: Mapping[str, object], file: InputFile) -> Article:
    """Return an article with what its file's front matter tells, which counts before its text."""
    names = plan(tuple(told), file.columns).names

    def values(target: str) -> Iterator[object]:
        return (told[name] for name in names[target] if not cells.is_nothing(told[name]))

    title, body = one_line(next(values("title"), "")), article.body
    if title and article.title and not _same(article.title, title):
        # The text opens with no headline of its own, so that is a paragraph.
        body = f"{article.title}\n\n{body}"
    title = title or article.title
    urls = (one_line(value) for value in values("url"))
    url = next((url for url in urls if re.match(r"(?:https?:)?//|[^/\s]+\.\w+/", url)), article.url)
    named = (name for value in values("publisher") if "://" not in (name := cells.name_in(value)))
    publisher = canonical_publisher(next(named, "") or host_of(url) or file.publisher)
    publisher = publisher or article.publisher
    dates = (date_of(str(value), file.today, file.zone) for value in values("date"))
    published = next(filter(None, dates), None) or date_in_url(url, file.today)
    return replace(
        article,
        id=article_id(next(values("id"), None), publisher, url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=published or article.published,
        authors=next(filter(None, map(people, values("author"))), article.authors),
        editors=next(filter(None, map(people, values("editor"))), article.editors),
    )


def _article(text: str, file: InputFile) -> Outcome:
    if not any(char.isalpha() for char in text):
        return file.problem("The file holds no text.")
    spans = [match.span() for match in re.finditer(r"\S[^\n]*", text)]
    page = [text[start:end].rstrip() for start, end in spans]
    title, first = _title_of(page)
    last = _body_end(page, first)
    head = _read_head(page[:first], title, page[first:last])
    for line in page[last:]:
        head.take(line)
    body = text[spans[first][0] : spans[last - 1][1]].rstrip()
    publisher = _publisher_of(page, first, last, head, file.publisher)
    published = _head_date(head, file.today) or _body_date(page[first:last], file.today)
    return Article(
        id=article_id(None, publisher, head.url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=head.url,
        published=published or date_in_url(head.url, file.today),
        authors=persons(head.authors),
        editors=persons(head.editors),
        origin=canonical_publisher(head.origin),
    )


def headline_off(body: str) -> tuple[str, str]:
    """Split a text without a title into its first line, if that is a headline, and the rest."""
    first, _, rest = body.partition("\n")
    first = first.strip()
    if rest.strip() and _is_headline(first):
        return first, rest.strip()
    return "", body


def _is_headline(line: str) -> bool:
    if not 10 <= len(line) <= 200 or line[-1] in ".,;:" or is_dateline(line):
        return False
    return len(line.split()) >= 3 and not clean.is_boilerplate(line) and not _is_date_line(line)


# --- lines ---------------------------------------------------------------------------------------


def _is_trail(line: str) -> bool:
    return len(line) < 120 and bool(re.search(r"\w\s?[>»/]\s?\w", line) or is_host(line))


def _is_date_line(line: str) -> bool:
    rest = beside_date(line)
    return rest is not None and (len(rest) <= 3 or bool(is_host(rest) or _is_person(rest)))


def _is_person(line: str) -> bool:
    if len(line) > 90:
        return False
    name = line.partition(" - ")[0].strip()
    if clean.is_newsroom(name):
        return True
    people = clean.names(name)
    return 0 < len(people) <= 4 and all(_PERSON.fullmatch(p) and len(p) > 2 for p in people)


def _same(line: str, title: str) -> bool:
    return bool(title) and squeezed(line) == squeezed(title)


def _is_foot_mark(line: str) -> bool:
    return clean.is_foot(line) or line.startswith(("©", "Copyright"))


def _is_paragraph(line: str) -> bool:
    return len(line) >= _PARAGRAPH and line[-1] in '.!?"”' and not clean.is_boilerplate(line)


# --- where the body lies -------------------------------------------------------------------------


def _title_of(page: Sequence[str]) -> tuple[str, int]:
    """Return a page's headline, "" for none, and the number of the line where its body begins."""
    number = _title_line(page)
    title = "" if number is None else page[number]
    first = _body_start(page, 0 if number is None else number + 1, title)
    return (title, first) if first < len(page) else ("", 0)


def _title_line(page: Sequence[str]) -> int | None:
    """Find the headline: the first line that may be one, after URLs, dates and the like."""
    for number, line in enumerate(page[:6]):
        if len(page) > number + 1 and (_is_headline(line) or line in page[number + 1 : 8]):
            return number
        if not (clean.is_boilerplate(line) or _is_date_line(line) or _is_trail(line)):
            return None
    return None


def _body_start(page: Sequence[str], first: int, title: str) -> int:
    """Return the number of the line at which the body begins; head lines come before it."""
    stop = min(len(page), first + _HEAD_LINES)
    marked = False
    for number in range(first, min(stop, first + 8)):
        if title and _same(page[number], title):
            first, marked = number + 1, True
    keys = [squeezed(line) for line in page]
    position = first
    captions = 0
    while position < stop:
        line = page[position]
        if _is_date_line(line) or clean.read_byline(line):
            marked = True
        elif is_dateline(line):
            return position
        elif (
            _is_person(line) and len(line.split()) > 1 and (marked or _marked_after(page, position))
        ):
            marked = True
        elif _is_teaser(keys, position) or _same(line, title) or clean.is_boilerplate(line):
            pass
        elif marked and not captions and len(line) <= 300 and _dateline_after(page, position):
            captions += 1
        else:
            return position
        position += 1
    return first if position >= len(page) else position


def _marked_after(page: Sequence[str], position: int) -> bool:
    following = page[position + 1 : position + 3]
    return any(is_dateline(line) or _is_date_line(line) for line in following)


def _dateline_after(page: Sequence[str], position: int) -> bool:
    return any(is_dateline(line) for line in page[position + 1 : position + 3])


def _is_teaser(keys: Sequence[str], position: int) -> bool:
    """Tell whether a line only repeats the beginning of something further down."""
    key = keys[position]
    return 30 <= len(key) <= 400 and any(key in other for other in keys[position + 1 :])


def _body_end(page: Sequence[str], first: int) -> int:
    """Return the number of the line after the body's last; foot lines come from there on."""
    end = _teasers_start(page, first)
    paragraphs = [number for number in range(first, end) if _is_paragraph(page[number])]
    after = max(paragraphs[-1] if paragraphs else 0, first) + 1
    end = next((n for n in range(after, end) if _is_foot_mark(page[n])), end)
    while end > first + 1:
        line = page[end - 1]
        if not (clean.is_boilerplate(line) or clean.read_byline(line) or _is_date_line(line)):
            break
        end -= 1
    return max(end, first + 1)


def _teasers_start(page: Sequence[str], first: int) -> int:
    """Return the number of the line that heads a list of other articles, or of lines in all.

    What stands before such a line is the article where it is the longer part.
    """
    for number in range(first + 1, len(page)):
        if clean.heads_teasers(page[number]):
            before, after = (sum(map(len, part)) for part in (page[first:number], page[number:]))
            if before >= after:
                return number
    return len(page)


# --- what head, foot and body tell ---------------------------------------------------------------


@dataclass(slots=True)
class _Head:
    """What the lines before and after the body tell."""

    dates: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    publisher: str = ""
    origin: str = ""
    url: str = ""

    def take(self, line: str) -> bool:
        """Take what a byline or an address tells; tell whether the line is one."""
        if byline := clean.read_byline(line):
            self.authors += byline.authors
            self.editors += byline.editors
            self.origin = self.origin or byline.origin
            return True
        if line.startswith(("http://", "https://")) and " " not in line:
            self.url = self.url or line
            return True
        return False


def _read_head(lines: Sequence[str], title: str, body: Sequence[str]) -> _Head:
    head = _Head()
    for line in lines:
        if head.take(line):
            continue
        if _is_date_line(line):
            head.dates.append(line)
            _read_credit(beside_date(line) or "", head)
        elif not _same(line, title) and _is_person(line) and len(line.split()) > 1:
            _read_credit(line, head)
    if clean.read_byline(body[0]):
        head.take(body[0])
    return head


def _read_credit(text: str, head: _Head) -> None:
    """Read "Name - Publisher", a name or a host into the head."""
    for part in re.split(r"\s+[-–|]\s+", text):
        known = canonical_publisher(part)
        if is_host(part) or is_known(known):
            head.publisher = head.publisher or known
        elif _is_person(part) and len(part) > 3:
            head.authors += clean.names(part)


def _publisher_of(page: Sequence[str], first: int, last: int, head: _Head, fallback: str) -> str:
    """Return who published a page: its dateline, its head, the user's word, or its copyright."""
    for line in page[first : min(last, first + 3)]:
        if name := publisher_of_dateline(line):
            return name
    if name := head.publisher or fallback or head.url:
        return canonical_publisher(name)
    for line in page[last:]:
        if clean.is_boilerplate(line) and (name := publisher_in(line)):
            return name if "sumber" not in line.lower() else ""
    return ""


def _head_date(head: _Head, today: dt.date) -> dt.date | None:
    for line in sorted(head.dates, key=lambda line: bool(_UPDATED.search(line))):
        if found := date_of(line, today):
            return found
    return None


def _body_date(body: Sequence[str], today: dt.date) -> dt.date | None:
    """Return the day that a report tells of first; reports of the day name it in their lead."""
    for lines in (body[:4], body):
        for pattern in (_WEEKDAY_DATE, _BRACKET_DATE):
            for line in lines:
                for match in pattern.finditer(line):
                    if found := date_in(match[1], today):
                        return found
    return None
