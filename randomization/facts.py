"""What is known of an allocation: the facts that rules may use, and the arm for those who may see it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from sites.models import Subject
from sites.permissions import AnyUser, Permission, has_permission
from sites.selectors import definition_at
from trials.definition import Arm


def arm_for(user: AnyUser, subject: Subject) -> Arm | None:
    """The arm of a randomised subject, after the commit; None before, and for who may not see it at the site."""
    if not has_permission(user, Permission.VIEW_ARM, subject.study, subject.site):
        return None
    code = arm_code(subject)
    return definition_at(subject.site).arm(code) if code else None


def arm_code(subject: Subject) -> str | None:
    """The code of the arm, for rules (crf.facts). Pages ask `arm_for`."""
    return arm_codes([subject.pk]).get(subject.pk)


def arm_codes(subject_ids: Iterable[UUID]) -> dict[UUID, str]:
    """{subject id: arm code} of those whose allocation is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject_id, arm FROM randomization_arms(%s::uuid[])", [list(map(str, subject_ids))])
        return {UUID(str(subject)): arm for subject, arm in cursor.fetchall()}


def known_facts(subject: Subject) -> dict[str, Any]:
    """The facts for rules (crf.facts), in one query since nearly every page asks: "arm", the code, and "randomized_at",
    the true time, also of an allocation by telephone. Empty before randomisation."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.arm, coalesce(a.happened_at, a.at) FROM randomization_allocation a
            LEFT JOIN randomization_arms(ARRAY[%(subject)s]::uuid[]) r USING (subject_id)
            WHERE a.subject_id = %(subject)s""",
            {"subject": str(subject.pk)},
        )
        found = cursor.fetchone()
    return dict(zip(("arm", "randomized_at"), found, strict=True)) if found else {}
