"""Which queries and deviations a person sees. Those that tell the arm, by item, form, visit or check, only who may see
it (D8)."""

from functools import cached_property

from django.db.models import Q, QuerySet

from crf.models import Deviation, Query
from crf.selectors.secrets import secrets_of
from sites.permissions import AnyUser, Permission, at_sites
from trials.definition import DeviationRule, StudyDef, definition_of
from trials.models import Study
from trials.selectors import published_versions


class Definitions:
    """The words of a study: those of its newest version that has the part, for a retired one those of an older."""

    def __init__(self, study: Study) -> None:
        self._study = study

    @cached_property
    def all(self) -> list[StudyDef]:
        return [definition_of(version) for version in published_versions(self._study)]

    @cached_property
    def deviation_rules(self) -> dict[str, DeviationRule]:
        """{OID: the kind of deviation as its newest version has it}, in the order of the table."""
        return {rule.oid: rule for study in reversed(self.all) for rule in study.deviations}

    def with_item(self, oid: str) -> StudyDef:
        return next((study for study in self.all if study.has_item(oid)), self.all[0])


def visible_queries(user: AnyUser, study: Study) -> QuerySet[Query]:
    """The queries of the person's sites, without those that would tell the arm to who may not see it."""
    return Query.objects.filter(_is_visible(user, study, secrets_of(study).queries), study=study)


def visible_deviations(user: AnyUser, study: Study) -> QuerySet[Deviation]:
    """The same of deviations; those of forms that were removed are none any more."""
    visible = _is_visible(user, study, secrets_of(study).deviations)
    return Deviation.objects.filter(visible, study=study, form_data__removed_in=None)


def _is_visible(user: AnyUser, study: Study, secret: Q) -> Q:
    """At the person's sites; what is `secret` only where the arm may be seen."""
    at_all = Q(**at_sites(user, study, Permission.VIEW_SUBJECT, "subject__site"))
    sees_arm = at_sites(user, study, Permission.VIEW_ARM, "subject__site")
    return at_all & (Q(**sees_arm) | ~secret) if sees_arm else at_all
