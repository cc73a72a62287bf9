"""What of a study tells the arm: items, forms, visits and checks (D8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Q

from crf.models import FoundBy
from pallsoft.request import once
from trials.definition import FormDef, StudyDef, StudyEventDef, definition_of
from trials.models import Study
from trials.scope import compiled
from trials.selectors import published_versions


@dataclass(frozen=True)
class Secret:
    """OIDs of a definition."""

    items: frozenset[str]
    forms: frozenset[str]
    events: frozenset[str]
    checks: frozenset[str]
    rules: frozenset[str]  # kinds of deviations that such checks find: what a person writes of one may tell it too

    def places(self, form: str = "") -> Q:
        """A condition on rows that name their visit and their form, the latter by `form` ("form_data__")."""
        return Q(**{f"{form}form_oid__in": self.forms}) | Q(event__event_oid__in=self.events)

    @property
    def queries(self) -> Q:
        return self.places() | Q(item_oid__in=self.items) | Q(check_oid__in=self.checks)

    @property
    def deviations(self) -> Q:
        entered = Q(found_by=FoundBy.PERSON, rule_oid__in=self.rules)
        return self.places("form_data__") | Q(check_oid__in=self.checks) | entered


NO_SECRET = Secret(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())


@lru_cache(maxsize=64)
def secret_parts(study: StudyDef) -> Secret:
    """What of a definition tells the arm."""
    items = frozenset(item.oid for form in study.forms for item in form.items if item.reveals_arm)
    checks = frozenset(_secret_checks(study))
    return Secret(
        items,
        frozenset(form.oid for form in study.forms if betrays_arm(study, form)),
        frozenset(event.oid for event in study.events if event_betrays_arm(study, event)),
        checks,
        frozenset(rule.oid for oid in checks if (rule := study.deviation_rule(oid))),
    )


def secrets_of(study: Study) -> Secret:
    """What told the arm in any version that was published: what was stored under it is still there."""
    return once(("secrets", study.pk), lambda: _all_secrets(definition_of(one) for one in published_versions(study)))


def _all_secrets(studies: Iterable[StudyDef]) -> Secret:
    parts = [secret_parts(study) for study in studies]
    return Secret(
        frozenset[str]().union(*(part.items for part in parts)),
        frozenset[str]().union(*(part.forms for part in parts)),
        frozenset[str]().union(*(part.events for part in parts)),
        frozenset[str]().union(*(part.checks for part in parts)),
        frozenset[str]().union(*(part.rules for part in parts)),
    )


def _secret_checks(study: StudyDef) -> Iterable[str]:
    for plain in study.forms:
        form = study.form(plain.oid)
        for check in form.checks:
            if _tells_arm(study, compiled(study, check.violated_if, form.oid).names):
                yield check.oid


def _tells_arm(study: StudyDef, asked: Iterable[str]) -> bool:
    """Does a rule with these names ask for the arm, or for an item that tells it?"""
    sources = {f"fact.{fact.oid}": fact.expr for fact in study.facts}
    names = list(asked)
    for name in names:  # grows by what the facts of the definition ask for
        if name in sources:
            names += compiled(study, sources.pop(name)).names
    items = {name.rpartition(".")[2] for name in names if study.has_item(name.rpartition(".")[2])}
    return "fact.arm" in names or any(study.item(oid).reveals_arm for oid in items)


def betrays_arm(study: StudyDef, form: FormDef) -> bool:
    """Would its being there tell the arm? The number of its repeats, or that it is asked at all."""
    if form.repeating and any(item.reveals_arm for item in form.items):
        return True
    rules = [ref.relevant for event in study.events for ref in event.forms if ref.form == form.oid]
    return any(rule and _rule_tells_arm(study, rule) for rule in rules)


def event_betrays_arm(study: StudyDef, event: StudyEventDef) -> bool:
    """Would its being there tell the arm, or the day it is planned for?"""
    return any(rule and _rule_tells_arm(study, rule) for rule in (event.relevant, event.counted_from))


def proposal_betrays_arm(study: StudyDef, form: FormDef) -> bool:
    """Would being told of it on the worklist tell the arm, by its form or by what its rule asks about?"""
    if form.propose is None:
        return False
    by_rule = _tells_arm(study, compiled(study, form.propose.when, form.oid).names)
    return by_rule or betrays_arm(study, form)


def _rule_tells_arm(study: StudyDef, rule: str) -> bool:
    """Likewise of a rule of the schedule."""
    return _tells_arm(study, compiled(study, rule, at_event=True).names)
