"""Everything of the demonstration in its order: places and people, lists, patients, the rest of the screening log."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random

from django.db import transaction

from pallsoft.accounts.models import User
from pallsoft.demo import parallel
from pallsoft.demo.departed import deviate
from pallsoft.demo.follow_up import FollowUp
from pallsoft.demo.life import Life, at_noon
from pallsoft.demo.lists import seal_lists
from pallsoft.demo.patients import MONTHS, Fate, Patient, invented_patients
from pallsoft.demo.people import WHY, Place, Staff, new_password, open_study, opened_on, place_of, write_accounts
from pallsoft.demo.reported import report_events
from randomization.services import arm_for, confirm_late, randomize, report_late
from randomization.strata import strata_of
from sites import services
from sites.centres import Centre
from sites.models import AgeBand, ScreeningOutcome, Sex
from trials.definition import StudyDef, definition_of
from trials.models import Status, Study
from trials.selectors import live_version

LATE = "Oppdiktede demonstrasjonsdata, ført inn i ettertid"
CLOSES = "GJO"  # closed to recruitment in the end, with patients in follow-up
CONSIDERED_PER_SUBJECT = 0.5
EARLIER = (Fate.TREATED, Fate.NEVER_TREATED, Fate.FAILED_THEN_IN)
NOT_GOING_ON = (
    (ScreeningOutcome.DECLINED, "declined"),
    (ScreeningOutcome.DECLINED, "declined"),
    (ScreeningOutcome.NOT_ELIGIBLE, "I11"),
    (ScreeningOutcome.NOT_ELIGIBLE, "I6"),
    (ScreeningOutcome.NOT_ELIGIBLE, "E1"),
    (ScreeningOutcome.OTHER, "not_asked"),
)


@dataclass(frozen=True)
class Demonstration:
    """What is asked for. `today`: the day on which it is made; nothing has happened later than yesterday."""

    study: Study
    subjects: int
    seed: int
    today: date

    @property
    def start(self) -> date:
        """The day on which the first site opened."""
        return self.today - timedelta(days=MONTHS * 30 + 20)

    def make(self, centres: list[Centre], accounts: Path, processes: int) -> bool:
        """Make it all; with one process, in this one. Returns whether all went well."""
        turns = parallel.Turns(strata_of(self._definition()))
        stages: list[list[Callable[[], None]]] = [
            [partial(self._make_places, centres, accounts)],
            [partial(self._make_patients, turns, part, processes) for part in range(processes)],
            [self._make_the_rest],
        ]
        if processes > 1:
            return all(parallel.run(stage) for stage in stages)
        for (task,) in stages:
            task()
        return True

    def _definition(self) -> StudyDef:
        return definition_of(live_version(self.study))

    def _make_places(self, centres: list[Centre], accounts: Path) -> None:
        sites = open_study(self.study, centres, self.start)
        staff = Staff(self.study, self.start, new_password())
        people = staff.of_study({site.code: site for site in sites})
        for site in sites:
            staff.at(site)
        write_accounts(staff.accounts, accounts)
        holder, second = people["statistician"], people["coordinator"]
        study = Study.objects.get(pk=self.study.pk)
        seal_lists(study, slots=max(self.subjects, 24), seed=self.seed, holder=holder, second=second)

    def _make_patients(self, turns: parallel.Turns, part: int, parts: int) -> None:
        """Those of every `parts`-th site, in the order of their randomisation, one after another."""
        places = {site.code: place_of(site) for site in self.study.sites.select_related("study")}
        mine = {code for n, code in enumerate(sorted(places)) if n % parts == part}
        holder = User.objects.get(username="statistician")
        positions: Counter[str] = Counter()
        opened = {code: opened_on(place.site) for code, place in places.items()}
        for patient in invented_patients(self.subjects, self.seed, self.today, opened):
            positions[stratum_of(patient)] += patient.fate in EARLIER
            if patient.site in mine:
                life = Life(patient, places[patient.site], self._definition(), self.today - timedelta(days=1))
                _live(life, Turn(turns, stratum_of(patient), positions[stratum_of(patient)], holder))

    def _make_the_rest(self) -> None:
        """Lines of the screening log that did not come to consent, a few still open; what the sponsor did about serious
        events; deviations; and one site stops recruiting.
        """
        sites = list(self.study.sites.select_related("study").order_by("code"))
        report_events(sites, User.objects.get(username="coordinator"))
        deviate(sites)
        draw = Random(self.seed + 1)
        places = [place_of(site) for site in sites]
        for n in range(round(self.subjects * CONSIDERED_PER_SUBJECT)):
            _consider(draw.choice(places), self.today, draw, is_open=n % 12 == 0)
        site = self.study.sites.select_related("study").get(code=CLOSES)
        since = self.today - timedelta(days=5)
        services.set_site_status(site=site, status=Status.CLOSED_TO_RECRUITMENT, since=since, by=None, reason=WHY)


@dataclass(frozen=True)
class Turn:
    """The place of a patient in the line for the fallback list of the stratum."""

    turns: parallel.Turns
    stratum: str
    position: int
    holder: User


def stratum_of(patient: Patient) -> str:
    return f"{patient.group}|{'PAIN' if patient.target == 'PAIN' else 'OTHER'}"


def _live(life: Life, turn: Turn) -> None:
    fate = life.patient.fate
    with transaction.atomic():
        life.screen()
    if fate == Fate.TODAY:
        number = life.subject.number
        randomize(subject=life.subject, key=life.key(), by=life.place.nurse, typed_number=number)
    elif fate in EARLIER:
        _randomize_earlier(life, turn)
        _follow_up(life)


def _randomize_earlier(life: Life, turn: Turn) -> None:
    """Months ago, as the telephone procedure would be entered now: no other service takes a time that is past."""
    happened_at = at_noon(life.patient.randomized_on)
    turn.turns.wait(turn.stratum, turn.position)
    entry = report_late(subject=life.subject, happened_at=happened_at, reason=LATE, by=life.place.nurse)
    confirm_late(entry=entry, position=turn.position, by=turn.holder)
    turn.turns.next(turn.stratum)


def _follow_up(life: Life) -> None:
    life.subject.refresh_from_db()
    arm = arm_for(life.place.nurse, life.subject)  # told only after the commit of the allocation
    if arm is None:
        raise RuntimeError(f"{life.subject} has no arm")
    with transaction.atomic():
        course = FollowUp(life, arm.code)
        if life.patient.fate == Fate.NEVER_TREATED:
            course.cancel_radiotherapy()
        else:
            course.run()


def _consider(place: Place, today: date, draw: Random, is_open: bool) -> None:
    since = opened_on(place.site)
    entry = services.log_screening(
        site=place.site,
        screened_in=today if is_open else since + timedelta(days=draw.randrange((today - since).days)),
        age_band=draw.choice([AgeBand.FROM_50, AgeBand.FROM_60, AgeBand.FROM_70, AgeBand.FROM_80]),
        sex=draw.choice(list(Sex)),
        key=uuid.UUID(int=draw.getrandbits(128)),
        by=place.nurse,
    )
    if not is_open:
        outcome, code = draw.choice(NOT_GOING_ON)
        services.close_screening(entry=entry, outcome=outcome, reason_code=code, by=place.nurse)
