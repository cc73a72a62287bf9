"""One invented patient's way through the trial, each step through the service that a person at the site would use."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from crf.services import (
    Entry,
    confirm_eligibility,
    record_screen_failure,
    save_new_forms,
    start_screening_attempt,
)
from pallsoft.demo import answers
from pallsoft.demo.patients import SCORES, Fate, Patient
from pallsoft.demo.people import Place
from sites.models import AgeBand, ScreeningEntry, Sex, Subject
from sites.services import ConsentFacts, enrol_subject, log_screening
from sites.services.consent import LookAlikesFound
from trials.definition import StudyDef

CHECKED = "Kontrollert mot journalen (oppdiktet)."


@dataclass
class Life:
    """A patient at a site. `today`: the last day on which anything has been entered."""

    patient: Patient
    place: Place
    definition: StudyDef
    today: date
    attempt: int = 1
    subject: Subject = field(init=False)
    noted: list[Entry] = field(default_factory=list)

    def screen(self) -> None:
        """From the screening log to the forms of the screening visit, as far as the patient's fate lets it come."""
        self.subject = self._enrol(self._screened())
        if self.patient.fate in (Fate.FAILED, Fate.FAILED_THEN_IN):
            self._fail()
        if self.patient.fate == Fate.FAILED_THEN_IN:
            start_screening_attempt(subject=self.subject, by=self.place.nurse)
            self.attempt = 2
        if self.patient.fate != Fate.FAILED:
            self._fill_screening()

    def enter(
        self, event: str, form: str, values: Mapping[str, str], day: date, *, hour: int = 10, ordinal: int = 1
    ) -> None:
        """Note a form as observed on `day`; `store` enters all that is noted, as a nurse would from paper."""
        self.noted.append(Entry(event, form, values, answers.instant(day, hour), ordinal))

    def store(self) -> None:
        """What a check asks is answered as a nurse would: it was looked up."""
        save_new_forms(subject=self.subject, entries=self.noted, by=self.place.nurse, why=CHECKED)
        self.noted = []

    def key(self) -> uuid.UUID:
        """Of one act: drawn, so that the same seed asks the same."""
        return uuid.UUID(int=self.patient.draw.getrandbits(128))

    def on_screening(self, form: str, values: Mapping[str, str]) -> None:
        self.enter("SCREEN", form, values, self.patient.consent_on, ordinal=self.attempt, hour=13)

    def _screened(self) -> ScreeningEntry:
        age = self.patient.consent_on.year - self.patient.birth_year
        return log_screening(
            site=self.place.site,
            screened_in=self.patient.consent_on,
            age_band=band_of(age),
            sex=self.patient.sex,
            key=self.key(),
            by=self.place.nurse,
        )

    def _enrol(self, entry: ScreeningEntry) -> Subject:
        enrol = partial(
            enrol_subject,
            site=self.place.site,
            birth_year=self.patient.birth_year,
            sex=Sex(self.patient.sex),
            consent=self._consent(),
            screening_entry=entry,
            by=self.place.nurse,
        )
        try:
            return enrol(key=self.key())
        except LookAlikesFound as found:
            return enrol(key=self.key(), seen=[other.label for other in found.found])

    def _consent(self) -> ConsentFacts:
        asked = self.definition.consent
        return ConsentFacts(
            version=asked.versions[-1].version,
            signed_at=answers.instant(self.patient.consent_on, 9, self.patient.draw.randrange(60)),
            language="nb",
            informed_by=self.place.physician,
            copy_given=True,
            options={
                one.oid: one.required
                or (self.patient.biobank if one.oid == "BIOBANK" else self.patient.draw.random() < 0.8)
                for one in asked.options
            },
        )

    def _fail(self) -> None:
        """The target symptom scores 3: one less than the criterion asks."""
        scores = answers.symptoms(self.patient, self.patient.consent_on, 0)
        symptom = SCORES[self.patient.target]
        scores |= {symptom: "3"} | ({"NRS_PAIN24": "2"} if symptom == "NRS_PAIN" else {})
        self.on_screening("DM", answers.demography(self.patient))
        self.on_screening("CH", answers.cancer_history(self.patient))
        self.on_screening("TS", {"TS_TARGET": self.patient.target})
        self.on_screening("NRS", scores)
        self.on_screening("EC", answers.performance(self.patient, self.patient.ecog))
        self.on_screening("ELIG", answers.criteria(self.patient))
        self.store()
        record_screen_failure(subject=self.subject, by=self.place.nurse)
        self.subject.refresh_from_db()

    def _fill_screening(self) -> None:
        patient = self.patient
        if self.attempt == 1:  # the second time these are known
            self.on_screening("DM", answers.demography(patient))
            self.on_screening("CH", answers.cancer_history(patient))
        self.on_screening("TS", {"TS_TARGET": patient.target})
        self.on_screening("NRS", answers.symptoms(patient, patient.consent_on, 0))
        if patient.fate == Fate.IN_SCREENING:
            self.store()
            return
        self.on_screening("EC", answers.performance(patient, patient.ecog))
        for form, values in answers.quality_of_life(patient, "TABLET").items():
            self.on_screening(form, values)
        self._fill_clinic_part()
        self.on_screening("ELIG", answers.criteria(patient))
        self.store()
        confirm_eligibility(subject=self.subject, by=self.place.physician)

    def _fill_clinic_part(self) -> None:
        patient, day = self.patient, self.patient.consent_on
        systemic = {"SY_LAST": day.isoformat()} if patient.systemic else {}
        self.on_screening("CM", answers.medication(patient, "SCREEN", systemic))
        if patient.opioid:
            self.on_screening("OPI", answers.opioid(patient, 0))
        self.on_screening("TOX", answers.toxicity(patient, self.place.physician.full_name, 0))
        self.on_screening("LB", answers.laboratory(patient, day))
        if patient.biobank:
            self.on_screening("SMP", self.sample(day))
        self.on_screening("PLAN", {"PLAN_ON": patient.first_fraction_on.isoformat()})

    def sample(self, day: date) -> dict[str, str]:
        taken = answers.utc_text(answers.instant(day, 11))
        number = f"{self.subject.number}-B{1 if day == self.patient.consent_on else 2}"
        return {"SMP_ID": number, "SMP_TYPE": "BLOOD", "SMP_AT": taken, "SMP_LOC": "Fryser 3 (oppdiktet)"}


def band_of(age: int) -> AgeBand:
    return next(band for band in AgeBand if age <= int(band.value.split("-")[1]))


def at_noon(day: date) -> datetime:
    return answers.instant(day, 12)
