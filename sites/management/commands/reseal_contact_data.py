"""`manage.py reseal_contact_data`: after a change of key. Stopped in between, the next run goes on where it was."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pallsoft.errors import NotAllowedNow
from sites.services.resealing import reseal_contact_data, with_older_key
from trials.models import Study

BATCH = 100


class Command(BaseCommand):
    help = "Seal all contact data with the first key. Exits with 1 and names whose no key opens."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            lost = [number for study in Study.objects.order_by("oid") for number in self._reseal(study)]
        except NotAllowedNow as refusal:
            raise CommandError(refusal.message) from refusal
        if lost:
            raise CommandError(f"No key opens the contact data of {', '.join(lost)}: their sites ask them again.")
        self.stdout.write("All contact data have the first key.")

    def _reseal(self, study: Study) -> list[str]:
        """Batch by batch, each for good at its end; the numbers of those that no key opens."""
        older, lost = with_older_key(study)
        done = 0
        for start in range(0, len(older), BATCH):
            done += reseal_contact_data(study=study, subjects=older[start : start + BATCH])
            self.stdout.write(f"{study.oid}: {done} of {len(older)} sealed anew")
        return [subject.number for subject in lost]
