"""What a new version would mean for the data that are there, subject by subject. Only looks: nothing is written.

A form that was begun keeps its version (DAT-11). So what "recalculates" and what is asked again is what would come of
moving it; what appears, appears at visits and forms that nobody has begun. Nothing that betrays an arm is in it: those
who plan an amendment do not see the treatment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from crf.answers import SubjectAnswers
from crf.entry.document import Answer, Document, Rules, Settled
from crf.models import FormData, StudyEvent
from crf.selectors.definitions import definition_for
from crf.selectors.matrix import visit_label
from crf.selectors.secrets import betrays_arm, event_betrays_arm
from crf.selectors.words import answer_words
from sites.models import Consent, Site, Subject
from sites.selectors import definition_at
from trials.definition import EditCheck, FormDef, ItemDef, StudyDef
from trials.models import Study
from trials.scope import compiled
from trials.subject_rules import is_shown


@dataclass(frozen=True)
class Effect:
    """One line: where (a visit and form), and what."""

    where: str
    what: str


@dataclass
class SubjectRehearsal:
    """What would happen to one subject. `consent`: the version that the subject has to sign anew, "" for none."""

    subject: Subject
    version: int
    appears: list[Effect] = field(default_factory=list)
    retires: list[Effect] = field(default_factory=list)
    recalculates: list[Effect] = field(default_factory=list)
    queries: list[Effect] = field(default_factory=list)
    consent: str = ""

    @property
    def is_touched(self) -> bool:
        return bool(self.appears or self.retires or self.recalculates or self.queries or self.consent)


def rehearsed(study: Study, new: StudyDef, sites: list[Site] | None = None) -> Iterator[SubjectRehearsal]:
    """Every subject by number, against the version that its site uses today."""
    subjects = study.subjects.select_related("site").order_by("number")
    for subject in subjects.filter(site__in=sites) if sites is not None else subjects:
        subject.study = subject.site.study = study
        yield _rehearse(subject, new)


def _rehearse(subject: Subject, new: StudyDef) -> SubjectRehearsal:
    live = definition_at(subject.site)
    answers = SubjectAnswers(subject, new)
    found = SubjectRehearsal(subject, live.version, consent=_new_consent(answers.consent, new))
    for row in answers.forms:
        row.subject = row.event.subject = subject
        _look_at(found, answers, row, new)
    found.appears += _appearing(answers, live, new)
    return found


def _look_at(found: SubjectRehearsal, answers: SubjectAnswers, row: FormData, new: StudyDef) -> None:
    """One saved form, settled by its own version and by the new one."""
    old = definition_for(row)
    form = new.form(row.form_oid)
    if betrays_arm(new, form) or _reads_alike(old, new, row.form_oid):
        return
    where = f"{visit_label(row.event, new.event(row.event.event_oid))}: {form.title}"
    document = Document(row.data, row.marks)
    now, then = (_settled(answers, row, study, document) for study in (old, new))
    for item in (item for item in form.items if not item.reveals_arm):
        if item.retired and document.answer(item.oid):
            found.retires.append(Effect(where, f"{item.label}: {_words(answers, new, item, document)}"))
        if item.derived and not item.retired:
            was, is_now = now.document.answer(item.oid), then.document.answer(item.oid)
            if was != is_now:
                words = " → ".join(_words(answers, new, item, one.document) for one in (now, then))
                found.recalculates.append(Effect(where, f"{item.label}: {words}"))
    before = {fired.oid for fired in now.fired}
    messages = {check.oid: str(check.message) for check in form.checks if not _asks_for_arm(new, form, check)}
    found.queries += [
        Effect(where, messages[one.oid]) for one in then.fired if one.oid in messages and one.oid not in before
    ]


@lru_cache(maxsize=512)
def _reads_alike(old: StudyDef, new: StudyDef, form_oid: str) -> bool:
    """Is everything that the form's rules stand on the same in both versions? Then nothing can come out otherwise."""
    around = ("facts", "tables", "anchor", "code_lists")
    return old.form(form_oid) == new.form(form_oid) and all(getattr(old, one) == getattr(new, one) for one in around)


def _asks_for_arm(study: StudyDef, form: FormDef, check: EditCheck) -> bool:
    names = compiled(study, check.violated_if, form.oid).names
    items = (name.rpartition(".")[2] for name in names)
    return "fact.arm" in names or any(study.has_item(oid) and study.item(oid).reveals_arm for oid in items)


def _settled(answers: SubjectAnswers, row: FormData, study: StudyDef, document: Document) -> Settled:
    around = SubjectAnswers(row.subject, study, forms=answers.forms)
    return Rules(study, study.form(row.form_oid), around.at(row.event, row.observed_at)).settle(document, {}, {})


def _words(answers: SubjectAnswers, study: StudyDef, item: ItemDef, document: Document) -> str:
    answer: Answer = document.answer(item.oid)
    return answer_words(study, item, answer, answers.zone)


def _appearing(answers: SubjectAnswers, live: StudyDef, new: StudyDef) -> Iterator[Effect]:
    """New forms and questions at visits where the form is not begun; nothing is asked backwards (S21)."""
    stored = {event.key: event for event in answers.events}
    begun = {(row.event.key, row.form_oid) for row in answers.forms}
    for definition in new.events:
        keys = [key for key in stored if key[0] == definition.oid] or [(definition.oid, 1)]
        for key in keys:
            event = stored.get(key) or StudyEvent(study=answers.subject.study, event_oid=key[0], ordinal=key[1])
            event.subject = answers.subject
            if event.is_settled or event_betrays_arm(new, definition):
                continue
            for ref in definition.forms:
                if (key, ref.form) in begun or not _has_new(live, new, ref.form, definition.oid):
                    continue
                if not is_shown(new, ref, answers.at(event)):
                    continue
                what = _new_in(live, answers, new.form(ref.form), event)
                if what:
                    yield Effect(f"{visit_label(event, definition)}: {new.form(ref.form).title}", what)


@lru_cache(maxsize=4096)
def _has_new(live: StudyDef, new: StudyDef, form_oid: str, event_oid: str) -> bool:
    """Does the visit ask anything on the form that it did not ask before, and that does not tell the arm?"""
    form = new.form(form_oid)
    return not betrays_arm(new, form) and (_is_new_at(live, form_oid, event_oid) or bool(_added(live, form)))


def _is_new_at(live: StudyDef, form_oid: str, event_oid: str) -> bool:
    return not live.has_event(event_oid) or not any(ref.form == form_oid for ref in live.event(event_oid).forms)


def _added(live: StudyDef, form: FormDef) -> list[ItemDef]:
    known = live.form(form.oid).item_oids
    return [item for item in form.items if item.oid not in known and not (item.retired or item.reveals_arm)]


def _new_in(live: StudyDef, answers: SubjectAnswers, form: FormDef, event: StudyEvent) -> str:
    """The form's title when it is new at the visit, else its new questions, those that would be asked there."""
    if _is_new_at(live, form.oid, event.event_oid):
        return str(form.title)
    asked = Rules(answers.study, form, answers.at(event)).settle(Document(), {}, {}).outcome.items
    return "; ".join(str(item.label) for item in _added(live, form) if item.oid in asked)


def _new_consent(consent: Consent | None, new: StudyDef) -> str:
    """The newest consent version, when the subject has signed an older one; also after the site began to use it."""
    newest = new.consent.versions[-1].version
    return newest if consent and consent.version != newest else ""
