"""Which queries a person sees. Those that tell the arm, by item, form, visit or check, only who may see it (D8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.db.models import Q, QuerySet

from crf.models import Query
from crf.selectors.loading import betrays_arm, event_betrays_arm
from sites.permissions import AnyUser, Permission, at_sites
from trials.definition import EditCheck, FormDef, StudyDef, definition_of
from trials.models import Study
from trials.scope import compiled
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


def visible_queries(user: AnyUser, study: Study, definitions: Iterable[StudyDef] | None = None) -> QuerySet[Query]:
    """The queries of the person's sites, without those that would tell the arm to who may not see it."""
    found = Query.objects.filter(study=study, **at_sites(user, study, Permission.VIEW_SUBJECT, "subject__site"))
    sees_arm = at_sites(user, study, Permission.VIEW_ARM, "subject__site")
    if not sees_arm:
        return found
    told = Definitions(study).all if definitions is None else definitions
    return found.filter(Q(**sees_arm) | ~secret_queries(told))


@dataclass(frozen=True)
class Secret:
    """OIDs of a definition."""

    items: frozenset[str]
    forms: frozenset[str]
    events: frozenset[str]
    checks: frozenset[str]

    def places(self, form: str = "") -> Q:
        """A condition on rows that name their visit and their form, the latter by `form` ("form_data__")."""
        return Q(**{f"{form}form_oid__in": self.forms}) | Q(event__event_oid__in=self.events)

    @property
    def queries(self) -> Q:
        return self.places() | Q(item_oid__in=self.items) | Q(check_oid__in=self.checks)

    @property
    def deviations(self) -> Q:
        return self.places("form_data__") | Q(check_oid__in=self.checks)


NO_SECRET = Secret(frozenset(), frozenset(), frozenset(), frozenset())


@lru_cache(maxsize=64)
def secret_parts(study: StudyDef) -> Secret:
    """What of a definition tells the arm."""
    items = frozenset(item.oid for form in study.forms for item in form.items if item.reveals_arm)
    return Secret(
        items,
        frozenset(form.oid for form in study.forms if betrays_arm(study, form)),
        frozenset(event.oid for event in study.events if event_betrays_arm(study, event)),
        frozenset(_secret_checks(study, items)),
    )


def all_secrets(studies: Iterable[StudyDef]) -> Secret:
    """What told the arm in any of the versions: what was stored under it is still there."""
    parts = [secret_parts(study) for study in studies]
    return Secret(
        frozenset[str]().union(*(part.items for part in parts)),
        frozenset[str]().union(*(part.forms for part in parts)),
        frozenset[str]().union(*(part.events for part in parts)),
        frozenset[str]().union(*(part.checks for part in parts)),
    )


def secret_queries(studies: Iterable[StudyDef]) -> Q:
    """A condition on crf.Query; none for no definition."""
    return all_secrets(studies).queries


def _secret_checks(study: StudyDef, items: frozenset[str]) -> Iterable[str]:
    for plain in study.forms:
        form = study.form(plain.oid)
        yield from (check.oid for check in form.checks if _tells(study, form, check, items))


def _tells(study: StudyDef, form: FormDef, check: EditCheck, items: frozenset[str]) -> bool:
    """Does it ask for the arm, or for an item that tells it?"""
    sources = {f"fact.{fact.oid}": fact.expr for fact in study.facts}
    names = list(compiled(study, check.violated_if, form.oid).names)
    for name in names:  # grows by what the facts of the definition ask for
        if name in sources:
            names += compiled(study, sources.pop(name)).names
    return any(name == "fact.arm" or name.rpartition(".")[2] in items for name in names)
