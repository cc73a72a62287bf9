"""The whole trail of a study as CSV and JSON Lines, with totals that equal the database's (AUD-10).

One line for each item of each change, first values included. Values are JSON as they are stored, so that nothing about
them has to be guessed. Streamed: a trail may be larger than the memory.
"""

import hashlib
import json
import zipfile
from typing import Any, BinaryIO

from django.db import connection

from crf.exports.archive import EPOCH
from crf.models import ExportJob, Query
from crf.selectors.secrets import NO_SECRET, secrets_of

# Rows that would tell the arm, as the trail names them: forms, visits, what points at them, what their checks found.
HIDDEN = """
    hidden AS MATERIALIZED (
        SELECT b.tbl, b.row_id FROM audit.baseline b
        LEFT JOIN audit.baseline f ON f.tbl = 'crf_formdata' AND f.row_id = (b.doc ->> 'form_data_id')::uuid
        LEFT JOIN audit.baseline e ON e.tbl = 'crf_studyevent'
            AND e.row_id = coalesce(b.doc ->> 'event_id', f.doc ->> 'event_id')::uuid
        WHERE NOT %(with_arm)s AND b.doc ->> 'study_id' = %(study)s AND (
            coalesce(b.doc ->> 'form_oid', f.doc ->> 'form_oid') = ANY (%(forms)s::text[])
            OR coalesce(b.doc ->> 'event_oid', e.doc ->> 'event_oid') = ANY (%(events)s::text[])
            OR b.doc ->> 'item_oid' = ANY (%(items)s::text[])
            OR b.doc ->> 'check_oid' = ANY (%(checks)s::text[])
            OR (b.doc ->> 'found_by' = 'person' AND b.doc ->> 'rule_oid' = ANY (%(rules)s::text[]))
            OR coalesce(b.doc ->> 'query_id', b.row_id::text) = ANY (%(queries)s::text[]))
    )
"""
LINES = f"""
    WITH {HIDDEN}
    SELECT t.seal_n AS "SEAL", to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "AT",
        t.actor_name AS "ACTOR", t.actor_id AS "ACTOR_ID", t.role AS "ROLE", si.code AS "SITE", t.action AS "ACTION",
        t.reason AS "REASON", t.tbl AS "TABLE", t.row_id AS "ROW", su.number AS "SUBJECT", f.event_oid AS "EVENT",
        f.ordinal AS "ORDINAL", f.form_oid AS "FORM", f.repeat_key AS "REPEAT", t.part AS "PART", t.item AS "ITEM",
        t.old AS "OLD", t.new AS "NEW", (t.masked_in IS NOT NULL) AS "MASKED", t.change AS "CHANGE",
        t.change_set AS "CHANGE_SET", t.request_id AS "REQUEST", t.software_version AS "SOFTWARE"
    FROM audit.trail t
    LEFT JOIN audit.baseline b ON b.tbl = t.tbl AND b.row_id = t.row_id
    LEFT JOIN public.sites_site si ON si.id = t.site_id
    LEFT JOIN public.sites_subject su
        ON su.id = CASE t.tbl WHEN 'sites_subject' THEN t.row_id ELSE (b.doc ->> 'subject_id')::uuid END
    LEFT JOIN LATERAL (
        SELECT e.event_oid, e.ordinal, fd.form_oid, fd.repeat_key FROM public.crf_formdata fd
        JOIN public.crf_studyevent e ON e.id = fd.event_id WHERE t.tbl = 'crf_formdata' AND fd.id = t.row_id
    ) f ON true
    WHERE t.study_id = %(study)s::uuid AND NOT EXISTS (
            SELECT FROM hidden h WHERE h.row_id = t.row_id)  -- and what an act of masking noted of them
        AND (%(with_arm)s OR t.tbl <> 'crf_signature' OR t.item <> 'manifest')  -- names all forms of a visit
        AND (%(with_arm)s OR t.tbl <> 'crf_formdata' OR t.part = '' OR NOT t.item = ANY (%(items)s::text[]))
        AND (%(with_arm)s OR t.part <> 'marks' OR NOT EXISTS (  -- the answer to a check stands beside an open item
            SELECT FROM (VALUES (t.old), (t.new)) AS v (mark)
            CROSS JOIN jsonb_object_keys(v.mark -> 'checks') AS found (key)
            WHERE split_part(found.key, '@', 1) = ANY (%(checks)s::text[])))
    ORDER BY t.seal_n, t.tbl, t.row_id, t.change, t.part, t.item
"""
# Of an act on such a row stands that there was one, and no more: who it was and what for would let it be counted.
CHAIN = f"""
    WITH {HIDDEN}, untold AS MATERIALIZED (
        SELECT b.change_set FROM audit.baseline b JOIN hidden h ON h.tbl = b.tbl AND h.row_id = b.row_id
        UNION
        SELECT i.change_set FROM audit.item_change i JOIN hidden h ON h.tbl = i.tbl AND h.row_id = i.row_id
    )
    SELECT s.n AS "SEAL", to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "AT",
        encode(s.prev, 'hex') AS "PREV", encode(s.hash, 'hex') AS "HASH", c.id AS "CHANGE_SET",
        CASE WHEN u.change_set IS NULL THEN c.action END AS "ACTION",
        CASE WHEN u.change_set IS NULL THEN c.actor_name END AS "ACTOR",
        CASE WHEN u.change_set IS NULL THEN c.role END AS "ROLE",
        CASE WHEN u.change_set IS NULL THEN c.reason END AS "REASON",
        (SELECT count(*) FROM audit.baseline b WHERE b.change_set = c.id) AS "FIRST_VALUES",
        (SELECT count(*) FROM audit.item_change i WHERE i.change_set = c.id) AS "CHANGES"
    FROM audit.seal s JOIN audit.change_set c ON c.id = s.change_set
    LEFT JOIN untold u ON u.change_set = s.change_set
    WHERE s.study_id = %(study)s::uuid ORDER BY s.n
"""
TOTALS = """
    SELECT (SELECT count(*) FROM audit.trail WHERE study_id = %(study)s::uuid),
        (SELECT count(*) FROM audit.seal WHERE study_id = %(study)s::uuid),
        (SELECT count(*) FROM audit.baseline b JOIN audit.change_set c ON c.id = b.change_set
            WHERE c.study_id = %(study)s::uuid),
        (SELECT count(*) FROM audit.item_change i JOIN audit.change_set c ON c.id = i.change_set
            WHERE c.study_id = %(study)s::uuid)
"""
AS_CSV = "COPY ({}) TO STDOUT WITH (FORMAT csv, HEADER true)"
# jsonb as text holds no control character, so with such a quote and delimiter COPY changes nothing of a line.
AS_LINES = "COPY (SELECT to_jsonb(r)::text FROM ({}) r) TO STDOUT WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"


class _Hashing:
    """Writes on, and knows the hash of what went by."""

    def __init__(self, file: Any) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return int(self.file.write(data))


def write(file: BinaryIO, job: ExportJob) -> dict[str, Any]:
    """The archive into `file`, in the snapshot of the running transaction; returns its manifest."""
    given = _given(job)
    with connection.cursor() as cursor, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        cursor.execute(TOTALS, given)
        lines, links, first_values, changes = cursor.fetchone()
        files = [
            _member(cursor, archive, "trail.csv", AS_CSV.format(LINES), given),
            _member(cursor, archive, "trail.jsonl", AS_LINES.format(LINES), given),
            _member(cursor, archive, "chain.csv", AS_CSV.format(CHAIN), given),
        ]
        manifest = {
            "study": job.study.oid,
            "mode": job.study.mode,
            "cut": {"seal": job.seal_n},
            "database": {"lines": lines, "links": links, "first_values": first_values, "changes": changes},
            "lines_that_betray_the_arm": "included" if job.with_arm else f"left out: {lines - files[0]['rows']}",
            "format": "CSV, RFC 4180, and JSON Lines; UTF-8; OLD and NEW are JSON; nothing is altered or neutralised",
            "files": files,
        }
        archive.writestr(_info("manifest.json"), json.dumps(manifest, indent=2, ensure_ascii=False))
    return manifest


def _member(cursor: Any, archive: zipfile.ZipFile, name: str, query: str, given: dict[str, Any]) -> dict[str, Any]:
    with archive.open(_info(name), "w", force_zip64=True) as member:
        hashing = _Hashing(member)
        cursor.copy_expert(cursor.mogrify(query, given).decode(), hashing)
    return {"file": name, "rows": cursor.rowcount, "sha256": hashing.digest.hexdigest()}


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _given(job: ExportJob) -> dict[str, Any]:
    secret = NO_SECRET if job.with_arm else secrets_of(job.study)
    queries = Query.objects.filter(secret.queries, study=job.study)
    return {
        "study": str(job.study_id),
        "with_arm": job.with_arm,
        "queries": [str(query.pk) for query in queries],
        "forms": sorted(secret.forms),
        "events": sorted(secret.events),
        "items": sorted(secret.items),
        "checks": sorted(secret.checks),
        "rules": sorted(secret.rules),
    }
