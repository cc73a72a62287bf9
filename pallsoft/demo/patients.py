"""Who takes part in the demonstration: drawn by seed, plausible over time, nobody real."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from sites.models import Sex

MONTHS = 11
SITE_WEIGHTS = {
    "OSL": 18, "BER": 13, "BOD": 11, "TRO": 9, "TRD": 12, "STA": 10, "KRI": 8, "DRA": 8, "SKI": 9, "GJO": 7, "ALE": 6
}  # fmt: skip
GROUPS = {"GI": 45, "URO": 32, "GYN": 23}
PRIMARY = {
    "GI": [("C20", "ADENO"), ("C18", "ADENO"), ("C19", "ADENO"), ("C21", "SQUAMOUS")],
    "URO": [("C61", "ADENO"), ("C67", "UROTHELIAL")],
    "GYN": [("C53", "SQUAMOUS"), ("C54", "ADENO"), ("C56", "SEROUS"), ("C51", "SQUAMOUS")],
}
TARGETS = {
    "GI": {"PAIN": 50, "BLEED": 25, "BOWEL": 25},
    "URO": {"PAIN": 45, "BLEED": 25, "URINARY": 30},
    "GYN": {"PAIN": 40, "BLEED": 30, "VAGINAL": 20, "BOWEL": 10},
}
SCORES = {"PAIN": "NRS_PAIN", "BLEED": "NRS_BLEED", "BOWEL": "NRS_BOWEL", "URINARY": "NRS_URIN", "VAGINAL": "NRS_VAG"}
FALL_BY_WEEK = {0: 0.0, 2: 0.5, 4: 1.0, 8: 1.0, 12: 0.9, 24: 0.7}  # of a responder's whole fall


class Fate(StrEnum):
    """How far a person gets. The recent ones are for trying the pages out."""

    FAILED = "failed"  # a criterion is not met
    FAILED_THEN_IN = "failed_then_in"  # screened again, then randomised
    IN_SCREENING = "in_screening"  # forms half done
    READY = "ready"  # everything in place, to be randomised by whoever tries
    TODAY = "today"  # randomised today, from the central list
    TREATED = "treated"
    NEVER_TREATED = "never_treated"  # randomised, radiotherapy cancelled


@dataclass
class Patient:
    """One invented person; `draw` gives every later choice."""

    site: str
    fate: Fate
    consent_on: date
    draw: Random = field(repr=False)

    def __post_init__(self) -> None:
        draw = self.draw
        self.group = _weighted(draw, GROUPS)
        self.primary, self.histology = draw.choice(PRIMARY[self.group])
        self.sex = self._sex()
        usual_age = 52 if self.primary == "C53" else 71
        self.birth_year = self.consent_on.year - min(max(round(draw.gauss(usual_age, 9)), 38), 92)
        self.target = _weighted(draw, TARGETS[self.group])
        self.baseline = draw.choice([4, 5, 5, 6, 6, 7, 7, 8, 8, 9])
        self.others = {symptom: draw.choice([0, 0, 1, 2, 2, 3, 4]) for symptom in SCORES}
        self.responds = draw.random() < 0.66
        self.fall = draw.randint(2, self.baseline) if self.responds else draw.choice([-1, 0, 0, 1])
        self.ecog = draw.choice([0, 1, 1, 1, 2, 2, 3])
        self.opioid = draw.random() < (0.7 if self.target == "PAIN" else 0.35)
        self.morphine = draw.choice([10, 20, 20, 30, 40])
        self.systemic = draw.random() < 0.35
        self.biobank = draw.random() < 0.7
        self.dies_on = self.consent_on + timedelta(days=40 + round(draw.expovariate(1 / 320)))
        self.stops_on = self.consent_on + timedelta(days=draw.randint(40, 120)) if draw.random() < 0.07 else None
        self.site_is_behind = draw.random() < 0.12
        self.randomized_on = self.consent_on + timedelta(days=draw.randint(0, 4))
        self.first_fraction_on = _weekday(self.randomized_on + timedelta(days=draw.randint(1, 6)))

    @property
    def is_woman(self) -> bool:
        return self.sex == Sex.FEMALE

    @property
    def is_fertile(self) -> bool:
        """Younger than 52, and nothing has been removed."""
        return self.is_woman and self.consent_on.year - self.birth_year < 52 and self.primary != "C54"

    def score(self, symptom: str, week: int) -> int:
        """NRS of a symptom around a week after the first fraction."""
        start = self.baseline if symptom == self.target else self.others[symptom]
        if symptom == self.target:
            value = start - self.fall * FALL_BY_WEEK[week] + self.draw.choice([-0.4, 0, 0, 0.4]) * bool(week)
        else:
            value = start + (self.draw.choice([-1, 0, 0, 1]) if week else 0)
        return min(max(round(value), 0), 10)

    def _sex(self) -> Sex:
        if self.group == "GYN":
            return Sex.FEMALE
        if self.primary == "C61":
            return Sex.MALE
        return Sex.FEMALE if self.draw.random() < 0.42 else Sex.MALE


def invented_patients(count: int, seed: int, today: date, open_since: dict[str, date]) -> list[Patient]:
    """`count` persons in the order of their randomisation. The same seed on the same day gives the same persons."""
    draw = Random(seed)
    fates = _fates(count)
    recent = [fate for fate in fates if fate in (Fate.READY, Fate.TODAY, Fate.IN_SCREENING)]
    days = sorted(_consent_day(draw, today) for _ in range(count - len(recent)))
    earlier = [fate for fate in fates if fate not in recent]
    draw.shuffle(earlier)
    found = [_patient(draw, fate, day, open_since) for fate, day in zip(earlier, days, strict=True)]
    found.sort(key=lambda patient: patient.randomized_on)
    found += [_recent(draw, n, fate, today) for n, fate in enumerate(recent)]
    return found


def _fates(count: int) -> list[Fate]:
    """One of each rare fate for about every twenty persons, and in a small demonstration one of each all the same."""
    share = max(count // 30, 1)
    rare = [Fate.FAILED] * (2 * share) + [Fate.NEVER_TREATED] * share + [Fate.FAILED_THEN_IN, Fate.READY, Fate.TODAY]
    rare += [Fate.IN_SCREENING] * share
    return (rare + [Fate.TREATED] * count)[:count]


def _consent_day(draw: Random, today: date) -> date:
    """Recruitment that gathers speed over the months."""
    back = MONTHS * 30 * (1 - draw.random() ** 0.75)
    return today - timedelta(days=12 + round(back))


def _patient(draw: Random, fate: Fate, day: date, open_since: dict[str, date]) -> Patient:
    choice = {code: weight for code, weight in SITE_WEIGHTS.items() if open_since.get(code, date.max) <= day}
    code = _weighted(draw, choice) if choice else min(open_since, key=lambda one: open_since[one])
    return Patient(code, fate, max(day, open_since[code]), Random(draw.getrandbits(64)))


def _recent(draw: Random, n: int, fate: Fate, today: date) -> Patient:
    """The newest ones are in Bodø and Oslo, where people try the pages out."""
    return Patient(("BOD", "OSL", "BOD")[n % 3], fate, today - timedelta(days=3), Random(draw.getrandbits(64)))


def _weekday(day: date) -> date:
    """The day itself, or the Monday after it."""
    return day + timedelta(days=(7 - day.weekday()) % 7) if day.weekday() > 4 else day


def _weighted(draw: Random, weights: dict[str, Any]) -> str:
    return draw.choices(list(weights), list(weights.values()))[0]
