"""One zip: a CSV per form, other tables, a code book, and a manifest with counts and SHA-256.

CSV as RFC 4180: UTF-8, comma, decimal point, ISO dates, quoted where needed, never altered. The archive holds
nothing of the asking (no clock, no name), so that the same question gives the same bytes (EXP-01).
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection
from psycopg2 import sql

from crf.exports import dataset, extra
from crf.exports.files import sha256_of, whole
from trials.definition import ItemDef, StudyDef
from trials.models import Study, StudyVersion

CODE_BOOK = ["FILE", "COLUMN", "LABEL_NB", "LABEL_EN", "KIND", "UNIT", "MIN", "MAX", "CODES", "MISSING_CODES", "SOURCE"]
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's own zero: member times must not differ between two runs


@dataclass(frozen=True)
class Table:
    """A file of the archive: `rows` without the header."""

    name: str
    content: bytes
    rows: int

    def entry(self) -> dict[str, Any]:
        return {"file": self.name, "rows": self.rows, "sha256": hashlib.sha256(self.content).hexdigest()}


def copy_csv(name: str, query: sql.Composable) -> Table:
    """Let PostgreSQL write the CSV of a query."""
    target = io.BytesIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT csv, HEADER)").format(query), target)
        return Table(name, target.getvalue(), cursor.rowcount)


def rows_csv(name: str, header: list[str], rows: Iterable[Iterable[Any]]) -> Table:
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    return Table(name, target.getvalue().encode(), count)


def code_book(definition: StudyDef, scope: dataset.Scope) -> Table:
    """One row per column of the form files: label in both languages, kind, unit, limits and codes."""
    rows = (
        [f"{form.oid}.csv", *_described(definition, item)]
        for form in dataset.forms_of(definition, scope)
        for item in dataset.items_in(form, scope)
    )
    return rows_csv("code_book.csv", CODE_BOOK, rows)


def _described(definition: StudyDef, item: ItemDef) -> list[Any]:
    listed = definition.codes_of(item)
    codes = "; ".join(f"{code.code}={code.label.en}" for code in listed.items) if listed else ""
    unit = item.unit.en if item.unit else ""
    limits = ["" if limit is None else limit for limit in (item.min, item.max)]
    missing = " ".join(item.all_missing_codes)
    return [item.oid, item.label.nb, item.label.en, item.kind, unit, *limits, codes, missing, item.source]


def tables(study: Study, definition: StudyDef, scope: dataset.Scope) -> list[Table]:
    """Every file but the manifest, by name."""
    forms = [
        copy_csv(f"{form.oid}.csv", dataset.query(study, definition, form, scope))
        for form in dataset.forms_of(definition, scope)
    ]
    others = [rows_csv(name, header, rows) for name, header, rows in extra.tables(study, scope)]
    return sorted([*forms, *others, code_book(definition, scope)], key=lambda table: table.name)


def manifest(version: StudyVersion, scope: dataset.Scope, seal_n: int, files: list[Table]) -> dict[str, Any]:
    return {
        "study": version.study.oid,
        "mode": version.study.mode,
        "definition": {"number": version.number, "sha256": version.sha256},
        "cut": {"seal": seal_n},
        "sites": list(scope.sites),
        "items_that_betray_the_arm": "included" if scope.with_arm else "left out",
        "format": "CSV, RFC 4180, UTF-8, comma, decimal point, ISO dates; nothing is altered or neutralised",
        "files": [table.entry() for table in files],
    }


def write(path: Path, files: list[Table], manifest_: dict[str, Any]) -> str:
    """Write the zip so that a half-written one is never seen under its name; returns its SHA-256 (EXP-03)."""
    with whole(path) as file:
        _fill(file, files, manifest_)
    return sha256_of(path)


def _fill(file: BinaryIO, files: list[Table], manifest_: dict[str, Any]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in files:
            _add(archive, table.name, table.content)
        _add(archive, "manifest.json", json.dumps(manifest_, indent=2, ensure_ascii=False).encode())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
