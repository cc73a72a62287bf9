"""What hostile, hurried or foreign hands type. Fed to every kind of field (numbers, dates, text, markup).

`Typed.stored`: the canonical text it must become, or None when it must be refused with a sentence.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    text: str
    stored: str | None


def refused(*texts: str) -> list[Typed]:
    return [Typed(text, None) for text in texts]


# For a decimal item with two decimals and no limits.
NUMBERS = [
    Typed("3,5", "3.5"),
    Typed("3.5", "3.5"),
    Typed("-3,50", "-3.5"),
    Typed("007", "7"),
    Typed("0", "0"),
    Typed("0,125000", None),
    Typed(" 12 ", "12"),
    Typed("36,60", "36.6"),
    *refused(
        "1.234,5",
        "1.234",
        "1,234",
        "12.212,12",
        "1 234",
        "1\u00a0234",
        "1e2",
        "1E2",
        "1e400",
        "-0",
        "-0,0",
        "NaN",
        "nan",
        "Inf",
        "-inf",
        "Infinity",
        "1_000",
        "٣",
        "９",
        "½",
        "Ⅷ",
        "²",
        "0x10",
        "0b1",
        "+5",
        "−5",
        "1..2",
        "1,,2",
        ",5",
        "5,",
        ".",
        "-",
        "--1",
        "1-",
        "5%",
        "12 mg",
        "<5",
        "1/2",
        "9" * 5000,
        "1" * 15,
        "0,12345678901",
        "1.2.3",
        "１２",
        "1\u200b2",
        "1\u202e2",
        "1\x002",
        "\ud800",
        "'1'",
        "=1+1",
        "1;2",
        "ett",
        "null",
        "None",
        "true",
        "{{7*7}}",
        "1\n2",
    ),
]

# For a whole date. "Today" does not matter here.
DATES = [
    Typed("1.9.26", "2026-09-01"),
    Typed("1.9.27", "2027-09-01"),
    Typed("01.09.2026", "2026-09-01"),
    Typed("2026-09-01", "2026-09-01"),
    Typed("29.02.2024", "2024-02-29"),
    Typed("31.12.2026", "2026-12-31"),
    Typed("1.5.98", "1998-05-01"),
    *refused(
        "29.02.2025",
        "31.04.2026",
        "00.00.2026",
        "0.0.0",
        "32.1.2026",
        "1.13.2026",
        "0001-01-01",
        "1.1.0001",
        "9999-12-31",
        "01.01.9999",
        "1/9/2026",
        "09/01/2026",
        "1-9-2026",
        "20260901",
        "010926",
        "2026-9-1",
        "2026-W36",
        "2026-245",
        "1. sept 2026",
        "i dag",
        "today",
        "tomorrow",
        "UN.09.2026",
        "2026",
        "09.2026",
        "2026-09",
        "٠١.٠٩.٢٠٢٦",
        "1.9.2026 12:00",
        "1.9.026",
        "2026-09-01T00:00:00Z",
        "1.9.-26",
        "1.9.26\x00",
        "1 .9. 26",
        "-1.9.26",
        "1..26",
        "...",
        "NaN",
        "1.9.20266",
    ),
]

PARTIAL_DATES = [
    Typed("2026", "2026"),
    Typed("09.2026", "2026-09"),
    Typed("9.2026", "2026-09"),
    Typed("2026-09", "2026-09"),
    Typed("UN.09.2026", "2026-09"),
    Typed("un.un.2026", "2026"),
    Typed("UNK.UNK.2026", "2026"),
    Typed("UN.2026", "2026"),
    Typed("1.9.26", "2026-09-01"),
    *refused(
        "UN",
        "UN.UN.UN",
        "UNK",
        "13.2026",
        "00.2026",
        "26",
        "9.26",
        "0026",
        "9999",
        "1.UN.2026",
        "2026-13",
        "2026-",
        "UN.31.2026",
    ),
]

TIMES = [
    Typed("14:32", "14:32"),
    Typed("14.32", "14:32"),
    Typed("1432", "14:32"),
    Typed("9.05", "09:05"),
    Typed("0:00", "00:00"),
    Typed("23:59", "23:59"),
    *refused(
        "24:00",
        "23:59:60",
        "12:60",
        "12:5",
        "5",
        "2 pm",
        "12:30:15",
        "-1:00",
        "١٢:٣٠",
        "12:30Z",
        "99:99",
        "12,30",
        "1e1:00",
    ),
]

# On the clock of Europe/Oslo.
INSTANTS = [
    Typed("01.09.2026 14:32", "2026-09-01T12:32:00Z"),
    Typed("1.9.26 14.32", "2026-09-01T12:32:00Z"),
    Typed("2026-09-01T14:32", "2026-09-01T12:32:00Z"),
    Typed("1.12.2026 0:30", "2026-11-30T23:30:00Z"),
    Typed("29.03.2026 01:59", "2026-03-29T00:59:00Z"),
    Typed("29.03.2026 03:00", "2026-03-29T01:00:00Z"),
    Typed("25.10.2026 01:59", "2026-10-24T23:59:00Z"),
    Typed("25.10.2026 02:30 +02:00", "2026-10-25T00:30:00Z"),
    Typed("25.10.2026 02:30 +01:00", "2026-10-25T01:30:00Z"),
    Typed("25.10.2026 03:00", "2026-10-25T02:00:00Z"),
    Typed("30.03.2025 03:30", "2025-03-30T01:30:00Z"),
    *refused(
        "29.03.2026 02:30",
        "29.03.2026 02:00",
        "25.10.2026 02:30",
        "25.10.2026 02:30 +05:00",
        "30.03.2025 02:30",
        "26.10.2025 02:30",
        "31.04.2026 12:00",
        "01.09.2026",
        "14:32",
        "01.09.2026 24:00",
        "01.09.2026 23:59:60",
        "01.09.2026 14:32 +01:00",
        "T",
        " T ",
        "01.09.2026T",
        "now",
        "1788264720",
    ),
]

MARKUP = [
    "<script>window.__xss=1</script>",
    '"><svg onload=window.__xss=1>',
    "'-alert(1)-'",
    "javascript:window.__xss=1",
    "</textarea><img src=x onerror=window.__xss=1>",
    "{{7*7}}",
    "{% load x %}",
    "${x}",
    "%n%s%p",
    "=HYPERLINK(1)",
    "' OR 1=1 --",
    "\\u0000",
]

# For a text item of 200 characters on one line: stored character by character, or refused.
TEXTS = [
    *(Typed(text, text) for text in MARKUP),
    *(
        Typed(text, text)
        for text in (
            "æøå ÆØÅ",
            "bla\u030aba\u0308r",
            "blåbär",
            "Sámi č đ ŋ š ŧ ž",
            "😀👩‍⚕️",
            "zero\u200bwidth",
            "mark\u200fed",
            "a" * 200,
            "e" + "\u0301" * 150,
            " edges kept ",
            "tab\there",
            "null",
            "0",
            "-",
            "𠜎" * 200,
            "\ufeffbom",
        )
    ),
    *refused(
        "NUL \x00 inside",
        "bell \x07",
        "escape \x1b[31m",
        "delete \x7f",
        "next line \x85",
        "lone \ud800 surrogate",
        "\udc00",
        "pdf\u202egpj.exe",
        "iso\u2067late",
        "noncharacter \uffff",
        "unreadable \ufffd bytes",
        "noncharacter \ufdd0",
        "\U0001fffe",
        "two\nlines",
        "cr\rhere",
        "a" * 201,
        "e" + "\u0301" * 1000,
        "a" * 10_000_000,
    ),
]

CODES = refused("c", "C ", "Ｃ", "CC", "0", "missing:XX", "C\x00", "null", "*", "C,D", "\ud800", "C\u200b", *MARKUP)
SCORES = [
    Typed("0", "0"),
    Typed("10", "10"),
    *refused("11", "-1", "00", "5,0", "5.5", "1e1", "٣", "½", "07", "+7", "NaN", "7\x00", "seven", "10.0", *MARKUP),
]

EVERYTHING = sorted(
    {typed.text for group in (NUMBERS, DATES, PARTIAL_DATES, TIMES, INSTANTS, TEXTS, CODES, SCORES) for typed in group},
    key=lambda text: (len(text), text),
)
