"""What there is around the forms of a subject: little at first, and a page asks no further for what is not there."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from crf.queries import STANDING
from sites.models import Subject
from sites.participation import SOMEBODY_LEFT

AROUND = f"""SELECT
    EXISTS (SELECT FROM crf_query WHERE subject_id = %(subject)s AND status = ANY(%(standing)s)),
    EXISTS (SELECT FROM crf_verification WHERE subject_id = %(subject)s AND dropped_in IS NULL),
    EXISTS (SELECT FROM crf_signature WHERE subject_id = %(subject)s),
    EXISTS (SELECT FROM crf_draft WHERE subject_id = %(subject)s),
    {SOMEBODY_LEFT},
    ARRAY(SELECT day FROM sites_aliveinrecord
        WHERE subject_id = %(subject)s AND day IS NOT NULL AND ended_in IS NULL)"""


@dataclass(frozen=True)
class Around:
    """Is there one? `queries` and `verifications`: that stand; `signatures`: also void; `drafts`: of anybody.

    `left`: does the subject no longer take part in everything? `alive_on`: the days of signs of life in the record.
    """

    queries: bool
    verifications: bool
    signatures: bool
    drafts: bool
    left: bool
    alive_on: list[date]


def around(subject: Subject) -> Around:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"subject": subject.pk, "subjects": [subject.pk], "standing": list(STANDING)})
        return Around(*cursor.fetchone())
