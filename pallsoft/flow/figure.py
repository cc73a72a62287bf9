"""Geometry of the figure: the boxes of each section as blocks of lines, with arrows between. No markup, no words.

The spine runs down the first column; what left it stands to its right. Below the randomisation there is one column for
each arm, or one for all. Coordinates are text (pallsoft.charts).
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pallsoft.charts import coordinate

WIDTH, GAP, MARGIN = 400, 32, 2
LINE, PAD, ARROW = 21, 12, 34
LETTERS, INDENT = 42, 16  # letters of a line beside its number; how far a part stands in


@dataclass(frozen=True)
class Entry:
    """A line of a block to be: words, number, address of its rows; `depth` 1 for a part of the one before."""

    label: str
    count: int
    address: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Row:
    """Lines of text from `y`, the number at the end of the last; `full`: the words when they were cut."""

    lines: list[tuple[str, str]]
    x: str
    y: str
    count: int
    address: str
    full: str


@dataclass(frozen=True)
class Block:
    title: str
    title_y: str
    x: str
    y: str
    width: int
    height: int
    text_x: str
    number_x: str
    rows: list[Row]


@dataclass(frozen=True)
class Figure:
    width: int
    height: int
    blocks: list[Block]
    arrows: list[tuple[str, str, str, str]]  # x1, y1, x2, y2: straight, the head at the end


@dataclass(frozen=True)
class Column:
    """What stands below the randomisation in one column: (title, entries) of each block."""

    blocks: Sequence[tuple[str, Sequence[Entry]]]


def figure_of(assessed: Entry, left: Sequence[Entry], randomized: Entry, columns: Sequence[Column]) -> Figure:
    """`left`: who did not come in; at least one column, all with equally many blocks."""
    span = len(columns) * WIDTH + (len(columns) - 1) * GAP
    top = _block("", [assessed], 0, MARGIN)
    side = _block("", left, 1, MARGIN + top.height + ARROW / 2)
    fork_y = MARGIN + top.height + ARROW / 2 + side.height + ARROW / 2
    fork = _block("", [randomized], 0, fork_y, width=span)
    spine, beside = _middle(0), MARGIN + top.height + ARROW / 2 + min(side.height, 44) / 2
    arrows = [(spine, MARGIN + top.height, spine, fork_y), (spine, beside, _left(1), beside)]
    blocks, bottom = [top, side, fork], fork_y + fork.height
    for level in range(len(columns[0].blocks)):
        made = [_block(*column.blocks[level], place, bottom + ARROW) for place, column in enumerate(columns)]
        arrows += [(_middle(place), bottom, _middle(place), bottom + ARROW) for place in range(len(columns))]
        height = max(block.height for block in made)
        blocks += [_as_high(block, height) for block in made]
        bottom += ARROW + height
    width = max(2, len(columns)) * (WIDTH + GAP) - GAP + 2 * MARGIN
    drawn = [(coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2)) for x1, y1, x2, y2 in arrows]
    return Figure(width, round(bottom) + MARGIN, blocks, drawn)


def _left(place: int) -> float:
    return MARGIN + place * (WIDTH + GAP)


def _middle(place: int) -> float:
    return _left(place) + WIDTH / 2


def _block(title: str, entries: Iterable[Entry], place: int, y: float, width: int = WIDTH) -> Block:
    shown = list(entries)
    texts = [_lines(entry) for entry in shown]
    first = y + PAD + (LINE if title else 0) + LINE * 0.72
    starts = accumulate((len(lines) * LINE for lines in texts), initial=first)
    rows = [_row(entry, lines, _left(place), start) for entry, lines, start in zip(shown, texts, starts, strict=False)]
    height = 2 * PAD + LINE * ((1 if title else 0) + sum(map(len, texts)))
    return Block(
        title=title,
        title_y=coordinate(y + PAD + LINE * 0.72),
        x=coordinate(_left(place)),
        y=coordinate(y),
        width=width,
        height=height,
        text_x=coordinate(_left(place) + PAD),
        number_x=coordinate(_left(place) + width - PAD),
        rows=rows,
    )


def _row(entry: Entry, lines: list[str], left: float, y: float) -> Row:
    placed = [(coordinate(y + n * LINE), line) for n, line in enumerate(lines)]
    cut = entry.label if "".join(lines).endswith("…") else ""
    last, x = placed[-1][0], coordinate(left + PAD + entry.depth * INDENT)
    return Row(placed, x, last, entry.count, entry.address, cut)


def _lines(entry: Entry) -> list[str]:
    """A part is one line, cut where it is too long: the table has all of it."""
    if entry.depth:
        return [textwrap.shorten(entry.label, LETTERS - 2, placeholder=" …")]
    return textwrap.wrap(entry.label, LETTERS) or [""]


def _as_high(block: Block, height: int) -> Block:
    return Block(**vars(block) | {"height": height})
