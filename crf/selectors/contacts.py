"""When a participant was last known to be alive: derived from every contact, never entered by itself."""

from collections.abc import Iterator
from datetime import date

from crf.answers import SubjectAnswers


def last_known_alive(answers: SubjectAnswers) -> date | None:
    """The latest contact; with a death recorded, the latest that it allows."""
    end = answers.participation.last_possible_day or date.max
    return max((day for day in contact_days(answers) if day <= end), default=None)


def contacts_after_death(answers: SubjectAnswers, last_possible: date) -> list[date]:
    """Days on which the person was met, that contradict a death at the latest on `last_possible`."""
    return sorted({day for day in contact_days(answers) if day > last_possible})


def contact_days(answers: SubjectAnswers) -> Iterator[date]:
    """The consent, visits that took place, questionnaires answered, signs of life in the hospital record, and what the
    definition counts (its contacts)."""
    study = answers.study
    if answers.consent:
        yield answers.consent.signed_at.astimezone(answers.zone).date()
    met = {event.oid for event in study.events if event.kind != "log" and not event.from_registers}
    yield from (event.happened_on for event in answers.events if event.happened_on and event.event_oid in met)
    for form in answers.forms:
        if form.observed_at and study.has_form(form.form_oid) and study.form(form.form_oid).kind == "patient":
            yield form.observed_at.astimezone(answers.zone).date()
    yield from answers.alive_on
    for contact in study.contacts:
        yield from answers.days_of(contact)
