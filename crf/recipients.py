"""Who gets a mail about a subject because of a role."""

from collections.abc import Collection

from django.db.models import Q

from crf.models import FormData
from pallsoft.accounts.models import User
from sites.permissions import roles_held


def holders(roles: Collection[str], row: FormData) -> list[User]:
    """Who holds one of the roles today, at the site of the form's subject or for all sites."""
    site = row.subject.site_id
    here = Q(assignments__site=site) | Q(assignments__site=None)
    found = User.objects.filter(here, assignments__study=row.study_id, assignments__role__in=roles).distinct()
    return [person for person in found if _holds(person, roles, row)]


def _holds(person: User, roles: Collection[str], row: FormData) -> bool:
    return any(
        held.study.pk == row.study_id and held.site in (None, row.subject.site_id) and held.role in roles
        for held in roles_held(person)
    )
