"""Geometry of one person's course of days: marks on a line, windows drawn to scale, lanes below. No markup, no words.

Coordinates are text with a decimal point (pallsoft.charts). Labels that would touch stand in further rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pallsoft.charts import Tick, coordinate, linear, month_starts

WIDTH, SIDE, TOP = 960, 36, 10  # half the name of a month stands outside the first and last day
LETTER, ROW, GAP, STAFF = 7.2, 19, 8, 5  # a wide letter at 13 px, a row, the least space, from staff to text
BAND, LANE = 18, 40
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Mark:
    """Something on one day, or on some day from `day` to `until`."""

    day: date
    label: str = ""
    until: date | None = None


@dataclass(frozen=True)
class Window:
    """A visit: from its first to its last day, due on `target`; `done` when it took place. `state` names its look."""

    label: str
    first: date
    last: date
    state: str
    target: date | None = None
    done: date | None = None


@dataclass(frozen=True)
class Lane:
    label: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Label:
    """A flag: a staff at `at` from what it names to the row of the text, which begins or ends beside it."""

    text: str
    at: str
    x: str
    y: str
    anchor: str


@dataclass(frozen=True)
class Box:
    x: str
    y: str
    width: str
    state: str = ""
    target: str = ""
    done: str = ""


@dataclass(frozen=True)
class DrawnLane:
    label: str
    y: str
    baseline: str
    boxes: list[Box]


@dataclass(frozen=True)
class Drawing:
    height: int
    line_y: str
    line_start: str
    line_end: str
    today: str
    marks: list[Label]
    bands: list[Box]
    band_middle: str
    band_bottom: str
    band_labels: list[Label]
    lanes: list[DrawnLane]
    months: list[Tick]
    base: str
    width: int = WIDTH
    left: int = SIDE
    right: int = WIDTH - SIDE
    band: int = BAND


def timeline(
    *,
    start: date,
    end: date,
    today: date,
    lived_until: date,
    marks: Sequence[Mark],
    windows: Sequence[Window],
    lanes: Sequence[Lane],
) -> Drawing:
    """A drawing of the days from `start` to `end`; the line is drawn to `lived_until`. What lies outside is cut off."""
    scale = _Scale(start, end)
    names, rows = _flags([(scale.middle(mark.day), mark.label) for mark in marks])
    line_y = TOP + rows * ROW + 8
    top = line_y + 16
    below, band_rows = _flags([(scale.left(one.first), one.label) for one in windows])
    labels_top = top + BAND + 6
    lanes_top = labels_top + band_rows * ROW + 8
    base = lanes_top + len(lanes) * LANE + 6
    return Drawing(
        height=base + 26,
        line_y=coordinate(line_y),
        line_start=coordinate(scale.middle(start)),
        line_end=coordinate(scale.middle(lived_until)),
        today=coordinate(scale.middle(today)) if start <= today <= end else "",
        marks=[_label(flag, line_y - 12 - flag.row * ROW) for flag in names],
        bands=[_band(one, top, scale) for one in windows],
        band_middle=coordinate(top + BAND / 2),
        band_bottom=coordinate(top + BAND),
        band_labels=[_label(flag, labels_top + 12 + flag.row * ROW) for flag in below],
        lanes=[_lane(lane, lanes_top + at * LANE, scale) for at, lane in enumerate(lanes)],
        months=[Tick(coordinate(scale.left(month)), f"{month:%Y-%m}") for month in month_starts(start, end, count=9)],
        base=coordinate(base),
    )


@dataclass(frozen=True)
class _Scale:
    """From days to pixels. A day is as wide as a day; what happened on it stands in its middle."""

    start: date
    end: date

    def left(self, day: date) -> float:
        inside = min(max(day, self.start), self.end + DAY)
        domain = (self.start.toordinal(), self.end.toordinal() + 1)
        return linear(domain, (SIDE, WIDTH - SIDE))(inside.toordinal())

    def span(self, first: date, last: date) -> tuple[float, float]:
        return self.left(first), self.left(last + DAY)

    def middle(self, day: date) -> float:
        return sum(self.span(day, day)) / 2


@dataclass(frozen=True)
class _Flag:
    text: str
    at: float
    left: float
    row: int

    @property
    def is_turned(self) -> bool:
        """Does the text end at the staff, because it would leave the drawing?"""
        return self.left < self.at


def _flags(wanted: Sequence[tuple[float, str]]) -> tuple[list[_Flag], int]:
    """Each text beside its place, in the row nearest to it where it touches no other; and the number of rows.

    From the right: so the staff of one never runs through the text of another.
    """
    begins: list[float] = []
    flags = []
    for at, text in sorted(wanted, key=lambda one: -one[0]):
        length = STAFF + len(text) * LETTER
        left = at if at + length <= WIDTH - SIDE else at - length
        row = next((row for row, begin in enumerate(begins) if left + length + GAP <= begin), len(begins))
        begins[row : row + 1] = [left]
        flags.append(_Flag(text, at, left, row))
    return flags, max(len(begins), 1)


def _label(flag: _Flag, y: float) -> Label:
    x = flag.at - STAFF if flag.is_turned else flag.at + STAFF
    return Label(flag.text, coordinate(flag.at), coordinate(x), coordinate(y), "end" if flag.is_turned else "start")


def _band(one: Window, top: float, scale: _Scale) -> Box:
    box = _box(scale.span(one.first, one.last), top, least=3)
    return replace(
        box,
        state=one.state,
        target=coordinate(scale.middle(one.target)) if one.target else "",
        done=coordinate(scale.middle(one.done)) if one.done else "",
    )


def _lane(lane: Lane, top: float, scale: _Scale) -> DrawnLane:
    boxes = [_box(scale.span(mark.day, mark.until or mark.day), top + 18, least=4) for mark in lane.marks]
    return DrawnLane(lane.label, coordinate(top + 12), coordinate(top + 34), boxes)


def _box(span: tuple[float, float], top: float, least: float) -> Box:
    """At least `least` wide, so that it is seen."""
    start, end = span
    return Box(coordinate(start), coordinate(top), coordinate(max(end - start, least)))
