"""Where an article's paragraphs lie on a page, among menus, offers and teasers of other articles.

A page's visible text is cut at its block tags; what belongs is told by what the page declares
(articleBody), by links and repeated shapes, and by what trafilatura found.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from index import clean
from index.reading.publishers import is_dateline
from index.reading.scraped import tidied
from index.text import squeezed

_BLOCKS = frozenset(
    """p div br h1 h2 h3 h4 h5 h6 ul ol li table tbody thead tr td th section article main body
    blockquote figure header hr dl dt dd center pre address""".split()
)
_SKIPPED = frozenset(
    """script style noscript nav footer aside form figcaption iframe button select option svg
    template head object video audio""".split()
)
_ROLES = frozenset("navigation complementary banner contentinfo search dialog menu".split())
_CLASS_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+")
_LABEL_BEFORE = re.compile(r"[(\[]?\b(?P<words>[^\W\d_]+(?: +[^\W\d_]+){0,4})\s*(?P<colon>:?)\s*$")
# Few elements call themselves furniture and hold the article; looking into each costs time.
_MOST_LOOKED = 20

_LONGEST_TEASER = 450
_SHORTEST_OWN = 250
_SHORTEST_CAPTION = 80


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A run of text between two block tags; `parents` number its elements, outermost first.

    `linked` is the share of its text that is links, `opening` the link that it opens with. The page
    calls its place the article's body (`declared`), or something else (`furniture`).
    """

    text: str
    linked: float
    parents: tuple[int, ...]
    tag: str
    opening: str
    declared: bool
    furniture: bool

    @property
    def is_prose(self) -> bool:
        """Tell whether it is sentences, not a headline, a menu or a link."""
        if len(self.text) < 40 or self.linked > 0.4:
            return False
        return self.text[-1] in '.!?"”’…)' or len(self.text) >= 160

    @property
    def is_headline(self) -> bool:
        """Tell whether it is nothing but a link that may be another article's headline."""
        return self.linked >= 0.9 and _may_be_headline(self.text)


def _may_be_headline(text: str) -> bool:
    if len(text) < 15 or len(text.split()) < 3 or re.match(r"\d{1,2}[.)]\s", text):
        return False
    return not clean.is_boilerplate(text)


# --- blocks --------------------------------------------------------------------------------------


def blocks_of(tree: Any) -> list[Block]:
    """Cut a page's visible text at its block tags, without recursion into its depth."""
    from lxml import etree

    cutter = _Cutter(_unlinked_length(tree) / 3)
    walk = etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        shown = event in ("start", "end") and element.tag not in _SKIPPED
        if event != "start":
            if shown:
                cutter.leave(element)
            cutter.take(element.tail)
        elif shown:
            cutter.enter(element)
            cutter.take(element.text)
        else:
            walk.skip_subtree()
    cutter.close()
    return cutter.blocks


class _Cutter:
    """Collects a page's text, and closes a block at the borders of block tags."""

    def __init__(self, most: float) -> None:
        self.blocks: list[Block] = []
        self._most = most
        self._pieces: list[tuple[str, bool]] = []
        self._parents: list[tuple[int, str]] = []
        self._numbers = itertools.count()
        self._looked = 0
        # What each open element is, and how many of each kind are open.
        self._open: list[str] = []
        self._kinds: Counter[str] = Counter()

    def enter(self, element: Any) -> None:
        """Go into an element."""
        kind = self._kind(element)
        if kind or element.tag in _BLOCKS:
            self.close()
        if element.tag in _BLOCKS:
            self._parents.append((next(self._numbers), element.tag))
        self._open.append(kind)
        self._kinds[kind] += 1
        self._kinds["link"] += element.tag == "a"

    def leave(self, element: Any) -> None:
        """Come out of the element that was entered last."""
        kind = self._open.pop()
        if kind or element.tag in _BLOCKS:
            self.close()
        if element.tag in _BLOCKS:
            self._parents.pop()
        self._kinds[kind] -= 1
        self._kinds["link"] -= element.tag == "a"

    def take(self, text: str | None) -> None:
        """Take a piece of text at this place."""
        if text:
            self._pieces.append((text, self._kinds["link"] > 0))

    def close(self) -> None:
        """Make a block of the text taken since the last one."""
        pieces = _without_labelled_links(self._pieces)
        text = tidied(" ".join("".join(piece for piece, _ in pieces).split()))
        if text:
            first = next(((p, link) for p, link in pieces if p.strip()), ("", False))
            block = Block(
                text=text,
                linked=sum(len(p.strip()) for p, link in pieces if link) / len(text),
                parents=tuple(number for number, _ in self._parents),
                tag=self._parents[-1][1] if self._parents else "",
                opening=" ".join(first[0].split()) if first[1] else "",
                declared=self._kinds["declared"] > 0,
                furniture=self._kinds["furniture"] > 0,
            )
            self.blocks.append(block)
        self._pieces.clear()

    def _kind(self, element: Any) -> str:
        """Tell what a page declares an element to be; what holds a third of it is no furniture."""
        if "articleBody" in (element.get("itemprop") or ""):
            return "declared"
        if element.tag in ("html", "body", "a") or self._kinds["furniture"]:
            return ""
        if self._looked >= _MOST_LOOKED or not _calls_itself_furniture(element):
            return ""
        if _unlinked_length(element) <= self._most:
            return "furniture"
        self._looked += 1
        return ""


def _without_labelled_links(pieces: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Drop links to other articles from a paragraph, with the "Baca juga:" before or in them."""
    left: list[tuple[str, bool]] = []
    for is_link, run in itertools.groupby(pieces, key=lambda piece: piece[1]):
        text = "".join(piece for piece, _ in run)
        label = _label_at_end(left[-1][0]) if is_link and left else ""
        if label:
            left[-1] = (left[-1][0].removesuffix(label), False)
        elif not (is_link and _is_labelled(text)):
            left.append((text, is_link))
    return left


def _label_at_end(text: str) -> str:
    """Return the label with which a text ends, before a link, "" for none."""
    tail = text[-80:]
    found = _LABEL_BEFORE.search(tail)
    while found and not clean.is_label(found["words"]) and " " in found["words"]:
        found = _LABEL_BEFORE.search(tail, found.start("words") + found["words"].index(" ") + 1)
    if found and clean.is_label(found["words"]) and (found["colon"] or " " in found["words"]):
        return found[0]
    return ""


def _is_labelled(link: str) -> bool:
    words = link.split()
    return clean.opens_with_label(link.strip()) or (
        len(words) > 2
        and words[1].lower() in ("juga", "pula")
        and clean.is_label(" ".join(words[:2]))
    )


def _unlinked_length(element: Any) -> int:
    """Return how long the text of an element is without what is a link or not shown."""
    length = len(element.text or "")
    for part in element.iterdescendants():
        if isinstance(part.tag, str) and part.tag not in _SKIPPED and part.tag != "a":
            length += len(part.text or "")
        length += len(part.tail or "")
    return length


def _calls_itself_furniture(element: Any) -> bool:
    if (element.get("role") or "").lower() in _ROLES or element.get("hidden") is not None:
        return True
    if element.get("itemprop") == "relatedLink" or element.get("rel") == "tag":
        return True
    if re.search(r"display\s*:\s*none", element.get("style") or ""):
        # Some pages show the rest of an article at a click.
        return len(element.findall(".//p")) < 2
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    furniture = clean.frame("furniture")
    return any(word.lower() in furniture for word in _CLASS_WORD.findall(names[:300]))


# --- teasers of other articles -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A page's blocks without those of teasers: how many these were, and how long their text."""

    blocks: tuple[Block, ...]
    teasers: int
    teased: int


def without_teasers(blocks: Sequence[Block], title: str) -> Page:
    """Take furniture and teasers of other articles off a page, and what follows their heading."""
    shown = [b for b in blocks if not b.furniture]
    # The text of a series of photos is nothing but captions.
    if sum(len(b.text) for b in shown if b.is_prose) >= _SHORTEST_CAPTION:
        blocks = shown
    total = sum(len(b.text) for b in blocks if b.is_prose)
    cards = _cards(blocks, squeezed(title))
    teased = sum(len(b.text) for b in cards)
    # One or two beside next to nothing are a short article with a link before it.
    if len(cards) < 3 and total - teased < _SHORTEST_OWN:
        cards, teased = {}, 0
    gone = {id(b) for card in cards.values() for b in card}
    gone |= {*_labelled(blocks), *_offered(blocks)}
    left = _before_foot([b for b in blocks if id(b) not in gone])
    return Page(tuple(left), len(cards), teased)


def _cards(blocks: Sequence[Block], title: str) -> dict[Block, list[Block]]:
    """Return, by its sentences, each teaser of another article with all of its blocks.

    It is an element with a headline that is a link and a sentence or two, little else.
    """
    inside: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        # A card is not deep; all elements of each block would take forever on a hostile page.
        for parent in block.parents[-5:]:
            inside[parent].append(block)
    cards: dict[Block, list[Block]] = {}
    # Inner elements have higher numbers, and outer ones may hold more of the card.
    for _, held in sorted(inside.items(), reverse=True):
        if _is_card(held, title):
            prose = next(b for b in held if b.is_prose)
            cards[prose] = held
    for held in _listed(blocks, title):
        cards.update((b, [b]) for b in held)
    for pair in _alternating(blocks, title):
        cards.setdefault(pair[1], pair)
    return cards


def _is_card(held: Sequence[Block], title: str) -> bool:
    if not 2 <= len(held) <= 12:
        return False
    prose = [n for n, b in enumerate(held) if b.is_prose]
    if not 1 <= len(prose) <= 2 or sum(len(held[n].text) for n in prose) > _LONGEST_TEASER:
        return False
    heads = [n for n, b in enumerate(held) if b.is_headline and not _same(b.text, title)]
    if not heads or heads[0] > prose[0]:
        return False
    return all(b.is_prose or b.linked >= 0.9 or len(b.text) <= 60 for b in held)


def _listed(blocks: Sequence[Block], title: str) -> Iterator[list[Block]]:
    """Yield lists whose every item opens with a linked headline and goes on in plain text."""
    lists: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        if block.is_prose and block.tag != "p" and len(block.parents) > 1:
            lists[block.parents[-2]].append(block)
    for held in lists.values():
        heads = [b for b in held if _may_be_headline(b.opening) and not _same(b.opening, title)]
        if len(held) >= 2 and len(heads) == len(held):
            if max(len(b.text) for b in held) <= _LONGEST_TEASER:
                yield held


def _alternating(blocks: Sequence[Block], title: str) -> Iterator[list[Block]]:
    """Yield the pairs of runs in which linked headlines and single sentences take turns.

    Three pairs make a run, or two where the headlines are headings: fewer may be an article's
    paragraphs with links between them.
    """
    run: list[list[Block]] = []
    for number in range(len(blocks) + 1):
        head, after = (*blocks[number : number + 2], None, None)[:2]
        if head is not None and after is not None and head.is_headline and after.is_prose:
            if len(after.text) <= _LONGEST_TEASER and not _same(head.text, title):
                run.append([head, after])
                continue
        if head is not None and run and (head is run[-1][1] or len(head.text) < 40):
            continue
        if len(run) >= 3 or (len(run) == 2 and all(pair[0].tag[0] == "h" for pair in run)):
            yield from run
        run = []


def _same(text: str, title: str) -> bool:
    return bool(title) and squeezed(text) in title


def _labelled(blocks: Sequence[Block]) -> Iterator[int]:
    """Yield the identities of the headlines after a "Baca juga" of its own: a line, or a list."""
    labelled = ""
    for block in blocks:
        if clean.is_label(block.text):
            labelled = "any"
        elif labelled and not block.is_prose and labelled in ("any", block.tag):
            yield id(block)
            labelled = "li" if block.tag == "li" else ""
        else:
            labelled = ""


def _offered(blocks: Sequence[Block]) -> Iterator[int]:
    """Yield the identities of the blocks in boxes whose only sentences are offers to the reader."""
    offers = [b for b in blocks if clean.is_offer(b.text)]
    for offer in offers[:20]:
        box: list[Block] = [offer]
        for parent in reversed(offer.parents[-4:]):
            wider = [b for b in blocks if parent in b.parents]
            if any(b.is_prose and not clean.is_boilerplate(b.text) for b in wider):
                break
            box = wider
        yield from map(id, box)


def _before_foot(blocks: Sequence[Block]) -> list[Block]:
    """Drop what follows a line after which no article goes on ("Berita lainnya"), in its box."""
    left = list(blocks)
    feet = [b for b in blocks if clean.is_foot(b.text)]
    for foot in feet[:20]:
        if foot not in left or not foot.parents:
            continue
        box = foot.parents[-2:][0]
        numbers = [n for n, b in enumerate(left) if box in b.parents]
        at = left.index(foot)
        before = sum(len(left[n].text) for n in numbers if n < at and left[n].is_prose)
        after = [n for n in numbers if n >= at]
        others = sum(len(b.text) for b in left if b.is_prose and box not in b.parents)
        if before + others > sum(len(left[n].text) for n in after if left[n].is_prose):
            gone = set(after)
            left = [b for n, b in enumerate(left) if n not in gone]
    return left


# --- the body ------------------------------------------------------------------------------------


def body_of(page: Page, extracted: str, declared: str) -> str:
    """Return an article's paragraphs, one a line: those around what trafilatura found.

    Trafilatura loses a lead that stands loose before the first paragraph tag, takes a short
    article's whole page, and sometimes finds the teasers alone; so it only says where the article
    is, and the blocks there are taken. `declared` is what the page says its text is, in one piece.
    """
    blocks = page.blocks
    if 2 * sum(len(b.text) for b in blocks if b.declared and b.is_prose) > _SHORTEST_OWN:
        blocks = tuple(b for b in blocks if b.declared)
    if told := _declared_lines(blocks, declared):
        return "\n".join(told)
    kept = {squeezed(line) for line in extracted.split("\n")}
    anchors = _anchors(blocks, extracted, kept)
    if not anchors:
        found = "" if page.teasers else extracted.strip()
        return declared if len(declared) > len(found) else found
    inside = _inside(blocks, anchors)
    mostly_prose = _length(anchors) > _length([b for b in blocks if _is_loose(b, kept)])
    first, last = _extent(inside, set(anchors), kept if mostly_prose else set())
    body = "\n".join(_lines_of(inside[first:last], kept, mostly_prose))
    return declared if len(declared) > 2 * len(body) else body


def _declared_lines(blocks: Sequence[Block], declared: str) -> list[str]:
    """Return the blocks that stand in the declared text, if they are nearly all of it."""
    whole = squeezed(declared)
    if len(declared) < _SHORTEST_OWN or len(blocks) >= 3_000:
        return []
    held = [b.text for b in blocks if b.linked <= 0.6 and squeezed(b.text) in whole]
    prose = sum(len(b.text) for b in blocks if b.is_prose)
    enough = max(0.85 * len(declared), 0.4 * prose)
    return list(dict.fromkeys(held)) if sum(map(len, held)) >= enough else []


def _anchors(blocks: Sequence[Block], extracted: str, kept: set[str]) -> list[Block]:
    """Return the paragraphs that trafilatura found; those of the largest box if it missed them."""
    prose = [b for b in blocks if b.is_prose and not _is_credit(b.text)]
    whole = squeezed(extracted)
    # Looking through all of the text for each block would take forever on a hostile page.
    search = len(blocks) < 3_000
    keys = [(b, squeezed(b.text)) for b in prose]
    found = [b for b, key in keys if key in kept or (search and key in whole)]
    alone = Counter(b.parents[-1] for b in blocks if b.parents)
    boxes: dict[int, list[Block]] = defaultdict(list)
    for block in prose:
        if block.parents:
            depth = -2 if alone[block.parents[-1]] == 1 and len(block.parents) > 1 else -1
            boxes[block.parents[depth]].append(block)
    largest = max(boxes.values(), key=_length, default=[])
    missed = extracted and 2 * _length(found) < _length(largest)
    return largest if missed else found


def _is_loose(block: Block, kept: set[str]) -> bool:
    """Tell whether trafilatura took a block that is no sentence and no item of a list of words."""
    if block.is_prose or squeezed(block.text) not in kept:
        return False
    return block.text[-1] not in ".!?:;," and (block.tag != "li" or block.linked > 0)


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _extent(inside: Sequence[Block], anchors: set[Block], kept: set[str]) -> tuple[int, int]:
    """Return where an article begins and ends (exclusive) among its container's blocks."""
    numbers = [n for n, b in enumerate(inside) if b in anchors]
    first = next(n for n, b in enumerate(inside) if b.is_prose and not _is_credit(b.text))
    for number in range(first, min(numbers[0] + 3, len(inside))):
        # What stands before a dateline is a teaser or the caption of a photo.
        if is_dateline(inside[number].text):
            first = number
    if first and _opens(inside, first - 1):
        first -= 1
    last = max(numbers[-1], first)
    depth = len(inside[last].parents)
    while last + 1 < len(inside):
        block = inside[last + 1]
        loose = block.is_prose and len(block.parents) == depth and not _is_credit(block.text)
        if not loose and squeezed(block.text) not in kept:
            break
        last += 1
    return first, last + 1


def _opens(inside: Sequence[Block], number: int) -> bool:
    """Tell whether a block before the first paragraph is a dateline, or one of several headings."""
    block = inside[number]
    if re.search(r"\w.{0,80}[-–—]$", block.text[:100]):
        return True
    if not re.fullmatch("h[2-6]", block.tag) or block.linked:
        return False
    return any(b.tag == block.tag and not b.linked for b in inside[number + 1 :])


def _lines_of(blocks: Sequence[Block], kept: set[str], mostly_prose: bool) -> Iterator[str]:
    """Yield the text of the blocks that belong; a paragraph shown twice comes once."""
    seen: set[str] = set()
    for block in blocks:
        if _belongs(block, kept, mostly_prose) and block.text not in seen:
            yield block.text
            if block.is_prose:
                seen.add(block.text)


def _inside(blocks: Sequence[Block], anchors: Sequence[Block]) -> list[Block]:
    """Return the blocks of the anchors' container, and a dateline's paragraph right before it."""
    box = _container(anchors)
    inside = [n for n, b in enumerate(blocks) if box in b.parents]
    before = blocks[inside[0] - 1] if inside[0] else None
    if before is not None and before.is_prose and is_dateline(before.text):
        inside.insert(0, inside[0] - 1)
    return [blocks[n] for n in inside]


def _container(anchors: Sequence[Block]) -> int:
    """Return the number of the innermost element that holds nine tenths of the anchors' text."""
    weights: dict[int, int] = {}
    depths: dict[int, int] = {}
    for block in anchors:
        for depth, parent in enumerate(block.parents):
            weights[parent] = weights.get(parent, 0) + len(block.text)
            depths[parent] = depth
    enough = 0.9 * _length(anchors)
    return max((p for p, weight in weights.items() if weight >= enough), key=lambda p: depths[p])


def _belongs(block: Block, kept: set[str], mostly_prose: bool) -> bool:
    if _is_credit(block.text):
        return False
    vouched = mostly_prose and squeezed(block.text) in kept and block.linked < 0.9
    return block.is_prose or vouched or (mostly_prose and block.linked <= 0.6)


def _is_credit(text: str) -> bool:
    if text.startswith(("http://", "https://")):
        return False
    return clean.is_boilerplate(text) or clean.read_byline(text) is not None
