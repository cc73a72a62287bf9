"""Fill a test study with invented people and patients, made through the services."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from pallsoft.demo.seed import Demonstration
from sites.centres import Centre, read_centres
from sites.clock import local_today
from trials.models import Mode, Study
from trials.selectors import study_by_oid

STUDY = "PALLSOFT"
CENTRES = settings.BASE_DIR / "sites" / "centres" / "pallsoft.yaml"


class Command(BaseCommand):
    help = "Fill the test study with invented people and patients. A second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--subjects", type=int, default=90, metavar="N", help="default 90")
        parser.add_argument("--seed", type=int, default=20241210, metavar="S", help="the same S gives the same people")
        parser.add_argument("--processes", type=int, default=processors(), metavar="P", help="default: one a processor")

    def handle(self, *, subjects: int, seed: int, processes: int, **_options: Any) -> None:
        study = self._study()
        if study.subjects.exists() or study.schemes.exists():
            self.stdout.write(f"{study.oid} already has people in it: nothing was done.")
            return
        accounts = Path(os.environ.get("PALLSOFT_DEMO_DIR", settings.BASE_DIR / ".demo"))
        demonstration = Demonstration(study, subjects, seed, local_today(study.timezone))
        if not demonstration.make(_centres(), accounts, processes):
            raise CommandError(
                "The demonstration data are not complete (why is said above): begin with an empty database."
            )
        self.stdout.write(f"{study.oid}: {subjects} invented subjects; the accounts are in {accounts}")

    def _study(self) -> Study:
        if settings.MODE not in ("demo", "test"):
            raise CommandError("Invented data are for a demonstration only: this installation is not one.")
        try:
            study = study_by_oid(STUDY)
        except Http404:
            raise CommandError(
                f"Load the study first: manage.py load_study trials/definitions/{STUDY.lower()}"
            ) from None
        if study.mode != Mode.TEST:
            raise CommandError(f"{study.oid} is a live study: no invented data go into it.")
        return study


def processors() -> int:
    """More than four would only wait for the database."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


def _centres() -> list[Centre]:
    centres, problems = read_centres(CENTRES)
    if centres is None:
        raise CommandError("\n".join(map(str, problems)))
    return list(centres.sites)
