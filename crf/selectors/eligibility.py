"""Whether a subject fits: the criteria one by one, where each answer comes from, and who has confirmed it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from crf.answers import SubjectAnswers
from crf.models import FormData, Meaning, Signature, StudyEvent
from crf.selectors.definitions import definition_for
from crf.selectors.words import reference_words
from sites.models import Subject
from sites.selectors import definition_at
from trials.definition import StudyDef
from trials.eligibility import Verdict, may_be_randomized, verdicts
from trials.values import UNKNOWN


@dataclass(frozen=True)
class Eligibility:
    """The newest screening attempt. `row`: its eligibility form, None as long as it is not saved."""

    event: StudyEvent
    row: FormData | None
    answers: SubjectAnswers
    verdicts: list[Verdict]
    signature: Signature | None

    @property
    def study(self) -> StudyDef:
        return self.answers.study

    @property
    def not_met(self) -> list[Verdict]:
        """The criteria that speak against; one is enough for a screen failure."""
        return [v for v in self.verdicts if v.fits is False and v.criterion.blocks_randomization]

    @property
    def undecided(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.fits is UNKNOWN and v.criterion.blocks_randomization]

    @property
    def fits(self) -> bool:
        return self.row is not None and may_be_randomized(self.verdicts)

    def sources_of(self, verdict: Verdict) -> list[str]:
        """What a computed criterion was found from, in words: "Pain NRS: 6"."""
        return [reference_words(self.answers, ref, self.event) for ref in verdict.sources]

    @property
    def source_rows(self) -> list[FormData]:
        """Every saved form that the verdict stands on, the eligibility form first."""
        rows = {self.row.pk: self.row} if self.row else {}
        blocking = (verdict for verdict in self.verdicts if verdict.criterion.blocks_randomization)
        rows |= {row.pk: row for verdict in blocking for row in self._rows_of(verdict)}
        return list(rows.values())

    def _rows_of(self, verdict: Verdict) -> Iterator[FormData]:
        for ref in verdict.sources:
            prefix, _dot, item = ref.rpartition(".")
            if prefix and not prefix.islower():
                row = self.answers.instance(prefix, item, self.event)
                yield from [row] if row else []


def eligibility_of(subject: Subject, on: date | None = None) -> Eligibility:
    """The newest attempt, by the definition that its form was begun under, as of today or of the day `on`."""
    answers = SubjectAnswers(subject, definition_at(subject.site), on)
    event = newest_attempt(answers)
    row = next((form for form in answers.forms if _is_eligibility(form, answers.study, event)), None)
    if row and row.definition_version_id:
        answers.study = definition_for(row)
    data, missing = (row.data, row.missing_codes) if row else ({}, {})
    return Eligibility(
        event, row, answers, verdicts(answers.study, data, missing, answers.at(event)), valid_signature(row)
    )


def newest_attempt(answers: SubjectAnswers) -> StudyEvent:
    """The visit of the newest screening attempt; an unsaved one before anything was entered."""
    oid = next(event.oid for event in answers.study.events if event.kind == "screening")
    attempts = [event for event in answers.events if event.event_oid == oid]
    newest = max(attempts, key=lambda event: event.ordinal, default=None)
    event = newest or StudyEvent(study=answers.subject.study, event_oid=oid)
    event.subject = answers.subject
    return event


def valid_signature(row: FormData | None) -> Signature | None:
    """The confirmation that stands: the database voids it as soon as a form it was given for changes."""
    if row is None:
        return None
    return (
        Signature.objects.filter(form_data=row, meaning=Meaning.ELIGIBILITY, voided_in=None)
        .select_related("signed_by", "delegation")
        .first()
    )


def _is_eligibility(form: FormData, study: StudyDef, event: StudyEvent) -> bool:
    return form.form_oid == study.eligibility.form and form.event.key == event.key
