"""Forms that depend on other forms: brought up to date in the transaction of the change they follow from."""

from collections.abc import Iterator, Mapping, Set
from functools import lru_cache

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.entry.document import Document, Rules, Settled
from crf.models import FormData, FormStatus, Meaning, Signature
from crf.policies import check_can_follow
from crf.selectors.definitions import definition_for
from crf.services.checks import Place, asking_checks, settles_a_query
from crf.services.following import follow_form
from crf.services.planning import follow_participation, moves_day_0, place_events
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.models import Subject, SubjectStatus
from sites.selectors import definition_at
from trials.definition import StudyDef
from trials.scope import compiled
from trials.subject_rules import asked_for


def follow(answers: SubjectAnswers, form: FormData, changed: set[str], by: User | None) -> None:
    """What follows for the subject from a form that was saved or removed: other forms, and visits when day 0 moves.

    `changed`: the OIDs of the items whose answers changed.
    """
    answers.put(form)
    if moves_day_0(answers, form.form_oid, changed):
        place_events(answers, by)
        changed = changed | {"fact.anchor_on", "fact.anchor_at"}
    recalculate(answers, changed, by)


def recalculate(answers: SubjectAnswers, changed: set[str], by: User | None) -> None:
    """Settle every other saved form of the subject that asks for one of `changed` (item OIDs, or "fact.anchor_on" …).

    A form that changes may change the next one; each round can only follow from the one before.
    """
    asking = asking_checks(answers.subject)
    for _round in answers.forms:
        stale = list(_stale(answers, changed, asking))
        if not stale:
            return
        changed = {oid for form, settled in stale for oid in _store(form, settled, by)}
        for form, _settled in stale:
            answers.put(form)


def follow_subject(subject: Subject, changed: Set[str], by: User) -> None:
    """Settle what follows from a fact about the subject that was put right, or from its leaving (sites.following).

    A confirmation of eligibility was given for the facts as they were: before randomisation it falls. Afterwards it is
    history, as the allocation is.
    """
    if "participation" in changed:
        follow_participation(subject, by)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    recalculate(answers, set(changed), by)
    corrected = any(ref.startswith("subject.") for ref in changed)
    if corrected and subject.status == SubjectStatus.SCREENING:
        _void_confirmations(subject, by)


def _void_confirmations(subject: Subject, by: User) -> None:
    standing = Signature.objects.filter(subject=subject, meaning=Meaning.ELIGIBILITY, voided_in=None)
    reason = _("Follows from a correction of consent or enrolment")
    with change_set(
        study=subject.study, by=by, action="crf.void_confirmation", reason=reason, site=subject.site
    ) as voiding:
        standing.update(voided_in=voiding)


def write(form: FormData, settled: Settled) -> None:
    """The settled document on the row, one version further."""
    form.data, form.marks = dict(settled.document.data), dict(settled.document.marks)
    form.status = FormStatus.COMPLETE if settled.complete else FormStatus.INCOMPLETE


def _stale(
    answers: SubjectAnswers, changed: set[str], asking: Mapping[Place, set[str]]
) -> Iterator[tuple[FormData, Settled]]:
    for form in answers.forms:
        study = definition_for(form)
        if changed.isdisjoint(asked_outside(study, form.form_oid)):
            continue
        before = Document(form.data, form.marks)
        rules = Rules(study, study.form(form.form_oid), answers.at(form.event, form.observed_at))
        settled = rules.settle(before, {}, {})
        if settled.document != before or settles_a_query(form, settled, asking):
            yield form, settled


def _store(form: FormData, settled: Settled, by: User | None) -> set[str]:
    """The OIDs of the items whose answers changed."""
    before = Document(form.data, form.marks)
    oids = {oid for oid in {*before.data, *before.marks, *settled.document.data, *settled.document.marks}}
    subject = form.subject
    check_can_follow(form, str(definition_for(form).form(form.form_oid).title))
    reason = _("Follows from a change in another form")
    changed = {oid for oid in oids if before.answer(oid) != settled.document.answer(oid)}
    study = definition_for(form)
    with change_set(study=subject.study, by=by, action="crf.recalculate", reason=reason, site=subject.site):
        if settled.document != before:
            write(form, settled)
            form.version += 1
            form.save(update_fields=["data", "marks", "status", "version"])
        follow_form(form, study, before, settled, changed)
    return changed


@lru_cache(maxsize=1024)
def asked_outside(study: StudyDef, form_oid: str) -> frozenset[str]:
    """What the rules of a form ask for outside of it: item OIDs, and "fact.…", "event.…" as they are written."""
    form = study.form(form_oid)
    sources = [group.relevant for group in form.groups]
    sources += [source for item in form.items for source in (item.relevant, item.derived)]
    sources += [check.violated_if for check in form.checks]
    names = {name for source in sources if source for name in compiled(study, source, form_oid).names if "." in name}
    return frozenset(asked_for(study, names))
