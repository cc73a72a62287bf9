"""`manage.py verify_audit [--study OID] [--anchor]`: exits with 1 and names the first bad row when the trail does not
hold. `--anchor` also compares the chains with the file of anchors outside the database."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from pallsoft.audit.anchors import anchor_findings
from pallsoft.audit.verification import erasures, findings, masked


class Command(BaseCommand):
    help = "Recompute the chains, and compare every regulated table with its trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", metavar="OID", help="only this study's chain and tables")
        parser.add_argument("--anchor", action="store_true", help="also against the anchors outside the database")

    def handle(self, *args: Any, **options: Any) -> None:
        study = _study(options["study"])
        found = list(findings(study))
        if options["anchor"]:
            found += anchor_findings(study)
        for finding in found:
            self.stderr.write(str(finding))
        if found:
            raise CommandError(f"The trail does not hold. First: {found[0]}")
        self.stdout.write("The trail holds: every link, every digest and every table.")
        if options["anchor"]:
            self.stdout.write("It is what the anchors say.")
        emptied = masked(study)
        if emptied:
            self.stdout.write(f"Masked by two persons, and empty: {emptied} rows of the trail.")
        for erasure in erasures(study):
            self.stdout.write(str(erasure))


def _study(oid: str | None) -> UUID | None:
    if oid is None:
        return None
    # Looked up by name: this app stands below the one that knows studies.
    study = apps.get_model("trials", "Study").objects.filter(oid=oid).first()
    if study is None:
        raise CommandError(f"There is no study {oid}.")
    return study.pk
