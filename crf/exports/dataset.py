"""The one query builder of every export: a form of a study as a table.

One row per saved form (a repeat is a row of its own). Each item is a column of canonical text; an item that may
be missing has a second column `<ITEM>_MISSING` with its code, so that an empty cell is never empty by chance.
"""

from dataclasses import dataclass

from psycopg2 import sql

from crf.selectors.secrets import betrays_arm, event_betrays_arm
from trials.definition import FormDef, ItemDef, StudyDef, definition_of
from trials.models import Study

NOT_ASKED = "not asked in version "  # and its number; beside the missing-data codes, and none of them
_UTC = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
KEYS = (
    ("SUBJECT", "s.number"),
    ("SITE", "si.code"),
    ("EVENT", "e.event_oid"),
    ("ORDINAL", "e.ordinal"),
    ("VISIT_DATE", "e.happened_on"),
    ("REPEAT", "f.repeat_key"),
    ("STATUS", "f.status"),
    ("DEFINITION", "v.number"),
    ("OBSERVED_AT", _UTC.format("f.observed_at")),
    ("ENTERED_AT", _UTC.format("entry.at")),  # when the form was first saved (DAT-17)
)


@dataclass(frozen=True)
class Scope:
    """What the asker may see: site codes, and whether what betrays the arm is in: items, whole forms and visits."""

    sites: tuple[str, ...]
    with_arm: bool


def items_in(form: FormDef, scope: Scope) -> list[ItemDef]:
    return [item for item in form.items if scope.with_arm or not item.reveals_arm]


def query(study: Study, definition: StudyDef, form: FormDef, scope: Scope) -> sql.Composed:
    """SELECT of one form: KEYS, then per item its value and its missing code; ordered by the keys."""
    hidden = [event.oid for event in definition.events if not scope.with_arm and event_betrays_arm(definition, event)]
    keys = [sql.SQL(f"{expression} AS {{}}").format(sql.Identifier(name)) for name, expression in KEYS]
    silent = _versions_without(study, form)
    items = [column for item in items_in(form, scope) for column in _columns(item, silent.get(item.oid, []))]
    return sql.SQL(
        "SELECT {columns} FROM crf_formdata f"
        " JOIN crf_studyevent e ON e.id = f.event_id"
        " JOIN sites_subject s ON s.id = f.subject_id"
        " JOIN sites_site si ON si.id = s.site_id"
        " JOIN trials_studyversion v ON v.id = f.definition_version_id"
        " JOIN audit.change_set entry ON entry.id = f.created_in"
        " WHERE f.study_id = {study} AND f.form_oid = {form} AND f.removed_in IS NULL AND si.code = ANY({sites})"
        " AND NOT e.event_oid = ANY({hidden}::text[])"
        ' ORDER BY s.number COLLATE "C", e.event_oid COLLATE "C", e.ordinal, f.repeat_key COLLATE "C"'
    ).format(
        columns=sql.SQL(", ").join(keys + items),
        study=sql.Literal(str(study.id)),
        form=sql.Literal(form.oid),
        sites=sql.Literal(list(scope.sites)),
        hidden=sql.Literal(hidden),
    )


def _columns(item: ItemDef, silent: list[str]) -> list[sql.Composed]:
    """`silent`: the ids of the versions that did not ask the item; an answer that stands there all the same counts."""
    value = sql.SQL("f.data->>{} AS {}").format(sql.Literal(item.oid), sql.Identifier(item.oid))
    if not (item.all_missing_codes or silent):
        return [value]
    missing = sql.SQL("f.marks->{}->>'missing'").format(sql.Literal(item.oid))
    if silent:
        missing = sql.SQL(
            "CASE WHEN f.definition_version_id = ANY({versions}::uuid[]) AND NOT f.data ? {item} AND {missing} IS NULL"
            " THEN {not_asked} || v.number ELSE {missing} END"
        ).format(
            versions=sql.Literal(silent),
            item=sql.Literal(item.oid),
            missing=missing,
            not_asked=sql.Literal(NOT_ASKED),
        )
    return [value, sql.SQL("{} AS {}").format(missing, sql.Identifier(f"{item.oid}_MISSING"))]


def _versions_without(study: Study, form: FormDef) -> dict[str, list[str]]:
    """{item OID: ids of the published versions in which the form did not ask it, or asked it no more}."""
    found: dict[str, list[str]] = {}
    for version in study.versions.defer("source_files"):
        known = definition_of(version)
        items = known.form(form.oid).items if known.has_form(form.oid) else ()
        asked = {item.oid for item in items if not item.retired}
        for item in form.items:
            if item.oid not in asked:
                found.setdefault(item.oid, []).append(str(version.pk))
    return found


def forms_of(definition: StudyDef, scope: Scope) -> list[FormDef]:
    forms = [form for form in definition.forms if scope.with_arm or not betrays_arm(definition, form)]
    return sorted(forms, key=lambda form: form.oid)
