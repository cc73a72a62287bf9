"""The rule language: exact, three-valued, typed, and closed to everything that is not in it."""

from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trials.expressions import DATE, DATETIME, NUMBER, TEXT, TIME, TRUTH, ExpressionError, Type, compile, score_in
from trials.values import UNKNOWN, PartialDate

COLOUR = Type("text", frozenset({"RED", "BLUE"}))
TYPES = {
    "X": NUMBER, "Y": NUMBER, "P": TRUTH, "Q": TRUTH, "D": DATE, "E": DATE, "AT": DATETIME, "TO": DATETIME,
    "CLOCK": TIME, "C": COLOUR, "NAME": TEXT, "RT.DOSE": NUMBER, "RT.DAY": DATE, "fact.arm": COLOUR,
}  # fmt: skip
ROWS = {"RED": Decimal("1.5")}


class Env:
    def type_of(self, ref, repeats):
        if ref not in TYPES:
            raise LookupError("is not an item")
        return TYPES[ref]

    def reasons_of(self, ref):
        return frozenset({"ND", "REF"})

    def table(self, oid):
        if oid != "FACTORS":
            raise LookupError("is not a table")
        return ROWS


class Known:
    def __init__(self, values, reasons=None):
        self.known, self.reasons = values, reasons or {}

    def value(self, ref):
        return self.known.get(ref, UNKNOWN)

    def reason(self, ref):
        return self.reasons.get(ref)

    def values(self, ref):
        return self.known.get(ref, ())


def result(source, reasons=None, **known):
    known = {
        name.replace("__", "."): Decimal(v) if isinstance(v, int | str) and name in "XY" else v
        for name, v in known.items()
    }
    return compile(source, Env()).evaluate(Known(known, reasons))


truths = st.sampled_from([True, False, UNKNOWN])


@pytest.mark.req("DAT-18")
@given(truths, truths)
def test_and_or_and_not_are_those_of_kleene(p, q):
    rank = {False: 0, UNKNOWN: 1, True: 2}
    assert result("P and Q", P=p, Q=q) is min(p, q, key=rank.__getitem__)
    assert result("P or Q", P=p, Q=q) is max(p, q, key=rank.__getitem__)
    assert rank[result("not P", P=p)] == 2 - rank[p]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0.1 + 0.2 == 0.3", True),
        ("1 / 3 * 3 == 1", False),
        ("10 - 4 / 8", Decimal("9.5")),
        ("-X + 2 * (X - 1)", Decimal("1")),
        ("round(2.5, 0)", Decimal("3")),
        ("round(-2.345, 2)", Decimal("-2.35")),
        ("abs(-X)", Decimal("3")),
        ("min(X, 2, 5)", Decimal("2")),
        ("max(X, 2, 5)", Decimal("5")),
        ("1 < X <= 3", True),
        ("1 < X < 3", False),
    ],
)  # fmt: skip
def test_numbers_are_exact(source, expected):
    assert result(source, X=3) == expected


@given(st.decimals(-1000, 1000, places=2), st.decimals(-1000, 1000, places=2))
def test_the_machine_s_own_decimal_context_changes_nothing(x, y):
    with localcontext() as narrow:
        narrow.prec = 2
        total, product = result("X + Y", X=x, Y=y), result("-X * Y", X=x, Y=y)
    assert total - y == x
    assert product == -x * y


@pytest.mark.parametrize(
    "source", ["X / Y", "X + Z1", "Z1 > 3", "1 < X < Z1", "round(Z1, 1)", "if_(P, 1, 2)", "min(X, Z1)"]
)
def test_what_is_computed_with_a_missing_value_is_unknown(source, monkeypatch):
    monkeypatch.setitem(TYPES, "Z1", NUMBER)
    assert result(source, X=3, Y=0) is UNKNOWN


def test_a_false_link_decides_a_chain_even_when_another_is_unknown():
    assert result("4 < X < Y", X=3) is False


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("missing(X)", True), ("missing(Y)", False), ("missing(X + Y)", True), ("reason(X) == 'REF'", True),
        ("reason(Y) == 'REF'", False), ("reason(Y) == ''", True), ("not missing(X) or reason(X) == 'ND'", False),
    ],
)  # fmt: skip
def test_absence_and_its_reason_are_always_known(source, expected):
    assert result(source, reasons={"X": "REF"}, Y=1) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("C == 'RED'", True), ("C != 'RED'", False), ("C in ('RED', 'BLUE')", True), ("C not in ('RED',)", False),
        ("one_of(C, 'BLUE')", False), ('C == "RED"', True), ("lookup(C, 'FACTORS') * 2", Decimal("3.0")),
        ("if_(C == 'RED', 'BLUE', 'RED') == 'BLUE'", True), ("if_(C == 'BLUE', X, 7)", Decimal(7)),
    ],
)  # fmt: skip
def test_codes_are_compared_and_looked_up(source, expected):
    assert result(source, C="RED") == expected


def test_a_code_that_the_table_does_not_have_is_unknown():
    assert result("lookup(C, 'FACTORS')", C="BLUE") is UNKNOWN


@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        (PartialDate(2026), "<", date(2027, 1, 1), True), (PartialDate(2026), "<", date(2026, 6, 1), UNKNOWN),
        (PartialDate(2026), "<", date(2026, 1, 1), False), (PartialDate(2026, 2), "<=", date(2026, 2, 28), True),
        (PartialDate(2026, 2), "<=", date(2026, 2, 27), UNKNOWN), (PartialDate(2026, 2), ">", date(2026, 1, 31), True),
        (PartialDate(2026), "==", PartialDate(2026), UNKNOWN), (PartialDate(2026), "==", date(2025, 1, 1), False),
        (date(2026, 1, 1), "==", date(2026, 1, 1), True), (PartialDate(2026), "!=", date(2025, 1, 1), True),
        (PartialDate(2026), "!=", date(2026, 1, 1), UNKNOWN), (date(2026, 1, 2), ">=", date(2026, 1, 2), True),
    ],
)  # fmt: skip
def test_partial_dates_decide_only_what_every_possible_day_agrees_on(left, sign, right, expected):
    assert result(f"D {sign} E", D=left, E=right) is expected


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_whole_dates_are_always_decided(d, e):
    assert result("D < E", D=d, E=e) is (d < e)
    assert result("D == E", D=d, E=e) is (d == e)
    assert result("days(D, E)", D=d, E=e) == (e - d).days


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 10, 5), date(2026, 10, 4), 17), (date(2008, 10, 5), date(2026, 10, 5), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17), (PartialDate(2008), date(2026, 10, 5), UNKNOWN),
        (PartialDate(2008, 10), date(2026, 10, 1), UNKNOWN), (PartialDate(2007), date(2026, 1, 1), UNKNOWN),
        (PartialDate(2007), date(2026, 12, 31), 19),
    ],
)  # fmt: skip
def test_pc005_age_is_one_function_of_two_calendar_dates(born, day, age):
    assert result("years(D, E)", D=born, E=day) == age


def test_hours_are_exact_and_cross_the_night_the_clocks_change():
    known = {"AT": datetime(2026, 3, 28, 12, tzinfo=UTC), "TO": datetime(2026, 3, 31, 12, 30, tzinfo=UTC)}
    assert result("hours(AT, TO)", **known) == Decimal("72.5")


def test_parts_of_dates_and_their_extremes():
    assert result("year(D)", D=PartialDate(2026)) == 2026
    assert result("max(D, E) == E", D=date(2026, 1, 1), E=date(2026, 1, 2)) is True
    assert result("max(D, E)", D=PartialDate(2026), E=date(2026, 1, 2)) is UNKNOWN
    assert result("days(D, E)", D=PartialDate(2026), E=date(2026, 1, 2)) is UNKNOWN
    assert result("CLOCK < CLOCK", CLOCK=time(9)) is False


@pytest.mark.parametrize(
    ("source", "doses", "expected"),
    [
        ("sum_of(RT.DOSE)", [Decimal(5), Decimal("5.5")], Decimal("10.5")), ("sum_of(RT.DOSE)", [], Decimal(0)),
        ("sum_of(RT.DOSE)", [Decimal(5), UNKNOWN], UNKNOWN), ("count_of(RT.DOSE)", [Decimal(5), UNKNOWN], Decimal(1)),
        ("max_of(RT.DOSE)", [Decimal(5), Decimal(8)], Decimal(8)), ("min_of(RT.DOSE)", [], UNKNOWN),
        ("min_of(RT.DOSE)", [Decimal(5), UNKNOWN], UNKNOWN),
    ],
)  # fmt: skip
def test_repeats_are_counted_and_summed(source, doses, expected):
    assert result(source, RT__DOSE=doses) == expected


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (date(2026, 3, 8), UNKNOWN),
        (date(2026, 3, 9), date(2026, 3, 9)),
        (date(2026, 3, 11), date(2026, 3, 9)),
        (date(2026, 3, 12), date(2026, 3, 12)),
        (PartialDate(2027), UNKNOWN),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_the_latest_of_repeats_is_not_after_the_day_and_passes_over_those_without_one(until, expected):
    days = [date(2026, 3, 12), UNKNOWN, date(2026, 3, 9), PartialDate(2026, 1)]
    assert result("latest_of(RT.DAY, D)", D=until, RT__DAY=days) == expected


def test_an_expression_lists_what_it_asks_for_in_order():
    expr = compile("Y > 1 and X > Y and fact.arm == 'RED' and sum_of(RT.DOSE) > 1 and reason(C) == 'ND'", Env())
    assert expr.names == ("Y", "X", "fact.arm", "RT.DOSE", "C")
    assert expr.repeats == {"RT.DOSE"}


@pytest.mark.req("DAT-18")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("X + 'a'", "column 5: 'a' is text, needs to be number"),
        ("X > 'a'", "compares number with text"),
        ("D > X", "compares date with number"),
        ("C == 'GREEN'", "GREEN is not among BLUE, RED"),
        ("C in ('RED', 'GREEN')", "column 14: 'GREEN' can never be equal"),
        ("reason(X) == 'WHY'", "WHY is not among"),
        ("C < 'RED'", "only == and != compare texts"),
        ("X and P", "column 1: X is number, needs to be true/false"),
        ("P == Q", "join them with and, or, not"),
        ("not X", "needs to be true/false"),
        ("WRONG > 3", "column 1: WRONG is not an item"),
        ("X > 3 and RT.NOPE > 1", "column 11: RT.NOPE is not an item"),
        ("days(X, D)", "column 6: X is number, needs to be date"),
        ("days(D)", "takes 2 value(s), not 1"),
        ("min(X)", "takes 2 or more value(s), not 1"),
        ("min(C, C)", "needs to be number or date"),
        ("sum_of(RT.DAY)", "is date, needs to be number"),
        ("latest_of(RT.DOSE, D)", "is number, needs to be date"),
        ("latest_of(RT.DAY, X)", "is number, needs to be date"),
        ("round(X, Y)", "not a number of decimals from 0 to 6"),
        ("lookup(C, 'NOPE')", "'NOPE' is not a table"),
        ("lookup(C, C)", "is not a text in quotes"),
        ("if_(P, 1, 'a')", "both must be alike"),
        ("X in ('RED',)", "is number, needs to be text"),
        ("C in 'RED'", "is not a list such as"),
        ("C in ()", "is not a list such as"),
        ("reason(X + 1)", "is not a reference"),
        ("", "cannot be read"),
        ("X >", "cannot be read"),
        ("X = 3", "cannot be read"),
        ("NAME == 'æ'", "column 10"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(source, message):
    with pytest.raises(ExpressionError) as refused:
        compile(source, Env())
    assert message in str(refused.value)


@pytest.mark.req("DAT-18")
@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('id')", "X.__class__.__mro__", "RT.DOSE.real", "().__class__", "C.upper()",
        "X ** 9", "9**9**9", "X // 2", "X % 2", "X @ Y", "X << 2", "X & Y", "~X", "+X",
        "lambda: 1", "[X]", "{X}", "{'a': X}", "[x for x in (1, 2)]", "(x for x in C)", "X[0]", "X if P else Y",
        "(X := 3)", "await X", "yield X", "f'{X}'", "b'a'", "r'a'", "u'a'", "'''a'''", "'a' 'b'", "None", "True", "...",
        "1e5", "1_000", "0x10", "0b1", "1j", "1or X", "٣", "X > １", "Ｘ > 1", "*C", "min(*C, X)", "round(X, n=2)",
        "eval('1')", "open('x')", "abs", "X is Y", "X > 3 # or Y", "X > 3; Y", "X > 3\\\nand P", "X\0", "'\u202e'",
        "`X`", "$x", "${x}", "{{7*7}}", "%n", "X, Y", "NAME == 'a\\x41'", "X == 1 == P", "print(X)",
        "getattr(X, 'real')", "(" * 240 + "X" + ")" * 240, "not " * 120 + "P", "-" * 480 + "X", "X + " * 124 + "X",
        "(((((((((((X" * 40, "X" * 501, " and ".join(["P"] * 100), "'a" + "a" * 500,
    ],
    ids=lambda source: ascii(source[:24]),
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused(source):
    with pytest.raises(ExpressionError, match=r"column \d+: "):
        compile(source, Env())


@given(st.text(max_size=60) | st.text("XYPQDC.()+-*/<>=!'\", andortif_0123", max_size=60))
def test_any_text_compiles_or_is_refused_and_never_does_anything_else(source):
    try:
        compile(source, Env())
    except ExpressionError as refused:
        assert refused.column >= 1


def test_a_rule_may_run_over_several_lines_and_starts_anywhere():
    assert result("  X > 1\n  and P\n", X=3, P=True) is True
    with pytest.raises(ExpressionError, match="column 3: WRONG"):
        compile("  WRONG", Env())


def test_an_enormous_result_is_unknown_where_it_cannot_be_rounded():
    assert result("round(" + "*".join(["X"] * 20) + ", 2)", X=10**17) is UNKNOWN


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("scale('QLQ-C30 3.0', 'PF', Q1, Q2)", ("QLQ-C30 3.0", "PF")),
        ('scale("QLQ-C30 3.0",\n "PF", Q1)', ("QLQ-C30 3.0", "PF")),
        ("scale('QLQ-C30 3.0', 'PF', Q1) + 1", None),
        ("NRS_PAIN", None),
    ],
)
def test_a_rule_that_is_a_score_names_its_instrument_and_scale(rule, found):
    assert score_in(rule) == found
