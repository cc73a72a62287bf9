"""Everything of the demonstration in its order: people, lists, patients."""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from django.db import transaction

from pallsoft.accounts.models import User
from pallsoft.demo.follow_up import FollowUp
from pallsoft.demo.life import Life, at_noon
from pallsoft.demo.lists import seal_lists
from pallsoft.demo.patients import MONTHS, Fate, Patient, invented_patients
from pallsoft.demo.people import WHY, Place, Staff, open_study
from randomization.services import arm_for, randomize
from randomization.services.late import confirm_late, report_late
from sites import services
from sites.centres import Centre
from sites.models import AgeBand, ScreeningOutcome, Sex
from trials.definition import StudyDef, definition_of
from trials.models import Status, Study
from trials.selectors import live_version

LATE = "Oppdiktede demonstrasjonsdata, ført inn i ettertid"
CLOSES = "GJO"  # closed to recruitment in the end, with patients in follow-up
CONSIDERED_PER_SUBJECT = 0.5
NOT_GOING_ON = (
    (ScreeningOutcome.DECLINED, "declined"),
    (ScreeningOutcome.DECLINED, "declined"),
    (ScreeningOutcome.NOT_ELIGIBLE, "I11"),
    (ScreeningOutcome.NOT_ELIGIBLE, "I6"),
    (ScreeningOutcome.NOT_ELIGIBLE, "E1"),
    (ScreeningOutcome.OTHER, "not_asked"),
)


class Demonstration:
    """A study filled with invented people. `today`: the newest day on which anything may have happened."""

    def __init__(self, study: Study, *, subjects: int, seed: int, today: date) -> None:
        self.study, self.count, self.seed, self.today = study, subjects, seed, today
        self.start = today - timedelta(days=MONTHS * 30 + 20)
        self.positions: Counter[str] = Counter()  # slots used of the fallback list, by stratum

    def make_places(self, centres: list[Centre], staff: Staff) -> None:
        sites = open_study(self.study, centres, self.start)
        self.study.refresh_from_db()
        self.people = staff.of_study({site.code: site for site in sites})
        self.places = {site.code: staff.at(site) for site in sites}
        slots = max(self.count, 24)
        seal_lists(
            self.study,
            slots=slots,
            seed=self.seed,
            holder=self.people["statistician"],
            second=self.people["coordinator"],
        )

    def make_patients(self) -> Iterator[Patient]:
        """One after another, in the order of their consent; each is yielded when all of it is stored."""
        definition = definition_of(live_version(self.study))
        opened = {code: place.open_since for code, place in self.places.items()}
        for patient in invented_patients(self.count, self.seed, self.today, opened):
            self._live(patient, definition)
            yield patient
        self._consider_others()
        self._close_one()

    def _live(self, patient: Patient, definition: StudyDef) -> None:
        life = Life(patient, self.places[patient.site], definition, self.today - timedelta(days=1))
        with transaction.atomic():
            life.screen()
            self._randomize(life)
        life.subject.refresh_from_db()
        arm = arm_for(life.place.nurse, life.subject)  # told only after the commit of the allocation
        if arm and patient.fate != Fate.TODAY:
            with transaction.atomic():
                course = FollowUp(life, arm.code)
                course.cancel_radiotherapy() if patient.fate == Fate.NEVER_TREATED else course.run()

    def _randomize(self, life: Life) -> None:
        fate, nurse = life.patient.fate, life.place.nurse
        if fate == Fate.TODAY:
            randomize(subject=life.subject, key=life.key(), by=nurse, typed_number=life.subject.number)
        elif fate in (Fate.TREATED, Fate.NEVER_TREATED, Fate.FAILED_THEN_IN):
            self._randomize_earlier(life, nurse)

    def _randomize_earlier(self, life: Life, nurse: User) -> None:
        """Months ago, as the telephone procedure would be entered now: no other service takes a time that is past."""
        stratum = f"{life.patient.group}|{'PAIN' if life.patient.target == 'PAIN' else 'OTHER'}"
        self.positions[stratum] += 1
        entry = report_late(
            subject=life.subject, happened_at=at_noon(life.patient.randomized_on), reason=LATE, by=nurse
        )
        confirm_late(entry=entry, position=self.positions[stratum], by=self.people["statistician"])

    def _consider_others(self) -> None:
        """Lines of the screening log that did not come to consent, and a few still open."""
        draw = Random(self.seed + 1)
        places = list(self.places.values())
        for n in range(round(self.count * CONSIDERED_PER_SUBJECT)):
            place = draw.choice(places)
            day = place.open_since + timedelta(days=draw.randrange(max((self.today - place.open_since).days, 1)))
            self._consider(place, day, draw, is_open=n % 12 == 0)

    def _consider(self, place: Place, day: date, draw: Random, is_open: bool) -> None:
        entry = services.log_screening(
            site=place.site,
            screened_in=self.today if is_open else day,
            age_band=draw.choice([AgeBand.FROM_50, AgeBand.FROM_60, AgeBand.FROM_70, AgeBand.FROM_80]),
            sex=draw.choice(list(Sex)),
            key=uuid.UUID(int=draw.getrandbits(128)),
            by=place.nurse,
        )
        if not is_open:
            outcome, code = draw.choice(NOT_GOING_ON)
            services.close_screening(entry=entry, outcome=outcome, reason_code=code, by=place.nurse)

    def _close_one(self) -> None:
        place = self.places.get(CLOSES)
        if place and self.count > len(self.places):
            services.set_site_status(
                site=place.site,
                status=Status.CLOSED_TO_RECRUITMENT,
                since=self.today - timedelta(days=5),
                by=None,
                reason=WHY,
            )
