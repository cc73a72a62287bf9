"""Radiotherapy and follow-up of an invented patient, up to today, death or withdrawal."""

from datetime import date, timedelta

from crf.models import StudyEvent
from crf.services import mark_not_done
from pallsoft.demo import answers
from pallsoft.demo.life import Life
from pallsoft.demo.patients import SCORES, Patient
from sites.models import DeathCause, DeathPlace, StopKind, ToldBy
from sites.services import DeathFacts, Withdrawal, record_death, record_withdrawal

# visit, week, days before and after that the demonstration stays within
VISITS = (("W2", 2, 2), ("W4", 4, 4), ("W8", 8, 6), ("W12", 12, 6), ("W24", 24, 12))
QUALITY_OF_LIFE, ASSESSED = ("W4", "W12", "W24"), ("W4", "W8", "W12", "W24")
SURVIVAL_DAY = 273
BEHIND = timedelta(days=45)  # how far back a site that is behind has not entered its visits
EVENTS = ("Diaré", "Kvalme", "Urinveisinfeksjon", "Fall i hjemmet", "Feber", "Utslett på hofte", "Søvnvansker")
GRAVE_EVENTS = ("Tarmobstruksjon", "Urosepsis", "Lungeemboli", "Dehydrering med innleggelse")
PLANS = {"A": (1, "8"), "B": (5, "5")}


class FollowUp:
    """What follows on a randomisation, for one patient in one arm."""

    def __init__(self, life: Life, arm: str) -> None:
        self.life, self.arm = life, arm
        self.patient: Patient = life.patient
        self.draw = life.patient.draw
        self.day_0 = life.patient.first_fraction_on
        self.new_events = 0

    def cancel_radiotherapy(self) -> None:
        if self._has_come(self.day_0):
            decided = {"RTS_START": "N", "RTS_NOTON": self.day_0.isoformat(), "RTS_NOTW": "WORSE"}
            self.life.enter("RT", "RTS", decided, self.day_0)
            self.life.store()

    def run(self) -> None:
        if not self._has_come(self.day_0):
            return
        self._treat()
        self.life.store()  # day 0 is known now, and with it the windows of the visits
        for event, week, spread in VISITS:
            day = self.day_0 + timedelta(days=7 * week + self.draw.randint(-spread, spread))
            if self._has_come(day) and not self._has_stopped(day) and not self._is_left_undone(day):
                self._visit(event, week, day)
        self._survival()
        self._end()

    def _has_come(self, day: date) -> bool:
        return day <= self.life.today and day < self.patient.dies_on

    def _has_stopped(self, day: date) -> bool:
        return self.patient.stops_on is not None and self.patient.stops_on <= day

    def _is_left_undone(self, day: date) -> bool:
        return self.patient.site_is_behind and day > self.life.today - BEHIND

    def _treat(self) -> None:
        day, patient = self.day_0, self.patient
        if patient.is_fertile:
            test = answers.pregnancy_test(answers.instant(day, 9, 30), forgotten=self.draw.random() < 0.4)
            self._on("RT", "PT", test, day)
        count, dose = PLANS[self.arm]
        plan = {"RTS_START": "Y", "RTS_TARGT": "PRIMARY", "RTS_CTON": (day - timedelta(days=1)).isoformat()}
        self._on("RT", "RTS", plan | {"RTS_PLANN": str(count), "RTS_PLAND": dose}, day)
        for fraction, on, given in self._fractions(count):
            if self._has_come(on):
                self._fraction(fraction, on, dose if given else "")
        pause = 5 if self.draw.random() < 0.06 else 12
        systemic = {"SY_LAST": (day - timedelta(days=pause)).isoformat()} if patient.systemic else {}
        self._drugs("RT", 0, day, systemic)
        self._assess("RT", 0, day)
        self._on("RT", "VIS", answers.since_last("RT", new_event=False), day)

    def _fractions(self, count: int) -> list[tuple[int, date, bool]]:
        """(number, day, given) on weekdays from day 0; now and then one is missed and made up at the end."""
        weekdays = [on for n in range(14) if (on := self.day_0 + timedelta(days=n)).weekday() < 5]
        if count == 1 or self.draw.random() > 0.15:
            return [(n + 1, weekdays[n], True) for n in range(count)]
        missed = self.draw.randint(2, count)
        planned = [(n + 1, weekdays[n], n + 1 != missed) for n in range(count)]
        return [*planned, (missed, weekdays[count], True)]

    def _fraction(self, number: int, on: date, dose: str) -> None:
        values = {"RTF_NO": str(number), "RTF_DATE": on.isoformat()}
        if dose:
            values |= {"RTF_STATUS": "GIVEN", "RTF_TIME": "09:30", "RTF_DOSE": dose, "RTF_TECH": "VMAT"}
        else:
            values |= {"RTF_STATUS": "MISSED", "RTF_WHY": "MACHINE"}
        self._on("RT", "RTF", values, on)

    def _visit(self, event: str, week: int, day: date) -> None:
        unwell = self.draw.random() < 0.07
        self._on(event, "ST", {"ST_STATE": "ALIVE", "ST_ON": day.isoformat(), "ST_FROM": "SEEN"}, day)
        scores = {"NRS_NOT": "ILL"} if unwell else answers.symptoms(self.patient, day, week)
        self._on(event, "NRS", scores, day)
        self._drugs(event, week, day, {})
        grades, ecog = self._assess(event, week, day) if event in ASSESSED else ({}, 0)
        if event == "W4" and self.arm == "A":
            self._decide_on_second(day, scores.get(SCORES[self.patient.target]), grades, ecog)
        if event in QUALITY_OF_LIFE:
            self._questionnaires(event, day, unwell)
        self._on(event, "VIS", answers.since_last(event, self._adverse_event(event, day)), day)

    def _drugs(self, event: str, week: int, day: date, systemic: answers.Values) -> None:
        self._on(event, "CM", answers.medication(self.patient, event, systemic), day)
        if self.patient.opioid:
            self._on(event, "OPI", answers.opioid(self.patient, week), day)

    def _assess(self, event: str, week: int, day: date) -> tuple[answers.Values, int]:
        ecog = min(self.patient.ecog + (self.draw.random() < 0.25) * (week > 4), 4)
        grades = answers.toxicity(self.patient, self.life.place.physician.full_name, week)
        self._on(event, "EC", answers.performance(self.patient, ecog), day)
        self._on(event, "TOX", grades, day)
        return grades, ecog

    def _questionnaires(self, event: str, day: date, unwell: bool) -> None:
        for form, values in answers.quality_of_life(self.patient, "PAPER").items():
            reason = {next(iter(values)).replace("_WHO", "_NOT"): "ILL"}
            self._on(event, form, reason if unwell else values, day)
        if event == "W12":
            about = {"SAT_NOT": "ILL"} if unwell else {"SAT_WHO": "ALONE", "SAT_MODE": "PAPER", "SAT_LANG": "NB"}
            score = {} if unwell else {"SAT_SCORE": str(self.draw.randint(4, 10))}
            self._on(event, "SAT", about | score, day)
        used = {"RU_HOSP": self.draw.choice("00025"), "RU_NURS": "0", "RU_OUT": str(self.draw.randint(0, 6))}
        self._on(event, "RU", used | {"RU_HOME": answers.yes(self.draw.random() < 0.3)}, day)
        if event == "W4" and self.patient.biobank:
            self._on(event, "SMP", self.life.sample(day), day)

    def _decide_on_second(self, day: date, score: str | None, grades: answers.Values, ecog: int) -> None:
        """The criteria of the form, and then whether it is offered, accepted and given."""
        toxic = any(grade in "345" for item, grade in grades.items() if item not in ("TOX_BY", "TOX_SKIN", "TOX_FATIG"))
        still = score is not None and self.patient.baseline - int(score) < 2 and int(score) >= 4
        met = still and ecog <= 3 and not toxic
        offered = met and self.draw.random() < 0.8
        accepted = offered and self.draw.random() < 0.75
        values = {"SF_OFF": answers.yes(offered)}
        if offered:
            values |= {"SF_OFFON": day.isoformat(), "SF_ANS": "ACCEPTED" if accepted else "DECLINED"}
            values |= {} if accepted else {"SF_DECW": "BURDEN"}
        elif met:
            values |= {"SF_NOTW": "OTHERTX"}
        self._on("W4", "SF", values, day)
        on = day + timedelta(days=(7 - day.weekday()) % 7 or 1)
        if accepted and self._has_come(on):
            self._fraction(2, on, "8")

    def _adverse_event(self, event: str, day: date) -> bool:
        if event == "W24" or self.draw.random() > 0.18:
            return False
        began = day - timedelta(days=self.draw.randint(1, 9))
        grave = self.draw.random() < 0.2
        values = {
            "AE_TERM": self.draw.choice(GRAVE_EVENTS if grave else EVENTS),
            "AE_ON": began.isoformat(),
            "AE_GRADE": "3" if grave else self.draw.choice("112"),
            "AE_SER": answers.yes(grave),
            "AE_REL": self.draw.choice(["UNRELATED", "POSSIBLE", "PROBABLE"]),
            "AE_OUT": "ONGOING",
        }
        if grave:
            aware = answers.instant(began, 15)
            sent = aware + timedelta(hours=self.draw.choice([2, 20, 50]))
            values |= {"AE_CRIT": "HOSPITAL", "AE_AWARE": answers.utc_text(aware), "AE_SENT": answers.utc_text(sent)}
        self._on("LOG", "AE", values, day)
        return True

    def _survival(self) -> None:
        day = self.day_0 + timedelta(days=SURVIVAL_DAY + self.draw.randint(-10, 10))
        if self._has_come(day):
            self._on("SURV", "ST", {"ST_STATE": "ALIVE", "ST_ON": day.isoformat(), "ST_FROM": "RECORD"}, day)

    def _end(self) -> None:
        """Death, or what the patient wants no more of; the visits that fall away are closed."""
        died, stopped = self.patient.dies_on, self.patient.stops_on
        known = self.life.today - timedelta(days=4)
        self.life.store()
        subject, nurse = self.life.subject, self.life.place.nurse
        if stopped and stopped <= known and stopped < died and stopped > self.day_0:
            kinds = frozenset({StopKind.QUESTIONNAIRES, StopKind.VISITS})
            said = Withdrawal(kinds=kinds, day=stopped.isoformat(), told_by=ToldBy.PARTICIPANT)
            record_withdrawal(subject=subject, said=said, by=nurse)
        if died <= known:
            place = self.draw.choice([DeathPlace.HOME, DeathPlace.HOSPITAL, DeathPlace.NURSING_HOME])
            facts = DeathFacts(day=died.isoformat(), cause=DeathCause.CANCER, place=place, told_by=ToldBy.RECORD)
            record_death(subject=subject, facts=facts, by=nurse)
            self._mark_the_rest("DEAD")

    def _mark_the_rest(self, code: str) -> None:
        """Visits that were due before; those to come are closed by the death itself."""
        left = StudyEvent.objects.filter(subject=self.life.subject, happened_on=None, not_done_reason="")
        for event in left.exclude(event_oid="LOG").select_related("subject__site", "subject__study"):
            mark_not_done(event=event, by=self.life.place.nurse, code=code)

    def _on(self, event: str, form: str, values: answers.Values, day: date) -> None:
        self.life.enter(event, form, values, day)
