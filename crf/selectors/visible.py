"""Which queries a person sees. Those that tell the arm, by item, form, visit or check, only who may see it (D8)."""

from functools import cached_property

from django.db.models import Q, QuerySet

from crf.models import Query
from crf.selectors.secrets import secrets_of
from sites.permissions import AnyUser, Permission, at_sites
from trials.definition import StudyDef, definition_of
from trials.models import Study
from trials.selectors import published_versions


class Definitions:
    """The words of a study: those of its newest version that has the part, for a retired one those of an older."""

    def __init__(self, study: Study) -> None:
        self._study = study

    @cached_property
    def all(self) -> list[StudyDef]:
        return [definition_of(version) for version in published_versions(self._study)]

    def with_item(self, oid: str) -> StudyDef:
        return next((study for study in self.all if study.has_item(oid)), self.all[0])


def visible_queries(user: AnyUser, study: Study) -> QuerySet[Query]:
    """The queries of the person's sites, without those that would tell the arm to who may not see it."""
    found = Query.objects.filter(study=study, **at_sites(user, study, Permission.VIEW_SUBJECT, "subject__site"))
    sees_arm = at_sites(user, study, Permission.VIEW_ARM, "subject__site")
    if not sees_arm:
        return found
    return found.filter(Q(**sees_arm) | ~secrets_of(study).queries)
