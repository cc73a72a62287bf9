"""NCI's table as a CSV file: UTF-8, comma, one line of column names.

Source: Common Terminology Criteria for Adverse Events, v5.0 (MedDRA 20.1) and v6.0 (MedDRA 28.0), National Cancer
Institute.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

VERSIONS = {"meddra20_1_llt_code": "5.0", "meddra28_llt_code": "6.0"}  # by the name of the first column
GRADES = ("grade1", "grade2", "grade3", "grade4", "grade5")
COLUMNS = ("soc", "term", *GRADES, "definition", "navigational_note")
NONE = "-"  # what 6.0 writes where 5.0 leaves a cell empty


class Refused(Exception):
    """The file is not the table; `str()`: what is wrong, with the line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"Line {line}: {message}")


@dataclass(frozen=True)
class Term:
    """One adverse event. `grades`: the sentences of grades 1 to 5, "" where the term has no such grade."""

    code: str
    soc: str
    term: str
    grades: tuple[str, ...]
    definition: str
    note: str


@dataclass(frozen=True)
class CtcaeFile:
    version: str
    sha256: str
    terms: tuple[Term, ...]


def read_file(content: bytes) -> CtcaeFile:
    """Raises Refused at the first thing that is wrong."""
    rows = _rows(_text(content))
    line, names = next(rows, (1, []))
    version = _version(names, line)
    terms = tuple(_terms(rows, names))
    if not terms:
        raise Refused(line, "the file holds no terms.")
    return CtcaeFile(version, hashlib.sha256(content).hexdigest(), terms)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(line, "the file is not UTF-8. Save the table as CSV in UTF-8.") from None
    if not text.strip():
        raise Refused(1, "the file is empty.")
    if "\0" in text:
        raise Refused(text.count("\n", 0, text.index("\0")) + 1, "the file is not text. Save the table as CSV.")
    if not text.endswith("\n"):
        raise Refused(text.count("\n") + 1, "the line does not end, so the file is cut. Fetch it again.")
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins on; texts in quotes may go over several."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            yield line, [cell.strip() for cell in row]
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refused(line, f"the row cannot be read as CSV ({error}).") from None


def _version(names: list[str], line: int) -> str:
    if names[:1] == [] or names[0] not in VERSIONS:
        known = " or ".join(f"{name} (CTCAE {version})" for name, version in VERSIONS.items())
        raise Refused(line, f"the first column has to be {known}, with commas between the columns.")
    if missing := [name for name in COLUMNS if name not in names]:
        raise Refused(line, f"the column {missing[0]} is missing.")
    return VERSIONS[names[0]]


def _terms(rows: Iterator[tuple[int, list[str]]], names: list[str]) -> Iterator[Term]:
    first: dict[str, int] = {}
    for line, row in rows:
        if len(row) != len(names):
            raise Refused(line, f"the row has {len(row)} columns and not {len(names)}.")
        term = _term(row[0], dict(zip(names, row, strict=True)))
        if not (term.code.isdecimal() and term.soc and term.term and any(term.grades)):
            raise Refused(line, "a term needs its code in digits, its class, its name and one grade at least.")
        for key in (term.code, term.term.casefold()):
            if first.setdefault(key, line) != line:
                raise Refused(line, f"{term.term} stands in line {first[key]} already.")
        yield term


def _term(code: str, cells: dict[str, str]) -> Term:
    told = {name: "" if cells[name] == NONE else cells[name] for name in COLUMNS}
    grades = tuple(told[name] for name in GRADES)
    return Term(code, told["soc"], told["term"], grades, told["definition"], told["navigational_note"])
