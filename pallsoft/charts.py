"""Geometry of the SVG charts: numbers in, coordinates as text out, no markup.

Coordinates are text with a decimal point, because a template would write a float with a comma in bokmål.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 300
FORECAST_WIDTH = 960
LEFT, RIGHT, TOP, BOTTOM = 44, 24, 32, 32
BAR_ROW, BAR_LEFT, BAR_RIGHT = 34, 190, 48
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 160, 40, 6

Point = tuple[float, float]
Series = Sequence[tuple[date, float]]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where (coordinate) and what it says (number, or "2026-09" for a month)."""

    at: str
    value: int | float | str


@dataclass(frozen=True)
class StepChart:
    """A cumulative step line against a straight target; `rows` is the table: (day, value, expected)."""

    x_ticks: list[Tick]
    y_ticks: list[Tick]
    actual: str
    area: str
    target: str
    last: tuple[str, str, float]
    rows: list[tuple[date, float, float | None]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class ForecastChart:
    """What is counted as a step line; from its end the middle of the forecast, in its bands; the target across."""

    x_ticks: list[Tick]
    y_ticks: list[Tick]
    actual: str
    bands: list[str]  # the widest first
    middle: str
    target: Tick
    last: tuple[str, str, int]
    plan: str = ""
    width: int = FORECAST_WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = FORECAST_WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Bar:
    """One horizontal bar: its row's middle and top, its length, and where its value stands."""

    label: str
    value: float
    top: str
    middle: str
    length: str
    end: str


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars from a common zero."""

    bars: list[Bar]
    height: int
    width: int = WIDTH
    left: int = BAR_LEFT
    label_at: int = BAR_LEFT - 12
    track: int = WIDTH - BAR_LEFT - BAR_RIGHT


@dataclass(frozen=True)
class Sparkline:
    """A course in a row of a table: a line through what was measured in a row, a dot at each."""

    lines: list[str]
    dots: list[tuple[str, str]]
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def coordinate(value: float) -> str:
    """At most one decimal, with a point: "12", "12.5"."""
    return f"{round(value, 1) + 0:g}"  # + 0 turns -0.0 into 0.0; :g would round only past 999 999


def linear(domain: Point, span: Point) -> Callable[[float], float]:
    """A scale from data to pixels; a domain without extent maps to the start of the span."""
    low, high = domain
    start, end = span
    factor = (end - start) / (high - low) if high != low else 0.0
    return lambda value: start + (value - low) * factor


def nice_step(top: float, count: int = 5) -> int:
    """The smallest of 1, 2, 5 x 10^n that reaches `top` in at most `count` steps."""
    rough = max(top, 1) / count
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    return next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= rough)


def nice_ticks(top: float, count: int = 5) -> list[int]:
    """Round numbers from 0 to the first that is not below `top`."""
    step = nice_step(top, count)
    return list(range(0, math.ceil(max(top, 1) / step) * step + 1, step))


def month_starts(start: date, end: date, count: int = 7) -> list[date]:
    """First days of months in [start, end], every 1, 2, 3, 6 or 12 months, so that at most `count` remain."""
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
    if start.day > 1:
        first += 1
    stride = next((n for n in (1, 2, 3, 6, 12) if (last - first) / n < count), 24)
    aligned = -(-first // stride) * stride
    return [date(month // 12, month % 12 + 1, 1) for month in range(aligned, last + 1, stride)]


def step_points(points: Sequence[Point]) -> list[Point]:
    """Corners of a step line that keeps each value until the next point."""
    corners = list(points[:1])
    for x, y in points[1:]:
        corners += [(x, corners[-1][1]), (x, y)]
    return corners


def points_text(points: Sequence[Point]) -> str:
    """What the `points` attribute of <polyline> and <polygon> takes."""
    return " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)


def expected_at(day: date, target: Series) -> float | None:
    """Height of the straight target line on a day; None outside it."""
    if not target or not target[0][0] <= day <= target[-1][0]:
        return None
    (first, low), (last, high) = target[0], target[-1]
    return linear((first.toordinal(), last.toordinal()), (low, high))(day.toordinal())


def step_chart(actual: Series, *, target: Series = (), end: date | None = None) -> StepChart:
    """A step line of cumulative counts.

    `actual`: (day, count so far), oldest first, at least one; `target`: the two ends of the straight plan;
    `end`: last day of the axis (default: the last day given). Raises ValueError without a point.
    """
    if not actual:
        raise ValueError("a step chart needs at least one point")
    days = [day for day, _ in [*actual, *target]]
    start, end = min(days), end or max(days)
    ticks = nice_ticks(max(value for _, value in [*actual, *target]))
    x = linear((start.toordinal(), end.toordinal()), (LEFT, WIDTH - RIGHT))
    y = linear((0, ticks[-1]), (HEIGHT - BOTTOM, TOP))
    corners = step_points([(x(day.toordinal()), y(value)) for day, value in actual])
    (first_x, _), (last_x, last_y) = corners[0], corners[-1]
    return StepChart(
        x_ticks=[Tick(coordinate(x(month.toordinal())), f"{month:%Y-%m}") for month in month_starts(start, end)],
        y_ticks=[Tick(coordinate(y(value)), value) for value in ticks],
        actual=points_text(corners),
        area=points_text([(first_x, y(0)), *corners, (last_x, y(0))]),
        target=points_text([(x(day.toordinal()), y(value)) for day, value in target]),
        last=(coordinate(last_x), coordinate(last_y), actual[-1][1]),
        rows=[(day, value, expected_at(day, target)) for day, value in actual],
    )


def forecast_chart(
    actual: Sequence[tuple[date, int]],
    forecast: Sequence[tuple[date, Sequence[float]]],
    target: int,
    plan: Series = (),
) -> ForecastChart:
    """`actual`: (day, count so far), oldest first, at least one, the last today's; `forecast`: (day, its quantiles in
    ascending order, an odd number of them), from the day after; `plan`: the two ends of the straight plan, drawn as far
    as it lies in the figure. Raises ValueError without a point.
    """
    if not actual:
        raise ValueError("a forecast chart needs at least one point")
    start, today, now = actual[0][0], *actual[-1]
    end = forecast[-1][0] if forecast else today
    ticks = nice_ticks(max(target, now))
    x = linear((start.toordinal(), end.toordinal()), (LEFT, FORECAST_WIDTH - RIGHT))
    y = linear((0, ticks[-1]), (HEIGHT - BOTTOM, TOP))
    corners = step_points([(x(day.toordinal()), y(value)) for day, value in actual])
    lines = _quantile_lines(corners[-1], [(x(day.toordinal()), list(map(y, values))) for day, values in forecast])
    return ForecastChart(
        x_ticks=[Tick(coordinate(x(month.toordinal())), f"{month:%Y-%m}") for month in month_starts(start, end, 9)],
        y_ticks=[Tick(coordinate(y(value)), value) for value in ticks],
        actual=points_text(corners),
        bands=[points_text([*low, *reversed(high)]) for low, high in zip(lines, reversed(lines), strict=True)][
            : len(lines) // 2
        ],
        middle=points_text(lines[len(lines) // 2]) if lines else "",
        target=Tick(coordinate(y(target)), target),
        last=(coordinate(corners[-1][0]), coordinate(corners[-1][1]), now),
        plan=points_text([(x(day.toordinal()), y(value)) for day, value in _inside(plan, start, end)]),
    )


def _inside(line: Series, start: date, end: date) -> Series:
    """The part of a straight line that lies between two days."""
    if not line or line[-1][0] < start or end < line[0][0]:
        return []
    ends = max(line[0][0], start), min(line[-1][0], end)
    return [(day, expected_at(day, line) or 0.0) for day in ends]


def _quantile_lines(begin: Point, columns: Sequence[tuple[float, list[float]]]) -> list[list[Point]]:
    """One line for each quantile, all from the same point."""
    number = len(columns[0][1]) if columns else 0
    return [[begin, *((x, heights[at]) for x, heights in columns)] for at in range(number)]


def bar_chart(rows: Sequence[tuple[str, float]]) -> BarChart:
    """Horizontal bars in the order given; `rows`: (label, value >= 0)."""
    longest = max((value for _, value in rows), default=0)
    scale = linear((0, longest), (0, WIDTH - BAR_LEFT - BAR_RIGHT))
    bars = [_bar(label, value, (row + 0.5) * BAR_ROW, scale(value)) for row, (label, value) in enumerate(rows)]
    return BarChart(bars=bars, height=len(rows) * BAR_ROW)


def _bar(label: str, value: float, middle: float, length: float) -> Bar:
    return Bar(
        label=label,
        value=value,
        top=coordinate(middle - 9),
        middle=coordinate(middle),
        length=coordinate(length),
        end=coordinate(BAR_LEFT + length + 10),
    )


def sparkline(points: Sequence[tuple[date, float | None]], domain: Point) -> Sparkline:
    """`points`: (day, value), oldest first; a day without a value breaks the line. `domain`: least and greatest value.

    Raises ValueError without a point.
    """
    if not points:
        raise ValueError("a sparkline needs at least one point")
    x = linear((points[0][0].toordinal(), points[-1][0].toordinal()), (SPARK_EDGE, SPARK_WIDTH - SPARK_EDGE))
    y = linear(domain, (SPARK_HEIGHT - SPARK_EDGE, SPARK_EDGE))
    runs: list[list[Point]] = [[]]
    for day, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x(day.toordinal()), y(value)))
    return Sparkline(
        lines=[points_text(run) for run in runs if len(run) > 1],
        dots=[(coordinate(at_x), coordinate(at_y)) for run in runs for at_x, at_y in run],
    )
